#include "base/clock.h"
#include "check/core/golden.h"

static const struct golden rows[] = {
	{ "pass", VERDICT_PASS, "", "", "" },
	{ "pass-back-to-drain", VERDICT_PASS, "", "", "" },
	{ "pass-probe-of-a-series", VERDICT_PASS, "", "", "" },
	{ "fail-rolled-back", VERDICT_FAIL, "step_failed", "", "" },
	{ "fail-smoke", VERDICT_FAIL, "step_failed", "", "" },
	{ "fail-action", VERDICT_FAIL, "step_failed", "", "" },
	{ "fail-stuck", VERDICT_FAIL, "drain_stuck", "drained_before_teardown", "" },
	{ "inconclusive-interrupted", VERDICT_INCONCLUSIVE, "", "", "interrupted" },
	{ "inconclusive-refused", VERDICT_INCONCLUSIVE, "", "", "unreachable" },
	{ "inconclusive-torn", VERDICT_INCONCLUSIVE, "", "", "source_lost" },
};

static void a_step_is_walked_or_fails_or_was_not_reached(void **state)
{
	(void)state;
	golden_all("cutover", rows, sizeof(rows) / sizeof(*rows), NULL);
}

/* case -> what is said of it, with a script between two steady phases */
static void the_phases_of_a_script_are_one_step(void **state)
{
	static const struct {
		struct golden golden;
		const char *summary;
	} scripts[] = {
		{ { "script-pass", VERDICT_PASS, "", "", "" },
		  "3 of 3 planned steps walked, 0 failed (limit 0)" },
		{ { "script-fail", VERDICT_FAIL, "step_failed", "", "" },
		  "3 of 3 planned steps walked, 1 failed (limit 0), rolled back in 0.4 s" },
		{ { "script-inconclusive", VERDICT_INCONCLUSIVE, "", "", "interrupted" },
		  "1 of 3 planned steps walked, 0 failed (limit 0), rolled back in 0.4 s" },
	};
	struct story_scenario story;

	(void)state;
	story_scenario(&story);
	story.steps[1] = (struct step){ .phase = PHASE_SCRIPT, .deadline_ns = 60 * NS_PER_S };
	story.steps[2] = (struct step){ .phase = PHASE_STEADY, .for_ns = 4 * NS_PER_S };
	story.scenario.step_count = 3;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
		struct judgement *j = golden_judge("cutover", scripts[i].golden.name,
						   &story.scenario);
		const struct finding *f = golden_finding(j, "cutover");

		golden_compare(&scripts[i].golden, "cutover", j);
		assert_string_equal(f->summary, scripts[i].summary);
		assert_int_equal(f->violations, scripts[i].golden.verdict == VERDICT_FAIL);
		judgement_free(j);
	}
}

static void what_the_harness_put_back_is_told(void **state)
{
	struct story_scenario story;
	struct judgement *j;

	(void)state;
	story_scenario(&story);
	j = golden_judge("cutover", "fail-rolled-back", &story.scenario);
	assert_string_equal(
		golden_finding(j, "cutover")->summary,
		"4 of 7 planned steps walked, 1 failed (limit 0), rolled back in 0.4 s");
	judgement_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_phases_of_a_script_are_one_step),
		cmocka_unit_test(what_the_harness_put_back_is_told),
		cmocka_unit_test(a_step_is_walked_or_fails_or_was_not_reached),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
