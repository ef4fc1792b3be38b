#include "check/core/golden.h"

static const struct golden rows[] = {
	{ "pass", VERDICT_PASS, "", "", "" },
	{ "pass-at-the-limit", VERDICT_PASS, "", "", "" },
	{ "fail", VERDICT_FAIL, "not_shifted", "", "" },
	{ "fail-black-window", VERDICT_FAIL, "black_window", "", "" },
	{ "inconclusive-no-color", VERDICT_INCONCLUSIVE, "", "", "no_color" },
	{ "inconclusive-not-shifted", VERDICT_INCONCLUSIVE, "", "", "no_phase" },
	{ "pass-said-at-ready", VERDICT_PASS, "", "", "" },
	{ "pass-black-in-a-rollback", VERDICT_PASS, "", "", "" },
	{ "pass-black-in-a-scripts-rollback", VERDICT_PASS, "", "", "" },
	{ "inconclusive-off-by-chance", VERDICT_INCONCLUSIVE, "", "", "resolution" },
	{ "pass-split", VERDICT_PASS, "", "", "" },
	{ "pass-only-split", VERDICT_PASS, "", "", "" },
	{ "fail-split", VERDICT_FAIL, "split_off", "", "" },
	{ "inconclusive-split", VERDICT_INCONCLUSIVE, "", "", "resolution" },
	{ "fail-nobody-has-a-share", VERDICT_FAIL, "black_window", "dropped_calls", "" },
};

static void a_fresh_dial_after_propagation_goes_to_green(void **state)
{
	(void)state;
	golden_all("new_calls_to_green", rows, sizeof(rows) / sizeof(*rows), NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fresh_dial_after_propagation_goes_to_green),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
