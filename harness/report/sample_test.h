/*
 * A judgement made by hand for the tests of the reports: one check of each verdict, two gates, a
 * failed step, a latency row, hostile text. Not for anything but tests; what is in it is what the
 * tests expect.
 */
#ifndef REPORT_SAMPLE_TEST_H
#define REPORT_SAMPLE_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "report/report.h"

struct sample {
	struct step steps[2];
	struct gate gates[2];
	struct scenario scenario;
	struct finding findings[3];
	struct witness witnesses[5];
	struct gate_result gate_results[2];
	struct phase_result phases[4];
	struct latency_row latency[2];
	struct judgement judgement;
	struct history *history;
	struct report_input input;
};

static const char *const sample_environment[] = { "kernel=Linux 6.1", "cores=2", "odd", NULL };

enum { SAMPLE_START_S = 1000 };

static inline int64_t sample_at(double s)
{
	return (int64_t)((SAMPLE_START_S + s) * NS_PER_S);
}

/* Names live in the history: calls c-7f3a2b-1 to 6, instances blue-1 (1) and blue-2 (2). */
static inline struct history *sample_history(void)
{
	char path[] = "/tmp/sample-XXXXXX.ndjson";
	int fd = mkstemps(path, 7);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	struct history *history = NULL;
	struct err err = { 0 };

	if (!file)
		return NULL;
	for (int i = 1; i <= 6; i++)
		fprintf(file,
			"{\"t\":\"%ds\",\"kind\":\"dial.ok\",\"call\":\"c-7f3a2b-%d\",\"color\":\"blue\",\"instance\":\"blue-%d\"}\n",
			SAMPLE_START_S + i, i, i % 2 ? 1 : 2);
	fclose(file);
	if (history_open(path, &history, &err) < 0)
		fprintf(stderr, "%s\n", err.text);
	unlink(path);
	return history;
}

static inline uint64_t sample_call(int i)
{
	char id[32];

	snprintf(id, sizeof(id), "c-7f3a2b-%d", i);
	return hash_id(id, strlen(id));
}

static inline void sample_fill_findings(struct sample *s)
{
	struct finding *f = s->findings;

	f[0] = (struct finding){ .name = "dropped_calls",
				 .verdict = VERDICT_FAIL,
				 .exposed = 2000,
				 .need = 1,
				 .violations = 5,
				 .upper_bound_95 = 0.005,
				 .summary = "5 of 2,000 dropped (limit 0)" };
	f[0].witnesses = s->witnesses;
	f[0].anomalies[ANOMALY_TORN_DOWN_LIVE] = 4;
	f[0].anomalies[ANOMALY_MUTED] = 1;
	for (int i = 1; i <= 5; i++)
		f[0].witnesses[f[0].witness_count++] = (struct witness){
			.call = sample_call(i),
			.t_ns = sample_at(41.203),
			.anomaly = i == 4 ? ANOMALY_MUTED : ANOMALY_TORN_DOWN_LIVE,
			.cause = i == 4 ? ANOMALY_UNKNOWN : ANOMALY_CUT_BY_SIGTERM,
			.phase = PHASE_TEARDOWN,
			.color = COLOR_BLUE,
			.instance = i % 2 ? 1 : 2,
			.leg = 0,
			.text = "closed 1006 (FIN, no close frame), 0.4 ms after SIGTERM; <b>bridge</b> & never back\x01\xff",
		};
	f[1] = (struct finding){ .name = "sticky_reconnect",
				 .verdict = VERDICT_INCONCLUSIVE,
				 .exposed = 3,
				 .need = 10,
				 .upper_bound_95 = 1.0,
				 .summary = "3 resumes with a cookie",
				 .reason_count = 1,
				 .reasons = { { .reason = REASON_VACUOUS,
						.text = "saw 3, needs 10" } } };
	f[2] = (struct finding){ .name = "state_continuity",
				 .verdict = VERDICT_PASS,
				 .exposed = 268,
				 .need = 1,
				 .upper_bound_95 = 3.0 / 268,
				 .summary = "268 crossings, 268 continued" };
}

static inline void sample_fill_scenario(struct sample *s)
{
	s->steps[0] = (struct step){ .phase = PHASE_SHIFT, .blue = 0, .green = 100 };
	s->steps[1] = (struct step){ .phase = PHASE_TEARDOWN, .color = COLOR_BLUE };
	s->gates[0] = (struct gate){ .metric = (char *)"turn_response",
				     .phase = PHASE_SHIFT,
				     .stat = GATE_P,
				     .percentile = 95,
				     .op = GATE_LT,
				     .limit = 800.0 * NS_PER_MS,
				     .duration = true,
				     .expression = (char *)"p(95) < 800ms",
				     .key = (char *)"turn_response{phase:shift}" };
	s->gates[1] = (struct gate){ .metric = (char *)"refused",
				     .phase = GATE_PHASE_ANY,
				     .stat = GATE_COUNT,
				     .op = GATE_EQ,
				     .expression = (char *)"count == 0",
				     .key = (char *)"refused" };
	s->scenario = (struct scenario){ .name = (char *)"blue_green",
					 .seed = 42,
					 .steps = s->steps,
					 .step_count = 2,
					 .gates = s->gates,
					 .gate_count = 2,
					 .defect = (char *)"D30",
					 .defect_about = (char *)"drain and buffer are skipped" };
}

static inline void sample_fill_judgement(struct sample *s)
{
	s->gate_results[0] = (struct gate_result){ .gate = &s->gates[0],
						   .measured = 31.25 * NS_PER_MS,
						   .samples = 64,
						   .verdict = VERDICT_INCONCLUSIVE,
						   .note = "64 samples, 104 needed" };
	s->gate_results[1] = (struct gate_result){
		.gate = &s->gates[1], .measured = 0, .samples = 2000, .verdict = VERDICT_PASS
	};
	s->phases[0] = (struct phase_result){ .phase = PHASE_BEFORE,
					      .start_ns = sample_at(0),
					      .end_ns = sample_at(8) };
	s->phases[1] = (struct phase_result){ .phase = PHASE_SHIFT,
					      .step = 0,
					      .start_ns = sample_at(8),
					      .end_ns = sample_at(9.5),
					      .asked_ns = sample_at(8.01),
					      .returned_ns = sample_at(8.03),
					      .green = 100,
					      .observed_ns = sample_at(8.05) };
	s->phases[2] = (struct phase_result){ .phase = PHASE_TEARDOWN,
					      .step = 1,
					      .start_ns = sample_at(41),
					      .end_ns = sample_at(42),
					      .verdict = VERDICT_FAIL,
					      .error = "blue-2 did not end within 1 s" };
	s->phases[3] = (struct phase_result){
		.phase = PHASE_AFTER, .step = 2, .start_ns = sample_at(42), .end_ns = sample_at(100)
	};
	s->latency[0] = (struct latency_row){ .metric = METRIC_TURN_RESPONSE,
					      .phase = PHASE_SHIFT,
					      .color = COLOR_GREEN };
	for (int i = 0; i < 1500; i++)
		histogram_add(&s->latency[0].histogram, 30 * NS_PER_MS);
	histogram_add_censored(&s->latency[0].histogram, 5 * NS_PER_S);
	s->latency[1] = (struct latency_row){ .metric = METRIC_DIAL,
					      .phase = PHASE_SHIFT,
					      .color = COLOR_GREEN };
	histogram_add(&s->latency[1].histogram, NS_PER_MS);
	s->judgement = (struct judgement){
		.verdict = VERDICT_FAIL,
		.start_ns = sample_at(0),
		.end_ns = sample_at(100),
		.ledger = { .started = 2000, .completed = 1995, .dropped = 5 },
		.findings = s->findings,
		.finding_count = 3,
		.gates = s->gate_results,
		.gate_count = 2,
		.phases = s->phases,
		.phase_count = 4,
		.latency = s->latency,
		.latency_count = 2,
		.generator = { .loop_lag_p99_ns = 1200000,
			       .schedule_lag_p99_ns = 3400000,
			       .cpu_percent = 43,
			       .rss_bytes = 61000000,
			       .descriptors = 214,
			       .workers = 2 },
		.events = 123456,
		.turns = 12034,
		.resumes = 431,
		.crossings = 268,
	};
	s->judgement.by_phase[PHASE_SHIFT] = s->judgement.ledger;
	s->judgement.by_color[COLOR_BLUE] = s->judgement.ledger;
	s->judgement.anomalies[ANOMALY_TORN_DOWN_LIVE] = 4;
	s->judgement.anomalies[ANOMALY_MUTED] = 1;
}

static inline struct sample *sample_new(void)
{
	struct sample *s = xcalloc(1, sizeof(*s));

	sample_fill_scenario(s);
	sample_fill_findings(s);
	sample_fill_judgement(s);
	s->history = sample_history();
	s->input = (struct report_input){
		.scenario = &s->scenario,
		.judgement = &s->judgement,
		.history = s->history,
		.run_dir = "runs/blue_green/latest",
		.again = "crossfade run scenarios/blue_green.yaml --seed 42 --defect D30",
		.environment = sample_environment
	};
	return s;
}

static inline void sample_free(struct sample *s)
{
	history_free(s->history);
	free(s);
}

/* The report as text; free it. NULL when it could not be written. */
static inline char *sample_render(const struct sample *s, const char *type)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct err err = { 0 };
	int result = report_find(type)->write(&s->input, out, &err);

	fclose(out);
	if (result == 0)
		return text;
	free(text);
	return NULL;
}

#endif
