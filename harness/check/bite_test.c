#include "check/core/golden.h"

static const struct golden rows[] = {
	{ "pass", VERDICT_PASS, "", "", "" },
	{ "inconclusive-nothing-taken", VERDICT_INCONCLUSIVE, "", "", "no_bite" },
	{ "inconclusive-no-op", VERDICT_INCONCLUSIVE, "", "", "no_bite" },
	{ "inconclusive-never-begun", VERDICT_INCONCLUSIVE, "", "", "no_bite" },
	{ "inconclusive-never-confirmed", VERDICT_INCONCLUSIVE, "", "", "no_bite" },
	{ "inconclusive-failed", VERDICT_INCONCLUSIVE, "", "", "no_bite" },
	{ "inconclusive-another-lever", VERDICT_INCONCLUSIVE, "", "", "no_bite" },
};

static void plan(struct story_scenario *story, struct fault_plan faults[2])
{
	story_scenario(story);
	faults[0] = (struct fault_plan){ .kind = FAULT_REDIS_LEVER };
	faults[1] = (struct fault_plan){ .kind = FAULT_FREEZE };
	story->scenario.faults = faults;
	story->scenario.fault_count = 2;
}

static void a_fault_that_nobody_saw_tried_nothing(void **state)
{
	struct story_scenario story;
	struct fault_plan faults[2];

	(void)state;
	plan(&story, faults);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct judgement *j = golden_judge("bite", rows[i].name, &story.scenario);

		golden_compare(&rows[i], "bite", j);
		judgement_free(j);
	}
}

static void which_fault_and_why_is_told(void **state)
{
	static const struct {
		const char *name, *text;
	} said[] = {
		{ "inconclusive-nothing-taken",
		  "fault 1, redis_lever, was begun, and nothing shows it" },
		{ "inconclusive-no-op", "fault 2, freeze, was begun, and nothing shows it" },
		{ "inconclusive-never-begun", "fault 2, freeze, was never begun" },
		{ "inconclusive-never-confirmed",
		  "fault 2, freeze, was asked for, and never confirmed" },
		{ "inconclusive-failed", "fault 2: freeze blue-1: no such process" },
	};
	struct story_scenario story;
	struct fault_plan faults[2];

	(void)state;
	plan(&story, faults);
	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
		struct judgement *j = golden_judge("bite", said[i].name, &story.scenario);

		assert_string_equal(golden_finding(j, "bite")->reasons[0].text, said[i].text);
		judgement_free(j);
	}
}

static void without_a_planned_fault_it_is_not_asked(void **state)
{
	struct story_scenario story;
	struct judgement *j;

	(void)state;
	story_scenario(&story);
	j = golden_judge("bite", "pass", &story.scenario);
	for (size_t i = 0; i < j->finding_count; i++)
		assert_string_not_equal(j->findings[i].name, "bite");
	judgement_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_that_nobody_saw_tried_nothing),
		cmocka_unit_test(which_fault_and_why_is_told),
		cmocka_unit_test(without_a_planned_fault_it_is_not_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
