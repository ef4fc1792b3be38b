#include "check/core/golden.h"

static const struct golden rows[] = {
	{ "pass", VERDICT_PASS, "", "", "" },
	{ "pass-reply-lost", VERDICT_PASS, "", "", "" },
	{ "pass-resent", VERDICT_PASS, "", "", "" },
	{ "fail-ack-lost", VERDICT_FAIL, "ack_lost", "", "" },
	{ "fail-stale-resume", VERDICT_FAIL, "stale_resume", "", "" },
	{ "fail-phantom", VERDICT_FAIL, "phantom_turn", "", "" },
	{ "fail-torn", VERDICT_FAIL, "torn_state", "", "" },
	{ "fail-doubled", VERDICT_FAIL, "double_apply", "", "" },
	{ "fail-doubled-and-counted", VERDICT_FAIL, "double_apply", "", "" },
	{ "fail-skipped", VERDICT_FAIL, "ack_lost", "", "" },
	{ "fail-cross-call", VERDICT_FAIL, "cross_call", "", "" },
	{ "fail-regress", VERDICT_FAIL, "regress", "", "" },
	{ "fail-ack-early", VERDICT_FAIL, "ack_early", "", "" },
	{ "pass-same-instant", VERDICT_PASS, "", "", "" },
	{ "fail-never-persisted", VERDICT_FAIL, "never_persisted", "", "" },
	{ "fail-never-persisted-later", VERDICT_FAIL, "never_persisted", "", "" },
	{ "pass-unknown-write", VERDICT_PASS, "", "", "" },
	{ "fail-evaporated", VERDICT_FAIL, "evaporated", "", "" },
	{ "fail-evaporated-while-written", VERDICT_FAIL, "evaporated", "", "" },
	{ "fail-answered-again", VERDICT_FAIL, "double_apply", "", "" },
	{ "inconclusive-no-digest", VERDICT_INCONCLUSIVE, "", "", "no_digest" },
	{ "inconclusive-no-tap", VERDICT_INCONCLUSIVE, "", "", "no_tap" },
	{ "inconclusive-bypassed", VERDICT_INCONCLUSIVE, "", "", "no_tap" },
	{ "inconclusive-no-crossing", VERDICT_INCONCLUSIVE, "", "", "vacuous" },
};

static void a_state_is_judged_by_what_the_caller_was_told(void **state)
{
	(void)state;
	golden_all("state_continuity", rows, sizeof(rows) / sizeof(*rows), NULL);
}

/* The same record: who watches Redis and saw nothing has a doubt, who said beforehand that it is
 * not watched has the rest judged, and is told. */
static void what_nobody_watches_is_told_and_not_doubted(void **state)
{
	struct story_scenario story;
	struct judgement *j;

	(void)state;
	story_scenario(&story);
	story.scenario.state.tap = false;
	j = golden_judge("state_continuity", "inconclusive-no-tap", &story.scenario);
	assert_int_equal(golden_finding(j, "state_continuity")->verdict, VERDICT_PASS);
	assert_non_null(strstr(golden_finding(j, "state_continuity")->summary, "was not watched"));
	for (size_t i = 0; i < j->finding_count; i++)
		assert_string_not_equal(j->findings[i].name, "split_brain");
	judgement_free(j);
	j = golden_judge("state_continuity", "fail-ack-lost", &story.scenario);
	assert_int_equal(golden_finding(j, "state_continuity")->verdict, VERDICT_FAIL);
	judgement_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_state_is_judged_by_what_the_caller_was_told),
		cmocka_unit_test(what_nobody_watches_is_told_and_not_doubted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
