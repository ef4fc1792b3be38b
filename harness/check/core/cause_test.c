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
		{ "a signal of ours is counted from", 97000, 101001, 0, LEG_FIN, ANOMALY_UNKNOWN,
		  "" },
		{ "but its own end is one", 97000, 101000, 0, LEG_FIN, ANOMALY_DRAIN_CUT_SHORT,
		  ", 1000.0 ms before the end of an unnamed instance (exit 0)" },
		{ "ours, then somebody's SIGKILL", 97000, 100005, 137, LEG_FIN,
		  ANOMALY_CUT_BY_SIGKILL,
		  ", 5.0 ms before the end of an unnamed instance (exit 137)" },
		{ "a crash is no signal", 0, 100005, 139, LEG_FIN, ANOMALY_INSTANCE_DIED,
		  ", 5.0 ms before the end of an unnamed instance (exit 139)" },
		{ "an error is none either", 0, 100005, 1, LEG_FIN, ANOMALY_INSTANCE_DIED,
		  ", 5.0 ms before the end of an unnamed instance (exit 1)" },
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
		char text[CAUSE_TEXT_MAX];

		story_scenario(&story);
		world_init(&w, &story.scenario, NULL, sizeof(struct world_call));
		w.scripted = true;
		e.instance = 1;
		e.code = SIGTERM;
		if (rows[i].sigterm)
			world_event(&w, &e);
		e.kind = EVENT_EXIT;
		e.t_ns = rows[i].exit * NS_PER_MS;
		e.code = (uint16_t)rows[i].code;
		world_event(&w, &e);
		struct cause cause = cause_of_cut(&w, &cut);
		if (cause.anomaly != rows[i].anomaly)
			fail_msg("%s: got %s", rows[i].what, anomaly_name(cause.anomaly));
		assert_string_equal(cause_text(&w, &cut, &cause, text), rows[i].text);
		world_free(&w);
	}
}

/* Each signature just inside its window, just outside, and on somebody else. */
static void every_cause_has_its_window_and_its_sentence(void **state)
{
	static const struct {
		const char *history;
		enum anomaly cause;
		const char *text;
	} rows[] = {
		{ "sigterm", ANOMALY_CUT_BY_SIGTERM, "after SIGTERM of blue-1" },
		{ "sigterm-window-edge", ANOMALY_CUT_BY_SIGTERM, "2000.0 ms after SIGTERM of" },
		{ "sigterm-window-over", ANOMALY_UNKNOWN, "by the agent's side, turn" },
		{ "sigterm-of-another", ANOMALY_UNKNOWN, "by the agent's side, turn" },
		{ "sigterm-beside-a-goodbye", ANOMALY_CUT_BY_SIGTERM, "10.0 ms after SIGTERM of" },
		{ "goodbye-beside-a-sigterm", ANOMALY_DRAIN_CUT_SHORT,
		  "1.0 ms after the end of another call on blue-1" },
		{ "sigterm-answered-before-a-goodbye", ANOMALY_CUT_BY_SIGTERM,
		  "41.0 ms after SIGTERM of blue-1" },
		{ "sigkill", ANOMALY_CUT_BY_SIGKILL, "after SIGKILL of blue-1" },
		{ "deregistration", ANOMALY_DEREGISTRATION_CUT, "after deregistration of blue-1" },
		{ "idle", ANOMALY_IDLE_CUT, "10004.0 ms after the last byte from blue-1" },
		{ "idle-as-kept", ANOMALY_IDLE_CUT, "5000.0 ms after the last byte from blue-1" },
		{ "idle-window-over", ANOMALY_UNKNOWN, "by the agent's side, turn" },
		{ "reload", ANOMALY_RELOAD_CUT,
		  "9500.0 ms after a reload of the balancer, under the leg on blue-1 (hard stop 10.0 s)" },
		{ "reload-late", ANOMALY_RELOAD_CUT, "12000.0 ms after a reload" },
		{ "reload-window-before", ANOMALY_UNKNOWN, "by the agent's side, turn" },
		{ "reload-window-over", ANOMALY_UNKNOWN, "by the agent's side, turn" },
		{ "drain-cut-short", ANOMALY_DRAIN_CUT_SHORT,
		  "250.0 ms after the end of another call on blue-1" },
		{ "drain-cut-short-window-over", ANOMALY_UNKNOWN, "by the agent's side, turn" },
		{ "drain-cut-short-at-its-end", ANOMALY_DRAIN_CUT_SHORT,
		  "1000.0 ms before the end of blue-1 (exit 0)" },
		{ "drain-cap", ANOMALY_DRAIN_CAP_CUT,
		  "2500.0 ms after SIGTERM of blue-1, 2 legs at once" },
		{ "drain-cap-not-at-once", ANOMALY_UNKNOWN, "by the agent's side, turn" },
		{ "drain-cap-after-sigkill", ANOMALY_UNKNOWN, "by the agent's side, turn" },
		{ "drain-cap-and-one-later", ANOMALY_DRAIN_CAP_CUT,
		  "2500.0 ms after SIGTERM of blue-1, 2 legs at once" },
		{ "reload-while-it-drains", ANOMALY_RELOAD_CUT, "10050.0 ms after a reload" },
		{ "drain-cap-of-another", ANOMALY_UNKNOWN, "by the agent's side, turn" },
		{ "instance-died", ANOMALY_INSTANCE_DIED,
		  "1000.0 ms before the end of blue-1 (exit 139)" },
		{ "instance-died-killed", ANOMALY_INSTANCE_DIED,
		  "5.0 ms before the end of blue-1 (exit 137)" },
		{ "instance-died-window-over", ANOMALY_UNKNOWN, "by the agent's side, turn" },
		{ "instance-died-of-another", ANOMALY_UNKNOWN, "by the agent's side, turn" },
		{ "redis-refused", ANOMALY_REDIS_REFUSED,
		  "2000.0 ms after Redis had refused a command of it (readonly)" },
		{ "redis-refused-window-over", ANOMALY_UNKNOWN, "by the agent's side, turn" },
		{ "redis-refused-of-another", ANOMALY_UNKNOWN, "by the agent's side, turn" },
		{ "fenced-off", ANOMALY_FENCED_OFF,
		  "250.0 ms after it had found the state gone, or another's" },
		{ "fenced-off-at-the-first-turn", ANOMALY_FENCED_OFF,
		  "250.0 ms after it had found the state gone, or another's" },
		{ "fenced-off-resumed-since", ANOMALY_UNKNOWN, "by the agent's side, turn" },
		{ "fenced-off-window-over", ANOMALY_UNKNOWN, "by the agent's side, turn" },
		{ "fenced-off-by-another", ANOMALY_UNKNOWN, "by the agent's side, turn" },
		{ "fenced-off-answered-since", ANOMALY_UNKNOWN, "by the agent's side, turn" },
		{ "muted", ANOMALY_UNKNOWN, "while the leg was up" },
		{ "muted-frozen", ANOMALY_FROZEN, "leg was up; blue-1 was stopped at +8.500 s" },
		{ "muted-thawed-before", ANOMALY_UNKNOWN, "while the leg was up" },
		{ "muted-freeze-fault", ANOMALY_FROZEN, "; blue-1 was stopped at +10.000 s" },
		{ "muted-another-frozen", ANOMALY_UNKNOWN, "while the leg was up" },
		{ "muted-unheard", ANOMALY_FROZEN,
		  "; blue-1 answered nobody meanwhile, others answered" },
		{ "muted-unheard-thawed", ANOMALY_FROZEN, "; blue-1 answered nobody meanwhile" },
		{ "muted-unheard-thawed-a-second", ANOMALY_FROZEN, "; blue-1 answered nobody" },
		{ "muted-unheard-thawed-earlier", ANOMALY_UNKNOWN, "while the leg was up" },
		{ "muted-redis-refused", ANOMALY_REDIS_REFUSED,
		  "; Redis had refused a command of it (readonly) at +9.000 s" },
		{ "muted-redis-refused-before", ANOMALY_UNKNOWN, "while the leg was up" },
		{ "muted-redis-ended", ANOMALY_REDIS_ENDED,
		  "; a Redis server had ended at +11.000 s" },
		{ "not-served-again", ANOMALY_BLOCKED,
		  "never came back, its last dial failed by http_status" },
		{ "not-served-after-an-error", ANOMALY_BLOCKED,
		  "never came back, its last dial failed by http_status 503" },
		{ "agent-error", ANOMALY_AGENT_ERROR,
		  "2000.0 ms after it had said \"state: no such field\", turn" },
		{ "agent-error-window-over", ANOMALY_UNKNOWN, "by the agent's side, turn" },
		{ "agent-error-answered-since", ANOMALY_UNKNOWN, "by the agent's side, turn" },
		{ "muted-agent-error", ANOMALY_AGENT_ERROR,
		  "leg was up; blue-1 had said \"state: no such field\"" },
		{ "muted-draining", ANOMALY_UNKNOWN, "while the leg was up" },
		{ "muted-agent-error-before", ANOMALY_UNKNOWN, "while the leg was up" },
		{ "never-ready", ANOMALY_NEVER_READY,
		  "never came back, its last leg was on green-1, heard nothing and was given up by "
		  "the caller (timeout)" },
		{ "never-ready-closed", ANOMALY_NEVER_READY,
		  "its last leg was on green-1, heard nothing and was closed 4404 by the agent's side" },
		{ "never-ready-after-an-error", ANOMALY_NEVER_READY,
		  "never came back, its last leg was on green-1, heard nothing and was given up by "
		  "the caller (timeout)" },
		{ "never-ready-by-error", ANOMALY_AGENT_ERROR,
		  "never came back, its last leg was on green-1 and heard \"state: no such" },
		{ "never-ready-by-redis", ANOMALY_REDIS_REFUSED,
		  "by the agent's side, turn 1 of 9; resumable profile, never came back, its last leg was "
		  "on green-1, and Redis refused a command of it (readonly)" },
		{ "blocked-never-ready", ANOMALY_NEVER_READY,
		  "0 dials failed; its last leg was on green-1, heard nothing and was given up by "
		  "the caller (timeout)" },
		{ "blocked-by-error", ANOMALY_AGENT_ERROR,
		  "its last leg was on green-1 and heard \"state: no such field\"" },
		{ "certificate", ANOMALY_TLS_CERTIFICATE, "never came back" },
	};
	struct story_scenario story;

	(void)state;
	story_scenario(&story);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char name[64];

		snprintf(name, sizeof(name), "fail-%s", rows[i].history);
		struct judgement *j = golden_judge("dropped_calls", name, &story.scenario);
		const struct finding *f = golden_finding(j, "dropped_calls");
		bool told = false;
		for (size_t k = 0; k < f->witness_count; k++)
			told |= f->witnesses[k].cause == rows[i].cause &&
				strstr(f->witnesses[k].text, rows[i].text);
		if (!told)
			fail_msg("%s: expected %s [%s], got %s [%s]", name,
				 anomaly_name(rows[i].cause), rows[i].text,
				 anomaly_name(f->witnesses[0].cause), f->witnesses[0].text);
		judgement_free(j);
	}
}

/* What the state lost: the event lies between the acknowledgement and the loss, or is no cause. */
static void every_lost_turn_has_a_cause(void **state)
{
	static const struct {
		const char *history;
		enum anomaly anomaly, cause;
		const char *text;
	} rows[] = {
		{ "ack-lost", ANOMALY_ACK_LOST, ANOMALY_UNKNOWN, "no later read had them" },
		{ "ack-lost-redis-ended", ANOMALY_ACK_LOST, ANOMALY_REDIS_ENDED,
		  "; a Redis server had ended at +12.007 s" },
		{ "ack-lost-redis-ended-before", ANOMALY_ACK_LOST, ANOMALY_UNKNOWN,
		  "no later read had them" },
		{ "ack-lost-redis-ended-after", ANOMALY_ACK_LOST, ANOMALY_UNKNOWN,
		  "no later read had them" },
		{ "ack-lost-redis-failover", ANOMALY_ACK_LOST, ANOMALY_REDIS_FAILOVER,
		  "; an agent had turned to another Redis server at +12.007 s" },
		{ "ack-lost-redis-failover-before", ANOMALY_ACK_LOST, ANOMALY_UNKNOWN,
		  "no later read had them" },
		{ "ack-lost-two-primaries", ANOMALY_ACK_LOST, ANOMALY_TWO_PRIMARIES,
		  "; two Redis servers were primary since +9.334 s" },
		{ "ack-lost-two-primaries-later", ANOMALY_ACK_LOST, ANOMALY_UNKNOWN,
		  "no later read had them" },
		{ "ack-lost-redis-refused", ANOMALY_ACK_LOST, ANOMALY_REDIS_REFUSED,
		  "; Redis had refused a command of it (loading) at +12.007 s" },
		{ "ack-lost-redis-refused-after", ANOMALY_ACK_LOST, ANOMALY_UNKNOWN,
		  "no later read had them" },
		{ "ack-lost-in-memory", ANOMALY_ACK_LOST, ANOMALY_MEMORY_ONLY,
		  "no later read had them" },
		{ "deleted", ANOMALY_ACK_LOST, ANOMALY_STATE_DELETED, "had deleted the state" },
		{ "stale-resume", ANOMALY_STALE_RESUME, ANOMALY_STALE_RESUME,
		  "a later read had them all" },
		{ "evaporated-restart", ANOMALY_EVAPORATED, ANOMALY_REDIS_ENDED,
		  "a Redis server had ended" },
		{ "regress", ANOMALY_REGRESS, ANOMALY_REGRESS, "" },
	};
	struct story_scenario story;

	(void)state;
	story_scenario(&story);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char name[64];

		snprintf(name, sizeof(name), "fail-%s", rows[i].history);
		struct judgement *j = golden_judge("state_continuity", name, &story.scenario);
		const struct finding *f = golden_finding(j, "state_continuity");
		if (!f->witness_count || f->witnesses[0].anomaly != rows[i].anomaly ||
		    f->witnesses[0].cause != rows[i].cause ||
		    !strstr(f->witnesses[0].text, rows[i].text))
			fail_msg("%s: expected %s by %s [%s], got %s by %s [%s]", name,
				 anomaly_name(rows[i].anomaly), anomaly_name(rows[i].cause),
				 rows[i].text, anomaly_name(f->witnesses[0].anomaly),
				 anomaly_name(f->witnesses[0].cause), f->witnesses[0].text);
		judgement_free(j);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cause_needs_its_own_instance_and_its_own_window),
		cmocka_unit_test(every_cause_has_its_window_and_its_sentence),
		cmocka_unit_test(every_lost_turn_has_a_cause),
		cmocka_unit_test(an_exit_tells_of_the_signal_that_nobody_recorded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
