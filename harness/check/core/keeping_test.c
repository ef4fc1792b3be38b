#include "check/core/golden.h"

static const struct golden rows[] = {
	{ "fail-field-strip", VERDICT_FAIL, "field_strip", "", "" },
	{ "fail-field-strip-swapped", VERDICT_FAIL, "field_strip", "", "" },
	{ "fail-field-strip-counted", VERDICT_FAIL, "field_strip", "", "" },
	{ "pass-field-added", VERDICT_PASS, "", "", "" },
	{ "pass-field-dropped-by-its-own", VERDICT_PASS, "", "", "" },
	{ "pass-field-strip-not-gone-on-from", VERDICT_PASS, "", "", "" },
	{ "pass-fields-unknown", VERDICT_PASS, "", "", "" },
	{ "pass-ttl-a-second-off", VERDICT_PASS, "", "", "" },
	{ "fail-ttl-short", VERDICT_FAIL, "ttl_short", "", "" },
	{ "fail-ttl-long", VERDICT_FAIL, "ttl_long", "", "" },
	{ "fail-ttl-missing", VERDICT_FAIL, "ttl_missing", "", "" },
	{ "fail-ttl-afterwards", VERDICT_FAIL, "ttl_missing", "", "" },
	{ "fail-ttl-taken-away", VERDICT_FAIL, "ttl_missing", "", "" },
	{ "pass-ttl-kept-within-a-second", VERDICT_PASS, "", "", "" },
	{ "fail-ttl-kept", VERDICT_FAIL, "ttl_short", "", "" },
	{ "pass-ttl-at", VERDICT_PASS, "", "", "" },
	{ "pass-ttl-of-a-script", VERDICT_PASS, "", "", "" },
};

static void a_write_keeps_what_the_other_color_wrote_and_for_as_long_as_declared(void **state)
{
	(void)state;
	golden_all("state_continuity", rows, sizeof(rows) / sizeof(*rows), NULL);
}

static void where_no_time_to_live_is_declared_none_is_judged(void **state)
{
	static const struct golden row = { "fail-ttl-missing", VERDICT_PASS, "", "", "" };
	struct story_scenario story;
	struct judgement *j;

	(void)state;
	story_scenario(&story);
	story.scenario.state.ttl_ns = 0;
	j = golden_judge("state_continuity", row.name, &story.scenario);
	golden_compare(&row, "state_continuity", j);
	judgement_free(j);
}

static void what_is_left_to_live_is_held_against_the_floor(void **state)
{
	static const struct golden floored[] = {
		{ "pass-ttl-at-the-floor", VERDICT_PASS, "", "", "" },
		{ "fail-ttl-low", VERDICT_FAIL, "ttl_low", "", "" },
		{ "fail-ttl-low-though-read", VERDICT_FAIL, "ttl_low", "", "" },
		{ "fail-ttl-low-at-the-hangup", VERDICT_FAIL, "ttl_low", "", "" },
		{ "pass-ttl-low-after-the-hangup", VERDICT_PASS, "", "", "" },
		{ "pass-ttl-set-between", VERDICT_PASS, "", "", "" },
		{ "pass-ttl-maybe-set-between", VERDICT_PASS, "", "", "" },
		{ "pass-ttl-unknown-write-between", VERDICT_PASS, "", "", "" },
		{ "pass-ttl-deleted-between", VERDICT_PASS, "", "", "" },
		{ "inconclusive-ttl-low-tap-torn", VERDICT_INCONCLUSIVE, "", "", "source_lost" },
		{ "pass", VERDICT_INCONCLUSIVE, "", "", "no_tap" }, /* no write sets any */
	};
	struct story_scenario story;

	(void)state;
	story_scenario(&story);
	for (size_t i = 0; i < sizeof(floored) / sizeof(*floored); i++) {
		struct judgement *j;

		story.scenario.state.ttl_floor_ns = 1794 * NS_PER_S;
		j = golden_judge("state_continuity", floored[i].name, &story.scenario);
		golden_compare(&floored[i], "state_continuity", j);
		judgement_free(j);
		story.scenario.state.ttl_floor_ns = 0;
		j = golden_judge("state_continuity", floored[i].name, &story.scenario);
		assert_int_equal(golden_finding(j, "state_continuity")->violations, 0);
		judgement_free(j);
	}
}

static void what_is_said_names_both_writers_and_the_limit(void **state)
{
	static const struct {
		const char *name, *text;
	} said[] = {
		{ "fail-field-strip",
		  "green-1 wrote turn 2 with 4 fields, and without one that blue-1 had put there at +8.034 s" },
		{ "fail-ttl-short", "green-1 gave the state 1798 s to live (declared 1800 s)" },
		{ "fail-ttl-missing", "green-1 left the state without a time to live: it never" },
		{ "fail-ttl-afterwards", "a second command set one 0.500 ms later: ended between" },
		{ "fail-ttl-low", "had no more than 1793.999 s left to live (floor 1794 s)" },
		{ "fail-ttl-kept", "a time to live set at +9.034 s: 1798.999 s (declared 1800 s)" },
	};
	struct story_scenario story;

	(void)state;
	story_scenario(&story);
	story.scenario.state.ttl_floor_ns = 1794 * NS_PER_S;
	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
		struct judgement *j = golden_judge("state_continuity", said[i].name,
						   &story.scenario);
		const struct finding *f = golden_finding(j, "state_continuity");

		if (!f->witness_count || !strstr(f->witnesses[0].text, said[i].text))
			fail_msg("%s: %s", said[i].name, f->witnesses[0].text);
		judgement_free(j);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_write_keeps_what_the_other_color_wrote_and_for_as_long_as_declared),
		cmocka_unit_test(where_no_time_to_live_is_declared_none_is_judged),
		cmocka_unit_test(what_is_left_to_live_is_held_against_the_floor),
		cmocka_unit_test(what_is_said_names_both_writers_and_the_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
