/*
 * I9, latency budgets: every gate on a latency metric, decided by the confidence interval of its
 * quantile (core/gates.h). The samples themselves are the world's.
 */
#include "check/core/gates.h"
#include "check/core/witness.h"

static void exceeded(const struct world *w, const struct gate_result *result, struct finding *f)
{
	const struct gate *gate = result->gate;
	double unit = gate->duration ? NS_PER_MS : 1;
	struct witness wit = witness_of_moment(w, w->last_ns);

	wit.anomaly = wit.cause = ANOMALY_NONE;
	wit.color = gate->color;
	witness_say(&wit, "%s %s: measured %.3f%s (limit %.3f%s) over %llu samples", gate->key,
		    gate->expression, result->measured / unit, gate->duration ? " ms" : "",
		    gate->limit / unit, gate->duration ? " ms" : "",
		    (unsigned long long)result->samples);
	verdict_violation(f, &wit);
}

static bool asked(const struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->gate_count; i++)
		if (gate_metric(&scenario->gates[i]) >= 0)
			return true;
	return false;
}

static void finish(void *state, const struct world *w, struct finding *f)
{
	uint64_t turns = w->metrics.turns_answered + w->metrics.turns_unanswered;
	size_t gates = 0, passed = 0;

	(void)state;
	for (size_t i = 0; i < w->scenario->gate_count; i++) {
		const struct gate *gate = &w->scenario->gates[i];
		struct gate_result result;
		if (gate_metric(gate) < 0)
			continue;
		gates++;
		gate_latency(gate, &w->metrics, &result);
		passed += result.verdict == VERDICT_PASS;
		if (result.verdict == VERDICT_FAIL)
			exceeded(w, &result, f);
		else if (result.verdict == VERDICT_INCONCLUSIVE)
			verdict_doubt(f,
				      result.ours    ? REASON_LATE_GENERATOR :
				      result.samples ? REASON_RESOLUTION :
						       REASON_VACUOUS,
				      "%s %s: %s", gate->key, gate->expression, result.note);
	}
	verdict_saw(f, turns, 1);
	finding_say(f, "%zu of %zu latency gates passed over %llu turns, %llu of them unanswered",
		    passed, gates, (unsigned long long)turns,
		    (unsigned long long)w->metrics.turns_unanswered);
}

const struct check check_latency_budget = {
	.name = "latency_budget",
	.about = "every latency gate of the scenario holds beyond doubt",
	.asked = asked,
	.why_not = "no latency has a gate",
	.finish = finish,
};
