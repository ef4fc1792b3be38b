#include "check/core/cause.h"

#include <signal.h>

#include "check/core/golden.h"

/* Everything in ms; the leg was on instance 1 and ended at 100 s. */
static void a_cause_needs_its_own_instance_and_its_own_window(void **state)
{
	static const struct {
		const char *what;
		int64_t sigterm, sigkill, deregister, silent;
		enum leg_how how;
		enum side side;
		enum anomaly anomaly;
	} rows[] = {
		{ "nothing happened", 0, 0, 0, 100, LEG_FIN, SIDE_AGENT, ANOMALY_UNKNOWN },
		{ "at the signal", 100000, 0, 0, 100, LEG_CLOSE_FRAME, SIDE_AGENT,
		  ANOMALY_CUT_BY_SIGTERM },
		{ "just before the signal", 100001, 0, 0, 100, LEG_FIN, SIDE_AGENT,
		  ANOMALY_UNKNOWN },
		{ "end of the window", 98000, 0, 0, 100, LEG_FIN, SIDE_AGENT,
		  ANOMALY_CUT_BY_SIGTERM },
		{ "after the window", 97999, 0, 0, 100, LEG_FIN, SIDE_AGENT, ANOMALY_UNKNOWN },
		{ "the caller's own end", 99999, 0, 0, 100, LEG_FIN, SIDE_CALLER, ANOMALY_UNKNOWN },
		{ "the nearer of two signals", 99000, 99990, 0, 100, LEG_FIN, SIDE_AGENT,
		  ANOMALY_CUT_BY_SIGKILL },
		{ "a killed process says no goodbye", 0, 99990, 0, 100, LEG_CLOSE_FRAME, SIDE_AGENT,
		  ANOMALY_UNKNOWN },
		{ "deregistration and its delay", 0, 0, 97000, 100, LEG_FIN, SIDE_AGENT,
		  ANOMALY_DEREGISTRATION_CUT },
		{ "a balancer is early by half a second", 0, 0, 97500, 100, LEG_FIN, SIDE_AGENT,
		  ANOMALY_DEREGISTRATION_CUT },
		{ "and no more", 0, 0, 97501, 100, LEG_FIN, SIDE_AGENT, ANOMALY_UNKNOWN },
		{ "late by two seconds", 0, 0, 95000, 100, LEG_RST, SIDE_AGENT,
		  ANOMALY_DEREGISTRATION_CUT },
		{ "and no more", 0, 0, 94999, 100, LEG_RST, SIDE_AGENT, ANOMALY_UNKNOWN },
		{ "a balancer sends no close frame", 0, 0, 97000, 100, LEG_CLOSE_FRAME, SIDE_AGENT,
		  ANOMALY_UNKNOWN },
		{ "ten silent seconds", 0, 0, 0, 10000, LEG_FIN, SIDE_AGENT, ANOMALY_IDLE_CUT },
		{ "not yet silent enough", 0, 0, 0, 9499, LEG_FIN, SIDE_AGENT, ANOMALY_UNKNOWN },
		{ "idle is nearer than the signal", 98500, 0, 0, 10001, LEG_FIN, SIDE_AGENT,
		  ANOMALY_IDLE_CUT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct story_scenario story;
		struct world w;
		struct leg_cut cut = { .t_ns = 100 * NS_PER_S,
				       .silent_ms = (uint32_t)rows[i].silent,
				       .how = rows[i].how,
				       .side = rows[i].side,
				       .instance = 1 };
		story_scenario(&story);
		story.scenario.timers.deregistration_delay_ns = 3 * NS_PER_S;
		world_init(&w, &story.scenario, NULL, sizeof(struct world_call));
		w.instances[1].sigterm_ns = rows[i].sigterm * NS_PER_MS;
		w.instances[1].sigkill_ns = rows[i].sigkill * NS_PER_MS;
		w.instances[1].deregister_inv_ns = rows[i].deregister * NS_PER_MS;
		struct cause cause = cause_of_cut(&w, &cut);
		cut.instance = 2;
		struct cause elsewhere = cause_of_cut(&w, &cut);
		if (cause.anomaly != rows[i].anomaly)
			fail_msg("%s: got %s", rows[i].what, anomaly_name(cause.anomaly));
		if (elsewhere.anomaly != ANOMALY_UNKNOWN && elsewhere.anomaly != ANOMALY_IDLE_CUT)
			fail_msg("%s: another instance's event was blamed: %s", rows[i].what,
				 anomaly_name(elsewhere.anomaly));
		world_free(&w);
	}
}

/* Everything in ms; the leg ended at 100 s by FIN, the instance at `exit` with `code`. */
static void an_exit_tells_of_the_signal_that_nobody_recorded(void **state)
{
	static const struct {
		const char *what;
		int64_t sigterm, exit; /* sigterm: of ours */
		unsigned code;
		enum leg_how how;
		enum anomaly anomaly;
		const char *text;
	} rows[] = {
		{ "137 is SIGKILL", 0, 99900, 137, LEG_FIN, ANOMALY_CUT_BY_SIGKILL,
		  ", 100.0 ms after the end of an unnamed instance (exit 137)" },
		{ "felt before it was seen", 0, 100005, 137, LEG_RST, ANOMALY_CUT_BY_SIGKILL,
		  ", 5.0 ms before the end of an unnamed instance (exit 137)" },
		{ "a killed process says no goodbye", 0, 100005, 137, LEG_CLOSE_FRAME,
		  ANOMALY_UNKNOWN, "" },
		{ "143 is SIGTERM", 0, 100005, 143, LEG_FIN, ANOMALY_CUT_BY_SIGTERM,
		  ", 5.0 ms before the end of an unnamed instance (exit 143)" },
		{ "so is 0 when we sent none", 0, 102000, 0, LEG_CLOSE_FRAME,
		  ANOMALY_CUT_BY_SIGTERM,
		  ", 2000.0 ms before the end of an unnamed instance (exit 0)" },
		{ "and no earlier", 0, 102001, 0, LEG_CLOSE_FRAME, ANOMALY_UNKNOWN, "" },
		{ "a signal of ours is counted from", 97000, 100005, 0, LEG_FIN, ANOMALY_UNKNOWN,
		  "" },
		{ "ours, then somebody's SIGKILL", 97000, 100005, 137, LEG_FIN,
		  ANOMALY_CUT_BY_SIGKILL,
		  ", 5.0 ms before the end of an unnamed instance (exit 137)" },
		{ "a crash is no signal", 0, 100005, 139, LEG_FIN, ANOMALY_UNKNOWN, "" },
		{ "an error is none either", 0, 100005, 1, LEG_FIN, ANOMALY_UNKNOWN, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct story_scenario story;
		struct world w;
		struct leg_cut cut = { .t_ns = 100 * NS_PER_S,
				       .how = rows[i].how,
				       .side = SIDE_AGENT,
				       .instance = 1 };
		struct event e = event_make(EVENT_SIGNAL, rows[i].sigterm * NS_PER_MS);
		struct world_call *nobody;
		char text[CAUSE_TEXT_MAX];

		story_scenario(&story);
		world_init(&w, &story.scenario, NULL, sizeof(struct world_call));
		e.instance = 1;
		e.code = SIGTERM;
		if (rows[i].sigterm)
			world_event(&w, &e, &nobody);
		e.kind = EVENT_EXIT;
		e.t_ns = rows[i].exit * NS_PER_MS;
		e.code = (uint16_t)rows[i].code;
		world_event(&w, &e, &nobody);
		struct cause cause = cause_of_cut(&w, &cut);
		if (cause.anomaly != rows[i].anomaly)
			fail_msg("%s: got %s", rows[i].what, anomaly_name(cause.anomaly));
		assert_string_equal(cause_text(&w, &cut, &cause, text), rows[i].text);
		world_free(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cause_needs_its_own_instance_and_its_own_window),
		cmocka_unit_test(an_exit_tells_of_the_signal_that_nobody_recorded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
