#include "check/core/golden.h"

static const struct golden rows[] = {
	{ "pass", VERDICT_PASS, "", "", "" },
	{ "pass-probe", VERDICT_PASS, "", "", "" },
	{ "pass-during-the-shift", VERDICT_PASS, "", "", "" },
	{ "fail-dial", VERDICT_FAIL, "zero_weight_leak", "", "" },
	{ "fail-just-before", VERDICT_FAIL, "zero_weight_leak", "", "" },
	{ "pass-again-at-the-limit", VERDICT_PASS, "", "", "" },
	{ "fail-again-after", VERDICT_FAIL, "zero_weight_leak", "", "" },
	{ "fail-write", VERDICT_FAIL, "zero_weight_leak", "", "" },
	{ "inconclusive-vacuous", VERDICT_INCONCLUSIVE, "", "", "vacuous" },
};

static void green_at_weight_zero_is_given_nothing(void **state)
{
	(void)state;
	golden_all("no_green_at_zero", rows, sizeof(rows) / sizeof(*rows), NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(green_at_weight_zero_is_given_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
