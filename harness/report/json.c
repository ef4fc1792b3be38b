#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "report/core/words.h"

static void put(json_t *object, const char *key, json_t *value)
{
	/* Setting a string key on our own object fails only without memory. */
	ASSERT(value && json_object_set_new(object, key, value) == 0);
}

static void put_text(json_t *object, const char *key, const char *text)
{
	char *clean = text_clean(text ? text : "");

	put(object, key, json_string(clean));
	free(clean);
}

static void put_count(json_t *object, const char *key, uint64_t n)
{
	put(object, key, json_integer((json_int_t)n));
}

static void put_real(json_t *object, const char *key, double value)
{
	put(object, key, isfinite(value) ? json_real(value) : json_null());
}

static void put_ms(json_t *object, const char *key, int64_t ns)
{
	put_real(object, key, (double)ns / NS_PER_MS);
}

static void put_ms_if(json_t *object, const char *key, bool known, int64_t ns)
{
	put_real(object, key, known ? (double)ns / NS_PER_MS : NAN);
}

/* Seconds since run.start, or null for a moment that never was. */
static void put_moment(json_t *object, const char *key, int64_t t_ns, int64_t start_ns)
{
	put(object, key, t_ns ? json_real((double)(t_ns - start_ns) / NS_PER_S) : json_null());
}

static void put_ledger(json_t *object, const struct ledger *ledger)
{
	put_count(object, "started", ledger->started);
	put_count(object, "completed", ledger->completed);
	put_count(object, "dropped", ledger->dropped);
	put_count(object, "refused", ledger->refused);
	put_count(object, "live", ledger->live);
	put_count(object, "abandoned", ledger->abandoned);
}

static json_t *ledgers(const struct ledger *table, unsigned count, const char *key,
		       const char *(*name)(unsigned))
{
	json_t *rows = json_array();

	for (unsigned i = 0; i < count; i++) {
		if (!table[i].started)
			continue;
		json_t *row = json_object();

		put_text(row, key, name(i));
		put_ledger(row, &table[i]);
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *anomalies(const uint64_t *counts)
{
	json_t *object = json_object();

	for (unsigned i = ANOMALY_NONE + 1; i < ANOMALY_COUNT; i++) {
		if (counts[i])
			put_count(object, anomaly_name(i), counts[i]);
	}
	return object;
}

static json_t *witness(const struct report_input *input, const struct witness *w)
{
	json_t *object = json_object();

	put_text(object, "call", call_label(input, w->call).s);
	put_moment(object, "t_s", w->t_ns, input->judgement->start_ns);
	put_text(object, "cause", w->cause ? anomaly_name(w->cause) : "");
	put_text(object, "anomaly", anomaly_name(w->anomaly));
	put_text(object, "phase", phase_name(w->phase));
	put_text(object, "color", color_name(w->color));
	put_text(object, "instance", instance_label(input, w->instance));
	put_count(object, "leg", w->leg);
	put_text(object, "text", w->text);
	return object;
}

static json_t *checks(const struct report_input *input)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < input->judgement->finding_count; i++) {
		const struct finding *f = &input->judgement->findings[i];
		json_t *row = json_object(), *doubts = json_array(), *witnesses = json_array();

		for (size_t j = 0; j < f->reason_count; j++) {
			json_t *doubt = json_object();

			put_text(doubt, "reason", reason_name(f->reasons[j].reason));
			put_text(doubt, "text", f->reasons[j].text);
			json_array_append_new(doubts, doubt);
		}
		for (size_t j = 0; j < f->witness_count; j++)
			json_array_append_new(witnesses, witness(input, &f->witnesses[j]));
		put_text(row, "name", f->name);
		put_text(row, "verdict", verdict_name(f->verdict));
		put_count(row, "exposed", f->exposed);
		put_count(row, "need", f->need);
		put_count(row, "violations", f->violations);
		put_real(row, "upper_bound_95", f->upper_bound_95);
		put_text(row, "summary", f->summary);
		put(row, "reasons", doubts);
		put(row, "witnesses", witnesses);
		put(row, "anomalies", anomalies(f->anomalies));
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *unasked(const struct judgement *judgement)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < judgement->unasked_count; i++) {
		json_t *row = json_object();

		put_text(row, "name", judgement->unasked[i]->name);
		put_text(row, "why", judgement->unasked[i]->why_not);
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *gates(const struct judgement *judgement)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < judgement->gate_count; i++) {
		const struct gate_result *result = &judgement->gates[i];
		const struct gate *gate = result->gate;
		double unit = gate->duration ? NS_PER_MS : 1;
		json_t *row = json_object();

		put_text(row, "expression", gate->expression);
		put_text(row, "metric", gate->metric);
		put_text(row, "key", gate->key);
		put_text(row, "unit", gate->duration ? "ms" : "");
		put_real(row, "limit", gate->limit / unit);
		put_real(row, "measured", result->measured / unit);
		put_count(row, "samples", result->samples);
		put_ms_if(row, "low_ms", result->high_ns, result->low_ns);
		put_ms_if(row, "high_ms", result->high_ns && result->high_ns != INT64_MAX,
			  result->high_ns);
		put_text(row, "verdict", verdict_name(result->verdict));
		put_text(row, "note", result->note);
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *phases(const struct report_input *input)
{
	const struct judgement *judgement = input->judgement;
	json_t *rows = json_array();

	for (size_t i = 0; i < judgement->phase_count; i++) {
		const struct phase_result *phase = &judgement->phases[i];
		json_t *row = json_object();

		put_text(row, "name", phase_name(phase->phase));
		put_text(row, "step", phase_label(input->scenario, phase).s);
		put_moment(row, "start_s", phase->start_ns, judgement->start_ns);
		put_moment(row, "end_s", phase->end_ns, judgement->start_ns);
		put_moment(row, "asked_s", phase->asked_ns, judgement->start_ns);
		put_moment(row, "returned_s", phase->returned_ns, judgement->start_ns);
		put_moment(row, "observed_s", phase->observed_ns, judgement->start_ns);
		put_text(row, "verdict", verdict_name(phase->verdict));
		put_text(row, "error", phase->error);
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *latency(const struct judgement *judgement)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < judgement->latency_count; i++) {
		const struct latency_row *source = &judgement->latency[i];
		const struct histogram *histogram = &source->histogram;
		json_t *row = json_object();

		put_text(row, "metric", metric_name(source->metric));
		put_text(row, "phase", phase_name(source->phase));
		put_text(row, "color", color_name(source->color));
		put_count(row, "count", histogram->count);
		put_ms(row, "p50_ms", histogram_quantile_ns(histogram, 0.50));
		put_ms(row, "p95_ms", histogram_quantile_ns(histogram, 0.95));
		put_ms(row, "p99_ms", histogram_quantile_ns(histogram, 0.99));
		put_ms(row, "max_ms", histogram->max_ns);
		put_count(row, "unanswered", histogram->censored);
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *redis_claim(const struct redis_claim *c)
{
	json_t *object = json_object();

	put_text(object, "outcome", claim_word(c->verdict));
	put_text(object, "note", c->note);
	put_ms(object, "budget_ms", c->budget_ns);
	put_count(object, "turns", c->turns);
	put_count(object, "unanswered", c->unanswered);
	put_ms_if(object, "p50_ms", c->turns, c->p50_ns);
	put_ms_if(object, "p95_ms", c->turns, c->p95_ns);
	put_ms_if(object, "p99_ms", c->turns, c->p99_ns);
	put_ms_if(object, "p99_low_ms", c->turns, c->p99_low_ns);
	put_ms_if(object, "p99_high_ms", c->turns && c->p99_high_ns != INT64_MAX, c->p99_high_ns);
	put_ms_if(object, "service_p99_ms", c->turns, c->service_p99_ns);
	put_count(object, "agent_turns", c->agent_turns);
	put_ms_if(object, "agent_p99_ms", c->agent_turns, c->agent_p99_ns);
	put_count(object, "controls", c->controls);
	put_ms_if(object, "control_p99_ms", c->controls, c->control_p99_ns);
	return object;
}

static json_t *generator(const struct generator *source)
{
	json_t *object = json_object();

	put_count(object, "workers", source->workers);
	put_ms(object, "loop_lag_p99_ms", source->loop_lag_p99_ns);
	put_ms(object, "schedule_lag_p99_ms", source->schedule_lag_p99_ns);
	put_real(object, "cpu_percent", source->cpu_percent);
	put_count(object, "rss_bytes", source->rss_bytes);
	put_count(object, "descriptors", source->descriptors);
	return object;
}

static json_t *environment(const char *const *pairs)
{
	json_t *object = json_object();

	for (; pairs && *pairs; pairs++) {
		const char *value = strchr(*pairs, '=');
		char *key;

		if (!value)
			continue;
		key = text_clean(*pairs);
		key[value - *pairs] = '\0';
		put_text(object, key, value + 1);
		free(key);
	}
	return object;
}

static json_t *result(const struct report_input *input)
{
	const struct judgement *judgement = input->judgement;
	const struct scenario *scenario = input->scenario;
	const struct lane_header *header = input->history ? history_header(input->history) : NULL;
	json_t *root = json_object(), *ledger = json_object(), *traffic = json_object();

	put_text(root, "schema", RESULT_SCHEMA_NAME);
	put_text(root, "run", header ? header->run : "");
	put_text(root, "started_at", run_date(input).s);
	put_text(root, "scenario", scenario->name);
	put_count(root, "seed", scenario->seed);
	if (scenario->defect) {
		json_t *defect = json_object();

		put_text(defect, "name", scenario->defect);
		put_text(defect, "about", scenario->defect_about);
		put(root, "defect", defect);
	}
	put_text(root, "verdict", run_outcome(judgement));
	put_count(root, "exit_code", (uint64_t)judgement_exit_code(judgement));
	put(root, "interrupted", json_boolean(judgement->interrupted));
	put_text(root, "harness_error", judgement->harness_error ? judgement->harness_text : "");
	put_real(root, "duration_s", (double)(judgement->end_ns - judgement->start_ns) / NS_PER_S);
	put_ledger(ledger, &judgement->ledger);
	put(ledger, "by_phase", ledgers(judgement->by_phase, PHASE_COUNT, "phase", phase_name));
	put(ledger, "by_color", ledgers(judgement->by_color, COLOR_COUNT, "color", color_name));
	put(root, "ledger", ledger);
	put_count(traffic, "turns", judgement->turns);
	put_count(traffic, "resumes", judgement->resumes);
	put_count(traffic, "crossings", judgement->crossings);
	put_count(traffic, "events", judgement->events);
	put(root, "traffic", traffic);
	put(root, "checks", checks(input));
	put(root, "not_asked", unasked(judgement));
	put(root, "gates", gates(judgement));
	put(root, "phases", phases(input));
	put(root, "latency", latency(judgement));
	put(root, "redis_claim", redis_claim(&judgement->redis_claim));
	put(root, "generator", generator(&judgement->generator));
	put(root, "anomalies", anomalies(judgement->anomalies));
	put(root, "environment", environment(input->environment));
	put_text(root, "again", input->again);
	return root;
}

static int write_json(const struct report_input *input, FILE *out, struct err *err)
{
	json_t *root = result(input);
	int written = json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));

	json_decref(root);
	if (written < 0 || fputc('\n', out) == EOF)
		return err_set(err, ERR_HARNESS, "json report: cannot be written");
	return 0;
}

const struct report report_json = {
	.name = "json",
	.about = "result.json, as crossfade schema result describes it",
	.write = write_json,
};
