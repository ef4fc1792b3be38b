#include "check/core/golden.h"

static const struct golden rows[] = {
	{ "pass", VERDICT_PASS, "", "", "" },
	{ "fail-fork", VERDICT_FAIL, "fork", "", "" },
	{ "fail-fork-late", VERDICT_FAIL, "fork", "", "" },
	{ "fail-fork-version", VERDICT_FAIL, "fork", "", "" },
	{ "fail-interleaved", VERDICT_FAIL, "zombie_write", "", "" },
	{ "pass-written-again", VERDICT_PASS, "", "", "" },
	{ "pass-the-store-forgot", VERDICT_PASS, "", "", "" },
	{ "pass-back-again", VERDICT_PASS, "", "", "" },
	{ "pass-late-but-in-order", VERDICT_PASS, "", "", "" },
	{ "pass-fenced", VERDICT_PASS, "", "", "" },
	{ "fail-zombie", VERDICT_FAIL, "zombie_write", "", "" },
	{ "fail-zombie-two-primaries", VERDICT_FAIL, "zombie_write", "", "" },
	{ "fail-zombie-after-two-primaries", VERDICT_FAIL, "zombie_write", "", "" },
	{ "fail-zombie-just-after", VERDICT_FAIL, "zombie_write", "", "" },
	{ "pass-at-once", VERDICT_PASS, "", "", "" },
	{ "fail-shared-epoch", VERDICT_FAIL, "zombie_write", "", "" },
	{ "fail-two-voices", VERDICT_FAIL, "double_voice", "", "" },
	{ "pass-last-word", VERDICT_PASS, "", "", "" },
	{ "fail-stale-voice", VERDICT_FAIL, "double_voice", "", "" },
	{ "pass-stale-voice-at-the-limit", VERDICT_PASS, "", "", "" },
	{ "inconclusive-one-writer", VERDICT_INCONCLUSIVE, "", "", "vacuous" },
	{ "inconclusive-no-tap", VERDICT_INCONCLUSIVE, "", "", "no_tap" },
};

static void one_instance_acts_for_a_call_at_a_time(void **state)
{
	(void)state;
	golden_all("split_brain", rows, sizeof(rows) / sizeof(*rows), NULL);
}

/* The same histories of a scenario whose callers lose their leg in mid-turn. */
static void a_drill_that_never_met_the_fence_proves_nothing(void **state)
{
	static const struct golden aimed[] = {
		{ "pass-fenced", VERDICT_PASS, "", "", "" },
		{ "pass-at-once", VERDICT_INCONCLUSIVE, "", "", "vacuous" },
		{ "pass", VERDICT_INCONCLUSIVE, "", "", "no_fence" },
		{ "fail-fork", VERDICT_FAIL, "fork", "", "" },
	};
	struct story_scenario story;
	struct profile_plan *resumable;

	(void)state;
	story_scenario(&story);
	resumable = &story.scenario.calls.profile[PROFILE_RESUMABLE];
	resumable->loses_legs = true;
	resumable->when = LOSE_MID_TURN;
	for (size_t i = 0; i < sizeof(aimed) / sizeof(*aimed); i++) {
		struct judgement *j = golden_judge("split_brain", aimed[i].name, &story.scenario);
		golden_compare(&aimed[i], "split_brain", j);
		judgement_free(j);
	}
}

static void what_is_said_names_both_writers_and_what_was_not_judged(void **state)
{
	static const struct {
		const char *name, *summary, *witness;
	} said[] = {
		{ "fail-fork", "4 without epoch: judged by forks, a-b-a and voices only (no_fence)",
		  "lost update (P4): green-1 wrote turn 2 (turn 2) at +10.300 s and green-2" },
		{ "fail-fork-version", "1 violations (limit 0)",
		  "lost update (P4): green-2 wrote version 3 (turn 1) at +10.065 s and green-1" },
		{ "pass-fenced", "1 stale ones refused; 0 violations (limit 0)", NULL },
	};
	struct story_scenario story;

	(void)state;
	story_scenario(&story);
	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
		struct judgement *j = golden_judge("split_brain", said[i].name, &story.scenario);
		const struct finding *f = golden_finding(j, "split_brain");

		if (!strstr(f->summary, said[i].summary))
			fail_msg("%s: %s", said[i].name, f->summary);
		if (said[i].witness && !strstr(f->witnesses[0].text, said[i].witness))
			fail_msg("%s: %s", said[i].name, f->witnesses[0].text);
		judgement_free(j);
	}
}

static void a_second_primary_is_told_as_the_cause_while_there_is_one(void **state)
{
	static const struct {
		const char *name;
		enum anomaly cause;
	} rows_of_cause[] = {
		{ "fail-zombie", ANOMALY_ZOMBIE_WRITE },
		{ "fail-zombie-two-primaries", ANOMALY_TWO_PRIMARIES },
		{ "fail-zombie-after-two-primaries", ANOMALY_ZOMBIE_WRITE },
	};
	struct story_scenario story;

	(void)state;
	story_scenario(&story);
	for (size_t i = 0; i < sizeof(rows_of_cause) / sizeof(*rows_of_cause); i++) {
		struct judgement *j = golden_judge("split_brain", rows_of_cause[i].name,
						   &story.scenario);
		const struct witness *wit = golden_finding(j, "split_brain")->witnesses;
		bool told = strstr(wit->text, "; two Redis servers were primary since +10.100 s");

		if (wit->cause != rows_of_cause[i].cause ||
		    told != (wit->cause == ANOMALY_TWO_PRIMARIES))
			fail_msg("%s: %s, %s", rows_of_cause[i].name, anomaly_name(wit->cause),
				 wit->text);
		judgement_free(j);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_instance_acts_for_a_call_at_a_time),
		cmocka_unit_test(a_drill_that_never_met_the_fence_proves_nothing),
		cmocka_unit_test(a_second_primary_is_told_as_the_cause_while_there_is_one),
		cmocka_unit_test(what_is_said_names_both_writers_and_what_was_not_judged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
