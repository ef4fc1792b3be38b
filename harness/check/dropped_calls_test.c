#include "check/core/golden.h"

static const struct golden rows[] = {
	{ "pass", VERDICT_PASS, "", "", "" },
	{ "pass-hangup-then-close", VERDICT_PASS, "", "", "" },
	{ "pass-cut-and-resumed", VERDICT_PASS, "", "drained_before_teardown", "" },
	{ "pass-back-at-the-limit", VERDICT_PASS, "", "", "" },
	{ "fail-back-too-late", VERDICT_FAIL, "unknown", "", "" },
	{ "inconclusive-given-up-at-the-limit", VERDICT_INCONCLUSIVE, "", "", "unfinished" },
	{ "fail-given-up-too-late", VERDICT_FAIL, "unknown", "", "" },
	{ "fail-sigterm", VERDICT_FAIL, "cut_by_sigterm", "drained_before_teardown", "" },
	{ "fail-sigterm-of-another", VERDICT_FAIL, "unknown", "", "" },
	{ "fail-sigterm-window-over", VERDICT_FAIL, "unknown", "", "" },
	{ "fail-sigterm-window-edge", VERDICT_FAIL, "cut_by_sigterm", "drained_before_teardown",
	  "" },
	{ "fail-reload", VERDICT_FAIL, "reload_cut", "", "" },
	{ "fail-drain-cut-short", VERDICT_FAIL, "drain_cut_short", "drained_before_teardown", "" },
	{ "fail-drain-cut-short-at-its-end", VERDICT_FAIL, "drain_cut_short",
	  "drained_before_teardown", "" },
	{ "fail-drain-cap", VERDICT_FAIL, "drain_cap_cut", "drained_before_teardown", "" },
	{ "fail-instance-died", VERDICT_FAIL, "instance_died", "drained_before_teardown", "" },
	{ "fail-redis-refused", VERDICT_FAIL, "redis_refused", "", "" },
	{ "fail-fenced-off", VERDICT_FAIL, "fenced_off", "", "" },
	{ "fail-agent-error", VERDICT_FAIL, "agent_error", "", "" },
	{ "fail-never-ready", VERDICT_FAIL, "never_ready", "", "" },
	{ "fail-blocked-never-ready", VERDICT_FAIL, "blocked", "", "" },
	{ "fail-muted-frozen", VERDICT_FAIL, "muted", "", "" },
	{ "fail-certificate", VERDICT_FAIL, "tls_certificate", "tls", "" },
	{ "fail-sigkill", VERDICT_FAIL, "cut_by_sigkill", "drained_before_teardown", "" },
	{ "fail-deregistration", VERDICT_FAIL, "deregistration_cut",
	  "drained_before_teardown config", "" },
	{ "fail-idle", VERDICT_FAIL, "idle_cut", "", "" },
	{ "fail-truncated", VERDICT_FAIL, "truncated", "", "" },
	{ "fail-muted", VERDICT_FAIL, "muted", "", "" },
	{ "fail-muted-before-we-stood-still", VERDICT_FAIL, "muted", "", "" },
	{ "inconclusive-the-tap-stood-still", VERDICT_INCONCLUSIVE, "", "", "late_generator" },
	{ "pass-late-but-not-muted", VERDICT_PASS, "", "", "" },
	{ "fail-blocked", VERDICT_FAIL, "blocked", "", "" },
	{ "inconclusive-not-shifted", VERDICT_INCONCLUSIVE, "", "", "no_phase" },
	{ "inconclusive-unfinished", VERDICT_INCONCLUSIVE, "", "", "unfinished" },
	{ "inconclusive-our-own-ports", VERDICT_INCONCLUSIVE, "", "", "local_limit" },
};

static void a_call_is_dropped_by_its_script_and_named_by_its_signature(void **state)
{
	(void)state;
	golden_all("dropped_calls", rows, sizeof(rows) / sizeof(*rows), NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_dropped_by_its_script_and_named_by_its_signature),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
