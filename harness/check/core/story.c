#include "check/core/story.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"

static const int64_t shift_ns = 8100 * NS_PER_MS;

/* One caller's position while its events are written. */
struct voice {
	struct story *story;
	uint64_t id, digest, token;
	uint16_t leg, turn;
	uint8_t color, instance;
};

int64_t story_at(double s)
{
	return STORY_START_NS + (int64_t)(s * 1e9 + 0.5);
}

void story_scenario(struct story_scenario *s)
{
	*s = (struct story_scenario){
		.scenario = {
			.name = (char *)"story",
			.stack = {
				.kind = STACK_LOCAL,
				.instances = 2,
				.stickiness_ns = -1,
				.deregistration_delay_ns = -1,
				.idle_ns = -1,
			},
			.state = { .ttl_ns = 1800 * NS_PER_S, .tap = true },
			.timers = {
				.stickiness_group_ns = 2 * NS_PER_S,
				.stickiness_target_ns = 2 * NS_PER_S,
				.deregistration_delay_ns = 20 * NS_PER_S,
				.idle_ns = 10 * NS_PER_S,
				.longest_call_ns = 12 * NS_PER_S,
				.propagation_ns = NS_PER_S,
				.dead_after_ns = 5 * NS_PER_S,
				.setup_within_ns = 5 * NS_PER_S,
			},
			.calls.profile[PROFILE_RESUMABLE] = {
				.share = 0.5,
				.resume_within_ns = 5 * NS_PER_S,
				.disturbances = -1,
			},
		},
		.steps = {
			{ .phase = PHASE_STEADY, .for_ns = 8 * NS_PER_S },
			{ .phase = PHASE_SMOKE, .color = COLOR_GREEN },
			{ .phase = PHASE_SHIFT, .blue = 0, .green = 100 },
			{ .phase = PHASE_DRAIN, .color = COLOR_BLUE, .quiet_ns = 3 * NS_PER_S,
			  .deadline_ns = 25 * NS_PER_S },
			{ .phase = PHASE_BUFFER, .for_ns = 3 * NS_PER_S },
			{ .phase = PHASE_TEARDOWN, .color = COLOR_BLUE, .grace_ns = NS_PER_S },
			{ .phase = PHASE_STEADY, .for_ns = 4 * NS_PER_S },
		},
	};
	s->scenario.steps = s->steps;
	s->scenario.step_count = sizeof(s->steps) / sizeof(*s->steps);
}

void story_add(struct story *s, struct event e)
{
	if (s->count == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 1024;
		s->events = xrealloc(s->events, s->cap * sizeof(*s->events));
	}
	e.seq = (uint32_t)s->count;
	s->events[s->count++] = e;
}

static int by_time(const void *left, const void *right)
{
	const struct event *a = left, *b = right;

	if (a->t_ns != b->t_ns)
		return a->t_ns < b->t_ns ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

void story_sort(struct story *s)
{
	qsort(s->events, s->count, sizeof(*s->events), by_time);
	for (size_t i = 0; i < s->count; i++)
		s->events[i].seq = (uint32_t)i;
}

void story_free(struct story *s)
{
	free(s->events);
	*s = (struct story){ 0 };
}

struct event *story_find(struct story *s, enum event_kind kind, uint64_t call, int64_t t_ns)
{
	for (size_t i = 0; i < s->count; i++) {
		struct event *e = &s->events[i];
		if (e->kind == kind && (!call || e->call == call) && e->t_ns >= t_ns)
			return e;
	}
	return NULL;
}

void story_cut(struct story *s, bool (*drop)(const struct event *, const void *), const void *with)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++) {
		if (!drop(&s->events[i], with))
			s->events[kept++] = s->events[i];
	}
	s->count = kept;
}

uint64_t story_call(size_t i)
{
	char id[32];

	return hash_id(id, (size_t)snprintf(id, sizeof(id), "c-story-%zu", i));
}

/* ---- one call ---- */

static struct event spoken(const struct voice *v, enum event_kind kind, int64_t t_ns)
{
	struct event e = event_make(kind, t_ns);

	e.call = v->id;
	e.leg = v->leg;
	e.color = v->color;
	e.instance = v->instance;
	return e;
}

/* The wire between agent and Redis, as the tap sees it. */
static void command(struct voice *v, enum verb verb, int64_t t_ns, uint16_t n)
{
	struct event e = spoken(v, EVENT_CMD_INV, t_ns);

	e.turn = 4; /* fields; and which */
	e.leg = 0x1111;
	e.conn = v->instance;
	e.code = (uint16_t)verb;
	e.n = n;
	e.digest = v->digest;
	e.flags = CMD_CALL_KEY | (verb == VERB_SETEX ? CMD_HAS_STATE : 0);
	e.aux = verb == VERB_SETEX ? 1800 : 0;
	story_add(v->story, e);
	e.kind = EVENT_CMD_OK;
	e.due_ns = t_ns;
	e.t_ns = t_ns + NS_PER_MS / 2;
	e.flags |= CMD_HAS_STATE;
	story_add(v->story, e);
}

static void open_leg(struct voice *v, int64_t t_ns, bool jar)
{
	uint8_t cookie = v->leg && jar ? DIAL_HAS_COOKIE : 0;
	struct event e = spoken(v, EVENT_DIAL_INV, t_ns);

	e.color = e.instance = 0;
	e.due_ns = t_ns;
	e.flags = cookie;
	story_add(v->story, e);
	e = spoken(v, EVENT_DIAL_OK, t_ns + 3 * NS_PER_MS);
	e.due_ns = t_ns;
	e.code = 101;
	e.flags = cookie | DIAL_SET_COOKIE;
	story_add(v->story, e);
	if (v->leg) {
		e = spoken(v, EVENT_RESUME_INV, t_ns + 4 * NS_PER_MS);
		e.color = e.instance = 0;
		e.turn = e.n = v->turn;
		story_add(v->story, e);
		command(v, VERB_GET, t_ns + 5 * NS_PER_MS, v->turn);
	}
	e = spoken(v, v->leg ? EVENT_RESUME_OK : EVENT_START_OK, t_ns + 7 * NS_PER_MS);
	e.n = v->turn;
	e.digest = v->digest;
	e.flags = STATE_HAS_DIGEST | STATE_HAS_TURNS;
	story_add(v->story, e);
}

static void speak(struct voice *v, int64_t t_ns)
{
	struct event e = spoken(v, EVENT_TURN_INV, t_ns);

	v->token += 0x9e3779b97f4a7c15ULL;
	v->turn++;
	command(v, VERB_GET, t_ns + 2 * NS_PER_MS, (uint16_t)(v->turn - 1));
	v->digest = hash_chain_next(v->digest, v->turn, v->token);
	e.color = e.instance = 0;
	e.due_ns = t_ns - NS_PER_MS;
	e.turn = v->turn;
	e.digest = v->digest;
	e.ver = (uint32_t)(v->token >> 32);
	e.epoch = (uint32_t)v->token;
	story_add(v->story, e);
	command(v, VERB_SETEX, t_ns + 33 * NS_PER_MS, v->turn);
	e = spoken(v, EVENT_REPLY_OK, t_ns + 36 * NS_PER_MS);
	e.due_ns = t_ns - NS_PER_MS;
	e.turn = e.n = v->turn;
	e.digest = v->digest;
	e.flags = STATE_HAS_DIGEST | STATE_HAS_TURNS;
	story_add(v->story, e);
}

static void lose_leg(struct voice *v, int64_t t_ns)
{
	struct event e = spoken(v, EVENT_LEG_LOSE, t_ns);

	e.due_ns = t_ns;
	story_add(v->story, e);
	e = spoken(v, EVENT_LEG_END, t_ns + NS_PER_MS / 10);
	e.n = LEG_FIN;
	e.flags = SIDE_CALLER;
	story_add(v->story, e);
	v->leg++;
}

static void hang_up(struct voice *v, int64_t t_ns)
{
	struct event e = spoken(v, EVENT_HANGUP_INV, t_ns);

	e.due_ns = t_ns;
	e.turn = v->turn;
	story_add(v->story, e);
	e = spoken(v, EVENT_LEG_END, t_ns + 2 * NS_PER_MS);
	e.code = 1000;
	e.n = LEG_CLOSE_FRAME;
	e.flags = SIDE_CALLER;
	story_add(v->story, e);
	e = spoken(v, EVENT_CALL_END, t_ns + 3 * NS_PER_MS);
	e.code = CALL_COMPLETED;
	e.turn = v->turn;
	e.aux = v->leg + 1U;
	story_add(v->story, e);
}

/* The balancer's choice for a caller without a valid cookie. */
static void choose(struct voice *v, int64_t t_ns, size_t i)
{
	v->color = t_ns < STORY_START_NS + shift_ns ? COLOR_BLUE : COLOR_GREEN;
	v->instance =
		(uint8_t)((v->color == COLOR_BLUE ? STORY_BLUE_1 : STORY_GREEN_1) + i / 2 % 2);
}

static void one_call(struct story *s, size_t i, size_t calls)
{
	enum { TURNS = 6 };
	int64_t at_ns = STORY_START_NS + (int64_t)(31.0 * NS_PER_S * (double)i / (double)calls) +
			NS_PER_MS;
	bool resumable = i % 2;
	struct voice v = { .story = s, .id = story_call(i), .token = i };
	struct event e = spoken(&v, EVENT_CALL_START, at_ns);

	v.digest = hash_chain_start((const char *)&v.id, sizeof(v.id));
	e.due_ns = at_ns;
	e.turn = TURNS;
	e.flags = resumable ? PROFILE_RESUMABLE : PROFILE_BRIDGE;
	story_add(s, e);
	choose(&v, at_ns, i);
	open_leg(&v, at_ns, resumable);
	for (int turn = 1; turn <= TURNS; turn++) {
		speak(&v, at_ns + turn * NS_PER_S);
		if (resumable && turn == 3) {
			lose_leg(&v, at_ns + 3500 * NS_PER_MS);
			choose(&v, at_ns + 3600 * NS_PER_MS, i + 1);
			open_leg(&v, at_ns + 3600 * NS_PER_MS, true);
		}
		if (resumable && turn == 4) {
			lose_leg(&v, at_ns + 4300 * NS_PER_MS);
			open_leg(&v, at_ns + 4400 * NS_PER_MS, true);
		}
	}
	hang_up(&v, at_ns + 6500 * NS_PER_MS);
}

/* ---- the cutover ---- */

static struct event directed(struct story *s, enum event_kind kind, double at_s, unsigned code,
			     unsigned n)
{
	struct event e = event_make(kind, story_at(at_s));

	e.code = (uint16_t)code;
	e.n = (uint16_t)n;
	story_add(s, e);
	return e;
}

static void phase(struct story *s, enum phase phase, unsigned step, double from_s, double to_s)
{
	directed(s, EVENT_PHASE_BEGIN, from_s, phase, step);
	directed(s, EVENT_PHASE_END, to_s, phase, step);
}

static void weights(struct story *s, enum event_kind kind, double at_s, uint32_t blue,
		    uint32_t green)
{
	struct event e = event_make(kind, story_at(at_s));

	e.ver = blue;
	e.epoch = green;
	if (kind == EVENT_CONFIG) {
		e.aux = e.turn = 2;
		e.n = 20;
	}
	story_add(s, e);
}

static void on_instance(struct story *s, enum event_kind kind, double at_s, uint8_t instance,
			unsigned code)
{
	struct event e = event_make(kind, story_at(at_s));

	e.instance = instance;
	e.color = instance < STORY_GREEN_1 ? COLOR_BLUE : COLOR_GREEN;
	e.code = (uint16_t)code;
	story_add(s, e);
}

static void cutover(struct story *s)
{
	struct event e;

	for (uint8_t i = STORY_BLUE_1; i <= STORY_GREEN_2; i++)
		on_instance(s, EVENT_SPAWN, -1, i, 0);
	weights(s, EVENT_CONFIG, -0.1, 100, 0);
	directed(s, EVENT_RUN_START, 0, 0, 1);
	phase(s, PHASE_STEADY, 0, 0, 8);
	phase(s, PHASE_SMOKE, 1, 8, 8.09);
	phase(s, PHASE_SHIFT, 2, 8.09, 8.11);
	weights(s, EVENT_WEIGHT_INV, 8.1, 0, 100);
	weights(s, EVENT_WEIGHT_OK, 8.102, 0, 100);
	weights(s, EVENT_CONFIG, 8.105, 0, 100);
	phase(s, PHASE_DRAIN, 3, 8.11, 24);
	e = event_make(EVENT_BELIEF, story_at(23.99));
	e.color = COLOR_BLUE;
	e.aux = 2;
	story_add(s, e);
	phase(s, PHASE_BUFFER, 4, 24, 27);
	phase(s, PHASE_TEARDOWN, 5, 27, 27.1);
	e = event_make(EVENT_ACTION_INV, story_at(27.001));
	e.code = ACTION_DEREGISTER;
	e.color = COLOR_BLUE;
	story_add(s, e);
	for (uint8_t i = STORY_BLUE_1; i <= STORY_BLUE_2; i++) {
		on_instance(s, EVENT_SIGNAL, 27.01, i, SIGTERM);
		on_instance(s, EVENT_EXIT, 27.05, i, 0);
	}
	phase(s, PHASE_STEADY, 6, 27.1, 31);
	phase(s, PHASE_AFTER, 7, 31, 42.9);
	directed(s, EVENT_RUN_END, 43, 0, 0);
}

struct story story_make(size_t calls)
{
	struct story s = { 0 };

	cutover(&s);
	for (size_t i = 0; i < calls; i++)
		one_call(&s, i, calls);
	story_sort(&s);
	return s;
}
