#include "check/core/golden.h"

static const struct golden rows[] = {
	{ "pass", VERDICT_PASS, "", "", "" },
	{ "pass-within-propagation", VERDICT_PASS, "", "", "" },
	{ "fail-config", VERDICT_FAIL, "rollback_failed", "config", "" },
	{ "fail-green", VERDICT_FAIL, "rollback_failed", "no_green_at_zero", "" },
	{ "fail-not-served", VERDICT_FAIL, "rollback_failed", "dropped_calls", "" },
	{ "fail-blue-gone", VERDICT_FAIL, "blue_gone", "", "" },
	{ "fail-blue-killed-in-it", VERDICT_FAIL, "blue_gone", "", "" },
	{ "fail-late", VERDICT_FAIL, "rollback_failed", "", "" },
	{ "fail-failed", VERDICT_FAIL, "rollback_failed", "cutover", "" },
	{ "inconclusive-no-dial", VERDICT_INCONCLUSIVE, "", "", "vacuous" },
	{ "inconclusive-not-read", VERDICT_INCONCLUSIVE, "", "", "source_lost" },
};

static void what_was_before_is_there_again(void **state)
{
	(void)state;
	golden_all("rollback", rows, sizeof(rows) / sizeof(*rows), NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_before_is_there_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
