#include "check/core/golden.h"

static const struct golden rows[] = {
	{ "pass", VERDICT_PASS, "", "", "" },
	{ "pass-at-the-limit", VERDICT_PASS, "", "", "" },
	{ "fail", VERDICT_FAIL, "not_shifted", "", "" },
	{ "fail-black-window", VERDICT_FAIL, "black_window", "", "" },
	{ "fail-black-at-once", VERDICT_FAIL, "black_window", "", "" },
	{ "pass-black-before", VERDICT_PASS, "", "", "" },
	{ "fail-black-at-the-limit", VERDICT_FAIL, "black_window", "", "" },
	{ "pass-black-after", VERDICT_PASS, "", "", "" },
	{ "inconclusive-no-color", VERDICT_INCONCLUSIVE, "", "", "no_color" },
	{ "inconclusive-two-places", VERDICT_INCONCLUSIVE, "", "", "no_color" },
	{ "inconclusive-not-shifted", VERDICT_INCONCLUSIVE, "", "", "no_phase" },
	{ "pass-said-at-ready", VERDICT_PASS, "", "", "" },
	{ "pass-black-in-a-rollback", VERDICT_PASS, "", "", "" },
	{ "pass-black-in-a-scripts-rollback", VERDICT_PASS, "", "", "" },
	{ "pass-in-passing", VERDICT_PASS, "", "", "" },
	{ "fail-config", VERDICT_FAIL, "not_shifted", "config", "" },
	{ "inconclusive-off-by-chance", VERDICT_INCONCLUSIVE, "", "", "resolution" },
	{ "pass-split", VERDICT_PASS, "", "", "" },
	{ "pass-only-split", VERDICT_PASS, "", "", "" },
	{ "fail-split", VERDICT_FAIL, "split_off", "", "" },
	{ "inconclusive-nobody-came", VERDICT_INCONCLUSIVE, "", "", "vacuous" },
	{ "inconclusive-split", VERDICT_INCONCLUSIVE, "", "", "resolution" },
	{ "fail-nobody-has-a-share", VERDICT_FAIL, "black_window", "dropped_calls", "" },
};

static void a_fresh_dial_after_propagation_goes_to_green(void **state)
{
	(void)state;
	golden_all("new_calls_to_green", rows, sizeof(rows) / sizeof(*rows), NULL);
}

/* history -> why a fresh dial was given to blue */
static void what_the_balancer_says_is_a_cause(void **state)
{
	static const struct {
		const char *name;
		enum anomaly cause;
	} table[] = { { "fail", ANOMALY_UNKNOWN }, { "fail-config", ANOMALY_CONFIG_DRIFT } };
	struct story_scenario story;

	(void)state;
	story_scenario(&story);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct judgement *j = golden_judge("new_calls_to_green", table[i].name,
						   &story.scenario);

		assert_int_equal(golden_finding(j, "new_calls_to_green")->witnesses[0].cause,
				 table[i].cause);
		judgement_free(j);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fresh_dial_after_propagation_goes_to_green),
		cmocka_unit_test(what_the_balancer_says_is_a_cause),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
