/* What each step of the cutover does. Order and consequences of failure are director.c's. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "director/walk.h"

static const int64_t look_every_ns = 250 * NS_PER_MS;
static const int64_t count_fresh_ns = 2 * NS_PER_S; /* an older answer is no answer */
static const int64_t exit_within_ns = 5 * NS_PER_S; /* after SIGKILL */

struct event step_action(struct walk *w, enum action action, const struct walk_instance *on,
			 const char *what)
{
	int color = color_parse(what); /* an action on a whole color is noted by its word */
	struct event e = event_make(EVENT_ACTION_INV, clock_now_ns());

	e.code = (uint16_t)action;
	e.color = color > 0 ? (uint8_t)color : COLOR_UNKNOWN;
	if (on) {
		e.instance = lane_instance(w->lane, on->name);
		e.color = on->color;
	}
	e.conn = lane_note(w->lane, "%s", what);
	lane_event(w->lane, e);
	return e;
}

int step_action_done(struct walk *w, struct event e, int result, const struct err *err)
{
	e.due_ns = e.t_ns;
	e.t_ns = clock_now_ns();
	e.kind = result < 0 ? EVENT_ACTION_FAIL : EVENT_ACTION_OK;
	if (result < 0)
		e.conn = lane_note(w->lane, "%s", err->text);
	lane_event(w->lane, e);
	return result;
}

int step_read_back(struct walk *w, uint8_t flags, struct driver_view *ret, struct err *err)
{
	struct event action = step_action(w, ACTION_READ_BACK, NULL, "read the balancer back"), e;
	struct driver_view view;

	if (w->driver->read(w->session, &view, err) < 0)
		return step_action_done(w, action, -1, err);
	step_action_done(w, action, 0, err);
	if (!(flags & 1) && !strcmp(view.text, w->snapshot.text))
		flags |= 2;
	e = event_make(EVENT_CONFIG, clock_now_ns());
	e.ver = (uint32_t)view.weight[COLOR_BLUE];
	e.epoch = (uint32_t)view.weight[COLOR_GREEN];
	e.aux = (uint32_t)view.group_stickiness_s;
	e.turn = view.target_stickiness_s > UINT16_MAX ? UINT16_MAX :
							 (uint16_t)view.target_stickiness_s;
	e.n = (uint16_t)view.deregistration_delay_s;
	e.digest = hash_id(view.text, strlen(view.text));
	e.conn = lane_note(w->lane, "%s", view.text);
	e.flags = flags;
	lane_event(w->lane, e);
	*ret = view;
	return 0;
}

static int set_weights(struct walk *w, int blue, int green, struct err *err)
{
	struct event action, e;
	char what[64];
	int result;

	snprintf(what, sizeof what, "weights blue %d, green %d", blue, green);
	action = step_action(w, ACTION_SET_WEIGHTS, NULL, what);
	w->shifted = true;
	e = event_make(EVENT_WEIGHT_INV, clock_now_ns());
	e.ver = (uint32_t)blue;
	e.epoch = (uint32_t)green;
	lane_event(w->lane, e);
	result = w->driver->set_weights(w->session, blue, green, err);
	if (!result) {
		e.due_ns = e.t_ns;
		e.t_ns = clock_now_ns();
		e.kind = EVENT_WEIGHT_OK;
		lane_event(w->lane, e);
	}
	return step_action_done(w, action, result, err);
}

static int do_shift(struct walk *w, const struct step *s, struct err *err)
{
	struct driver_view view;

	if (set_weights(w, s->blue, s->green, err) < 0 || step_read_back(w, 0, &view, err) < 0)
		return -1;
	if (view.weight[COLOR_BLUE] != s->blue || view.weight[COLOR_GREEN] != s->green)
		return err_set(err, ERR_WORLD,
			       "asked for weights blue %d, green %d; the balancer has %d, %d",
			       s->blue, s->green, view.weight[COLOR_BLUE],
			       view.weight[COLOR_GREEN]);
	return 0;
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

static int do_drain(struct walk *w, const struct step *s, struct err *err)
{
	struct event action = step_action(w, ACTION_DRAIN, NULL, color_name(s->color));
	struct drain_gate gate;
	enum drain_state state = DRAIN_WAITING;
	uint32_t active = 0;
	uint64_t unknown = 0;
	int asked = 0, result = 0;

	w->leaving = s->color;
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
	if (state == DRAIN_OVER)
		believe_drained(w, s->color);
	else if (state == DRAIN_STUCK)
		result = err_set(
			err, ERR_WORLD,
			"drain of %s: %u calls active, %d instances unreachable after %lld s",
			color_name(s->color), active, __builtin_popcountll(unknown),
			(long long)(s->deadline_ns / NS_PER_S));
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

int step_rollback(struct walk *w, struct err *err)
{
	struct event action = step_action(w, ACTION_ROLLBACK, NULL, "weights as in the snapshot"),
		     dial;
	struct driver_view view;

	if (set_weights(w, w->snapshot.weight[COLOR_BLUE], w->snapshot.weight[COLOR_GREEN], err) <
		    0 ||
	    step_read_back(w, 0, &view, err) < 0)
		return step_action_done(w, action, -1, err);
	if (strcmp(view.text, w->snapshot.text)) {
		err_set(err, ERR_WORLD,
			"after the rollback the balancer has %s; the snapshot was %s", view.text,
			w->snapshot.text);
		return step_action_done(w, action, -1, err);
	}
	w->shifted = false;
	step_action_done(w, action, 0, err);
	dial = step_action(w, ACTION_FRESH_DIAL, NULL, "a fresh dial is served by blue");
	return step_action_done(w, dial, step_probe(w, NULL, NULL, COLOR_BLUE, err), err);
}

int step_do(struct walk *w, const struct step *s, struct err *err)
{
	switch (s->phase) {
	case PHASE_STEADY:
		walk_wait(w, clock_now_ns() + s->for_ns, NULL);
		return 0;
	case PHASE_SMOKE:
		return step_smoke(w, s, err);
	case PHASE_SHIFT:
		return do_shift(w, s, err);
	case PHASE_DRAIN:
		return do_drain(w, s, err);
	case PHASE_BUFFER:
		return do_buffer(w, s);
	case PHASE_TEARDOWN:
		return do_teardown(w, s, err);
	case PHASE_ROLLBACK:
		return step_rollback(w, err);
	case PHASE_BAKE:
	case PHASE_SCRIPT:
	case PHASE_BEFORE:
	case PHASE_AFTER:
	case PHASE_COUNT:
		break;
	}
	return err_set(err, ERR_HARNESS, "step %s cannot be walked", phase_name(s->phase));
}
