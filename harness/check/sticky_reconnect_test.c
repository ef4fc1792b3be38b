#include "check/core/golden.h"

static const struct golden rows[] = {
	{ "pass", VERDICT_PASS, "", "", "" },
	{ "pass-between", VERDICT_PASS, "", "", "" },
	{ "fail-lost", VERDICT_FAIL, "sticky_lost", "", "" },
	{ "inconclusive-slow-handshake", VERDICT_INCONCLUSIVE, "", "", "vacuous" },
	{ "fail-debt", VERDICT_FAIL, "sticky_debt", "", "" },
	{ "fail-debt-after-rollback", VERDICT_FAIL, "sticky_debt", "", "" },
	{ "fail-day", VERDICT_FAIL, "sticky_debt", "config", "" },
	{ "pass-not-serving", VERDICT_PASS, "", "", "" },
	{ "inconclusive-no-stale", VERDICT_INCONCLUSIVE, "", "", "vacuous" },
	{ "inconclusive-not-shifted", VERDICT_INCONCLUSIVE, "", "", "no_phase" },
};

static void a_cookie_is_judged_by_its_age_at_the_dial(void **state)
{
	(void)state;
	golden_all("sticky_reconnect", rows, sizeof(rows) / sizeof(*rows), NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cookie_is_judged_by_its_age_at_the_dial),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
