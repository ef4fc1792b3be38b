#include "check/core/claim.h"

#include <stdio.h>

#include "check/core/gates.h"

static const int64_t budget_ns = 2 * NS_PER_MS;

/* All phases and colors of one metric. */
static struct histogram all_of(const struct judgement *j, enum metric metric)
{
	struct histogram h = { 0 };

	for (size_t i = 0; i < j->latency_count; i++)
		if (j->latency[i].metric == metric)
			histogram_merge(&h, &j->latency[i].histogram);
	return h;
}

static int64_t p99_ns(const struct judgement *j, enum metric metric, uint64_t *ret_count)
{
	struct histogram h = all_of(j, metric);

	*ret_count = h.count;
	return histogram_quantile_ns(&h, 0.99);
}

void claim_judge(const struct metrics *m, struct judgement *j)
{
	const struct gate gate = { .metric = (char *)"redis_turn",
				   .phase = GATE_PHASE_ANY,
				   .color = COLOR_UNKNOWN,
				   .stat = GATE_P,
				   .percentile = 99,
				   .op = GATE_LE,
				   .limit = (double)budget_ns,
				   .duration = true };
	struct histogram turns = all_of(j, METRIC_REDIS_TURN);
	struct redis_claim *c = &j->redis_claim;
	struct gate_result result;
	uint64_t served;

	gate_latency(&gate, m, &result);
	*c = (struct redis_claim){ .verdict = result.verdict,
				   .budget_ns = budget_ns,
				   .turns = turns.count,
				   .unanswered = turns.censored,
				   .p50_ns = histogram_quantile_ns(&turns, 0.50),
				   .p95_ns = histogram_quantile_ns(&turns, 0.95),
				   .p99_ns = histogram_quantile_ns(&turns, 0.99),
				   .p99_low_ns = result.low_ns,
				   .p99_high_ns = result.high_ns,
				   .service_p99_ns = p99_ns(j, METRIC_REDIS_SERVICE, &served) };
	c->agent_p99_ns = p99_ns(j, METRIC_REDIS_AGENT, &c->agent_turns);
	c->control_p99_ns = p99_ns(j, METRIC_REDIS_CONTROL, &c->controls);
	/* What was never answered decided as that; it is shown with its age. */
	if (c->p99_low_ns > c->p99_ns)
		c->p99_low_ns = c->p99_ns;
	if (result.verdict == VERDICT_INCONCLUSIVE)
		snprintf(c->note, sizeof(c->note), "%s", result.note);
}
