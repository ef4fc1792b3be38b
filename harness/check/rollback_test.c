#include "base/clock.h"
#include "check/core/golden.h"

static const struct golden rows[] = {
	{ "pass", VERDICT_PASS, "", "", "" },
	{ "pass-within-propagation", VERDICT_PASS, "", "", "" },
	{ "pass-green-at-the-limit", VERDICT_PASS, "", "no_green_at_zero", "" },
	{ "fail-green-just-after", VERDICT_FAIL, "rollback_failed", "no_green_at_zero", "" },
	{ "pass-config-changes-later", VERDICT_PASS, "", "", "" },
	{ "pass-no-room", VERDICT_PASS, "", "", "" },
	{ "fail-texts", VERDICT_FAIL, "rollback_failed", "", "" },
	{ "fail-gone-and-refused", VERDICT_FAIL, "blue_gone", "dropped_calls", "" },
	{ "fail-gone-and-failed", VERDICT_FAIL, "blue_gone", "cutover", "" },
	{ "pass-slow-to-propagate", VERDICT_PASS, "", "", "" },
	{ "pass-late-at-the-limit", VERDICT_PASS, "", "", "" },
	{ "pass-one-not-reached", VERDICT_PASS, "", "", "" },
	{ "pass-our-own-ports", VERDICT_PASS, "", "", "" },
	{ "pass-green-had-a-share", VERDICT_PASS, "", "", "" },
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

static void two_configurations_are_told_from_where_they_differ(void **state)
{
	struct story_scenario story;
	struct judgement *j;

	(void)state;
	story_scenario(&story);
	j = golden_judge("rollback", "fail-texts", &story.scenario);
	assert_string_equal(golden_finding(j, "rollback")->witnesses[0].text,
			    "after the rollback the balancer has ... green=1 idle=10; before the "
			    "cutover it had ... green=0 idle=10");
	judgement_free(j);
}

/* a rollback is planned, the history -> is the check asked, and what does it say */
static void only_who_rolls_back_or_should_have_is_asked(void **state)
{
	static const struct {
		bool planned;
		const char *history;
		bool asked;
	} table[] = {
		{ false, "inconclusive-not-begun", false },
		{ true, "inconclusive-not-begun", true },
		{ false, "pass", true },
		{ true, "pass", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct story_scenario story;
		struct judgement *j;
		bool asked = false;

		story_scenario(&story);
		if (table[i].planned)
			story.steps[3] = (struct step){ .phase = PHASE_ROLLBACK,
							.deadline_ns = 10 * NS_PER_S };
		j = golden_judge("rollback", table[i].history, &story.scenario);
		for (size_t k = 0; k < j->finding_count; k++)
			asked |= !strcmp(j->findings[k].name, "rollback");
		if (asked != table[i].asked)
			fail_msg("row %zu: asked %d", i, asked);
		if (asked && !strcmp(table[i].history, "inconclusive-not-begun"))
			golden_compare(&(struct golden){ table[i].history, VERDICT_INCONCLUSIVE, "",
							 "", "no_phase" },
				       "rollback", j);
		judgement_free(j);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_before_is_there_again),
		cmocka_unit_test(two_configurations_are_told_from_where_they_differ),
		cmocka_unit_test(only_who_rolls_back_or_should_have_is_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
