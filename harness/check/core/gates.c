#include "check/core/gates.h"

#include <stdio.h>
#include <string.h>

int gate_metric(const struct gate *gate)
{
	for (unsigned m = 0; m < METRIC_COUNT; m++) {
		if (!strcmp(gate->metric, metric_name(m)))
			return (int)m;
	}
	return -1;
}

static bool holds(double value, enum gate_op op, double limit)
{
	switch (op) {
	case GATE_LT:
		return value < limit;
	case GATE_LE:
		return value <= limit;
	case GATE_GT:
		return value > limit;
	case GATE_GE:
		return value >= limit;
	case GATE_EQ:
		return value == limit;
	case GATE_NE:
		return value != limit;
	}
	return false;
}

static bool phase_matches(const struct gate *gate, unsigned phase)
{
	if (gate->phase == GATE_PHASE_CUTOVER)
		return phase_of_cutover(phase);
	return gate->phase == GATE_PHASE_ANY || gate->phase == (int)phase;
}

static const int64_t never_ns = 3600 * NS_PER_S; /* what was never answered is shown as */

static void never(struct histogram *h, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		histogram_add_censored(h, never_ns);
}

/* All rows the gate's filter lets through: `lenient` with what we cut short at its age, `strict`
 * with it never answered. */
static void collect(const struct gate *gate, const struct metrics *m, unsigned metric,
		    struct histogram *lenient, struct histogram *strict)
{
	for (unsigned phase = 0; phase < PHASE_COUNT; phase++)
		for (unsigned color = 0; color < COLOR_COUNT; color++) {
			const struct metric_row *row = m->rows[metric][phase][color];
			if (!row || !phase_matches(gate, phase) ||
			    (gate->color != COLOR_UNKNOWN && gate->color != (enum color)color))
				continue;
			histogram_merge(lenient, &row->answered);
			histogram_merge(lenient, &row->cut_short);
			never(lenient, row->unanswered.count);
			histogram_merge(strict, &row->answered);
			never(strict, row->unanswered.count + row->cut_short.count);
		}
}

static void quantile(const struct gate *gate, double q, const struct histogram *lenient,
		     const struct histogram *strict, struct gate_result *ret)
{
	int64_t low_ns, high_ns, unused_ns;
	bool ceiling = gate->op == GATE_LT || gate->op == GATE_LE;

	ret->measured = (double)histogram_quantile_ns(lenient, q);
	if (gate->op == GATE_EQ || gate->op == GATE_NE) {
		ret->verdict = holds(ret->measured, gate->op, gate->limit) ? VERDICT_PASS
									   : VERDICT_FAIL;
		return;
	}
	/* -1 only says that the upper end is unbounded, which the value then says too. */
	(void)histogram_interval_ns(lenient, q, &low_ns, &unused_ns);
	(void)histogram_interval_ns(strict, q, &unused_ns, &high_ns);
	ret->low_ns = low_ns;
	ret->high_ns = high_ns < never_ns ? high_ns : INT64_MAX;
	double inner = (double)(ceiling ? high_ns : low_ns),
	       outer = (double)(ceiling ? low_ns : high_ns);
	if (holds(inner, gate->op, gate->limit))
		ret->verdict = VERDICT_PASS;
	else if (!holds(outer, gate->op, gate->limit))
		ret->verdict = VERDICT_FAIL;
	else if (ret->high_ns == INT64_MAX)
		snprintf(ret->note, sizeof(ret->note),
			 "resolution: %llu samples (%llu unanswered) do not bound it above",
			 (unsigned long long)strict->count, (unsigned long long)strict->censored);
	else
		snprintf(
			ret->note, sizeof(ret->note),
			"resolution: %llu samples, 99 %% interval %.3f ms to %.3f ms straddles the limit",
			(unsigned long long)strict->count, (double)low_ns / NS_PER_MS,
			(double)high_ns / NS_PER_MS);
}

static void judge_latency(const struct gate *gate, const struct metrics *m,
			  struct gate_result *ret)
{
	struct histogram lenient = { 0 }, strict = { 0 };
	int metric = gate_metric(gate);

	*ret = (struct gate_result){ .gate = gate, .verdict = VERDICT_INCONCLUSIVE };
	if (metric >= 0)
		collect(gate, m, (unsigned)metric, &lenient, &strict);
	ret->samples = strict.count;
	if (!strict.count) {
		snprintf(ret->note, sizeof(ret->note), "no samples");
		return;
	}
	switch (gate->stat) {
	case GATE_P:
		quantile(gate, gate->percentile / 100, &lenient, &strict, ret);
		return;
	case GATE_MED:
		quantile(gate, 0.5, &lenient, &strict, ret);
		return;
	case GATE_COUNT:
		ret->measured = (double)strict.count;
		break;
	case GATE_RATE: /* the share that was answered */
		ret->measured = 1 - (double)strict.censored / (double)strict.count;
		break;
	case GATE_AVG: /* one that never came makes it infinite */
		ret->measured = lenient.sum_ns / (double)lenient.count;
		break;
	case GATE_MIN:
		ret->measured = (double)lenient.min_ns;
		break;
	case GATE_MAX:
		ret->measured = (double)lenient.max_ns;
		break;
	}
	ret->verdict = holds(ret->measured, gate->op, gate->limit) ? VERDICT_PASS : VERDICT_FAIL;
	/* A mean or a maximum inside its limit means little while some were cut short. */
	if (ret->verdict == VERDICT_PASS && strict.censored &&
	    (gate->stat == GATE_AVG || gate->stat == GATE_MAX)) {
		ret->verdict = VERDICT_INCONCLUSIVE;
		snprintf(ret->note, sizeof(ret->note), "%llu of %llu had no answer when they ended",
			 (unsigned long long)strict.censored, (unsigned long long)strict.count);
	}
}

/* Our own standstill made it late by as much, or may have. */
static bool is_ours(const struct gate *gate, const struct metrics *m)
{
	struct gate lenient = *gate;
	struct gate_result result;

	if (!m->stall_ns || !gate->duration || (gate->op != GATE_LT && gate->op != GATE_LE))
		return false;
	lenient.limit += (double)m->stall_ns;
	judge_latency(&lenient, m, &result);
	return result.verdict != VERDICT_FAIL;
}

/* Nobody but the agent saw it. */
static void say_whose_word(const struct gate *gate, struct gate_result *ret)
{
	size_t used = strlen(ret->note);

	if (gate_metric(gate) == METRIC_REDIS_AGENT && ret->samples)
		snprintf(ret->note + used, sizeof(ret->note) - used, "%sthe agent's own word",
			 used ? "; " : "");
}

void gate_latency(const struct gate *gate, const struct metrics *m, struct gate_result *ret)
{
	judge_latency(gate, m, ret);
	if (ret->verdict == VERDICT_FAIL && is_ours(gate, m)) {
		ret->verdict = VERDICT_INCONCLUSIVE;
		ret->ours = true;
		snprintf(
			ret->note, sizeof(ret->note),
			"we stood still ourselves for up to %.0f ms: lateness of that much proves nothing",
			(double)m->stall_ns / NS_PER_MS);
	}
	say_whose_word(gate, ret);
}

void gate_number(const struct gate *gate, bool known, uint64_t count, uint64_t of,
		 struct gate_result *ret)
{
	*ret = (struct gate_result){ .gate = gate, .samples = of, .verdict = VERDICT_INCONCLUSIVE };
	if (!known) {
		snprintf(ret->note, sizeof(ret->note), "nobody measures %s", gate->metric);
		return;
	}
	if (!of) {
		snprintf(ret->note, sizeof(ret->note), "no samples");
		return;
	}
	if (gate->stat != GATE_COUNT && gate->stat != GATE_RATE) {
		snprintf(ret->note, sizeof(ret->note), "%s has a count and a rate, no durations",
			 gate->metric);
		return;
	}
	ret->measured = gate->stat == GATE_RATE ? (double)count / (double)of : (double)count;
	ret->verdict = holds(ret->measured, gate->op, gate->limit) ? VERDICT_PASS : VERDICT_FAIL;
}
