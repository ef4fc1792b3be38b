#include "sim/crowd.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/timers.h"
#include "sim/call.h"
#include "sim/leg.h"

enum { SLAB_CALLERS = 256, NAPS_MAX = 50 };
static const int64_t asleep_after_ns = 100 * NS_PER_MS;

struct caller {
	struct timer timer; /* first: a due timer is its caller */
	struct crowd *crowd;
	struct call call;
	struct leg leg;
	bool over;			/* to be released when the step is done */
	bool undialed;			/* the dial could not even be tried */
	uint8_t counted;		/* color it is counted under, 0 none */
	struct caller *next, *previous; /* all, or the free list by next */
};

struct crowd {
	struct crowd_settings settings;
	struct leg_place place;
	char run6[16];
	struct timers timers;
	struct loop_timer *wake;
	struct traffic traffic;
	struct call_plan next; /* the next call to come */
	int64_t zero_ns, deadline_ns;
	int64_t armed_ns; /* for when the loop timer is set */
	unsigned naps;	  /* in a row */
	bool started, stopped;
	struct caller *free, *callers;
	struct caller **slabs;
	size_t slab_count;
	struct crowd_counts counts;
};

static void step(struct caller *, const struct call_input *, int64_t now_ns);
static void arm(struct crowd *);

/* --- callers --- */

static struct caller *caller_take(struct crowd *crowd)
{
	struct caller *c;
	void *wire_state;

	if (!crowd->free) {
		size_t wire_bytes = crowd->settings.wire->state_bytes;
		struct caller *slab = xcalloc(SLAB_CALLERS, sizeof(*slab));

		crowd->slabs = xrealloc(crowd->slabs,
					(crowd->slab_count + 1) * sizeof(*crowd->slabs));
		crowd->slabs[crowd->slab_count++] = slab;
		for (int i = 0; i < SLAB_CALLERS; i++) {
			slab[i].leg.wire_state = wire_bytes ? xcalloc(1, wire_bytes) : NULL;
			slab[i].next = crowd->free;
			crowd->free = &slab[i];
		}
	}
	c = crowd->free;
	crowd->free = c->next;
	wire_state = c->leg.wire_state;
	*c = (struct caller){ .crowd = crowd, .next = crowd->callers };
	c->leg = (struct leg){ .place = &crowd->place, .call = &c->call, .wire_state = wire_state };
	if (c->next)
		c->next->previous = c;
	crowd->callers = c;
	return c;
}

static void caller_release(struct caller *c)
{
	struct crowd *crowd = c->crowd;

	timers_cancel(&crowd->timers, &c->timer);
	leg_release(&c->leg);
	if (c->previous)
		c->previous->next = c->next;
	else
		crowd->callers = c->next;
	if (c->next)
		c->next->previous = c->previous;
	c->next = crowd->free;
	crowd->free = c;
}

/* --- what comes in and goes out --- */

static void on_input(struct leg *leg, const struct call_input *in, int64_t now_ns)
{
	step((struct caller *)((char *)leg - offsetof(struct caller, leg)), in, now_ns);
}

static void carry_out(struct caller *c, struct call_action *a)
{
	struct lane *lane = c->crowd->settings.lane;

	if (a->kind == DO_END) {
		c->over = true;
	} else if (a->kind != DO_RECORD) {
		c->undialed |= leg_act(&c->leg, a) < 0;
	} else {
		if (a->sends)
			a->event.t_ns = clock_now_ns();
		if (a->event.kind == EVENT_TURN_INV)
			call_asked(&c->call, a->event.t_ns);
		if (a->text)
			a->event.conn = lane_note(lane, "%s", a->text);
		lane_event(lane, a->event);
	}
}

/* Keeps the counters in step with what the record just got. */
static void count(struct caller *c, const struct call_actions *actions)
{
	struct crowd_counts *n = &c->crowd->counts;
	enum call_state state = c->call.state;
	uint8_t color = state == CALL_LIVE || state == CALL_LOSING || state == CALL_LEAVING ?
				(uint8_t)c->call.color :
				0;

	for (size_t i = 0; i < actions->count; i++) {
		const struct call_action *a = &actions->list[i];

		if (a->kind != DO_RECORD)
			continue;
		n->turns += a->event.kind == EVENT_REPLY_OK;
		n->resumes += a->event.kind == EVENT_RESUME_OK;
		if (a->event.kind == EVENT_CALL_START) {
			n->started++;
			n->live++;
		} else if (a->event.kind == EVENT_CALL_END) {
			n->ended[a->event.code]++;
			n->live--;
		}
	}
	if (color == c->counted)
		return;
	if (c->counted)
		n->live_by_color[c->counted]--;
	if (color)
		n->live_by_color[color]++;
	c->counted = color;
}

static void step(struct caller *c, const struct call_input *in, int64_t now_ns)
{
	struct crowd *crowd = c->crowd;
	struct call_actions actions;

	actions.count = 0;
	call_step(&c->call, in, now_ns, &actions);
	for (size_t i = 0; i < actions.count; i++)
		carry_out(c, &actions.list[i]);
	count(c, &actions);
	if (c->undialed) {
		struct call_input failed = { .kind = INPUT_END, .failure = DIAL_LOCAL_LIMIT };

		c->undialed = false;
		step(c, &failed, clock_now_ns());
		return;
	}
	if (c->over)
		caller_release(c);
	else if (c->call.wake_ns == INT64_MAX)
		timers_cancel(&crowd->timers, &c->timer);
	else
		timers_arm(&crowd->timers, &c->timer, c->call.wake_ns);
	arm(crowd);
}

/* --- time --- */

static bool is_ours(const struct crowd *crowd, const char *id)
{
	return hash_id(id, strlen(id)) % crowd->settings.workers == crowd->settings.worker;
}

static void begin_call(struct crowd *crowd)
{
	struct call_input in = { .kind = INPUT_START };
	struct caller *c;
	char id[LEG_ID_MAX];

	snprintf(id, sizeof(id), "c-%s-%" PRIu64, crowd->run6, crowd->next.number);
	if (!is_ours(crowd, id))
		return;
	c = caller_take(crowd);
	memcpy(c->leg.id, id, sizeof(id));
	c->call = call_begin(crowd->settings.scenario, &crowd->next, id, crowd->zero_ns);
	lane_call(crowd->settings.lane, c->call.id, id);
	step(c, &in, clock_now_ns());
}

static void wake_caller(struct caller *c)
{
	struct call_input in = { .kind = INPUT_TIMER };

	in.has_cookie = c->call.state == CALL_WAITING && leg_has_cookie(&c->leg);
	step(c, &in, clock_now_ns());
}

/* Sets the loop timer for what is due next. It is only ever moved forwards in time: one that fires
 * early costs less than moving it for each of thousands of calls. */
static void arm(struct crowd *crowd)
{
	int64_t next_ns = timers_next_ns(&crowd->timers), due_ns = INT64_MAX;

	if (crowd->started && !crowd->stopped)
		due_ns = crowd->zero_ns + crowd->next.due_ns;
	else if (crowd->callers)
		due_ns = crowd->deadline_ns;
	if (due_ns < next_ns)
		next_ns = due_ns;
	if (next_ns >= crowd->armed_ns)
		return;
	crowd->armed_ns = next_ns;
	loop_timer_at(crowd->wake, next_ns);
}

/* A loop that was late has not read what came meanwhile, and reads it only after this: nobody is
 * given up before the loop is on time again, and the time asleep is nobody's fault but ours. */
static bool overslept(struct crowd *crowd)
{
	int64_t now_ns = clock_now_ns(), late_ns = now_ns - crowd->armed_ns;

	if (late_ns < asleep_after_ns || crowd->naps == NAPS_MAX) {
		crowd->naps = 0;
		return false;
	}
	crowd->naps++;
	for (struct caller *c = crowd->callers; c; c = c->next) {
		call_forgive(&c->call, late_ns);
		if (c->call.wake_ns != INT64_MAX)
			timers_arm(&crowd->timers, &c->timer, c->call.wake_ns);
	}
	crowd->armed_ns = now_ns + NS_PER_MS;
	loop_timer_at(crowd->wake, crowd->armed_ns);
	return true;
}

static void on_wake(void *user)
{
	struct crowd *crowd = user;
	struct timer *due;

	if (overslept(crowd))
		return;
	/* Nothing is worth arming for while we are at it. */
	crowd->armed_ns = INT64_MIN;
	while (!crowd->stopped && crowd->zero_ns + crowd->next.due_ns <= clock_now_ns()) {
		begin_call(crowd);
		traffic_next(&crowd->traffic, &crowd->next);
	}
	while ((due = timers_pop_due(&crowd->timers, clock_now_ns())) != NULL)
		wake_caller((struct caller *)due);
	if (crowd->stopped && clock_now_ns() >= crowd->deadline_ns)
		crowd_abandon(crowd);
	crowd->armed_ns = INT64_MAX;
	arm(crowd);
}

/* --- the door --- */

/* One source address has about 28,000 ports to a destination, and a call that dials again leaves
 * its old one waiting. On loopback there are addresses without end; they cost a look at all
 * interfaces for each dial, so that few calls get none. */
static void spread_sources(struct leg_place *p, int calls)
{
	enum { CALLS_A_SOURCE = 15000, LOOPBACK = 127, FIRST = 0x7f001001 /* 127.0.16.1 */ };

	if (p->sources || ntohl(p->address.sin_addr.s_addr) >> 24 != LOOPBACK ||
	    calls < CALLS_A_SOURCE)
		return;
	p->first_source = FIRST;
	p->sources = (uint32_t)calls / CALLS_A_SOURCE + 1;
}

int crowd_new(const struct crowd_settings *settings, struct crowd **ret, struct err *err)
{
	struct crowd *crowd = xcalloc(1, sizeof(*crowd));

	crowd->settings = *settings;
	crowd->place = (struct leg_place){ .ws = settings->ws,
					   .wire = settings->wire,
					   .lane = settings->lane,
					   .input = on_input,
					   .first_source = settings->first_source,
					   .sources = settings->sources };
	snprintf(crowd->run6, sizeof(crowd->run6), "%s", settings->run6);
	crowd->armed_ns = INT64_MAX;
	if (leg_place_find(&crowd->place, settings->url, err) < 0) {
		free(crowd);
		return -1;
	}
	spread_sources(&crowd->place, settings->scenario->calls.live);
	crowd->wake = loop_timer_new(settings->loop, on_wake, crowd);
	crowd->traffic = traffic_begin(settings->scenario);
	traffic_next(&crowd->traffic, &crowd->next);
	*ret = crowd;
	return 0;
}

void crowd_start(struct crowd *crowd, int64_t zero_ns)
{
	crowd->zero_ns = zero_ns;
	crowd->started = true;
	arm(crowd);
}

void crowd_stop(struct crowd *crowd, int64_t deadline_ns)
{
	crowd->stopped = true;
	crowd->deadline_ns = deadline_ns;
	arm(crowd);
}

void crowd_abandon(struct crowd *crowd)
{
	struct call_input in = { .kind = INPUT_ABANDON };
	struct caller *next;

	crowd->stopped = true;
	crowd->deadline_ns = INT64_MAX; /* once */
	for (struct caller *c = crowd->callers; c; c = next) {
		next = c->next;
		step(c, &in, clock_now_ns());
	}
}

bool crowd_empty(const struct crowd *crowd)
{
	return crowd->stopped && !crowd->callers;
}

const struct crowd_counts *crowd_counts(const struct crowd *crowd)
{
	return &crowd->counts;
}

void crowd_free(struct crowd *crowd)
{
	if (!crowd)
		return;
	for (struct caller *c = crowd->callers; c; c = c->next)
		jar_free(&c->leg.jar);
	for (size_t i = 0; i < crowd->slab_count; i++) {
		for (int k = 0; k < SLAB_CALLERS; k++)
			free(crowd->slabs[i][k].leg.wire_state);
		free(crowd->slabs[i]);
	}
	free(crowd->slabs);
	timers_free(&crowd->timers);
	loop_timer_free(crowd->wake);
	free(crowd);
}
