#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "report/core/text.h"
#include "report/core/words.h"

enum { NOTE_COLUMN = 53 }; /* of a phase: behind its name, begin and duration */

/* What a move of weights knows beyond its duration: the balancer's yes and, where blue got none,
 * the last new call it was given after it. */
static void weights_note(const struct phase_result *phase, FILE *out)
{
	if (!phase->asked_ns)
		return;
	if (!phase->returned_ns) {
		fputs("   the balancer did not answer", out);
		return;
	}
	fprintf(out, "   answered in %s", format_duration(phase->returned_ns - phase->asked_ns).s);
	if (phase->blue || !phase->green)
		return; /* new calls on blue are as they should be */
	if (phase->observed_ns > phase->returned_ns)
		fprintf(out, ", last stray new call %s later",
			format_duration(phase->observed_ns - phase->returned_ns).s);
	else
		fputs(", no stray new call after", out);
}

void text_phases(const struct report_input *input, FILE *out)
{
	const struct judgement *judgement = input->judgement;

	if (judgement->phase_count)
		fprintf(out, "\nphases%30s%14s\n", "from", "lasted");
	for (size_t i = 0; i < judgement->phase_count; i++) {
		const struct phase_result *phase = &judgement->phases[i];

		if (phase->phase == PHASE_BEFORE && phase->end_ns == phase->start_ns)
			continue; /* nothing came before the first step */
		fprintf(out, "  %-24s%10s", phase_label(input->scenario, phase).s,
			format_at(phase->start_ns, judgement->start_ns).s);
		fprintf(out, "%14s",
			phase->end_ns ? format_duration(phase->end_ns - phase->start_ns).s :
					"no end");
		weights_note(phase, out);
		if (phase->verdict != VERDICT_PASS)
			fprintf(out, "   %s%s",
				phase->verdict == VERDICT_FAIL ? "FAIL" : "INCONCLUSIVE",
				*phase->error ? ": " : "");
		if (*phase->error) {
			size_t column = NOTE_COLUMN + (phase->verdict == VERDICT_FAIL ? 6 : 14);

			fputs(phase->verdict == VERDICT_PASS ? "   " : "", out);
			text_wrap(out, column, NOTE_COLUMN, phase->error);
		} else {
			fputc('\n', out);
		}
	}
}

/* What a caller notices, what the claim is about, and what a gate speaks of; the others help to
 * find out why. */
static bool is_shown(const struct judgement *judgement, enum metric metric)
{
	bool shown = metric == METRIC_TURN_RESPONSE || metric == METRIC_REDIS_TURN ||
		     metric == METRIC_RESUME_GAP;

	for (size_t i = 0; i < judgement->gate_count; i++)
		shown |= !strcmp(judgement->gates[i].gate->metric, metric_name(metric));
	return shown;
}

static void latency_row(const struct latency_row *row, bool first, FILE *out)
{
	const struct histogram *h = &row->histogram;

	fprintf(out, "  %-15s%-10s%-8s%10s%9s", first ? metric_name(row->metric) : "",
		phase_name(row->phase), row->color == COLOR_UNKNOWN ? "-" : color_name(row->color),
		format_count(h->count).s, format_ms(histogram_quantile_ns(h, 0.50)).s);
	fprintf(out, "%10s%10s%10s", format_ms(histogram_quantile_ns(h, 0.95)).s,
		format_ms(histogram_quantile_ns(h, 0.99)).s, format_ms(h->max_ns).s);
	if (h->censored)
		fprintf(out, "%12s", format_count(h->censored).s);
	fputc('\n', out);
}

void text_latency(const struct report_input *input, FILE *out)
{
	const struct judgement *judgement = input->judgement;
	struct buf others = buf_init(1024);
	enum metric last = METRIC_COUNT;

	if (judgement->latency_count)
		fprintf(out, "\nlatency ms%35s%9s%10s%10s%10s%12s\n", "samples", "p50", "p95",
			"p99", "max", "unanswered");
	for (size_t i = 0; i < judgement->latency_count; i++) {
		const struct latency_row *row = &judgement->latency[i];
		bool first = row->metric != last;

		last = row->metric;
		if (is_shown(judgement, row->metric))
			latency_row(row, first, out);
		else if (first)
			buf_printf(&others, "%s%s", others.len ? ", " : "",
				   metric_name(row->metric));
	}
	if (others.len)
		fprintf(out, "  in result.json: %s\n", buf_text(&others));
	buf_free(&others);
}

static void measured(const struct redis_claim *c, struct buf *out)
{
	buf_printf(out, ": p99 %s ms, 99 %% interval %s", format_ms(c->p99_ns).s,
		   format_ms(c->p99_low_ns).s);
	if (c->p99_high_ns == INT64_MAX)
		buf_puts(out, " ms and up");
	else
		buf_printf(out, "..%s ms", format_ms(c->p99_high_ns).s);
	buf_printf(out, ", p50 %s ms, p95 %s ms over %s turns", format_ms(c->p50_ns).s,
		   format_ms(c->p95_ns).s, format_count(c->turns).s);
	if (c->unanswered)
		buf_printf(out, ", %s of them unanswered", format_count(c->unanswered).s);
	buf_printf(out, "; without standing in line p99 %s ms", format_ms(c->service_p99_ns).s);
}

void text_redis_claim(const struct report_input *input, FILE *out)
{
	const struct redis_claim *c = &input->judgement->redis_claim;
	struct buf text = buf_init(4096);

	if (!c->turns && !c->controls)
		return;
	buf_printf(&text, "claim of 1-2 ms per turn %s", claim_word(c->verdict));
	if (*c->note)
		buf_printf(&text, " (%s)", c->note);
	if (c->turns)
		measured(c, &text);
	if (c->agent_turns)
		buf_printf(&text, "; agents say p99 %s ms", format_ms(c->agent_p99_ns).s);
	if (c->controls)
		buf_printf(&text, "; our own GET+SETEX p99 %s ms", format_ms(c->control_p99_ns).s);
	fputs("\nredis   ", out);
	text_wrap(out, 8, 8, buf_text(&text));
	buf_free(&text);
}

void text_ledger(const struct report_input *input, FILE *out)
{
	const struct judgement *judgement = input->judgement;
	const struct generator *generator = &judgement->generator;
	const struct ledger *l = &judgement->ledger;

	fprintf(out, "\ncallers %u worker%s, schedule lag p99 %s, loop lag p99 %s,",
		generator->workers, generator->workers == 1 ? "" : "s",
		format_duration(generator->schedule_lag_p99_ns).s,
		format_duration(generator->loop_lag_p99_ns).s);
	fprintf(out, " CPU %.0f %%, %s, %s descriptors\n", generator->cpu_percent,
		format_bytes(generator->rss_bytes).s, format_count(generator->descriptors).s);
	fprintf(out,
		"traffic %s turns, %s resumes, %s of them to the other color; %s events judged\n",
		format_count(judgement->turns).s, format_count(judgement->resumes).s,
		format_count(judgement->crossings).s, format_count(judgement->events).s);
	fprintf(out,
		"ledger  %s started = %s completed + %s dropped + %s refused + %s live + %s abandoned\n",
		format_count(l->started).s, format_count(l->completed).s,
		format_count(l->dropped).s, format_count(l->refused).s, format_count(l->live).s,
		format_count(l->abandoned).s);
}
