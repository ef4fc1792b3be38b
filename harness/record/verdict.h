/*
 * Verdicts and what carries them. pass < inconclusive < fail, composed by max; a harness error is
 * beside them, never merged. A pass needs exposure: a check that saw fewer than it needs is
 * inconclusive (vacuous), and verdict_finish is the only way to a pass. Filled by check/, rendered
 * by report/, by value, owned by the judgement.
 */
#ifndef RECORD_VERDICT_H
#define RECORD_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/words.h"

enum verdict { VERDICT_PASS = 0, VERDICT_INCONCLUSIVE, VERDICT_FAIL };

enum {
	EXIT_PASS = 0,
	EXIT_FAIL = 99,
	EXIT_INCONCLUSIVE = 98,
	EXIT_HARNESS = 97,
	EXIT_USAGE = 104,
	EXIT_INTERRUPTED = 105
};

/* Witnesses kept of one anomaly; the last WITNESS_SPARE of them for causes that have none yet. */
enum { WITNESS_MAX = 50, WITNESS_SPARE = 10, REASON_MAX = 8, FINDING_TEXT_MAX = 280 };

/* One call (or, with call 0, one moment) that convicts. */
struct witness {
	uint64_t call;
	int64_t t_ns;         /* monotonic; reports print it from run.start */
	int64_t cause_ns;     /* the event the cause is told from; 0: it is told from none */
	enum anomaly anomaly; /* what is wrong */
	enum anomaly cause; /* why, by signature; unknown, not the nearest event; none: itself */
	enum phase phase;
	enum color color;
	uint8_t instance;
	uint16_t leg;
	char text[FINDING_TEXT_MAX]; /* one sentence with the evidence */
};

struct finding_reason {
	enum reason reason;
	char text[FINDING_TEXT_MAX];
};

/* The result of one check. */
struct finding {
	const char *name; /* the check's name */
	enum verdict verdict;
	uint64_t exposed; /* calls, turns, dials or resumes the invariant spoke about: `saw` */
	uint64_t need;    /* minimum for a pass */
	uint64_t violations;
	double upper_bound_95; /* 3/exposed without violations, else Wilson's of their share */
	char summary[FINDING_TEXT_MAX]; /* "3 of 2,000 dropped (limit 0)" */
	uint64_t focus; /* room for witnesses of this call is kept beside the others'; 0: of none */
	size_t reason_count, witness_count;
	struct finding_reason reasons[REASON_MAX];
	struct witness *witnesses; /* its own, in the order they were told */
	uint64_t anomalies[ANOMALY_COUNT]; /* with or without a witness kept */
};

const char *verdict_name(enum verdict v); /* "pass" "inconclusive" "fail" */
enum verdict verdict_worse(enum verdict a, enum verdict b);
void verdict_saw(struct finding *, uint64_t exposed, uint64_t need);
/* Adds a violation; keeps a copy of its witness, with a cause, while there is room. */
void verdict_violation(struct finding *, const struct witness *);
/* Adds the violations of another finding. */
void verdict_add(struct finding *, const struct finding *);
/* Adds a reason for inconclusive; the same reason twice is kept once (first text). */
void verdict_doubt(struct finding *, enum reason, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Decides: violations -> fail; else a doubt or exposed < need -> inconclusive; else pass. A need of
 * 0 counts as 1. */
void verdict_finish(struct finding *);
/* What it holds, not the finding. */
void finding_free(struct finding *);

#endif
