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

static const struct golden redis_rows[] = {
	{ "pass-censored", VERDICT_PASS, "", "", "" },
	{ "inconclusive-censored", VERDICT_INCONCLUSIVE, "", "", "resolution" },
	{ "fail-censored", VERDICT_FAIL, "", "", "" },
	{ "fail-censored-then-resumed", VERDICT_FAIL, "", "", "" },
	{ "fail-censored-then-resent", VERDICT_FAIL, "", "", "" },
	{ "fail-censored-at-the-end", VERDICT_FAIL, "", "", "" },
};

static const struct gate redis_gate = {
	.metric = (char *)"redis_turn",
	.phase = GATE_PHASE_ANY,
	.stat = GATE_P,
	.percentile = 95,
	.op = GATE_LT,
	.limit = 2e6,
	.duration = true,
	.expression = (char *)"p(95) < 2ms",
	.key = (char *)"redis_turn",
};

static void a_command_without_an_answer_is_above_every_budget_and_dropped_by_nothing(void **state)
{
	struct gate service = redis_gate;

	(void)state;
	golden_all("latency_budget", redis_rows, sizeof(redis_rows) / sizeof(*redis_rows),
		   &redis_gate);
	service.metric = service.key = (char *)"redis_service";
	golden_all("latency_budget", redis_rows, sizeof(redis_rows) / sizeof(*redis_rows),
		   &service);
}

static void a_budget_is_decided_by_the_interval_of_its_quantile(void **state)
{
	(void)state;
	golden_all("latency_budget", rows, sizeof(rows) / sizeof(*rows), &gate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_budget_is_decided_by_the_interval_of_its_quantile),
		cmocka_unit_test(
			a_command_without_an_answer_is_above_every_budget_and_dropped_by_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
