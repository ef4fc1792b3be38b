/*
 * For tests of the call: a call is told what happens and when, and its log says what it did: record
 * words, and actions in capitals. Milliseconds count from the call's due time.
 */
#ifndef SIM_TEST_STAGE_H
#define SIM_TEST_STAGE_H

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

#define MS(n) ((int64_t)(n)*NS_PER_MS)
static const char stage_id[] = "c-abc123-7";

struct stage {
	struct scenario scenario;
	struct call_plan plan;
	struct call call;
	struct event last[EVENT_KIND_COUNT]; /* of each kind */
	uint32_t turns_asked;
	char log[4096];
};

static inline struct scenario scenario_of(void)
{
	struct scenario sc = {
		.seed = 42,
		.timers = { .dead_after_ns = MS(5000), .setup_within_ns = MS(5000) },
		.calls = { .live = 1, .turn_every_ns = MS(1000) },
	};

	sc.calls.profile[PROFILE_BRIDGE] = (struct profile_plan){ .share = 0.5 };
	sc.calls.profile[PROFILE_RESUMABLE] = (struct profile_plan){
		.share = 0.5,
		.resume_within_ns = MS(4000),
		.backoff_base_ns = MS(100),
		.backoff_cap_ns = MS(1000),
	};
	return sc;
}

static inline void loses_after(struct stage *s, int64_t ms, enum lose_when when)
{
	struct profile_plan *p = &s->scenario.calls.profile[PROFILE_RESUMABLE];

	p->loses_legs = true;
	p->when = when;
	p->lose_leg = (struct dist){ .kind = DIST_FIXED, .mean_ns = MS(ms), .max_ns = INT64_MAX };
}

static inline void begin(struct stage *s, enum profile profile, int64_t hold_ms)
{
	s->plan = (struct call_plan){ .number = 7,
				      .due_ns = MS(1000),
				      .hold_ns = MS(hold_ms),
				      .profile = profile,
				      .turns = 9 };
	s->call = call_begin(&s->scenario, &s->plan, stage_id, MS(100000));
	s->log[0] = '\0';
}

static inline void say(struct stage *s, const char *word)
{
	snprintf(s->log + strlen(s->log), sizeof(s->log) - strlen(s->log), "%s%s",
		 s->log[0] ? " " : "", word);
}

static inline void note_action(struct stage *s, const struct call_action *a)
{
	static const char *const words[] = { "",     "DIAL", "OPEN",  "REOPEN",
					     "TURN", "BYE",  "ABORT", "END" };
	char turn[32];

	if (a->kind == DO_RECORD) {
		assert_int_equal(a->event.call, hash_id(stage_id, strlen(stage_id)));
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
static inline void give(struct stage *s, int64_t ms, struct call_input in)
{
	struct call_actions out = { .count = 0 };

	call_step(&s->call, &in, s->call.start_ns + MS(ms), &out);
	for (size_t i = 0; i < out.count; i++)
		note_action(s, &out.list[i]);
}

static inline int64_t now_ms(const struct stage *s, int64_t ns)
{
	return (ns - s->call.start_ns) / NS_PER_MS;
}

static inline int64_t ms_up(const struct stage *s,
			    int64_t ns) /* rounded up: what was due has come */
{
	return (ns - s->call.start_ns + NS_PER_MS - 1) / NS_PER_MS;
}

/* Lets time pass: every wake up to then, as the loop would. Returns the time of the last one. */
static inline int64_t pass(struct stage *s, int64_t until_ms)
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

static inline void start(struct stage *s)
{
	give(s, 0, (struct call_input){ .kind = INPUT_START });
}

static inline void opened(struct stage *s, int64_t ms, enum color color)
{
	give(s, ms,
	     (struct call_input){ .kind = INPUT_OPEN, .color = color, .instance = (uint8_t)color });
}

static inline void hear(struct stage *s, int64_t ms, enum meaning_kind kind, uint32_t n,
			uint32_t turns)
{
	struct meaning m = { .kind = kind,
			     .n = n,
			     .turns = turns,
			     .has = STATE_HAS_TURNS | STATE_HAS_DIGEST,
			     .digest = s->call.digest,
			     .redis_us = 450 };

	give(s, ms, (struct call_input){ .kind = INPUT_MEANING, .meaning = &m });
}

static inline void ended(struct stage *s, int64_t ms, enum leg_how how, enum side side,
			 uint16_t code)
{
	give(s, ms,
	     (struct call_input){ .kind = INPUT_END,
				  .established = true,
				  .how = how,
				  .side = side,
				  .code = code });
}

static inline void dial_failed(struct stage *s, int64_t ms, enum dial_failure failure,
			       uint16_t status)
{
	give(s, ms,
	     (struct call_input){
		     .kind = INPUT_END, .failure = failure, .side = SIDE_AGENT, .code = status });
}

static inline void admit(struct stage *s)
{
	start(s);
	opened(s, 1, COLOR_BLUE);
	hear(s, 2, MEANING_READY, 0, 0);
	s->log[0] = '\0';
}

/* Waits for the next turn and answers it 30 ms later. */
static inline int64_t talk(struct stage *s)
{
	uint32_t before = s->call.sent;
	int64_t asked_ms = -1;

	while (s->call.sent == before && s->call.state == CALL_LIVE)
		asked_ms = pass(s, ms_up(s, s->call.wake_ns));
	if (s->call.state == CALL_LIVE && s->call.sent > s->call.acked)
		hear(s, asked_ms + 30, MEANING_REPLY, s->call.sent, s->call.sent);
	return asked_ms + 30;
}

static inline void assert_log(const struct stage *s, const char *want)
{
	if (strcmp(s->log, want))
		fail_msg("did     %s\n         wanted  %s", s->log, want);
}

static inline void assert_over(const struct stage *s, enum call_end end)
{
	assert_int_equal(s->call.state, CALL_OVER);
	assert_int_equal(s->last[EVENT_CALL_END].code, end);
	assert_int_equal(s->call.wake_ns, INT64_MAX);
}

#endif
