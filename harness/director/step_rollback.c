/* The way back: everything as the snapshot has it, and the proof that it serves. */
#include <string.h>

#include "base/clock.h"
#include "director/walk.h"

static const int64_t look_every_ns = 100 * NS_PER_MS;

static int64_t min_ns(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int step_blue_is_there(const struct walk *w, struct err *err)
{
	int known = 0, left = 0;

	for (size_t i = 0; i < w->instance_count; i++)
		if (w->instances[i].color == COLOR_BLUE) {
			known++;
			left += !w->instances[i].ended && !w->instances[i].told_to_end;
		}
	if (known && !left)
		return err_set(err, ERR_WORLD,
			       "blue is gone: all %d instances of it have ended, or were told to",
			       known);
	return 0;
}

/* Registered by others' doing or ours: is anything of blue's in the balancer at all? */
static int has_targets(const struct walk *w, const struct driver_view *view, struct err *err)
{
	if (view->registered[COLOR_BLUE] || w->deregistered[COLOR_BLUE])
		return 0;
	return err_set(err, ERR_WORLD,
		       "blue is gone: none of its targets is registered (%d were in the snapshot)",
		       w->snapshot.registered[COLOR_BLUE]);
}

/* What we took out goes back, and is waited for: traffic for targets that are not healthy yet
 * would be refused. */
static int reregister(struct walk *w, int64_t until_ns, struct err *err)
{
	struct event action = step_action(w, ACTION_REREGISTER, NULL, color_name(COLOR_BLUE));
	struct driver_view view = { .idle_timeout_s = 0 };
	int alive = 0, result = w->driver->reregister(w->session, COLOR_BLUE, err);

	for (size_t i = 0; i < w->instance_count; i++)
		alive += w->instances[i].color == COLOR_BLUE && !w->instances[i].ended;
	if (!alive)
		alive = w->snapshot.healthy[COLOR_BLUE];
	if (!result)
		w->deregistered[COLOR_BLUE] = false;
	while (!result && view.healthy[COLOR_BLUE] < alive) {
		result = w->driver->read(w->session, &view, err);
		if (result || view.healthy[COLOR_BLUE] >= alive)
			break;
		if (w->aborted || clock_now_ns() >= until_ns)
			result = err_set(err, ERR_WORLD,
					 "%d of %d blue targets are healthy again in time",
					 view.healthy[COLOR_BLUE], alive);
		else
			walk_through(w, min_ns(until_ns, clock_now_ns() + step_look_every_ns(w)),
				     NULL);
	}
	return step_action_done(w, action, result, err);
}

static int restore(struct walk *w, int64_t until_ns, struct err *err)
{
	struct driver_view view;

	walk_through(w, clock_now_ns() + look_every_ns, NULL); /* who ended a moment ago? */
	if (step_blue_is_there(w, err) < 0 || w->driver->read(w->session, &view, err) < 0 ||
	    has_targets(w, &view, err) < 0)
		return -1;
	/* Taking them out may have failed, and half of them may be out. */
	if (w->deregistered[COLOR_BLUE] &&
	    view.registered[COLOR_BLUE] < w->snapshot.registered[COLOR_BLUE] &&
	    reregister(w, until_ns, err) < 0)
		return -1;
	if (step_set_weights(w, w->snapshot.weight[COLOR_BLUE], w->snapshot.weight[COLOR_GREEN],
			     until_ns, err) < 0 ||
	    step_read_back(w, 0, &view, err) < 0)
		return -1;
	if (strcmp(view.text, w->snapshot.text))
		return err_set(err, ERR_WORLD,
			       "after the rollback the balancer has %s; the snapshot was %s",
			       view.text, w->snapshot.text);
	w->shifted = false;
	return 0;
}

static int prove(struct walk *w, int64_t within_ns, int64_t until_ns, struct err *err)
{
	enum { IN_A_ROW = 3 };
	struct event action = step_action(w, ACTION_FRESH_DIAL, NULL,
					  "fresh dials are served by blue");
	const struct probe_wish call = { .hello_only = false };
	unsigned colors = 1U << COLOR_BLUE;
	int64_t after_ns;
	int result;

	if (w->snapshot.weight[COLOR_GREEN])
		colors |= 1U << COLOR_GREEN; /* it was so before */
	result = step_dials(w, &call, colors, IN_A_ROW, until_ns, &after_ns, err);
	if (result < 0)
		err_context(err, "%d fresh dials in a row were not blue's within %.1f s", IN_A_ROW,
			    (double)within_ns / NS_PER_S);
	return step_action_done(w, action, result, err);
}

int step_rollback(struct walk *w, int64_t within_ns, struct err *err)
{
	int64_t until_ns = clock_now_ns() + within_ns;
	struct event action = step_action(w, ACTION_ROLLBACK, NULL, "as in the snapshot");

	w->drained = w->back_to_drain = false;
	if (step_action_done(w, action, restore(w, until_ns, err), err) < 0)
		return -1;
	return prove(w, within_ns, until_ns, err);
}
