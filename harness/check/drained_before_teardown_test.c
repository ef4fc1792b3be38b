#include "check/core/golden.h"

static const struct golden rows[] = {
	{ "pass", VERDICT_PASS, "", "", "" },
	{ "pass-sigterm-begins-drain", VERDICT_PASS, "", "", "" },
	{ "pass-hangup-in-the-race", VERDICT_PASS, "", "", "" },
	{ "pass-drained-twice", VERDICT_PASS, "", "", "" },
	{ "fail-live", VERDICT_FAIL, "torn_down_live", "", "" },
	{ "pass-hangup-before", VERDICT_PASS, "", "", "" },
	{ "fail-killed-by-a-script", VERDICT_FAIL, "torn_down_live", "dropped_calls", "" },
	{ "fail-sigterm-cuts", VERDICT_FAIL, "torn_down_live", "dropped_calls", "" },
	{ "fail-cut-beside-a-hangup", VERDICT_FAIL, "torn_down_live", "dropped_calls", "" },
	{ "fail-lie", VERDICT_FAIL, "drain_lie", "", "" },
	{ "fail-lie-one-asked", VERDICT_FAIL, "drain_lie", "", "" },
	{ "inconclusive-one-asked", VERDICT_INCONCLUSIVE, "", "", "unreachable" },
	{ "fail-stuck", VERDICT_FAIL, "drain_stuck", "cutover", "" },
	{ "fail-stuck-at-the-limit", VERDICT_FAIL, "drain_stuck", "cutover", "" },
	{ "fail-late", VERDICT_FAIL, "drain_stuck", "", "" },
	{ "pass-late-within-the-room", VERDICT_PASS, "", "", "" },
	{ "inconclusive-failed-before", VERDICT_INCONCLUSIVE, "", "cutover", "" },
	{ "fail-admitted-after", VERDICT_FAIL, "zero_weight_leak", "new_calls_to_green", "" },
	{ "pass-admitted-at-the-drain", VERDICT_PASS, "", "new_calls_to_green", "" },
	{ "fail-returned-after", VERDICT_FAIL, "sticky_debt", "sticky_reconnect", "" },
	{ "pass-returned-after", VERDICT_PASS, "", "", "" },
	{ "inconclusive-unreachable", VERDICT_INCONCLUSIVE, "", "", "unreachable" },
	{ "inconclusive-no-teardown", VERDICT_INCONCLUSIVE, "", "", "no_phase" },
	{ "inconclusive-exit-unseen", VERDICT_INCONCLUSIVE, "", "", "source_lost" },
};

static void an_instance_is_torn_down_empty_and_believed_so_truly(void **state)
{
	(void)state;
	golden_all("drained_before_teardown", rows, sizeof(rows) / sizeof(*rows), NULL);
}

static void a_claim_says_whom_it_asked(void **state)
{
	static const struct {
		const char *name, *text;
	} table[] = {
		{ "fail-lie", "blue was believed drained with 0 calls, 2 instances asked; its "
			      "callers had 1 legs live" },
		{ "fail-lie-one-asked",
		  "blue was believed drained with 0 calls, 1 of its 2 instances asked; its callers "
		  "had 1 legs live" },
	};
	struct story_scenario story;

	(void)state;
	story_scenario(&story);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct judgement *j = golden_judge("drained_before_teardown", table[i].name,
						   &story.scenario);

		assert_string_equal(golden_finding(j, "drained_before_teardown")->witnesses[0].text,
				    table[i].text);
		judgement_free(j);
	}
}

/* The caller's own hangup is taken off those that were live, of whom there may be none. */
static void a_hangup_beside_a_cut_is_not_counted_as_one(void **state)
{
	struct story_scenario story;
	struct judgement *j;

	(void)state;
	story_scenario(&story);
	j = golden_judge("drained_before_teardown", "fail-cut-beside-a-hangup", &story.scenario);
	assert_int_equal(golden_finding(j, "drained_before_teardown")->violations, 1);
	judgement_free(j);
}

/* A plan that tears nothing down, as of a deployed system, is judged by its claims. */
static void claims_are_judged_where_no_teardown_is_planned(void **state)
{
	struct story_scenario story;
	struct judgement *j;

	(void)state;
	story_scenario(&story);
	for (size_t i = 0; i < story.scenario.step_count; i++)
		story.steps[i].skip = story.steps[i].phase == PHASE_TEARDOWN;
	j = golden_judge("drained_before_teardown", "inconclusive-no-teardown", &story.scenario);
	assert_int_equal(golden_finding(j, "drained_before_teardown")->verdict, VERDICT_PASS);
	assert_int_equal(golden_finding(j, "drained_before_teardown")->exposed, 1);
	judgement_free(j);
	j = golden_judge("drained_before_teardown", "fail-lie", &story.scenario);
	assert_int_equal(golden_finding(j, "drained_before_teardown")->verdict, VERDICT_FAIL);
	judgement_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_instance_is_torn_down_empty_and_believed_so_truly),
		cmocka_unit_test(a_claim_says_whom_it_asked),
		cmocka_unit_test(a_hangup_beside_a_cut_is_not_counted_as_one),
		cmocka_unit_test(claims_are_judged_where_no_teardown_is_planned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
