#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scenario/testing.h"

static void a_plan_that_cannot_give_its_evidence_is_warned_about(void **state)
{
	static const struct {
		const char *from, *to, *want;
	} rows[] = {
		/* want NULL: silence */
		{ "name: small", "name: small", NULL },
		/* 60 calls, a turn a second: 60 samples a second. Drain: 12 s + 3 s. */
		{ "gates:", "gates:\n  \"turn_response{phase:drain}\": [ \"p(99) < 1s\" ]", NULL },
		{ "live: 60", "live: 10", NULL },
		{ "for: 8s }", "for: 8s }\n  - buffer: { for: 1s }", NULL },
		{ "gates:", "gates:\n  \"turn_response{phase:steady}\": [ \"p(95) < 1s\" ]", NULL },
		{ "gates:", "gates:\n  \"turn_response{phase:steady}\": [ \"p(99) < 1s\" ]",
		  ":22: warning: turn_response{phase:steady} p(99) < 1s needs about 528 samples; the plan yields about 480" },
		{ "gates:", "gates:\n  \"redis_command{phase:steady}\": [ \"p(99) < 1s\" ]", NULL },
		{ "gates:", "gates:\n  \"resume_gap{phase:steady}\": [ \"p(95) < 1s\" ]",
		  "the plan yields about 60" },
		{ "gates:", "gates:\n  \"dial{phase:steady}\": [ \"p(95) < 1s\" ]", NULL },
		{ "gates:", "gates:\n  \"dial{phase:steady}\": [ \"p(99) < 1s\" ]",
		  "the plan yields about 140" },
		{ "gates:", "gates:\n  \"dial{phase:teardown}\": [ \"max < 1s\" ]", NULL },
		{ "gates:", "gates:\n  \"dial{phase:buffer}\": [ \"max < 1s\" ]",
		  "the cutover has no such step" },
		{ "gates:", "gates:\n  \"dropped_calls{phase:buffer}\": [ \"count == 0\" ]",
		  "the cutover has no such step" },
		{ "gates:", "gates:\n  \"turn_service{phase:cutover}\": [ \"p(99.9) < 1s\" ]",
		  "needs about 5296 samples; the plan yields about 1020" },
		{ "gates:", "gates:\n  dial: [ \"p(100) < 1s\" ]",
		  "no number of samples settles p(100); use max" },
		{ "stack: local\n", "stack: local\nstate: { tap: off }\n", NULL },
		{ "deadline: 25s", "deadline: 11s",
		  ":19: warning: the drain's deadline 11s is shorter than timers.longest_call 12s" },
		{ "deadline: 25s", "begin: deregister, deadline: 25s", NULL },
		{ "deregistration_delay: 20s", "deregistration_delay: 5s", NULL },
		{ "every: 1s", "every: 10s",
		  "callers are silent for 10s; timers.idle 10s cuts them" },
		{ "every: 1s", "every: 1s, silence: { share: 5%, for: 9s }",
		  "callers are silent for 10s" },
		{ "every: 1s", "every: 1s, silence: { share: 0, for: 9s }", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *text = testing_edit(TESTING_BASE, rows[i].from, rows[i].to);
		struct buf warnings = buf_init(4096);
		struct err err = { .kind = ERR_NONE };
		struct scenario *sc = NULL;

		if (testing_load(text, strlen(text), NULL, 0, NULL, &sc, &warnings, &err) < 0)
			fail_msg("%s: %s", rows[i].to, err.text);
		if (rows[i].want ? !strstr(buf_text(&warnings), rows[i].want) : warnings.len > 0)
			fail_msg("%s\nwanted %s\ngot %s", rows[i].to,
				 rows[i].want ? rows[i].want : "silence", buf_text(&warnings));
		if (warnings.len)
			assert_int_equal(warnings.data[warnings.len - 1], '\n');
		scenario_free(sc);
		buf_free(&warnings);
		free(text);
	}
}

static void a_redis_gate_without_the_tap_and_a_short_delay_are_warned_about(void **state)
{
	char *no_service = testing_edit(TESTING_BASE "  redis_service: [ \"p(50) < 1s\" ]\n",
					"stack: local", "state: { tap: off }");
	char *no_tap = testing_edit(TESTING_BASE "  redis_turn: [ \"p(50) < 1s\" ]\n",
				    "stack: local", "state: { tap: off }");
	char *delay = testing_edit(TESTING_BASE, "deregistration_delay: 20s",
				   "deregistration_delay: 5s");
	char *cut = testing_edit(delay, "deadline: 25s", "begin: deregister, deadline: 25s");
	static const char *const wants[] = { "the plan yields about 0", "the plan yields about 0",
					     "timers.deregistration_delay 5s is shorter" };
	const char *texts[] = { no_tap, no_service, cut };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct buf warnings = buf_init(4096);
		struct scenario *sc = NULL;

		assert_int_equal(testing_load(texts[i], strlen(texts[i]), NULL, 0, NULL, &sc,
					      &warnings, NULL),
				 0);
		assert_non_null(strstr(buf_text(&warnings), wants[i]));
		scenario_free(sc);
		buf_free(&warnings);
	}
	free(no_tap);
	free(no_service);
	free(delay);
	free(cut);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_that_cannot_give_its_evidence_is_warned_about),
		cmocka_unit_test(a_redis_gate_without_the_tap_and_a_short_delay_are_warned_about),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
