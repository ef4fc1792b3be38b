#include "check/core/golden.h"

static const struct golden rows[] = {
	{ "pass", VERDICT_PASS, "", "", "" },
	{ "pass-under-way", VERDICT_PASS, "", "", "" },
	{ "pass-after-a-failed-change", VERDICT_PASS, "", "cutover", "" },
	{ "fail-second-call-lost", VERDICT_FAIL, "config_drift", "", "" },
	{ "fail-another-writer", VERDICT_FAIL, "config_drift", "", "" },
	{ "fail-timers", VERDICT_FAIL, "config_drift", "sticky_reconnect", "" },
};

static void effective_is_what_was_intended(void **state)
{
	(void)state;
	golden_all("config", rows, sizeof(rows) / sizeof(*rows), NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(effective_is_what_was_intended),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
