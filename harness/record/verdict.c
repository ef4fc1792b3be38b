#include "record/verdict.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

const char *verdict_name(enum verdict v)
{
	switch (v) {
	case VERDICT_PASS:
		return "pass";
	case VERDICT_INCONCLUSIVE:
		return "inconclusive";
	case VERDICT_FAIL:
		return "fail";
	}
	return "?";
}

enum verdict verdict_worse(enum verdict a, enum verdict b)
{
	return a > b ? a : b;
}

void verdict_saw(struct finding *f, uint64_t exposed, uint64_t need)
{
	f->exposed = exposed;
	f->need = need;
}

static bool has_room(const struct finding *f, const struct witness *witness)
{
	bool mine = f->focus && witness->call == f->focus, told = false;
	size_t kept = 0;

	for (size_t i = 0; i < f->witness_count; i++) {
		const struct witness *other = &f->witnesses[i];

		if (other->anomaly != witness->anomaly || (mine && other->call != f->focus))
			continue;
		kept++;
		told |= other->cause == witness->cause;
	}
	return kept < (told ? WITNESS_MAX - WITNESS_SPARE : WITNESS_MAX);
}

void verdict_violation(struct finding *f, const struct witness *witness)
{
	enum { GROWTH = 16 };
	struct witness kept = *witness;

	ASSERT((unsigned)witness->anomaly < ANOMALY_COUNT);
	f->violations++;
	f->anomalies[witness->anomaly]++;
	if (!kept.cause) /* one that is caused by nothing else */
		kept.cause = kept.anomaly;
	if (!has_room(f, &kept))
		return;
	if (f->witness_count % GROWTH == 0)
		f->witnesses = xrealloc(f->witnesses,
					(f->witness_count + GROWTH) * sizeof(*f->witnesses));
	f->witnesses[f->witness_count++] = kept;
}

void verdict_add(struct finding *f, const struct finding *other)
{
	uint64_t had[ANOMALY_COUNT];

	memcpy(had, f->anomalies, sizeof(had));
	for (size_t i = 0; i < other->witness_count; i++)
		verdict_violation(f, &other->witnesses[i]);
	for (unsigned a = 0; a < ANOMALY_COUNT; a++) { /* those without a witness */
		uint64_t without = other->anomalies[a] - (f->anomalies[a] - had[a]);

		f->violations += without;
		f->anomalies[a] += without;
	}
}

void verdict_doubt(struct finding *f, enum reason reason, const char *fmt, ...)
{
	va_list ap;

	for (size_t i = 0; i < f->reason_count; i++) {
		if (f->reasons[i].reason == reason)
			return;
	}
	/* A ninth reason changes no verdict and is the least of the reader's worries. */
	if (f->reason_count == REASON_MAX)
		return;
	struct finding_reason *doubt = &f->reasons[f->reason_count++];
	doubt->reason = reason;
	va_start(ap, fmt);
	vsnprintf(doubt->text, sizeof(doubt->text), fmt, ap);
	va_end(ap);
}

/* With nothing seen the rule of three; else the upper end of Wilson's score interval, one-sided
 * like it. */
static double upper_bound_95(uint64_t violations, uint64_t exposed)
{
	const double z = 1.6448536269514722;
	double n = (double)exposed, p = (double)violations / n;

	if (violations >= exposed) /* also nothing exposed at all */
		return 1.0;
	if (!violations)
		return fmin(1.0, 3.0 / n);
	return (p + z * z / (2 * n) + z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))) /
	       (1 + z * z / n);
}

void verdict_finish(struct finding *f)
{
	if (!f->need)
		f->need = 1; /* a check that saw nothing has nothing to say */
	f->upper_bound_95 = upper_bound_95(f->violations, f->exposed);
	if (f->exposed < f->need)
		verdict_doubt(f, REASON_VACUOUS, "saw %llu, needs %llu",
			      (unsigned long long)f->exposed, (unsigned long long)f->need);
	f->verdict = f->violations     ? VERDICT_FAIL
		     : f->reason_count ? VERDICT_INCONCLUSIVE
				       : VERDICT_PASS;
}

void finding_free(struct finding *f)
{
	free(f->witnesses);
	f->witnesses = NULL;
	f->witness_count = 0;
}
