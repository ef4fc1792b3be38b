#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scenario/testing.h"

#define DEPLOYED                                                                                   \
	"stack: none\n"                                                                            \
	"target: { url: \"wss://h/${call}\", direct: { green: \"ws://g/${call}\" } }\n"            \
	"state: { redis: \"r:6379\" }\n"                                                           \
	"balancer: { endpoint: \"https://e\" }"

struct row {
	const char *from, *to, *why; /* why NULL: sound */
};

static void run_rows(const struct row *rows, size_t count)
{
	int wrong = 0;

	for (size_t i = 0; i < count; i++) {
		char *text = testing_edit(TESTING_BASE, rows[i].from, rows[i].to);
		struct err err = { .kind = ERR_NONE };
		struct scenario *sc = NULL;
		int result = testing_load_text(text, &sc, &err);

		if (rows[i].why ? result == 0 || !strstr(err.text, rows[i].why) : result < 0) {
			print_error("%s\nwanted %s\ngot    %s\n", rows[i].to,
				    rows[i].why ? rows[i].why : "no error", err.text);
			wrong++;
		}
		scenario_free(sc);
		free(text);
	}
	assert_int_equal(wrong, 0);
}
#define RUN(rows) run_rows(rows, sizeof(rows) / sizeof *(rows))

static void timers_and_calls_that_contradict_each_other_are_refused(void **state)
{
	static const struct row rows[] = {
		{ "deadline: 25s", "quiet: 3s, deadline: 25s", NULL },
		{ "deadline: 25s", "quiet: 2999ms, deadline: 25s",
		  ":19:34: drain: quiet 2999ms is below stickiness + 1s = 3s" },
		{ "stickiness: 2s", "stickiness: { group: 1s, target: 3s }", NULL },
		{ "stickiness: 2s", "stickiness: { group: 1s, target: 4s }",
		  ":15:76: resume_within 5s is below stickiness + backoff cap + 1s = 6s" },
		{ "resume_within: 5s", "resume_within: 4s", NULL },
		{ "resume_within: 5s", "resume_within: 3s",
		  ":15:76: resume_within 3s is below stickiness + backoff cap + 1s = 4s" },
		{ ", resume_within: 5s", ", backoff: full-jitter 1s..3s",
		  ":15:16: resume_within 5s is below" },
		{ "bridge: { share: 50% }", "bridge: { share: 49% }",
		  ":14:5: the shares of the profiles sum to 99 %, not to 100 %" },
		{ "    bridge: { share: 50% }\n", "",
		  ":14:5: the shares of the profiles sum to 50 %" },
		{ "max: 12s", "max: 13s",
		  ":11:62: a call of 13s is longer than timers.longest_call (12s)" },
		{ ", max: 12s", "", ":11:9: hold has no max; timers.longest_call declares 12s" },
		{ "{ lognormal: { mean: 6s, sigma: 0.6 }, min: 3s, max: 12s }", "12s", NULL },
		{ "{ lognormal: { mean: 6s, sigma: 0.6 }, min: 3s, max: 12s }", "13s",
		  ":11:9: a call of 13s is longer" },
		{ "{ lognormal: { mean: 6s, sigma: 0.6 }, min: 3s, max: 12s }", "0s",
		  ":11:9: a fixed value must be above 0" },
		{ "{ lognormal: { mean: 6s, sigma: 0.6 }, min: 3s, max: 12s }",
		  "{ uniform: 3s..12s }", NULL },
		{ "{ lognormal: { mean: 6s, sigma: 0.6 }, min: 3s, max: 12s }",
		  "{ uniform: 0s..0s }", "a range must end above 0" },
		{ "min: 3s, max: 12s", "min: 12s, max: 3s", ":11:9: min is above max" },
		{ "min: 3s, max: 12s", "min: 1ms, max: 500ms",
		  "hardly any value (0.0061 %) lies within min..max" },
		{ "exponential: 4s", "exponential: 1ms, min: 1h", ":15:40: hardly any value" },
		{ "stack: local", "state: { ttl_floor: 1799s }", NULL },
		{ "stack: local", "state: { ttl_floor: 30m }",
		  "ttl_floor 30m is not below ttl (30m): no state ever has so much left" },
		{ "stack: local", "state: { ttl_floor: 500ms }", "ttl_floor" },
		{ "stack: local", "state: { ttl_floor: 1m, tap: off }",
		  "only the tap tells how much was left to live, and state.tap is off" },
		{ "name: small", "name: ../small",
		  ":1:7: the name \"../small\" is not 1 to 64 letters" },
		{ "name: small", "name: \"${run}\"", ":1:7: the name \"${run}\" is not" },
	};

	(void)state;
	RUN(rows);
}

static void steps_in_an_impossible_order_are_refused(void **state)
{
	static const struct row rows[] = {
		{ "  - steady: { for: 8s }\n", "", NULL },
		{ "  - steady: { for: 8s }\n", "  - smoke: {}\n  - buffer: { for: 1s }\n", NULL },
		{ "{ blue: 0, green: 100 }", "{ blue: 0, green: 0 }",
		  ":18:20: shift: with both weights 0 no call is served" },
		{ "{ blue: 0, green: 100 }", "{ blue: 1, green: 100 }",
		  ":19:21: drain: this color still takes new calls" },
		{ "  - shift: { blue: 0, green: 100 }\n", "",
		  ":18:21: drain: this color still takes new calls" },
		{ "  - shift: { blue: 0, green: 100 }\n  - drain: { color: blue, deadline: 25s }\n",
		  "", ":18:24: teardown: this color still takes new calls" },
		{ "teardown: { color: blue", "teardown: { color: green",
		  ":20:24: teardown: this color still takes new calls" },
		{ "  - steady", "  - teardown: { color: green }\n  - steady",
		  ":17:24: teardown: this color still takes new calls" },
		{ "gates:", "  - teardown: {}\ngates:",
		  ":21:15: teardown: this color was torn down already" },
		{ "gates:", "  - drain: { deadline: 9s }\ngates:",
		  ":21:12: drain: this color was torn down already" },
		{ "gates:", "  - smoke: { color: blue }\ngates:",
		  ":21:21: smoke: this color was torn down already" },
		{ "gates:", "  - smoke: { color: green }\ngates:", NULL },
		{ "gates:", "  - shift: { blue: 1, green: 1 }\ngates:",
		  ":21:20: shift: a color that was torn down takes no calls" },
		{ "gates:", "  - rollback: {}\ngates:", "rollback: blue was torn down already" },
		{ "  - teardown: { color: blue, grace: 1s }", "  - rollback: {}", NULL },
		{ "  - teardown", "  - rollback: {}\n  - teardown",
		  ":21:24: teardown: this color still takes new calls" },
		{ "deadline: 25s", "deadline: 2s",
		  ":19:37: drain: the deadline is shorter than quiet (3s)" },
	};

	(void)state;
	RUN(rows);
}

static void a_script_needs_the_driver_that_runs_it_and_the_reverse(void **state)
{
#define EXEC "balancer: { driver: exec, command: [ ./cut ] }\ncalls:\n"
	static const struct row rows[] = {
		{ "  - steady", "  - script: { deadline: 9s }\n  - steady",
		  "script: this needs a script: balancer.command" },
		{ "calls:\n", EXEC, "exec runs a script: it needs balancer.command and a step" },
	};
	char *base = testing_edit(TESTING_BASE, "calls:\n", EXEC);
	char *text = testing_edit(base, "  - steady", "  - script: { deadline: 9s }\n  - steady");
	char *alb = testing_edit(text, "driver: exec", "driver: alb");
	struct err err = { .kind = ERR_NONE };
	struct scenario *sc = NULL;

	(void)state;
	RUN(rows);
	if (testing_load_text(text, &sc, &err) < 0)
		fail_msg("%s", err.text);
	scenario_free(sc);
	assert_int_equal(testing_load_text(alb, &sc, &err), -1);
	assert_non_null(strstr(err.text, "script: this needs balancer.driver: exec"));
	free(base);
	free(text);
	free(alb);
}

static void a_local_stack_and_a_deployed_one_need_different_things(void **state)
{
	static const struct row rows[] = {
		{ "stack: local", DEPLOYED, NULL },
		{ "stack: local", "stack: none",
		  ":1:1: target needs the key \"url\" when the stack is none" },
		{ "stack: local", "stack: none\ntarget: { url: \"ws://h/${call}\" }",
		  "state needs the key \"redis\" when the stack is none" },
		{ "stack: local",
		  "stack: none\ntarget: { url: \"ws://h/${call}\" }\nstate: { redis: r }",
		  "balancer needs the key \"endpoint\" when the stack is none" },
		{ "stack: local",
		  "stack: none\ntarget: { url: \"ws://${alb}/\" }\nstate: { redis: r }",
		  ":3:16: ${alb} and ${redis} are of the local stack" },
		{ "stack: local",
		  "stack: none\ntarget: { url: \"ws://h/\" }\nstate: { redis: r, tap: on }\nbalancer: { endpoint: e }",
		  ":4:25: the tap stands before the local stack's Redis" },
		{ "stack: local", "target: { url: \"http://${alb}/\" }",
		  ":2:16: \"http://${alb}/\" does not begin with ws:// or wss://" },
		{ "stack: local", "stack: { kind: local, tls: ELBSecurityPolicy-2016-08 }",
		  "stack.tls makes the listener speak TLS: the URL must begin with wss://" },
		{ "stack: local",
		  "stack: { kind: local, tls: P }\ntarget: { url: \"wss://${alb}/${call}\" }",
		  NULL },
		{ "stack: local", "stack: local\ntarget: { url: \"wss://${alb}/${call}\" }",
		  ":3:16: wss:// needs a listener with TLS: give stack.tls a security policy" },
		{ "stack: local", "stack: { kind: local, certificate: expired }",
		  ":2:36: a certificate needs a listener with TLS: stack.tls" },
		{ "stack: local", "target: { url: \"ws://elsewhere/\" }",
		  ":2:16: the local stack is dialed at ${alb}" },
		{ "stack: local", "target: { direct: { blue: x } }",
		  ":2:27: \"x\" does not begin with ws:// or wss://" },
		{ "stack: local", "state: { redis: \"1.2.3.4:1\" }",
		  ":2:17: the local stack's Redis is ${redis}" },
		{ "stack: local", "state: { key: \"calls\" }",
		  ":2:15: \"calls\" has no ${call}: all calls would share one state" },
		{ "stack: local", "state: { key: \"${call}:s\" }",
		  ":2:15: the local agents write PREFIX${call}" },
	};

	(void)state;
	RUN(rows);
}

static void a_deployed_cutover_names_the_step_that_needs_the_local_stack(void **state)
{
	static const struct row rows[] = {
		{ "  - steady", "  - smoke: { color: green }\n  - steady", NULL },
		{ "  - steady", "  - smoke: { color: blue }\n  - steady",
		  "this needs the color's URL in target.direct" },
		{ "deadline: 25s", "begin: sigterm, deadline: 25s",
		  "with stack: none there is nobody to send SIGTERM to" },
		{ "deadline: 25s", "begin: deregister, deadline: 25s", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *base = testing_edit(TESTING_BASE, "stack: local", DEPLOYED);
		char *text = testing_edit(base, rows[i].from, rows[i].to);
		struct err err = { .kind = ERR_NONE };
		struct scenario *sc = NULL;
		int result = testing_load_text(text, &sc, &err);

		if (rows[i].why ? result == 0 || !strstr(err.text, rows[i].why) : result < 0)
			fail_msg("%s: %s", rows[i].to, err.text);
		if (sc)
			assert_false(sc->state.tap);
		scenario_free(sc);
		free(base);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_and_calls_that_contradict_each_other_are_refused),
		cmocka_unit_test(steps_in_an_impossible_order_are_refused),
		cmocka_unit_test(a_script_needs_the_driver_that_runs_it_and_the_reverse),
		cmocka_unit_test(a_local_stack_and_a_deployed_one_need_different_things),
		cmocka_unit_test(a_deployed_cutover_names_the_step_that_needs_the_local_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
