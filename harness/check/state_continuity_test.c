#include "check/core/golden.h"

static const struct golden rows[] = {
	{ "pass", VERDICT_PASS, "", "", "" },
	{ "pass-reply-lost", VERDICT_PASS, "", "", "" },
	{ "pass-all-that-was-sent", VERDICT_PASS, "", "", "" },
	{ "pass-one-of-two", VERDICT_PASS, "", "", "" },
	{ "pass-none-of-two", VERDICT_PASS, "", "", "" },
	{ "pass-resent", VERDICT_PASS, "", "", "" },
	{ "fail-ack-lost", VERDICT_FAIL, "ack_lost", "", "" },
	{ "fail-deleted", VERDICT_FAIL, "ack_lost", "", "" },
	{ "fail-stale-resume", VERDICT_FAIL, "stale_resume", "", "" },
	{ "fail-phantom", VERDICT_FAIL, "phantom_turn", "", "" },
	{ "fail-torn", VERDICT_FAIL, "torn_state", "", "" },
	{ "fail-doubled", VERDICT_FAIL, "double_apply", "", "" },
	{ "fail-doubled-and-counted", VERDICT_FAIL, "double_apply", "", "" },
	{ "fail-skipped", VERDICT_FAIL, "ack_lost", "", "" },
	{ "fail-reorder", VERDICT_FAIL, "reorder", "", "" },
	{ "fail-left-out", VERDICT_FAIL, "reorder", "", "" },
	{ "fail-aborted-read", VERDICT_FAIL, "phantom_turn", "", "" },
	{ "pass-surfaced-by-resume", VERDICT_PASS, "info_surfaced", "", "" },
	{ "pass-refused-then-accepted", VERDICT_PASS, "", "", "" },
	{ "pass-info-surfaced", VERDICT_PASS, "info_surfaced", "", "" },
	{ "fail-redis-lost-it", VERDICT_FAIL, "ack_lost", "", "" },
	{ "fail-redis-fell-back", VERDICT_FAIL, "regress", "", "" },
	{ "inconclusive-applied-again", VERDICT_INCONCLUSIVE, "", "", "no_digest" },
	{ "inconclusive-read-at-once", VERDICT_INCONCLUSIVE, "", "", "no_digest" },
	{ "fail-cross-call", VERDICT_FAIL, "cross_call", "", "" },
	{ "fail-regress", VERDICT_FAIL, "regress", "", "" },
	{ "fail-ack-early", VERDICT_FAIL, "ack_early", "", "" },
	{ "pass-same-instant", VERDICT_PASS, "", "", "" },
	{ "fail-never-persisted", VERDICT_FAIL, "never_persisted", "", "" },
	{ "fail-never-persisted-later", VERDICT_FAIL, "never_persisted", "", "" },
	{ "pass-unknown-write", VERDICT_PASS, "", "", "" },
	{ "fail-evaporated", VERDICT_FAIL, "evaporated", "", "" },
	{ "fail-evaporated-expired", VERDICT_FAIL, "evaporated", "", "" },
	{ "fail-evaporated-restart", VERDICT_FAIL, "evaporated", "", "" },
	{ "fail-evaporated-evicted", VERDICT_FAIL, "evaporated", "", "" },
	{ "fail-evaporated-evicted-before", VERDICT_FAIL, "evaporated", "", "" },
	{ "fail-evaporated-evicted-unseen", VERDICT_FAIL, "evaporated", "", "" },
	{ "fail-evaporated-flushed", VERDICT_FAIL, "evaporated", "", "" },
	{ "fail-evaporated-flushed-after", VERDICT_FAIL, "evaporated", "", "" },
	{ "fail-evaporated-while-written", VERDICT_FAIL, "evaporated", "", "" },
	{ "fail-answered-again", VERDICT_FAIL, "double_apply", "", "" },
	{ "inconclusive-no-digest", VERDICT_INCONCLUSIVE, "", "", "no_digest" },
	{ "inconclusive-tap-torn", VERDICT_INCONCLUSIVE, "", "", "source_lost" },
	{ "inconclusive-tap-torn-aborted", VERDICT_INCONCLUSIVE, "", "", "source_lost" },
	{ "fail-tap-torn", VERDICT_FAIL, "ack_lost", "", "" },
	{ "inconclusive-one-unseen", VERDICT_INCONCLUSIVE, "", "", "no_tap" },
	{ "fail-look-finds-nothing", VERDICT_FAIL, "evaporated", "", "" },
	{ "fail-look-after-the-write", VERDICT_FAIL, "evaporated", "", "" },
	{ "pass-look-before-the-write", VERDICT_PASS, "", "", "" },
	{ "pass-look-after-the-hangup", VERDICT_PASS, "", "", "" },
	{ "fail-look-shows-less", VERDICT_FAIL, "regress", "", "" },
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

static void what_is_said_tells_the_kind_and_the_evidence(void **state)
{
	static const struct {
		const char *name, *text;
	} said[] = {
		{ "fail-reorder", "turn 4 was applied before turn 3" },
		{ "fail-left-out", "goes on from turn 2 and leaves out what was sent before" },
		{ "fail-aborted-read", "aborted read (G1a)" },
		{ "fail-deleted",
		  "no later read had them; blue-1 had deleted the state at +11.600 s" },
		{ "fail-redis-lost-it", "showed green-1 1 turns after it had held 2" },
		{ "fail-look-shows-less", "showed us 2 turns after it had held 3" },
		{ "fail-evaporated", "; evicted, flushed or deleted past the tap: written" },
		{ "fail-evaporated-expired", "expired: written 1800.968 s before to last 1800 s" },
		{ "fail-evaporated-restart", "a Redis server had ended at +10.000 s" },
		{ "fail-evaporated-evicted",
		  "; Redis evicted 12 keys by +9.034 s (maxmemory 2097152, allkeys-lru)" },
		{ "fail-evaporated-evicted-before", "had accepted; deleted past the tap: written" },
		{ "fail-evaporated-evicted-unseen",
		  "; evicted, flushed or deleted past the tap: written" },
		{ "fail-evaporated-flushed", "; Redis was flushed by +12.500 s" },
		{ "fail-evaporated-flushed-after", "had accepted; deleted past the tap: written" },
	};
	struct story_scenario story;

	(void)state;
	story_scenario(&story);
	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
		struct judgement *j = golden_judge("state_continuity", said[i].name,
						   &story.scenario);
		const struct finding *f = golden_finding(j, "state_continuity");

		if (!strstr(f->witnesses[0].text, said[i].text))
			fail_msg("%s: %s", said[i].name, f->witnesses[0].text);
		judgement_free(j);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_state_is_judged_by_what_the_caller_was_told),
		cmocka_unit_test(what_is_said_tells_the_kind_and_the_evidence),
		cmocka_unit_test(what_nobody_watches_is_told_and_not_doubted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
