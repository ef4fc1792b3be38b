#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scenario/testing.h"

/* One edit of the small scenario and what the error must say, place included. */
struct row {
	const char *from, *to, *why;
};

static void run_rows(const struct row *rows, size_t count)
{
	int wrong = 0;

	for (size_t i = 0; i < count; i++) {
		char *text = testing_edit(TESTING_BASE, rows[i].from, rows[i].to);
		struct err err = { .kind = ERR_NONE };
		struct scenario *sc = NULL;
		int result = testing_load_text(text, &sc, &err);

		if (result == 0 || sc || err.kind != ERR_INPUT || !strstr(err.text, rows[i].why)) {
			print_error("%s\nwanted %s\ngot    %s\n", rows[i].to, rows[i].why,
				    err.text);
			wrong++;
		}
		free(text);
	}
	assert_int_equal(wrong, 0);
}
#define RUN(rows) run_rows(rows, sizeof(rows) / sizeof *(rows))

static void unknown_and_missing_keys_are_named_with_the_nearest(void **state)
{
	static const struct row rows[] = {
		{ "  ramp: 2s", "  rmap: 2s",
		  ":10:3: calls has no key \"rmap\"\n      rmap: 2s\n      ^\ndid you mean \"ramp\"?" },
		{ "gates:", "gate:", ":21:1: a scenario has no key \"gate\"" },
		{ "stack: local", "purpose: local",
		  ":2:1: a scenario has no key \"purpose\"\n    purpose: local\n    ^\none of: name," },
		{ "grace:", "gracce:", ":20:30: teardown has no key \"gracce\"" },
		{ "exponential", "exponental", ":15:42: lose_leg has no key \"exponental\"" },
		{ "- steady: { for: 8s }", "- stedy: { for: 8s }",
		  ":17:5: a step has no key \"stedy\"" },
		{ "- steady: { for: 8s }", "- steady: { fro: 8s }",
		  ":17:15: this step has no key \"fro\"" },
		{ "name: small\n", "", ":1:1: a scenario needs the key \"name\"" },
		{ "  longest_call: 12s\n", "", ":4:3: timers needs the key \"longest_call\"" },
		{ "  live: 60\n", "", ":9:3: calls needs the key \"live\"" },
		{ "{ for: 8s }", "{}", ":17:13: this step needs the key \"for\"" },
		{ "mean: 6s, ", "", ":11:22: lognormal needs the key \"mean\"" },
		{ "calls:\n", "callz:\n", ":8:1: a scenario has no key \"callz\"" },
		{ "{ share: 50% }", "{ }", ":14:13: bridge needs the key \"share\"" },
	};

	(void)state;
	RUN(rows);
}

static void wrong_types_say_what_was_expected_and_found(void **state)
{
	static const struct row rows[] = {
		{ "live: 60", "live: [60]", ":9:9: live: expected a plain value, found a list" },
		{ "live: 60", "live:", ":9:8: live: expected a plain value, found nothing" },
		{ "ramp: 2s", "ramp: { s: 2 }",
		  ":10:9: ramp: expected a plain value, found a mapping" },
		{ "{ every: 1s }", "[ 1s ]",
		  ":12:9: turn: expected keys and values, found a list" },
		{ "timers:\n  stickiness: 2s\n  deregistration_delay: 20s\n  idle: 10s\n  longest_call: 12s\n",
		  "timers: 5s\n", ":3:9: timers: expected keys and values, found a plain value" },
		{ "- steady: { for: 8s }", "- steady",
		  ":17:5: a step: expected keys and values, found a plain value" },
		{ "- steady: { for: 8s }", "- {}",
		  ":17:5: a step needs one of: steady, smoke, shift, drain, buffer, teardown, rollback" },
		{ "- steady: { for: 8s }", "- { steady: { for: 8s }, buffer: { for: 1s } }",
		  ":17:28: a step cannot be both \"steady\" and \"buffer\"" },
		{ "hold: { lognormal: { mean: 6s, sigma: 0.6 }, min: 3s, max: 12s }",
		  "hold: { min: 3s, max: 12s }",
		  ":11:9: a distribution needs one of: fixed, uniform, exponential, lognormal" },
		{ "hold: { lognormal: { mean: 6s, sigma: 0.6 }, min: 3s",
		  "hold: { fixed: 6s, exponential: 6s",
		  ":11:22: a distribution cannot be both \"fixed\" and \"exponential\"" },
		{ "lognormal: { mean: 6s, sigma: 0.6 }, min: 3s, max: 12s",
		  "uniform: 3s..12s, max: 12s",
		  ":11:34: a distribution: a range has \"max\" in itself" },
		{ "[ \"count == 0\" ]", "{ count: 0 }",
		  ":22:18: dropped_calls: expected a list of expressions, found a mapping" },
		{ "[ \"count == 0\" ]", "[]",
		  ":22:18: dropped_calls: expected a list of expressions, found a list" },
		{ "[ \"count == 0\" ]", "[ [ 1 ] ]",
		  ":22:20: dropped_calls: expected an expression" },
		{ "gates:\n  dropped_calls: [ \"count == 0\" ]\n", "gates: [ x ]\n",
		  ":21:8: gates: expected metrics" },
		{ "name: small", "name: { a: b }",
		  ":1:7: name: expected a plain value, found a mapping" },
		{ "name: small", "name: \"\"", ":1:7: name: must not be empty" },
	};

	(void)state;
	RUN(rows);
}

static void values_out_of_range_name_value_and_limit(void **state)
{
	static const struct row rows[] = {
		{ "live: 60", "live: 0", ":9:9: live: 0 is outside 1 to 1000000" },
		{ "live: 60", "live: 1000001", ":9:9: live: 1000001 is outside 1 to 1000000" },
		{ "live: 60", "live: 99999999999999999999999",
		  ":9:9: live: 99999999999999999999999 is outside" },
		{ "live: 60", "live: -3", ":9:9: live: -3 is outside" },
		{ "live: 60", "live: sixty", ":9:9: live: \"sixty\" is not a whole number" },
		{ "live: 60", "live: 6e1", ":9:9: live: \"6e1\" is not a whole number" },
		{ "ramp: 2s", "ramp: 2",
		  ":10:9: ramp: \"2\" has no unit; durations take ns us ms s m h" },
		{ "ramp: 2s", "ramp: 2sec", ":10:9: ramp: \"2sec\" has the unknown unit \"sec\"" },
		{ "ramp: 2s", "ramp: 9000h", ":10:9: ramp: \"9000h\" is longer than 8760h" },
		{ "every: 1s", "every: 9ms", ":12:18: every: 9ms is below the limit 10ms" },
		{ "stickiness: 2s", "stickiness: 2500ms",
		  ":4:15: group: 2500ms is not a whole multiple of 1s" },
		{ "idle: 10s", "idle: 0s", ":6:9: idle: 0s is below the limit 1s" },
		{ "stack: local", "stack: { kind: local, instances: 17 }",
		  ":2:34: instances: 17 is outside 1 to 16" },
		{ "stack: local", "stack: { think: 2m }",
		  ":2:17: think: 2m is above the limit 1m" },
		{ "stack: local", "stack: lokal",
		  ":2:8: kind: unknown word \"lokal\"; did you mean \"local\"?" },
		{ "stack: local", "stack: { store: locked }",
		  ":2:17: store: unknown word \"locked\"; one of: published, fenced" },
		{ "stack: local", "stack: { redis: cluster }",
		  ":2:17: redis: unknown word \"cluster\"; one of: single, sentinel" },
		{ "sigma: 0.6", "sigma: 0", ":11:41: sigma: 0 must be above 0 and at most 5" },
		{ "sigma: 0.6", "sigma: 6", ":11:41: sigma: 6 must be above 0" },
		{ "sigma: 0.6", "sigma: x", ":11:41: sigma: \"x\" is not a number" },
		{ "share: 50% }", "share: 150% }",
		  ":14:22: share: the share 150% is outside 0% to 100%" },
		{ "share: 50% }", "share: half }", ":14:22: share: \"half\" is not a share" },
		{ "green: 100", "green: 1000", ":18:30: green: 1000 is outside 0 to 999" },
		{ "color: blue, d", "color: red, d",
		  ":19:21: color: unknown word \"red\"; one of: blue, green" },
		{ "color: blue, d", "color: \"unknown\", d",
		  ":19:21: color: unknown word \"unknown\"" },
		{ "resume_within: 5s", "backoff: 100ms..1s",
		  "backoff: \"100ms..1s\" is not of the form \"full-jitter 100ms..1s\"" },
		{ "resume_within: 5s", "backoff: full-jitter 2s..1s",
		  "backoff: full-jitter 2s..1s begins above its end" },
		{ "resume_within: 5s", "backoff: full-jitter 0s..1s",
		  "backoff: 0s is below the limit 1ms" },
		{ "resume_within: 5s", "backoff: full-jitter 1s", "is not of the form" },
		{ "resume_within: 5s", "backoff: no-jitter 1s..2s", "is not of the form" },
		{ "name: small", "name: small\nseed: -1",
		  ":2:7: seed: \"-1\" is not a whole number from 0" },
		{ "name: small", "name: small\nseed: 18446744073709551616",
		  ":2:7: seed: \"18446744073709551616\" is not a whole number" },
		{ "stack: local", "state: { tap: maybe }",
		  ":2:15: tap: \"maybe\" is neither on nor off" },
		{ "count == 0", "p(101) < 1s",
		  ":22:20: \"p(101) < 1s\": dropped_calls has no statistic \"p\"" },
		{ "dropped_calls: [ \"count == 0\" ]", "dial: [ \"p(101) < 1s\" ]",
		  ":22:11: \"p(101) < 1s\": the percentile 101 is outside 0 to 100" },
		{ "dropped_calls", "droped_calls",
		  ":22:3: unknown metric \"droped_calls\"; did you mean \"dropped_calls\"?" },
		{ "dropped_calls:", "\"dial{phase:drian}\":",
		  ":22:3: unknown phase \"drian\"; did you mean \"drain\"?" },
		{ "gates:", "faults: redis_down\ngates:",
		  ":21:9: faults: expected a list, found" },
		{ "gates:", "faults: [ redis_down: {} ]\ngates:",
		  ":21:11: a fault has no key \"redis_down\"" },
		{ "gates:", "faults: [ freeze: { instance: blue-1, at: lunch } ]\ngates:",
		  ":21:43: at: unknown word \"lunch\"" },
		{ "gates:", "faults: [ freeze: {} ]\ngates:",
		  ":21:19: this fault needs the key \"instance\"" },
		{ "gates:", "faults: [ freeze: { instance: red-1 } ]\ngates:",
		  ":21:31: freeze: no agent is called \"red-1\"" },
		{ "gates:", "faults: [ kill: { instance: blue-1, at: rollback } ]\ngates:",
		  ":21:41: kill: the cutover has no step rollback" },
		{ "gates:", "faults: [ redis_lever: { lever: cut } ]\nstate: { tap: off }\ngates:",
		  ":21:24: redis_lever: the Redis tap is off" },
		{ "cutover:\n", "cutover: []\nx:\n", "a scenario has no key \"x\"" },
		{ "name: small", "name: small\nname: again",
		  ":2:1: the key \"name\" is given twice" },
		{ "live: 60", "live: ${LIVE}", ":9:9: ${LIVE} is not defined; give -e LIVE=VALUE" },
		{ "live: 60", "live: ${call}", ":9:9: live: \"${call}\" is not a whole number" },
	};

	(void)state;
	RUN(rows);
}

static void lists_are_bounded(void **state)
{
	struct buf text = buf_init(1 << 20);
	struct err err = { .kind = ERR_NONE };
	struct scenario *sc;

	(void)state;
	buf_puts(&text, TESTING_BASE "  dial:\n");
	for (int i = 0; i < 64; i++)
		buf_puts(&text, "    - \"max < 1s\"\n");
	assert_int_equal(testing_load_text(text.data, &sc, &err), -1);
	assert_non_null(strstr(err.text, ":87:7: more than 64 gates"));
	buf_clear(&text);
	buf_puts(
		&text,
		"name: x\ntimers: { stickiness: 0, deregistration_delay: 0, idle: 9s, longest_call: 9s }\n"
		"calls: { live: 1, hold: 1s, turn: 1s, profiles: { bridge: 1 } }\ncutover:\n");
	for (int i = 0; i < 65; i++)
		buf_puts(&text, "  - steady: 1s\n");
	assert_int_equal(testing_load_text(text.data, &sc, &err), -1);
	assert_non_null(strstr(err.text, ":5:3: cutover: 65 entries are outside 1 to 64"));
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_and_missing_keys_are_named_with_the_nearest),
		cmocka_unit_test(wrong_types_say_what_was_expected_and_found),
		cmocka_unit_test(values_out_of_range_name_value_and_limit),
		cmocka_unit_test(lists_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
