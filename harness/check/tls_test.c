#include "check/core/golden.h"

static const struct golden rows[] = {
	{ "pass", VERDICT_PASS, "", "", "" },
	{ "pass-expires-soon", VERDICT_PASS, "", "", "" },
	{ "fail-version", VERDICT_FAIL, "tls_version", "", "" },
	{ "fail-version-cut-off", VERDICT_FAIL, "tls_version", "", "" },
	{ "fail-no-version", VERDICT_FAIL, "tls_version", "", "" },
	{ "fail-certificate", VERDICT_FAIL, "tls_certificate", "", "" },
	{ "fail-both", VERDICT_FAIL, "tls_version tls_certificate", "", "" },
	{ "fail-callers", VERDICT_FAIL, "tls_certificate", "dropped_calls", "" },
	{ "inconclusive-refused", VERDICT_INCONCLUSIVE, "", "", "vacuous" },
	{ "inconclusive-late", VERDICT_INCONCLUSIVE, "", "", "vacuous" },
	{ "inconclusive-not-looked", VERDICT_INCONCLUSIVE, "", "", "vacuous" },
};

static void wss_story(struct story_scenario *story)
{
	static char url[] = "wss://voice.example.com/${call}";

	story_scenario(story);
	story->scenario.target.url = url;
}

static void a_listener_is_judged_by_what_our_handshakes_and_callers_met(void **state)
{
	struct story_scenario story;

	(void)state;
	wss_story(&story);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct judgement *j = golden_judge("tls", rows[i].name, &story.scenario);

		golden_compare(&rows[i], "tls", j);
		judgement_free(j);
	}
}

static void a_certificate_that_expires_soon_is_a_warning_and_no_finding(void **state)
{
	struct story_scenario story;
	struct judgement *j;

	(void)state;
	wss_story(&story);
	j = golden_judge("tls", "pass-expires-soon", &story.scenario);
	assert_non_null(strstr(golden_finding(j, "tls")->summary, "expires in 13 days"));
	judgement_free(j);
	j = golden_judge("tls", "pass", &story.scenario);
	assert_null(strstr(golden_finding(j, "tls")->summary, "warning"));
	judgement_free(j);
}

static void refused_calls_have_the_handshake_for_their_cause(void **state)
{
	struct story_scenario story;
	struct judgement *j;
	const struct finding *f;

	(void)state;
	wss_story(&story);
	j = golden_judge("tls", "fail-callers", &story.scenario);
	f = golden_finding(j, "dropped_calls");
	assert_int_equal(f->witnesses[0].anomaly, ANOMALY_BLOCKED);
	assert_int_equal(f->witnesses[0].cause, ANOMALY_TLS_CERTIFICATE);
	f = golden_finding(j, "tls");
	assert_int_equal(f->violations, 1); /* of its three dials */
	judgement_free(j);
}

static void nobody_asks_it_of_a_plain_listener(void **state)
{
	struct story_scenario story;
	struct judgement *j;

	(void)state;
	story_scenario(&story);
	j = golden_judge("tls", "fail-certificate", &story.scenario);
	for (size_t i = 0; i < j->finding_count; i++)
		assert_string_not_equal(j->findings[i].name, "tls");
	judgement_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listener_is_judged_by_what_our_handshakes_and_callers_met),
		cmocka_unit_test(a_certificate_that_expires_soon_is_a_warning_and_no_finding),
		cmocka_unit_test(refused_calls_have_the_handshake_for_their_cause),
		cmocka_unit_test(nobody_asks_it_of_a_plain_listener),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
