/* What a call does next, and how it ends. */
#include "sim/test_stage.h"

/* The table of style.md, row by row: planned hangup sent | lost and not back | unanswered past
 * dead_after | we ended it. */
static void hang_up(struct stage *s)
{
	int64_t ms = 0;

	while (s->call.state == CALL_LIVE) {
		ms = talk(s);
		pass(s, ms);
	}
}
static void play_completed(struct stage *s)
{
	hang_up(s);
	ended(s, 9000, LEG_RST, SIDE_AGENT, 0); /* after the hangup it matters no more */
}
static void play_lost(struct stage *s)
{
	ended(s, 100, LEG_FIN, SIDE_AGENT, 0);
	while (s->call.state != CALL_OVER) {
		int64_t at_ms = pass(s, ms_up(s, s->call.wake_ns));

		if (s->call.state == CALL_DIALING)
			dial_failed(s, at_ms + 1, DIAL_REFUSED, 0);
	}
}
static void play_polite(struct stage *s)
{
	ended(s, 100, LEG_CLOSE_FRAME, SIDE_AGENT, 1001);
	pass(s, 20000);
	if (s->call.state == CALL_ENDING)
		dial_failed(s, 20000, DIAL_TIMEOUT, 0);
}
static void play_muted(struct stage *s)
{
	pass(s, 20000);
	assert_int_equal(s->call.state, CALL_ENDING);
	ended(s, 20000, LEG_FIN, SIDE_CALLER, 0);
	assert_int_equal(s->last[EVENT_LEG_END].n, LEG_TIMEOUT);
}
static void play_abandoned(struct stage *s)
{
	give(s, 100, (struct call_input){ .kind = INPUT_ABANDON });
	ended(s, 101, LEG_FIN, SIDE_CALLER, 0);
	assert_int_equal(s->last[EVENT_LEG_END].n, LEG_FIN);
}
static void play_abandoned_between_legs(struct stage *s)
{
	ended(s, 100, LEG_FIN, SIDE_AGENT, 0);
	if (s->call.state != CALL_OVER)
		give(s, 101, (struct call_input){ .kind = INPUT_ABANDON });
}
static void play_abandoned_after_hangup(struct stage *s)
{
	hang_up(s);
	give(s, 9000, (struct call_input){ .kind = INPUT_ABANDON });
	ended(s, 9001, LEG_CLOSE_FRAME, SIDE_CALLER, 1000);
}

static void how_a_call_ends_is_the_truth_table(void **unused)
{
	static const struct {
		void (*play)(struct stage *);
		enum call_end bridge, resumable;
	} rows[] = {
		{ play_completed, CALL_COMPLETED, CALL_COMPLETED },
		{ play_lost, CALL_DROPPED, CALL_DROPPED },
		{ play_polite, CALL_TRUNCATED, CALL_DROPPED },
		{ play_muted, CALL_MUTED, CALL_MUTED },
		{ play_abandoned, CALL_ABANDONED, CALL_ABANDONED },
		{ play_abandoned_between_legs, CALL_DROPPED, CALL_ABANDONED },
		{ play_abandoned_after_hangup, CALL_COMPLETED, CALL_COMPLETED },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (int profile = 0; profile < PROFILE_COUNT; profile++) {
			struct stage s = { .scenario = scenario_of() };

			begin(&s, (enum profile)profile, 3000);
			admit(&s);
			rows[i].play(&s);
			assert_over(&s,
				    profile == PROFILE_BRIDGE ? rows[i].bridge : rows[i].resumable);
		}
	}
}

static void a_call_never_admitted_dials_again_until_setup_within_and_is_refused(void **unused)
{
	struct stage s = { .scenario = scenario_of() };
	unsigned dials = 1;
	int64_t at_ms = 0;

	(void)unused;
	begin(&s, PROFILE_BRIDGE, 9000);
	start(&s);
	while (s.call.state != CALL_OVER) {
		dial_failed(&s, at_ms + 1, DIAL_HTTP_STATUS, 503);
		assert_int_equal(s.last[EVENT_DIAL_FAIL].code, 503);
		assert_int_equal(s.last[EVENT_DIAL_FAIL].n, DIAL_HTTP_STATUS);
		assert_int_equal(s.last[EVENT_DIAL_FAIL].aux, dials - 1);
		assert_int_equal(s.last[EVENT_DIAL_FAIL].leg, 0);
		while (s.call.state == CALL_WAITING)
			at_ms = pass(&s, ms_up(&s, s.call.wake_ns));
		dials += s.call.state == CALL_DIALING;
	}
	assert_over(&s, CALL_REFUSED);
	assert_true(dials >= 5);
	assert_int_equal(at_ms, 5000);
	assert_int_equal(s.last[EVENT_CALL_END].aux, 0); /* no leg was ever up */
}

static void a_dial_or_a_leg_that_is_silent_is_given_up_at_setup_within(void **unused)
{
	struct stage s = { .scenario = scenario_of() };

	(void)unused;
	begin(&s, PROFILE_RESUMABLE, 9000);
	start(&s);
	assert_int_equal(pass(&s, 20000), 5000);
	assert_log(&s, "call.start dial.inv DIAL ABORT");
	dial_failed(&s, 5001, DIAL_TIMEOUT, 0);
	assert_over(&s, CALL_REFUSED);

	begin(&s, PROFILE_RESUMABLE, 9000);
	start(&s);
	opened(&s, 10, COLOR_BLUE);
	assert_int_equal(pass(&s, 20000), 5000);
	ended(&s, 5001, LEG_FIN, SIDE_CALLER, 0);
	assert_log(&s, "call.start dial.inv DIAL dial.ok OPEN ABORT leg.end call.end END");
	assert_int_equal(s.last[EVENT_LEG_END].n, LEG_TIMEOUT);
	assert_int_equal(s.last[EVENT_LEG_END].aux, 4991);
	assert_over(&s, CALL_REFUSED);
}

static void a_leg_that_ends_before_ready_leaves_the_call_at_leg_0_until_it_is_admitted(
	void **unused)
{
	struct stage s = { .scenario = scenario_of() };
	int64_t at_ms;

	(void)unused;
	begin(&s, PROFILE_BRIDGE, 9000);
	start(&s);
	opened(&s, 1, COLOR_BLUE);
	ended(&s, 2, LEG_CLOSE_FRAME, SIDE_AGENT, 1012);
	at_ms = pass(&s, 1000);
	opened(&s, at_ms + 1, COLOR_GREEN);
	hear(&s, at_ms + 2, MEANING_READY, 0, 0);
	assert_log(
		&s,
		"call.start dial.inv DIAL dial.ok OPEN leg.end dial.inv DIAL dial.ok OPEN start.ok");
	assert_int_equal(s.last[EVENT_START_OK].leg, 0);
	assert_int_equal(s.call.legs, 2);
}

static void a_planned_loss_comes_between_turns_and_the_call_comes_back(void **unused)
{
	struct stage s = { .scenario = scenario_of() };
	int64_t at_ms, lost_ms;

	(void)unused;
	loses_after(&s, 1500, LOSE_BETWEEN_TURNS);
	begin(&s, PROFILE_RESUMABLE, 9000);
	admit(&s);
	talk(&s);
	s.log[0] = '\0';
	lost_ms = 1502;
	while (s.call.state == CALL_LIVE) {
		at_ms = pass(&s, ms_up(&s, s.call.wake_ns));
		if (s.call.state == CALL_LIVE && s.call.sent > s.call.acked)
			hear(&s, at_ms + 30, MEANING_REPLY, s.call.sent, s.call.sent);
	}
	assert_non_null(strstr(s.log, s.call.reset ? "leg.lose RESET" : "leg.lose ABORT"));
	assert_int_equal(s.last[EVENT_LEG_LOSE].due_ns, s.call.start_ns + MS(lost_ms));
	assert_int_equal(s.last[EVENT_LEG_LOSE].flags, s.call.reset);
	assert_int_equal(s.call.sent, s.call.acked);
	s.log[0] = '\0';
	ended(&s, lost_ms + 1, s.call.reset ? LEG_RST : LEG_FIN, SIDE_CALLER, 0);
	at_ms = pass(&s, lost_ms + 101);
	assert_true(at_ms <= lost_ms + 101); /* full jitter: at most the base */
	opened(&s, at_ms + 1, COLOR_GREEN);
	hear(&s, at_ms + 2, MEANING_READY, 0, s.call.acked);
	assert_log(&s, "leg.end dial.inv DIAL dial.ok resume.inv REOPEN resume.ok");
	assert_int_equal(s.last[EVENT_RESUME_INV].turn, s.call.acked);
	assert_int_equal(s.last[EVENT_RESUME_INV].n, s.call.sent);
	assert_int_equal(s.last[EVENT_RESUME_OK].leg, 1);
	assert_int_equal(s.last[EVENT_RESUME_OK].color, COLOR_GREEN);
}

static void a_loss_in_mid_turn_waits_for_one_to_be_unanswered(void **unused)
{
	struct stage s = { .scenario = scenario_of() };

	(void)unused;
	loses_after(&s, 50, LOSE_MID_TURN);
	begin(&s, PROFILE_RESUMABLE, 9000);
	admit(&s);
	pass(&s, 1100);
	assert_int_equal(s.call.state, CALL_LOSING);
	assert_int_equal(s.call.sent, 1);
	assert_int_equal(s.call.acked, 0);
}

static void a_planned_loss_is_a_reset_or_an_end_of_stream_as_drawn(void **unused)
{
	bool seen[2] = { false, false };

	(void)unused;
	for (uint64_t number = 0; number < 100; number++) {
		struct stage s = { .scenario = scenario_of() };
		bool reset;

		loses_after(&s, 50, LOSE_BETWEEN_TURNS);
		begin(&s, PROFILE_RESUMABLE, 9000);
		s.plan.number = number;
		s.call = call_begin(&s.scenario, &s.plan, stage_id, MS(100000));
		admit(&s);
		pass(&s, 60);
		reset = strstr(s.log, "leg.lose RESET") != NULL;
		assert_true(reset || strstr(s.log, "leg.lose ABORT"));
		assert_int_equal(s.last[EVENT_LEG_LOSE].flags, reset);
		seen[reset] = true;
	}
	assert_true(seen[false] && seen[true]);
}

static void a_loss_planned_for_after_the_hangup_never_comes(void **unused)
{
	struct stage s = { .scenario = scenario_of() };

	(void)unused;
	loses_after(&s, 3500, LOSE_BETWEEN_TURNS);
	begin(&s, PROFILE_RESUMABLE, 3000);
	admit(&s);
	pass(&s, 4000); /* the first turn is open all the while */
	hear(&s, 4000, MEANING_REPLY, 1, 1);
	hear(&s, 4010, MEANING_REPLY, 2, 2);
	hear(&s, 4020, MEANING_REPLY, 3, 3);
	assert_null(strstr(s.log, "leg.lose"));
	assert_int_equal(s.call.state, CALL_LEAVING);
}

static void what_we_slept_through_is_not_held_against_the_agent(void **unused)
{
	struct stage s = { .scenario = scenario_of() };
	int64_t asked_ms, due_ns;

	(void)unused;
	begin(&s, PROFILE_BRIDGE, 60000);
	start(&s);
	call_forgive(&s.call, MS(3000));
	assert_int_equal(pass(&s, 20000), 8000); /* instead of 5000: not set up */
	begin(&s, PROFILE_BRIDGE, 60000);
	admit(&s);
	asked_ms = pass(&s, ms_up(&s, s.call.wake_ns));
	call_forgive(&s.call, MS(3000));
	due_ns = s.call.turn_due_ns;
	assert_int_equal(pass(&s, 20000), asked_ms + 8000); /* instead of 5000: muted */
	assert_int_equal(s.call.turn_due_ns, due_ns);	    /* the script waits for nobody */
	assert_int_equal(s.call.state, CALL_ENDING);
}

/* What the agent's state says about the open turn decides whether it is asked again. */
static void an_open_turn_is_answered_by_state_or_asked_again_with_its_token(void **unused)
{
	static const struct {
		uint32_t turns;
		uint8_t has;
		bool again;
	} rows[] = {
		{ 3, STATE_HAS_TURNS, false }, /* applied before the leg was lost */
		{ 4, STATE_HAS_TURNS, false }, /* the judge's business */
		{ 2, STATE_HAS_TURNS, true },  /* never arrived */
		{ 0, STATE_HAS_TURNS,
		  true },	/* the state is lost: the caller keeps to its own script */
		{ 3, 0, true }, /* not said: at least once, the token tells */
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct stage s = { .scenario = scenario_of() };
		struct meaning ready = { .kind = MEANING_READY,
					 .turns = rows[i].turns,
					 .has = rows[i].has };
		struct event first;
		int64_t at_ms;

		begin(&s, PROFILE_RESUMABLE, 20000);
		admit(&s);
		talk(&s);
		talk(&s);
		at_ms = pass(&s, ms_up(&s, s.call.wake_ns));
		first = s.last[EVENT_TURN_INV];
		assert_int_equal(first.turn, 3);
		ended(&s, at_ms + 1, LEG_RST, SIDE_AGENT, 0);
		at_ms = pass(&s, at_ms + 200);
		opened(&s, at_ms + 2500, COLOR_GREEN); /* two more turns fell due meanwhile */
		s.log[0] = '\0';
		give(&s, at_ms + 2501,
		     (struct call_input){ .kind = INPUT_MEANING, .meaning = &ready });
		if (rows[i].again) {
			const struct event *second = &s.last[EVENT_TURN_INV];

			assert_log(&s, "resume.ok turn.inv TURN3");
			assert_int_equal(second->flags, TURN_RESENT);
			assert_int_equal(second->due_ns, first.due_ns);
			assert_int_equal(second->digest, first.digest);
			assert_true(second->ver == first.ver && second->epoch == first.epoch);
			hear(&s, at_ms + 2520, MEANING_REPLY, 3, 3);
			assert_int_equal(s.last[EVENT_REPLY_OK].due_ns, first.due_ns);
		} else {
			assert_log(&s, "resume.ok turn.inv TURN4");
		}
		/* Late turns go out one after the other, each measured from its own due time. */
		assert_int_equal(s.turns_asked, 4);
		assert_int_equal(s.last[EVENT_TURN_INV].flags, 0);
		assert_int_equal(s.last[EVENT_TURN_INV].due_ns, first.due_ns + MS(1000));
		hear(&s, at_ms + 2600, MEANING_REPLY, 4, 4);
		assert_int_equal(s.turns_asked, 5);
		assert_int_equal(s.last[EVENT_TURN_INV].due_ns, first.due_ns + MS(2000));
	}
}

static void the_time_to_come_back_runs_from_the_first_loss_whatever_fails_meanwhile(void **unused)
{
	struct stage s = { .scenario = scenario_of() };
	int64_t at_ms;

	(void)unused;
	begin(&s, PROFILE_RESUMABLE, 20000);
	admit(&s);
	ended(&s, 100, LEG_RST, SIDE_AGENT, 0);
	for (uint16_t leg = 1; s.call.state != CALL_OVER && s.call.state != CALL_ENDING; leg++) {
		at_ms = pass(&s, ms_up(&s, s.call.wake_ns));
		if (s.call.state != CALL_DIALING)
			continue;
		assert_int_equal(s.call.leg, leg);
		opened(&s, at_ms, COLOR_BLUE);
		ended(&s, at_ms, LEG_FIN, SIDE_AGENT, 0);
	}
	assert_over(&s, CALL_DROPPED);
	assert_int_equal(now_ms(&s, s.last[EVENT_CALL_END].t_ns), 4100);
	assert_true(s.call.legs > 3);
}

static void a_hangup_waits_for_the_open_turn_and_for_those_due_before_it(void **unused)
{
	struct stage s = { .scenario = scenario_of() };
	int64_t at_ms;

	(void)unused;
	begin(&s, PROFILE_BRIDGE, 3000);
	admit(&s);
	at_ms = pass(&s, 999);
	assert_int_equal(s.call.sent, 1);
	pass(&s, 4000); /* turns 2, 3 and the hangup fell due */
	assert_int_equal(s.call.sent, 1);
	hear(&s, at_ms + 4000, MEANING_REPLY, 1, 1);
	hear(&s, at_ms + 4010, MEANING_REPLY, 2, 2);
	assert_int_equal(s.call.sent, 3);
	s.log[0] = '\0';
	hear(&s, at_ms + 4020, MEANING_REPLY, 3, 3);
	assert_log(&s, "reply.ok hangup.inv BYE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(how_a_call_ends_is_the_truth_table),
		cmocka_unit_test(
			a_call_never_admitted_dials_again_until_setup_within_and_is_refused),
		cmocka_unit_test(a_dial_or_a_leg_that_is_silent_is_given_up_at_setup_within),
		cmocka_unit_test(
			a_leg_that_ends_before_ready_leaves_the_call_at_leg_0_until_it_is_admitted),
		cmocka_unit_test(a_planned_loss_comes_between_turns_and_the_call_comes_back),
		cmocka_unit_test(a_loss_in_mid_turn_waits_for_one_to_be_unanswered),
		cmocka_unit_test(a_planned_loss_is_a_reset_or_an_end_of_stream_as_drawn),
		cmocka_unit_test(a_loss_planned_for_after_the_hangup_never_comes),
		cmocka_unit_test(what_we_slept_through_is_not_held_against_the_agent),
		cmocka_unit_test(an_open_turn_is_answered_by_state_or_asked_again_with_its_token),
		cmocka_unit_test(
			the_time_to_come_back_runs_from_the_first_loss_whatever_fails_meanwhile),
		cmocka_unit_test(a_hangup_waits_for_the_open_turn_and_for_those_due_before_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
