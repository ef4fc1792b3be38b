#include "record/verdict.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

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

void verdict_violation(struct finding *f, const struct witness *witness)
{
	ASSERT((unsigned)witness->anomaly < ANOMALY_COUNT);
	f->violations++;
	f->anomalies[witness->anomaly]++;
	if (f->witness_count < WITNESS_MAX)
		f->witness_count++;
	else if (!f->focus || witness->call != f->focus)
		return;
	f->witnesses[f->witness_count - 1] = *witness;
	if (!witness->cause) /* one that is caused by nothing else */
		f->witnesses[f->witness_count - 1].cause = witness->anomaly;
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
