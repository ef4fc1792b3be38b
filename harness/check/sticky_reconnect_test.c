#include "check/core/golden.h"

#include <stdlib.h>

static const struct golden rows[] = {
	{ "pass", VERDICT_PASS, "", "", "" },
	{ "pass-between", VERDICT_PASS, "", "", "" },
	{ "fail-lost", VERDICT_FAIL, "sticky_lost", "", "" },
	{ "fail-slow-at-the-limit", VERDICT_FAIL, "sticky_lost", "", "" },
	{ "inconclusive-slow-handshake", VERDICT_INCONCLUSIVE, "", "", "vacuous" },
	{ "fail-debt", VERDICT_FAIL, "sticky_debt", "", "" },
	{ "fail-debt-after-propagation", VERDICT_FAIL, "sticky_debt", "", "" },
	{ "inconclusive-debt-at-propagation", VERDICT_INCONCLUSIVE, "", "", "vacuous" },
	{ "fail-debt-after-rollback", VERDICT_FAIL, "sticky_debt", "", "" },
	{ "fail-day", VERDICT_FAIL, "sticky_debt", "config", "" },
	{ "fail-gone", VERDICT_FAIL, "sticky_lost", "config", "" },
	{ "pass-not-serving", VERDICT_PASS, "", "", "" },
	{ "inconclusive-no-stale", VERDICT_INCONCLUSIVE, "", "", "vacuous" },
	{ "inconclusive-not-shifted", VERDICT_INCONCLUSIVE, "", "", "no_phase" },
};

static void a_cookie_is_judged_by_its_age_at_the_dial(void **state)
{
	(void)state;
	golden_all("sticky_reconnect", rows, sizeof(rows) / sizeof(*rows), NULL);
}

/* What the balancer says of its cookies is no resume: both histories have the same ones. */
static void only_resumes_are_counted_as_kept(void **state)
{
	static const char *const names[] = { "pass", "fail-gone" };
	struct story_scenario story;
	size_t kept[2];

	(void)state;
	story_scenario(&story);
	for (size_t i = 0; i < 2; i++) {
		struct judgement *j = golden_judge("sticky_reconnect", names[i], &story.scenario);

		kept[i] = strtoul(golden_finding(j, "sticky_reconnect")->summary, NULL, 10);
		judgement_free(j);
	}
	assert_true(kept[0] > 0);
	assert_int_equal(kept[1], kept[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cookie_is_judged_by_its_age_at_the_dial),
		cmocka_unit_test(only_resumes_are_counted_as_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
