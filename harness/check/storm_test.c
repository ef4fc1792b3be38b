#include "base/clock.h"
#include "check/core/golden.h"

/* A history, what is declared, and what becomes of it. */
static const struct {
	struct golden golden;
	int dials_per_second, spread_ms;
	const char *says; /* of the first witness, or else of the summary */
} rows[] = {
	{ { "three-in-a-second", VERDICT_PASS, "", "", "" },
	  3,
	  0,
	  "at most 3 dials within a second on blue, 3 on green (limit 3)" },
	{ { "three-in-a-second", VERDICT_FAIL, "dial_storm", "", "" },
	  2,
	  0,
	  "3 dials within a second on blue, the last of them at +7.993 s (limit 2)" },
	{ { "a-second-apart", VERDICT_PASS, "", "", "" }, 2, 0, "at most 2 dials" },
	{ { "a-second-apart", VERDICT_FAIL, "dial_storm", "", "" }, 1, 0, "2 dials within" },
	{ { "all-at-once", VERDICT_PASS, "", "", "" }, 3, 1, "within up to 1 ms (declared 1 ms)" },
	{ { "all-at-once", VERDICT_INCONCLUSIVE, "", "", "resolution" }, 3, 2, "" },
	{ { "all-at-once", VERDICT_INCONCLUSIVE, "", "", "resolution" }, 0, 1700, "" },
	{ { "all-at-once", VERDICT_FAIL, "close_storm", "", "" },
	  0,
	  1800,
	  "blue-1 sent 3 callers away within 1 ms (declared spread 1800 ms)" },
	{ { "all-at-once", VERDICT_FAIL, "dial_storm close_storm", "", "" }, 2, 1800, "" },
	{ { "three-in-a-second", VERDICT_INCONCLUSIVE, "", "", "resolution" }, 0, 1800, "" },
	{ { "our-standstill", VERDICT_INCONCLUSIVE, "", "", "late_generator" }, 2, 0, "" },
	{ { "our-standstill", VERDICT_INCONCLUSIVE, "", "", "resolution" }, 0, 1800, "" },
};

static struct judgement *judged(const char *check, const char *name, int dials, int spread_ms)
{
	struct story_scenario story;

	story_scenario(&story);
	story.scenario.target.dials_per_second = dials;
	story.scenario.timers.close_spread_ns = spread_ms * NS_PER_MS;
	return golden_judge(check, name, &story.scenario);
}

static void callers_do_not_come_all_at_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct judgement *j = judged("storm", rows[i].golden.name, rows[i].dials_per_second,
					     rows[i].spread_ms);
		const struct finding *f = golden_finding(j, "storm");
		const char *text = f->witness_count ? f->witnesses[0].text : f->summary;

		golden_compare(&rows[i].golden, "storm", j);
		if (!strstr(text, rows[i].says))
			fail_msg("%s %d %d: %s", rows[i].golden.name, rows[i].dials_per_second,
				 rows[i].spread_ms, text);
		judgement_free(j);
	}
}

static void nobody_sent_away_proves_no_spread(void **state)
{
	static const struct golden row = { "pass", VERDICT_INCONCLUSIVE, "", "", "vacuous" };
	struct judgement *j = judged("dropped_calls", "pass", 10, 1000);

	(void)state;
	golden_compare(&row, "storm", j);
	judgement_free(j);
}

/* What our own callers do when they begin is not what they are made to do. */
static void the_ramp_is_not_counted(void **state)
{
	static const struct golden row = { "three-in-a-second", VERDICT_PASS, "", "", "" };
	struct story_scenario story;
	struct judgement *j;

	(void)state;
	story_scenario(&story);
	story.scenario.target.dials_per_second = 3;
	story.scenario.calls.ramp_ns = 7500 * NS_PER_MS;
	j = golden_judge("storm", row.name, &story.scenario);
	golden_compare(&row, "storm", j);
	assert_non_null(strstr(golden_finding(j, "storm")->summary, "at most 1 dials"));
	judgement_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(callers_do_not_come_all_at_once),
		cmocka_unit_test(nobody_sent_away_proves_no_spread),
		cmocka_unit_test(the_ramp_is_not_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
