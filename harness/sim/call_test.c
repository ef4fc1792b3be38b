/* A call is told what happens and when, and its log says what it did: record words, and actions in capitals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "sim/call.h"

#define MS(n) ((int64_t)(n) * NS_PER_MS)
static const char id[] = "c-abc123-7";

struct stage {
	struct scenario scenario;
	struct call_plan plan;
	struct call call;
	struct event last[EVENT_KIND_COUNT]; /* of each kind */
	uint32_t turns_asked;
	char log[4096];
};

static struct scenario scenario_of(void)
{
	struct scenario sc = {
		.seed = 42,
		.timers = { .dead_after_ns = MS(5000), .setup_within_ns = MS(5000) },
		.calls = { .live = 1, .turn_every_ns = MS(1000) },
	};

	sc.calls.profile[PROFILE_BRIDGE] = (struct profile_plan){ .share = 0.5 };
	sc.calls.profile[PROFILE_RESUMABLE] = (struct profile_plan){
		.share = 0.5, .resume_within_ns = MS(4000), .backoff_base_ns = MS(100), .backoff_cap_ns = MS(1000),
	};
	return sc;
}

static void loses_after(struct stage *s, int64_t ms, enum lose_when when)
{
	struct profile_plan *p = &s->scenario.calls.profile[PROFILE_RESUMABLE];

	p->loses_legs = true;
	p->when = when;
	p->lose_leg = (struct dist){ .kind = DIST_FIXED, .mean_ns = MS(ms), .max_ns = INT64_MAX };
}

static void begin(struct stage *s, enum profile profile, int64_t hold_ms)
{
	s->plan = (struct call_plan){ .number = 7, .due_ns = MS(1000), .hold_ns = MS(hold_ms), .profile = profile, .turns = 9 };
	s->call = call_begin(&s->scenario, &s->plan, id, MS(100000));
	s->log[0] = '\0';
}

static void say(struct stage *s, const char *word)
{
	snprintf(s->log + strlen(s->log), sizeof(s->log) - strlen(s->log), "%s%s", s->log[0] ? " " : "", word);
}

static void note_action(struct stage *s, const struct call_action *a)
{
	static const char *const words[] = { "", "DIAL", "OPEN", "REOPEN", "TURN", "BYE", "ABORT", "END" };
	char turn[32];

	if (a->kind == DO_RECORD) {
		assert_int_equal(a->event.call, hash_id(id, strlen(id)));
		s->last[a->event.kind] = a->event;
		say(s, event_kind_name(a->event.kind));
	} else if (a->kind == DO_TURN) {
		snprintf(turn, sizeof(turn), "TURN%" PRIu32, a->turn.n);
		s->turns_asked = a->turn.n;
		say(s, turn);
	} else {
		say(s, a->kind == DO_ABORT && a->reset ? "RESET" : words[a->kind]);
	}
}

/* ms count from the call's due time. */
static void give(struct stage *s, int64_t ms, struct call_input in)
{
	struct call_actions out = { .count = 0 };

	call_step(&s->call, &in, s->call.start_ns + MS(ms), &out);
	for (size_t i = 0; i < out.count; i++)
		note_action(s, &out.list[i]);
}

static int64_t now_ms(const struct stage *s, int64_t ns)
{
	return (ns - s->call.start_ns) / NS_PER_MS;
}

static int64_t ms_up(const struct stage *s, int64_t ns) /* rounded up: what was due has come */
{
	return (ns - s->call.start_ns + NS_PER_MS - 1) / NS_PER_MS;
}

/* Lets time pass: every wake up to then, as the loop would. Returns the time of the last one. */
static int64_t pass(struct stage *s, int64_t until_ms)
{
	int64_t at_ms = -1;

	while (s->call.wake_ns <= s->call.start_ns + MS(until_ms)) {
		struct call_actions out = { .count = 0 };
		struct call_input in = { .kind = INPUT_TIMER };
		int64_t now_ns = s->call.wake_ns;

		call_step(&s->call, &in, now_ns, &out);
		for (size_t i = 0; i < out.count; i++)
			note_action(s, &out.list[i]);
		at_ms = ms_up(s, now_ns);
		assert_true(s->call.wake_ns > now_ns || s->call.state == CALL_LIVE);
	}
	return at_ms;
}

static void start(struct stage *s)
{
	give(s, 0, (struct call_input){ .kind = INPUT_START });
}

static void opened(struct stage *s, int64_t ms, enum color color)
{
	give(s, ms, (struct call_input){ .kind = INPUT_OPEN, .color = color, .instance = (uint8_t)color });
}

static void hear(struct stage *s, int64_t ms, enum meaning_kind kind, uint32_t n, uint32_t turns)
{
	struct meaning m = { .kind = kind, .n = n, .turns = turns, .has = STATE_HAS_TURNS | STATE_HAS_DIGEST,
			     .digest = s->call.digest, .redis_us = 450 };

	give(s, ms, (struct call_input){ .kind = INPUT_MEANING, .meaning = &m });
}

static void ended(struct stage *s, int64_t ms, enum leg_how how, enum side side, uint16_t code)
{
	give(s, ms, (struct call_input){ .kind = INPUT_END, .established = true, .how = how, .side = side, .code = code });
}

static void dial_failed(struct stage *s, int64_t ms, enum dial_failure failure, uint16_t status)
{
	give(s, ms, (struct call_input){ .kind = INPUT_END, .failure = failure, .side = SIDE_AGENT, .code = status });
}

static void admit(struct stage *s)
{
	start(s);
	opened(s, 1, COLOR_BLUE);
	hear(s, 2, MEANING_READY, 0, 0);
	s->log[0] = '\0';
}

/* Waits for the next turn and answers it 30 ms later. */
static int64_t talk(struct stage *s)
{
	uint32_t before = s->call.sent;
	int64_t asked_ms = -1;

	while (s->call.sent == before && s->call.state == CALL_LIVE)
		asked_ms = pass(s, ms_up(s, s->call.wake_ns));
	if (s->call.state == CALL_LIVE && s->call.sent > s->call.acked)
		hear(s, asked_ms + 30, MEANING_REPLY, s->call.sent, s->call.sent);
	return asked_ms + 30;
}

static void assert_log(const struct stage *s, const char *want)
{
	if (strcmp(s->log, want))
		fail_msg("did     %s\n         wanted  %s", s->log, want);
}

static void assert_over(const struct stage *s, enum call_end end)
{
	assert_int_equal(s->call.state, CALL_OVER);
	assert_int_equal(s->last[EVENT_CALL_END].code, end);
	assert_int_equal(s->call.wake_ns, INT64_MAX);
}

/* ---- */

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
	assert_log(&s, "call.start dial.inv DIAL OPEN dial.ok start.ok");
	assert_int_equal(s.last[EVENT_DIAL_OK].t_ns, MS(101003)); /* the 101's time, however late it is told */
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
			 hash_chain_next(hash_chain_start(id, strlen(id)), 1,
					 (uint64_t)s.last[EVENT_TURN_INV].ver << 32 | s.last[EVENT_TURN_INV].epoch));
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

/* The table of style.md, row by row: planned hangup sent | lost and not back | unanswered past dead_after | we ended it. */
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
			assert_over(&s, profile == PROFILE_BRIDGE ? rows[i].bridge : rows[i].resumable);
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
	assert_log(&s, "call.start dial.inv DIAL OPEN ABORT dial.ok leg.end call.end END");
	assert_int_equal(s.last[EVENT_LEG_END].n, LEG_TIMEOUT);
	assert_int_equal(s.last[EVENT_LEG_END].aux, 4991);
	assert_over(&s, CALL_REFUSED);
}

static void a_leg_that_ends_before_ready_leaves_the_call_at_leg_0_until_it_is_admitted(void **unused)
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
	assert_log(&s, "call.start dial.inv DIAL OPEN dial.ok leg.end dial.inv DIAL OPEN dial.ok start.ok");
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
	assert_log(&s, "leg.end dial.inv DIAL resume.inv REOPEN dial.ok resume.ok");
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

static void a_loss_planned_for_after_the_hangup_never_comes(void **unused)
{
	struct stage s = { .scenario = scenario_of() };

	(void)unused;
	loses_after(&s, 3000, LOSE_BETWEEN_TURNS);
	begin(&s, PROFILE_RESUMABLE, 3000);
	admit(&s);
	hang_up(&s);
	assert_null(strstr(s.log, "leg.lose"));
	assert_int_equal(s.call.state, CALL_LEAVING);
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
		{ 0, STATE_HAS_TURNS, true },  /* the state is lost: the caller keeps to its own script */
		{ 3, 0, true },                /* not said: at least once, the token tells */
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct stage s = { .scenario = scenario_of() };
		struct meaning ready = { .kind = MEANING_READY, .turns = rows[i].turns, .has = rows[i].has };
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
		give(&s, at_ms + 2501, (struct call_input){ .kind = INPUT_MEANING, .meaning = &ready });
		if (rows[i].again) {
			const struct event *second = &s.last[EVENT_TURN_INV];

			assert_log(&s, "dial.ok resume.ok turn.inv TURN3");
			assert_int_equal(second->flags, TURN_RESENT);
			assert_int_equal(second->due_ns, first.due_ns);
			assert_int_equal(second->digest, first.digest);
			assert_true(second->ver == first.ver && second->epoch == first.epoch);
			hear(&s, at_ms + 2520, MEANING_REPLY, 3, 3);
			assert_int_equal(s.last[EVENT_REPLY_OK].due_ns, first.due_ns);
		} else {
			assert_log(&s, "dial.ok resume.ok turn.inv TURN4");
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

static void the_time_to_come_back_runs_from_the_first_loss_whatever_legs_fail_meanwhile(void **unused)
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

static void where_a_leg_is_is_said_by_the_101_or_the_first_message_and_they_must_agree(void **unused)
{
	static const struct {
		enum color in_101, in_ready, of_dial, of_leg;
		uint8_t flags;
	} rows[] = {
		{ COLOR_BLUE, COLOR_BLUE, COLOR_BLUE, COLOR_BLUE, 0 },
		{ COLOR_BLUE, COLOR_UNKNOWN, COLOR_BLUE, COLOR_BLUE, 0 },
		{ COLOR_UNKNOWN, COLOR_GREEN, COLOR_UNKNOWN, COLOR_GREEN, 0 },
		{ COLOR_UNKNOWN, COLOR_UNKNOWN, COLOR_UNKNOWN, COLOR_UNKNOWN, 0 },
		{ COLOR_BLUE, COLOR_GREEN, COLOR_BLUE, COLOR_UNKNOWN, DIAL_COLOR_CONFLICT },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct stage s = { .scenario = scenario_of() };
		struct meaning ready = { .kind = MEANING_READY };

		begin(&s, PROFILE_BRIDGE, 9000);
		start(&s);
		opened(&s, 1, rows[i].in_101);
		give(&s, 2, (struct call_input){ .kind = INPUT_MEANING, .meaning = &ready, .color = rows[i].in_ready,
						 .instance = (uint8_t)rows[i].in_ready });
		assert_int_equal(s.last[EVENT_DIAL_OK].color, rows[i].of_dial);
		assert_int_equal(s.last[EVENT_DIAL_OK].flags, rows[i].flags);
		assert_int_equal(s.last[EVENT_START_OK].color, rows[i].of_leg);
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
	give(&s, 1, (struct call_input){ .kind = INPUT_OPEN, .color = COLOR_BLUE, .set_cookie = true });
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
		cmocka_unit_test(how_a_call_ends_is_the_truth_table),
		cmocka_unit_test(a_call_never_admitted_dials_again_until_setup_within_and_is_refused),
		cmocka_unit_test(a_dial_or_a_leg_that_is_silent_is_given_up_at_setup_within),
		cmocka_unit_test(a_leg_that_ends_before_ready_leaves_the_call_at_leg_0_until_it_is_admitted),
		cmocka_unit_test(a_planned_loss_comes_between_turns_and_the_call_comes_back),
		cmocka_unit_test(a_loss_in_mid_turn_waits_for_one_to_be_unanswered),
		cmocka_unit_test(a_loss_planned_for_after_the_hangup_never_comes),
		cmocka_unit_test(an_open_turn_is_answered_by_state_or_asked_again_with_its_token),
		cmocka_unit_test(the_time_to_come_back_runs_from_the_first_loss_whatever_legs_fail_meanwhile),
		cmocka_unit_test(a_hangup_waits_for_the_open_turn_and_for_those_due_before_it),
		cmocka_unit_test(a_reply_nobody_waits_for_is_on_record_and_changes_nothing),
		cmocka_unit_test(where_a_leg_is_is_said_by_the_101_or_the_first_message_and_they_must_agree),
		cmocka_unit_test(cookies_show_in_the_flags_of_the_dial),
		cmocka_unit_test(notices_of_the_agent_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
