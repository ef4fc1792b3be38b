#include "base/clock.h"
#include "check/core/golden.h"

/* A history, the budget it is held against, and what becomes of it. */
static const struct {
	struct golden golden;
	int disturbances;
	int64_t dead_air_ms;
	const char *says; /* of the witness, or else of the summary */
} rows[] = {
	{ { "once", VERDICT_PASS, "", "", "" }, 1, 0, "at most 1 of one (limit 1)" },
	{ { "once", VERDICT_FAIL, "disturbed", "", "" },
	  0,
	  0,
	  "made to reconnect 1 times, 406 ms without a leg (limit 0 reconnects); the last: " },
	{ { "once", VERDICT_PASS, "", "", "" },
	  -1,
	  406,
	  "at most 406 ms without a leg (limit 406" },
	{ { "once", VERDICT_FAIL, "dead_air", "", "" },
	  -1,
	  405,
	  "406 ms without a leg (limit 405" },
	{ { "once", VERDICT_FAIL, "dead_air", "", "" }, 1, 405, "406 ms without a leg (limit 405" },
	{ { "once", VERDICT_FAIL, "disturbed", "", "" }, 0, 405, "(limit 0 reconnects)" },
	{ { "twice", VERDICT_PASS, "", "", "" }, 2, 506, "2 reconnects that 1 callers had not" },
	{ { "twice", VERDICT_FAIL, "disturbed", "", "" }, 1, 506, "reconnect 2 times, 506 ms" },
	{ { "twice", VERDICT_FAIL, "dead_air", "", "" }, 2, 505, "reconnect 2 times, 506 ms" },
	{ { "planned", VERDICT_PASS, "", "", "" }, 1, 406, "at most 406 ms without a leg" },
	{ { "planned", VERDICT_FAIL, "disturbed", "", "" }, 0, 0, "reconnect 1 times, 406 ms" },
	{ { "never-ready", VERDICT_PASS, "", "", "" }, 1, 406, "1 reconnects that 1 callers" },
	{ { "never-ready", VERDICT_FAIL, "dead_air", "", "" },
	  1,
	  405,
	  "reconnect 1 times, 406 ms" },
	{ { "late-end", VERDICT_PASS, "", "", "" }, 1, 406, "1 reconnects that 1 callers" },
	{ { "of-the-caller", VERDICT_PASS, "", "", "" }, 0, 0, "0 reconnects that 1 callers" },
	{ { "before-admission", VERDICT_PASS, "", "", "" }, 0, 0, "0 reconnects that 1 callers" },
	{ { "resent", VERDICT_PASS, "", "", "" }, 1, 0, "1 turns sent again" },
	{ { "our-standstill", VERDICT_INCONCLUSIVE, "", "", "late_generator" }, 0, 300, "" },
	{ { "our-standstill", VERDICT_INCONCLUSIVE, "", "", "late_generator" }, -1, 7, "" },
	{ { "our-standstill", VERDICT_FAIL, "dead_air", "", "" }, -1, 6, "406 ms without a leg" },
	{ { "never-back", VERDICT_PASS, "", "dropped_calls", "" }, 0, 1, "0 reconnects" },
	{ { "no-caller", VERDICT_INCONCLUSIVE, "", "", "vacuous" }, 0, 0, "" },
};

static void a_caller_is_disturbed_no_more_than_its_budget_says(void **state)
{
	struct story_scenario story;
	struct profile_plan *plan = &story.scenario.calls.profile[PROFILE_RESUMABLE];

	(void)state;
	story_scenario(&story);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct judgement *j;
		const struct finding *f;
		const char *text;

		plan->disturbances = rows[i].disturbances;
		plan->dead_air_ns = rows[i].dead_air_ms * NS_PER_MS;
		j = golden_judge("disturbance", rows[i].golden.name, &story.scenario);
		golden_compare(&rows[i].golden, "disturbance", j);
		f = golden_finding(j, "disturbance");
		text = f->witness_count ? f->witnesses[0].text : f->summary;
		if (!strstr(text, rows[i].says))
			fail_msg("%s %d %d: %s", rows[i].golden.name, rows[i].disturbances,
				 (int)rows[i].dead_air_ms, text);
		judgement_free(j);
	}
}

static void without_a_budget_it_is_not_asked(void **state)
{
	struct story_scenario story;
	struct judgement *j;
	bool told = false;

	(void)state;
	story_scenario(&story);
	j = golden_judge("disturbance", "twice", &story.scenario);
	for (size_t i = 0; i < j->unasked_count; i++)
		told |= !strcmp(j->unasked[i]->name, "disturbance");
	assert_true(told);
	judgement_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_caller_is_disturbed_no_more_than_its_budget_says),
		cmocka_unit_test(without_a_budget_it_is_not_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
