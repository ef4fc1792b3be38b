#include "check/core/golden.h"

static const struct golden rows[] = {
	{ "pass", VERDICT_PASS, "", "", "" },
	{ "pass-under-way", VERDICT_PASS, "", "", "" },
	{ "pass-after-a-failed-change", VERDICT_PASS, "", "cutover", "" },
	{ "fail-second-call-lost", VERDICT_FAIL, "config_drift", "", "" },
	{ "pass-next-is-there", VERDICT_PASS, "", "", "" },
	{ "fail-next-is-another", VERDICT_FAIL, "config_drift", "", "" },
	{ "fail-read-thrice", VERDICT_FAIL, "config_drift", "", "" },
	{ "fail-never-confirmed", VERDICT_FAIL, "config_drift", "", "" },
	{ "pass-never-confirmed-and-failed", VERDICT_PASS, "", "cutover", "" },
	{ "fail-after-a-failed-change", VERDICT_FAIL, "config_drift", "cutover", "" },
	{ "fail-another-writer", VERDICT_FAIL, "config_drift", "", "" },
	{ "fail-idle", VERDICT_FAIL, "config_drift", "", "" },
	{ "pass-idle", VERDICT_PASS, "", "", "" },
	{ "fail-timers", VERDICT_FAIL, "config_drift", "sticky_reconnect", "" },
};

static void effective_is_what_was_intended(void **state)
{
	(void)state;
	golden_all("config", rows, sizeof(rows) / sizeof(*rows), NULL);
}

static void one_drift_is_told_once(void **state)
{
	struct story_scenario story;
	struct judgement *j;

	(void)state;
	story_scenario(&story);
	j = golden_judge("config", "fail-read-thrice", &story.scenario);
	assert_int_equal(golden_finding(j, "config")->violations, 1);
	judgement_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(effective_is_what_was_intended),
		cmocka_unit_test(one_drift_is_told_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
