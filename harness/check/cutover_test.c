#include "check/core/golden.h"

static const struct golden rows[] = {
	{ "pass", VERDICT_PASS, "", "", "" },
	{ "fail-smoke", VERDICT_FAIL, "unknown", "", "" },
	{ "fail-action", VERDICT_FAIL, "unknown", "", "" },
	{ "fail-stuck", VERDICT_FAIL, "drain_stuck", "drained_before_teardown", "" },
	{ "inconclusive-interrupted", VERDICT_INCONCLUSIVE, "", "", "interrupted" },
	{ "inconclusive-torn", VERDICT_INCONCLUSIVE, "", "", "source_lost" },
};

static void a_step_is_walked_or_fails_or_was_not_reached(void **state)
{
	(void)state;
	golden_all("cutover", rows, sizeof(rows) / sizeof(*rows), NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_step_is_walked_or_fails_or_was_not_reached),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
