#include "check/core/golden.h"

static const struct golden rows[] = {
	{ "pass", VERDICT_PASS, "", "", "" },
	{ "pass-sigterm-begins-drain", VERDICT_PASS, "", "", "" },
	{ "pass-hangup-in-the-race", VERDICT_PASS, "", "", "" },
	{ "fail-live", VERDICT_FAIL, "torn_down_live", "", "" },
	{ "fail-killed-by-a-script", VERDICT_FAIL, "torn_down_live", "dropped_calls", "" },
	{ "fail-sigterm-cuts", VERDICT_FAIL, "torn_down_live", "dropped_calls", "" },
	{ "fail-lie", VERDICT_FAIL, "drain_lie", "", "" },
	{ "fail-stuck", VERDICT_FAIL, "drain_stuck", "cutover", "" },
	{ "fail-admitted-after", VERDICT_FAIL, "zero_weight_leak", "new_calls_to_green", "" },
	{ "inconclusive-unreachable", VERDICT_INCONCLUSIVE, "", "", "unreachable" },
	{ "inconclusive-no-teardown", VERDICT_INCONCLUSIVE, "", "", "no_phase" },
	{ "inconclusive-exit-unseen", VERDICT_INCONCLUSIVE, "", "", "source_lost" },
};

static void an_instance_is_torn_down_empty_and_believed_so_truly(void **state)
{
	(void)state;
	golden_all("drained_before_teardown", rows, sizeof(rows) / sizeof(*rows), NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_instance_is_torn_down_empty_and_believed_so_truly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
