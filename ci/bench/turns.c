/*
 * Writes the record of a cutover that never was: callers who come and go but are always so many,
 * each a turn every two seconds, every turn the six events of a real one (the caller's two, the
 * tap's four), in lanes as a run writes them. For the bench, which wants millions of turns in
 * seconds. The scenario is the bench's own; the directory must exist and be empty of lanes.
 *   turns RUN_DIR LIVE TURNS
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "record/lane.h"

enum { WORKERS = 2, TURNS_OF_A_CALL = 20, TTL_S = 1800, ID_MAX = 32 };
enum { TURN_EVERY_MS = 2000, BEGIN_MS = 10000 };
enum { BLUE_1 = 1, BLUE_2, GREEN_1, GREEN_2 };

/* One turn's events in the order of their time, and how long after its first. */
static const struct {
	enum event_kind kind;
	enum verb verb;
	uint32_t after_us;
} stages[] = {
	{ EVENT_TURN_INV, 0, 0 },
	{ EVENT_CMD_INV, VERB_GET, 2000 },
	{ EVENT_CMD_OK, VERB_GET, 2400 },
	{ EVENT_CMD_INV, VERB_SETEX, 30000 },
	{ EVENT_CMD_OK, VERB_SETEX, 30500 },
	{ EVENT_REPLY_OK, 0, 33000 },
};
enum { STAGES = sizeof(stages) / sizeof(*stages) };

struct caller {
	uint64_t id, digest, token;
	int64_t due_ns, asked_ns;
	uint16_t turn, leg;
	uint8_t color, instance;
	bool resumable;
};

struct book {
	struct lane *worker[WORKERS], *tap, *director;
	struct caller *callers;
	uint64_t live, turns, calls;
	int64_t spacing_ns, now_ns, shift_ns;
};

static int64_t at_ns(const struct book *b, uint64_t turn)
{
	return BEGIN_MS * NS_PER_MS + (int64_t)turn * b->spacing_ns;
}

static uint64_t scatter(uint64_t x)
{
	x = (x ^ x >> 31) * 0x9e3779b97f4a7c15ULL;
	return x ^ x >> 29;
}

/* ---- callers ---- */

static struct lane *lane_of(const struct book *b, const struct caller *c)
{
	return b->worker[(size_t)(c - b->callers) % WORKERS];
}

static struct event by(struct book *b, const struct caller *c, enum event_kind kind)
{
	struct event e = event_make(kind, b->now_ns++);

	e.call = c->id;
	e.leg = c->leg;
	e.turn = c->turn;
	return e;
}

static void open_leg(struct book *b, struct caller *c)
{
	uint8_t cookie = c->leg ? DIAL_HAS_COOKIE : 0;
	struct event e = by(b, c, EVENT_DIAL_INV);
	bool second = (size_t)(c - b->callers) / 2 % 2;

	e.turn = 0;
	e.flags = cookie;
	lane_event(lane_of(b, c), e);
	c->color = b->now_ns < b->shift_ns ? COLOR_BLUE : COLOR_GREEN;
	c->instance = (uint8_t)((c->color == COLOR_BLUE ? BLUE_1 : GREEN_1) + second);
	e = by(b, c, EVENT_DIAL_OK);
	e.turn = 0;
	e.code = 101;
	e.flags = cookie | DIAL_SET_COOKIE;
	e.color = c->color;
	e.instance = c->instance;
	lane_event(lane_of(b, c), e);
	e.flags = STATE_HAS_DIGEST | STATE_HAS_TURNS;
	e.kind = c->leg ? EVENT_RESUME_OK : EVENT_START_OK;
	e.t_ns = b->now_ns++;
	e.code = 0;
	e.n = c->turn;
	e.digest = c->digest;
	lane_event(lane_of(b, c), e);
}

static void end_leg(struct book *b, struct caller *c, enum leg_how how, uint16_t code)
{
	struct event e = by(b, c, EVENT_LEG_END);

	e.turn = 0;
	e.n = (uint16_t)how;
	e.code = code;
	e.flags = SIDE_CALLER;
	e.color = c->color;
	e.instance = c->instance;
	lane_event(lane_of(b, c), e);
}

static void begin_call(struct book *b, struct caller *c, bool resumable)
{
	char id[ID_MAX];
	size_t size = (size_t)snprintf(id, sizeof(id), "c-bench-%" PRIu64, b->calls++);
	struct event e;

	*c = (struct caller){ .id = hash_id(id, size),
			      .digest = hash_chain_start(id, size),
			      .resumable = resumable };
	lane_call(lane_of(b, c), c->id, id);
	e = by(b, c, EVENT_CALL_START);
	e.due_ns = e.t_ns;
	e.turn = TURNS_OF_A_CALL;
	e.flags = resumable ? PROFILE_RESUMABLE : PROFILE_BRIDGE;
	lane_event(lane_of(b, c), e);
	open_leg(b, c);
}

static void lose_leg(struct book *b, struct caller *c)
{
	struct event e = by(b, c, EVENT_LEG_LOSE);

	e.due_ns = e.t_ns;
	e.turn = 0;
	lane_event(lane_of(b, c), e);
	end_leg(b, c, LEG_FIN, 0);
	c->leg++;
	open_leg(b, c);
}

static void end_call(struct book *b, struct caller *c)
{
	struct event e = by(b, c, EVENT_HANGUP_INV);

	e.due_ns = e.t_ns;
	lane_event(lane_of(b, c), e);
	end_leg(b, c, LEG_CLOSE_FRAME, 1000);
	e = by(b, c, EVENT_CALL_END);
	e.code = CALL_COMPLETED;
	e.aux = c->leg + 1U;
	lane_event(lane_of(b, c), e);
}

static void begin_turn(struct book *b, struct caller *c, uint64_t turn)
{
	unsigned of_call = (unsigned)((turn / b->live + turn % b->live) % TURNS_OF_A_CALL);
	struct event e;

	if (turn < b->live || !of_call)
		begin_call(b, c, turn % 2);
	else if (c->resumable && of_call == TURNS_OF_A_CALL / 2)
		lose_leg(b, c);
	c->turn++;
	c->token += 0x9e3779b97f4a7c15ULL;
	c->due_ns = b->now_ns - (int64_t)(scatter(turn) % NS_PER_MS);
	e = by(b, c, EVENT_TURN_INV);
	e.due_ns = c->due_ns;
	e.digest = hash_chain_next(c->digest, c->turn, c->token);
	e.ver = (uint32_t)(c->token >> 32);
	e.epoch = (uint32_t)c->token;
	lane_event(lane_of(b, c), e);
}

static void command(struct book *b, struct caller *c, unsigned stage)
{
	struct event e = by(b, c, stages[stage].kind);

	e.conn = c->instance;
	e.turn = 4; /* fields; and which */
	e.leg = 0x1111;
	e.code = (uint16_t)stages[stage].verb;
	e.color = c->color;
	e.instance = c->instance;
	e.flags = CMD_CALL_KEY;
	if (e.code == VERB_SETEX) {
		if (e.kind == EVENT_CMD_INV)
			c->digest = hash_chain_next(c->digest, c->turn, c->token);
		e.aux = TTL_S;
		e.n = c->turn;
		e.digest = c->digest;
		e.flags |= CMD_HAS_STATE;
	}
	if (e.kind == EVENT_CMD_INV) {
		c->asked_ns = e.t_ns;
	} else {
		e.due_ns = c->asked_ns;
		if (e.code == VERB_GET) {
			e.n = c->turn - 1U;
			e.digest = c->digest;
			e.flags |= e.n ? CMD_HAS_STATE : CMD_NIL;
		}
	}
	lane_event(b->tap, e);
}

static void end_turn(struct book *b, struct caller *c, uint64_t turn)
{
	struct event e = by(b, c, EVENT_REPLY_OK);

	e.due_ns = c->due_ns;
	e.n = c->turn;
	e.digest = c->digest;
	e.color = c->color;
	e.instance = c->instance;
	e.flags = STATE_HAS_DIGEST | STATE_HAS_TURNS;
	lane_event(lane_of(b, c), e);
	if (turn + b->live >= b->turns ||
	    (turn / b->live + turn % b->live + 1) % TURNS_OF_A_CALL == 0)
		end_call(b, c);
}

/* ---- the cutover: what the checks of it need to have been there ---- */

static void step(struct book *b, enum event_kind kind, enum phase phase, unsigned number)
{
	struct event e = event_make(kind, b->now_ns++);

	e.code = (uint16_t)phase;
	e.n = (uint16_t)number;
	lane_event(b->director, e);
}

static void weights(struct book *b, enum event_kind kind, uint32_t blue, uint32_t green)
{
	struct event e = event_make(kind, b->now_ns++);

	e.ver = blue;
	e.epoch = green;
	if (kind == EVENT_CONFIG) {
		e.aux = e.turn = 2;
		e.n = 70;
	}
	lane_event(b->director, e);
}

static void run_begins(struct book *b)
{
	struct event e;

	b->now_ns = at_ns(b, 0) - NS_PER_MS;
	weights(b, EVENT_CONFIG, 100, 0);
	e = event_make(EVENT_RUN_START, b->now_ns++);
	e.n = WORKERS;
	lane_event(b->director, e);
	step(b, EVENT_PHASE_BEGIN, PHASE_STEADY, 0);
}

static void shift(struct book *b)
{
	b->shift_ns = b->now_ns;
	step(b, EVENT_PHASE_END, PHASE_STEADY, 0);
	step(b, EVENT_PHASE_BEGIN, PHASE_SHIFT, 2);
	weights(b, EVENT_WEIGHT_INV, 0, 100);
	weights(b, EVENT_WEIGHT_OK, 0, 100);
	weights(b, EVENT_CONFIG, 0, 100);
	step(b, EVENT_PHASE_END, PHASE_SHIFT, 2);
	step(b, EVENT_PHASE_BEGIN, PHASE_DRAIN, 3);
}

static void run_ends(struct book *b)
{
	step(b, EVENT_PHASE_END, PHASE_DRAIN, 3);
	lane_event(b->director, event_make(EVENT_RUN_END, b->now_ns++));
}

/* ---- all of it ---- */

static void play(struct book *b)
{
	uint64_t delay[STAGES], last;

	for (unsigned s = 0; s < STAGES; s++)
		delay[s] = stages[s].after_us * (uint64_t)NS_PER_US / (uint64_t)b->spacing_ns;
	last = b->turns + delay[STAGES - 1];
	run_begins(b);
	/* A tick is one more turn begun, and the next stage of those under way. */
	for (uint64_t tick = 0; tick < last; tick++) {
		for (unsigned s = 0; s < STAGES; s++) {
			uint64_t turn = tick - delay[s];
			struct caller *c = &b->callers[turn % b->live];

			if (tick < delay[s] || turn >= b->turns)
				continue;
			b->now_ns = at_ns(b, tick) + s * b->spacing_ns / STAGES +
				    (int64_t)(scatter(turn * STAGES + s) %
					      (uint64_t)(b->spacing_ns / STAGES / 2));
			if (!s && turn == b->turns / 2)
				shift(b);
			if (stages[s].verb)
				command(b, c, s);
			else if (s)
				end_turn(b, c, turn);
			else
				begin_turn(b, c, turn);
		}
	}
	b->now_ns = at_ns(b, last);
	run_ends(b);
}

static int open_all(struct book *b, const char *dir, struct err *err)
{
	static const char *const names[] = { "blue-1", "blue-2", "green-1", "green-2" };
	struct lane_identity who = { .run = "bench", .role = ROLE_WORKER };
	struct lane *all[WORKERS + 2] = { NULL };

	for (unsigned i = 0; i < WORKERS + 2; i++) {
		who.role = i < WORKERS ? ROLE_WORKER : i == WORKERS ? ROLE_TAP : ROLE_DIRECTOR;
		who.index = i < WORKERS ? i : 0;
		if (lane_open(dir, &who, &all[i], err) < 0)
			return -1;
		for (size_t n = 0; n < sizeof(names) / sizeof(*names); n++)
			ASSERT_EQ(lane_instance(all[i], names[n]), n + 1);
	}
	memcpy(b->worker, all, sizeof(b->worker));
	b->tap = all[WORKERS];
	b->director = all[WORKERS + 1];
	return 0;
}

static int write_all(const char *dir, uint64_t live, uint64_t turns, struct err *err)
{
	struct book b = { .live = live,
			  .turns = turns,
			  .spacing_ns = TURN_EVERY_MS * NS_PER_MS / (int64_t)live,
			  .shift_ns = INT64_MAX,
			  .callers = xcalloc(live, sizeof(*b.callers)) };
	int result = open_all(&b, dir, err);

	if (result == 0)
		play(&b);
	for (unsigned i = 0; i < WORKERS && result == 0; i++)
		result = lane_close(b.worker[i], err);
	if (result == 0)
		result = lane_close(b.tap, err);
	if (result == 0)
		result = lane_close(b.director, err);
	free(b.callers);
	return result;
}

int main(int argc, char **argv)
{
	uint64_t live = argc == 4 ? strtoull(argv[2], NULL, 10) : 0;
	uint64_t turns = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;
	struct err err = { 0 };

	if (!live || live > 100000 || turns < 2 * live) {
		fprintf(stderr,
			"usage: turns RUN_DIR LIVE TURNS (at most 100,000 live; TURNS at least twice as many)\n");
		return 104;
	}
	if (write_all(argv[1], live, turns, &err) < 0) {
		fprintf(stderr, "turns: %s\n", err.text);
		return 97;
	}
	return 0;
}
