/* What each step of the cutover does. Order and consequences of failure are director.c's. */
#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "director/walk.h"

static const int64_t look_every_ns = 250 * NS_PER_MS;
static const int64_t look_deployed_every_ns = 5 * NS_PER_S;
static const int64_t count_fresh_ns = 2 * NS_PER_S; /* an older answer is no answer */
static const int64_t exit_within_ns = 5 * NS_PER_S; /* after SIGKILL */

int64_t step_look_every_ns(const struct walk *w)
{
	return w->scenario->stack.kind == STACK_LOCAL ? look_every_ns : look_deployed_every_ns;
}

int step_set_weights(struct walk *w, int blue, int green, int64_t until_ns, struct err *err)
{
	struct event action;
	char what[64];
	int result;

	snprintf(what, sizeof what, "weights blue %d, green %d", blue, green);
	action = step_action(w, ACTION_SET_WEIGHTS, NULL, what);
	step_weight_event(w, EVENT_WEIGHT_INV, clock_now_ns(), blue, green);
	while ((result = w->driver->set_weights(w->session, blue, green, err)) < 0 && !w->aborted &&
	       clock_now_ns() + look_every_ns < until_ns)
		walk_through(w, clock_now_ns() + look_every_ns, NULL);
	if (!result)
		step_weight_event(w, EVENT_WEIGHT_OK, clock_now_ns(), blue, green);
	return step_action_done(w, action, result, err);
}

/* How long new weights take until they hold for every fresh dial: noted, at most the declared
 * time. Whether that was in time is for the callers' dials to show. */
static void watch_propagation(struct walk *w, int blue, int green)
{
	enum { IN_A_ROW = 5 };
	const struct probe_wish hello = { .hello_only = true };
	int64_t asked_ns = w->weights_ns, limit_ns = w->scenario->timers.propagation_ns, after_ns;
	struct event action;

	if (blue && green)
		return; /* either color may answer */
	action = step_action(w, ACTION_PROPAGATION, NULL, "fresh dials follow the weights");
	if (!step_dials(w, &hello, 1U << (green ? COLOR_GREEN : COLOR_BLUE), IN_A_ROW,
			asked_ns + limit_ns, &after_ns, NULL))
		action.conn = lane_note(w->lane, "fresh dials follow the weights after %.1f ms",
					(double)(after_ns - asked_ns) / NS_PER_MS);
	else
		action.conn = lane_note(w->lane,
					"fresh dials did not follow the weights within %lld ms",
					(long long)(limit_ns / NS_PER_MS));
	step_action_done(w, action, 0, NULL);
}

static int do_shift(struct walk *w, const struct step *s, struct err *err)
{
	struct driver_view view;

	if (step_set_weights(w, s->blue, s->green, 0, err) < 0 ||
	    step_read_back(w, 0, &view, err) < 0)
		return -1;
	if (view.weight[COLOR_BLUE] != s->blue || view.weight[COLOR_GREEN] != s->green)
		return err_set(err, ERR_WORLD,
			       "asked for weights blue %d, green %d; the balancer has %d, %d",
			       s->blue, s->green, view.weight[COLOR_BLUE],
			       view.weight[COLOR_GREEN]);
	watch_propagation(w, s->blue, s->green);
	return 0;
}

/* Nothing is destroyed until the weights have stood for a while. False: interrupted meanwhile. */
static bool settle(struct walk *w)
{
	int64_t settle_ns = timeline_settle_ns(w->scenario);
	struct event action;

	if (w->weights_ns && clock_now_ns() < w->weights_ns + settle_ns) {
		action = step_action(w, ACTION_SETTLE, NULL, "weights stand before anything goes");
		walk_wait(w, w->weights_ns + settle_ns, NULL);
		step_action_done(w, action, 0, NULL);
	}
	return !w->interrupted && !w->aborted;
}

static int deregister(struct walk *w, enum color color, struct err *err)
{
	struct event action;
	int result;

	if (w->deregistered[color])
		return 0;
	action = step_action(w, ACTION_DEREGISTER, NULL, color_name(color));
	w->deregistered[color] = true;
	result = w->driver->deregister(w->session, color, err);
	return step_action_done(w, action, result, err);
}

static int terminate(struct walk *w, enum color color, int signo, struct err *err)
{
	for (size_t i = 0; i < w->instance_count; i++) {
		struct walk_instance *on = &w->instances[i];
		struct event action;
		int result;

		if (on->color != color || on->ended || (signo == SIGTERM && on->told_to_end))
			continue;
		action = step_action(w, signo == SIGTERM ? ACTION_SIGTERM : ACTION_SIGKILL, on,
				     on->name);
		on->told_to_end = true;
		result = walk_signal(w, on, signo, err);
		if (step_action_done(w, action, result, err) < 0)
			return -1;
	}
	return 0;
}

/* Sum over all instances of the color; false when one did not answer lately. */
static bool count_active(struct walk *w, enum color color, int64_t now_ns, uint32_t *ret_active,
			 uint64_t *ret_unknown, int *ret_asked)
{
	*ret_active = 0;
	*ret_unknown = 0;
	*ret_asked = 0;
	for (size_t i = 0; i < w->instance_count; i++) {
		const struct walk_instance *on = &w->instances[i];

		if (on->color != color)
			continue;
		if (!on->ended && (on->unreachable || now_ns - on->counted_ns > count_fresh_ns))
			*ret_unknown |= 1ULL << *ret_asked;
		else if (!on->ended)
			*ret_active += on->active;
		++*ret_asked;
	}
	/* A deployed system whose instances we do not know: all there is to go by are our own
	 * callers. */
	if (!*ret_asked)
		*ret_active = color == COLOR_BLUE ? w->callers.live_blue : w->callers.live_green;
	return !*ret_unknown;
}

static void believe_drained(struct walk *w, enum color color)
{
	struct event e = event_make(EVENT_BELIEF, clock_now_ns());
	uint32_t active;
	int asked;

	count_active(w, color, e.t_ns, &active, &e.digest, &asked);
	e.color = color;
	e.n = (uint16_t)active;
	e.aux = (uint32_t)asked;
	lane_event(w->lane, e);
}

/* What the balancer's own metrics say beside it: recorded, never waited for. */
static void hear_witness(struct walk *w)
{
	struct event e = event_make(EVENT_WITNESS, -1);
	int64_t count = -1;

	if (!w->driver->connections)
		return;
	if (w->driver->connections(w->session, &count, NULL) < 0)
		count = -1;
	e.t_ns = clock_now_ns();
	e.aux = count < 0 ? 0 : count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
	e.flags = count < 0;
	lane_event(w->lane, e);
}

static int do_drain(struct walk *w, const struct step *s, struct err *err)
{
	struct event action;
	struct drain_gate gate;
	enum drain_state state = DRAIN_WAITING;
	uint32_t active = 0;
	uint64_t unknown = 0;
	int asked = 0, result = 0;

	w->leaving = s->color;
	if (s->begin != BEGIN_NONE && !settle(w))
		return 0;
	action = step_action(w, ACTION_DRAIN, NULL, color_name(s->color));
	if (s->begin == BEGIN_SIGTERM)
		result = terminate(w, s->color, SIGTERM, err);
	else if (s->begin == BEGIN_DEREGISTER)
		result = deregister(w, s->color, err);
	if (result < 0)
		return step_action_done(w, action, -1, err);
	gate = drain_gate_open(clock_now_ns(), s->quiet_ns, s->deadline_ns);
	if (w->back_to_drain)
		gate.deadline_ns = w->drain_deadline_ns;
	w->drain_deadline_ns = gate.deadline_ns;
	w->back_to_drain = false;
	while (state == DRAIN_WAITING && !w->interrupted && !w->aborted) {
		int64_t now_ns;
		bool known;

		walk_wait(w, clock_now_ns() + look_every_ns, NULL);
		now_ns = clock_now_ns();
		known = count_active(w, s->color, now_ns, &active, &unknown, &asked);
		state = drain_gate_look(&gate, now_ns, known, active);
	}
	if (state == DRAIN_OVER) {
		believe_drained(w, s->color);
		hear_witness(w);
	} else if (state == DRAIN_STUCK) {
		result = err_set(
			err, ERR_WORLD,
			"drain of %s: %u calls active, %d instances unreachable after %lld s",
			color_name(s->color), active, __builtin_popcountll(unknown),
			(long long)(s->deadline_ns / NS_PER_S));
	}
	return step_action_done(w, action, result, err);
}

/* The straggler buffer: a call that turns up sends the walk back to drain. */
static int do_buffer(struct walk *w, const struct step *s)
{
	int64_t until_ns = clock_now_ns() + s->for_ns;
	uint32_t active = 0;

	while (clock_now_ns() < until_ns && !w->interrupted && !w->aborted && !w->back_to_drain) {
		int64_t now_ns = clock_now_ns(), next_ns = now_ns + look_every_ns;
		uint64_t unknown;
		int asked;

		walk_wait(w, next_ns < until_ns ? next_ns : until_ns, NULL);
		count_active(w, w->leaving, clock_now_ns(), &active, &unknown, &asked);
		w->back_to_drain = w->drained && active > 0;
	}
	return 0;
}

static bool leaving_is_gone(struct walk *w)
{
	for (size_t i = 0; i < w->instance_count; i++)
		if (w->instances[i].color == w->leaving && !w->instances[i].ended)
			return false;
	return true;
}

static int do_teardown(struct walk *w, const struct step *s, struct err *err)
{
	w->leaving = s->color;
	if (!settle(w))
		return 0;
	if (deregister(w, s->color, err) < 0 || terminate(w, s->color, SIGTERM, err) < 0)
		return -1;
	walk_through(w, clock_now_ns() + s->grace_ns, leaving_is_gone);
	if (!leaving_is_gone(w)) {
		if (terminate(w, s->color, SIGKILL, err) < 0)
			return -1;
		walk_through(w, clock_now_ns() + exit_within_ns, leaving_is_gone);
	}
	if (leaving_is_gone(w))
		return 0;
	return err_set(err, ERR_WORLD, "%s still runs %lld s after SIGKILL", color_name(s->color),
		       (long long)(exit_within_ns / NS_PER_S));
}

int step_do(struct walk *w, const struct step *s, struct err *err)
{
	switch (s->phase) {
	case PHASE_STEADY:
		walk_wait(w, clock_now_ns() + s->for_ns, NULL);
		return 0;
	case PHASE_SMOKE:
		return step_smoke(w, s->color, err);
	case PHASE_SHIFT:
		return do_shift(w, s, err);
	case PHASE_DRAIN:
		return do_drain(w, s, err);
	case PHASE_BUFFER:
		return do_buffer(w, s);
	case PHASE_TEARDOWN:
		return do_teardown(w, s, err);
	case PHASE_ROLLBACK:
		return step_rollback(w, s->deadline_ns, err);
	case PHASE_BAKE:
		return step_bake(w, s, err);
	case PHASE_SCRIPT:
		return step_script(w, s, err);
	case PHASE_BEFORE:
	case PHASE_AFTER:
	case PHASE_COUNT:
		break;
	}
	return err_set(err, ERR_HARNESS, "step %s cannot be walked", phase_name(s->phase));
}
