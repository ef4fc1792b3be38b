/* What is on record, field by field. */
#include "sim/test_stage.h"

static void a_call_runs_from_its_start_to_its_planned_hangup(void **unused)
{
	struct stage s = { .scenario = scenario_of() };
	int64_t first_ms;

	(void)unused;
	begin(&s, PROFILE_BRIDGE, 2000);
	start(&s);
	assert_log(&s, "call.start dial.inv DIAL");
	assert_int_equal(s.last[EVENT_CALL_START].due_ns, MS(101000));
	assert_int_equal(s.last[EVENT_CALL_START].turn, 9);
	assert_int_equal(s.last[EVENT_CALL_START].aux, 2000);
	assert_int_equal(s.last[EVENT_DIAL_INV].due_ns, MS(101000));
	opened(&s, 3, COLOR_GREEN);
	hear(&s, 5, MEANING_READY, 0, 0);
	assert_log(&s, "call.start dial.inv DIAL dial.ok OPEN start.ok");
	assert_int_equal(s.last[EVENT_DIAL_OK].t_ns,
			 MS(101003)); /* the 101's time, however late it is told */
	assert_int_equal(s.last[EVENT_DIAL_OK].due_ns, s.last[EVENT_DIAL_INV].t_ns);
	assert_int_equal(s.last[EVENT_DIAL_OK].code, 101);
	assert_int_equal(s.last[EVENT_DIAL_OK].color, COLOR_GREEN);
	assert_int_equal(s.last[EVENT_START_OK].color, COLOR_GREEN);
	s.log[0] = '\0';
	first_ms = talk(&s) - 30;
	assert_true(first_ms >= 250 && first_ms < 1000);
	assert_log(&s, "turn.inv TURN1 reply.ok");
	assert_int_equal(s.last[EVENT_TURN_INV].due_ns, s.last[EVENT_TURN_INV].t_ns);
	assert_int_equal(s.last[EVENT_TURN_INV].digest,
			 hash_chain_next(hash_chain_start(stage_id, strlen(stage_id)), 1,
					 (uint64_t)s.last[EVENT_TURN_INV].ver << 32 |
						 s.last[EVENT_TURN_INV].epoch));
	assert_int_equal(s.last[EVENT_REPLY_OK].due_ns, s.last[EVENT_TURN_INV].due_ns);
	assert_int_equal(s.last[EVENT_REPLY_OK].aux, 450);
	assert_int_equal(s.last[EVENT_REPLY_OK].flags, STATE_HAS_TURNS | STATE_HAS_DIGEST);
	assert_int_equal(talk(&s) - 30, first_ms + 1000);
	s.log[0] = '\0';
	pass(&s, 2000);
	assert_log(&s, "hangup.inv BYE");
	assert_int_equal(s.last[EVENT_HANGUP_INV].due_ns, MS(103000));
	assert_int_equal(s.last[EVENT_HANGUP_INV].turn, 2);
	ended(&s, 2001, LEG_CLOSE_FRAME, SIDE_CALLER, 1000);
	assert_log(&s, "hangup.inv BYE leg.end call.end END");
	assert_over(&s, CALL_COMPLETED);
	assert_int_equal(s.last[EVENT_CALL_END].turn, 2);
	assert_int_equal(s.last[EVENT_CALL_END].aux, 1);
}

static void a_reply_nobody_waits_for_is_on_record_and_changes_nothing(void **unused)
{
	struct stage s = { .scenario = scenario_of() };

	(void)unused;
	begin(&s, PROFILE_BRIDGE, 9000);
	admit(&s);
	talk(&s);
	s.log[0] = '\0';
	hear(&s, 1100, MEANING_REPLY, 1, 1);
	assert_log(&s, "reply.ok");
	assert_int_equal(s.last[EVENT_REPLY_OK].due_ns, -1);
	hear(&s, 1101, MEANING_REPLY, 9, 9);
	assert_int_equal(s.call.acked, 1);
}

static void where_a_leg_is_is_said_by_the_101_or_the_first_message_and_they_must_agree(
	void **unused)
{
	static const struct {
		enum color in_101, in_ready, of_dial, of_leg;
		bool two_origins;
	} rows[] = {
		{ COLOR_BLUE, COLOR_BLUE, COLOR_BLUE, COLOR_BLUE, false },
		{ COLOR_BLUE, COLOR_UNKNOWN, COLOR_BLUE, COLOR_BLUE, false },
		{ COLOR_UNKNOWN, COLOR_GREEN, COLOR_UNKNOWN, COLOR_GREEN, false },
		{ COLOR_UNKNOWN, COLOR_UNKNOWN, COLOR_UNKNOWN, COLOR_UNKNOWN, false },
		{ COLOR_BLUE, COLOR_GREEN, COLOR_BLUE, COLOR_UNKNOWN, true },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct stage s = { .scenario = scenario_of() };
		struct meaning ready = { .kind = MEANING_READY };

		begin(&s, PROFILE_BRIDGE, 9000);
		start(&s);
		opened(&s, 1, rows[i].in_101);
		give(&s, 2,
		     (struct call_input){ .kind = INPUT_MEANING,
					  .meaning = &ready,
					  .color = rows[i].in_ready,
					  .instance = (uint8_t)rows[i].in_ready });
		assert_int_equal(s.last[EVENT_DIAL_OK].color, rows[i].of_dial);
		assert_int_equal(s.last[EVENT_START_OK].color, rows[i].of_leg);
		assert_int_equal(s.last[EVENT_START_OK].flags,
				 rows[i].two_origins ? STATE_TWO_ORIGINS : 0);
		assert_int_equal(s.call.instance, rows[i].of_leg);
	}
}

static void cookies_show_in_the_flags_of_the_dial(void **unused)
{
	struct stage s = { .scenario = scenario_of() };

	(void)unused;
	begin(&s, PROFILE_RESUMABLE, 9000);
	start(&s);
	assert_int_equal(s.last[EVENT_DIAL_INV].flags, 0);
	give(&s, 1,
	     (struct call_input){ .kind = INPUT_OPEN, .color = COLOR_BLUE, .set_cookie = true });
	hear(&s, 2, MEANING_READY, 0, 0);
	assert_int_equal(s.last[EVENT_DIAL_OK].flags, DIAL_SET_COOKIE);
	ended(&s, 100, LEG_FIN, SIDE_AGENT, 0);
	give(&s, 250, (struct call_input){ .kind = INPUT_TIMER, .has_cookie = true });
	assert_int_equal(s.last[EVENT_DIAL_INV].flags, DIAL_HAS_COOKIE);
	opened(&s, 251, COLOR_BLUE);
	hear(&s, 252, MEANING_READY, 0, 0);
	assert_int_equal(s.last[EVENT_DIAL_OK].flags, DIAL_HAS_COOKIE);
}

static void notices_of_the_agent_are_kept(void **unused)
{
	struct stage s = { .scenario = scenario_of() };
	struct meaning draining = { .kind = MEANING_DRAINING, .within_ms = 900 };
	struct meaning error = { .kind = MEANING_ERROR, .text = "redis: READONLY" };

	(void)unused;
	begin(&s, PROFILE_BRIDGE, 9000);
	admit(&s);
	give(&s, 10, (struct call_input){ .kind = INPUT_MEANING, .meaning = &draining });
	assert_int_equal(s.last[EVENT_AGENT_NOTICE].code, 1);
	assert_int_equal(s.last[EVENT_AGENT_NOTICE].aux, 900);
	give(&s, 11, (struct call_input){ .kind = INPUT_MEANING, .meaning = &error });
	assert_int_equal(s.last[EVENT_AGENT_NOTICE].code, 2);
	assert_int_equal(s.call.state, CALL_LIVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_runs_from_its_start_to_its_planned_hangup),
		cmocka_unit_test(a_reply_nobody_waits_for_is_on_record_and_changes_nothing),
		cmocka_unit_test(
			where_a_leg_is_is_said_by_the_101_or_the_first_message_and_they_must_agree),
		cmocka_unit_test(cookies_show_in_the_flags_of_the_dial),
		cmocka_unit_test(notices_of_the_agent_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
