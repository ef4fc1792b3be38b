#include "check/core/golden.h"

static const struct golden rows[] = {
	{ "pass", VERDICT_PASS, "", "", "" },
	{ "fail", VERDICT_FAIL, "", "", "" },
	{ "inconclusive-resolution", VERDICT_INCONCLUSIVE, "", "", "resolution" },
	{ "inconclusive-straddles", VERDICT_INCONCLUSIVE, "", "", "resolution" },
	{ "inconclusive-no-samples", VERDICT_INCONCLUSIVE, "", "", "vacuous" },
};

static const struct gate gate = {
	.metric = (char *)"turn_response",
	.phase = GATE_PHASE_ANY,
	.stat = GATE_P,
	.percentile = 95,
	.op = GATE_LT,
	.limit = 100e6,
	.duration = true,
	.expression = (char *)"p(95) < 100ms",
	.key = (char *)"turn_response",
};

static void a_budget_is_decided_by_the_interval_of_its_quantile(void **state)
{
	(void)state;
	golden_all("latency_budget", rows, sizeof(rows) / sizeof(*rows), &gate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_budget_is_decided_by_the_interval_of_its_quantile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
