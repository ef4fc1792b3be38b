#include "check/core/golden.h"

static const struct golden rows[] = {
	{ "pass", VERDICT_PASS, "", "", "" },
	{ "pass-late-by-the-agent", VERDICT_PASS, "", "", "" },
	{ "inconclusive-late", VERDICT_INCONCLUSIVE, "", "", "late_generator" },
	{ "pass-late-at-the-limit", VERDICT_PASS, "", "", "" },
	{ "inconclusive-lane-torn", VERDICT_INCONCLUSIVE, "", "", "source_lost" },
	{ "inconclusive-lane-missing", VERDICT_INCONCLUSIVE, "", "", "source_lost" },
	{ "inconclusive-off-plan", VERDICT_INCONCLUSIVE, "", "", "late_generator" },
	{ "inconclusive-two-colors", VERDICT_INCONCLUSIVE, "", "", "no_color" },
	{ "inconclusive-limit", VERDICT_INCONCLUSIVE, "", "", "local_limit" },
};

static void our_own_faults_are_doubts_and_never_failures(void **state)
{
	(void)state;
	golden_all("honest_harness", rows, sizeof(rows) / sizeof(*rows), NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_own_faults_are_doubts_and_never_failures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
