/*
 * judge: scenario + history -> judgement. A pure function of the two: the same bytes in, the same
 * judgement out. The judgement is plain data for report/ and for exit codes; judgement_free
 * releases it.
 */
#ifndef CHECK_JUDGE_H
#define CHECK_JUDGE_H

#include "base/histogram.h"
#include "check/check.h"

enum metric {
	METRIC_TURN_RESPONSE = 0,
	METRIC_TURN_SERVICE,
	METRIC_REDIS_TURN,
	METRIC_REDIS_SERVICE,
	METRIC_REDIS_COMMAND,
	METRIC_REDIS_AGENT,
	METRIC_REDIS_CONTROL,
	METRIC_DIAL,
	METRIC_RESUME_GAP,
	METRIC_COUNT
};
const char *metric_name(unsigned m);

struct ledger {
	uint64_t started, completed, dropped, refused, live, abandoned;
};

/* One step of the cutover, in order; the list begins with `before` and ends with `after`. */
struct phase_result {
	enum phase phase;
	uint16_t step;
	int64_t start_ns, end_ns; /* monotonic */
	/* weights moved in it: first weight.inv, last weight.ok, what was asked for last; 0 none */
	int64_t asked_ns, returned_ns;
	uint32_t blue, green;
	int64_t observed_ns; /* blue got 0: last fresh dial it was given all the same; 0 none */
	enum verdict verdict;
	char error[FINDING_TEXT_MAX];
};

struct latency_row {
	enum metric metric;
	enum phase phase;
	enum color color;
	struct histogram histogram; /* censored = unanswered */
};

struct gate_result {
	const struct gate *gate; /* of the scenario */
	double measured;	 /* ns for durations */
	uint64_t samples;
	int64_t low_ns, high_ns; /* of a percentile: its 99 % interval; high INT64_MAX: none */
	enum verdict verdict;
	bool ours; /* inconclusive for what we were late ourselves */
	char note[FINDING_TEXT_MAX];
};

/*
 * What is said of Redis: it costs a turn no more than budget_ns. Told, no part of the verdict.
 * Quantiles are over all phases and colors; what was never answered counts with its age.
 */
struct redis_claim {
	enum verdict verdict; /* pass: held; inconclusive: not decided */
	int64_t budget_ns;
	uint64_t turns, unanswered;	 /* at the tap */
	int64_t p50_ns, p95_ns, p99_ns;	 /* of redis_turn */
	int64_t p99_low_ns, p99_high_ns; /* 99 % interval; high INT64_MAX: none */
	int64_t service_p99_ns, agent_p99_ns, control_p99_ns;
	uint64_t agent_turns, controls; /* 0: nobody said, none was sent */
	char note[FINDING_TEXT_MAX];	/* why it is not decided */
};

struct generator {
	int64_t loop_lag_p99_ns, schedule_lag_p99_ns;
	double cpu_percent;   /* of all workers together */
	uint64_t rss_bytes;   /* of all workers together, peak */
	uint32_t descriptors; /* peak of one worker */
	uint32_t workers;
};

struct judgement {
	enum verdict verdict;
	bool harness_error; /* ledger mismatch or the like: outranks everything but usage */
	char harness_text[FINDING_TEXT_MAX];
	bool interrupted;
	int64_t start_ns, end_ns; /* run.start, last event */
	/* by_phase: of call.start's phase; by_color: of leg 0 */
	struct ledger ledger, by_phase[PHASE_COUNT], by_color[COLOR_COUNT];
	struct finding *findings; /* one per check, worst first, then registry order */
	size_t finding_count;
	const struct check **unasked; /* checks that do not speak about this run */
	size_t unasked_count;
	struct gate_result *gates;
	size_t gate_count;
	struct phase_result *phases;
	size_t phase_count;
	struct latency_row *latency; /* only rows with samples */
	size_t latency_count;
	struct redis_claim redis_claim;
	struct generator generator;
	uint64_t anomalies[ANOMALY_COUNT];
	uint64_t events;
	uint64_t turns, resumes, crossings; /* crossings: resumes on the other color */
};

/* Reads the history to its end. -1 only for errors that leave nothing to report. */
int judge(const struct scenario *, struct history *, struct judgement **ret, struct err *);
/* The same, for the story of one call: what is held against it has its witness, however many other
 * calls share its fate. */
int judge_about(const struct scenario *, struct history *, uint64_t call, struct judgement **ret,
		struct err *);
int judgement_exit_code(const struct judgement *); /* precedence of interface.md */
void judgement_free(struct judgement *);

#endif
