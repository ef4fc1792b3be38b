/* A canary step: weights stand, then a gate decides whether to go on. */
#include "base/clock.h"
#include "director/walk.h"

/* Counters come every 250 ms, by way of the supervisor: so many, and what happened before the
 * first is in the last. */
enum { COUNTERS_UNTIL_SURE = 3 };
static const int64_t counters_within_ns = 5 * NS_PER_S;

static bool heard_enough(struct walk *w)
{
	return w->callers_heard >= COUNTERS_UNTIL_SURE;
}

static int ended_of_green(const struct walk *w)
{
	int ended = 0;

	for (size_t i = 0; i < w->instance_count; i++)
		ended += w->instances[i].color == COLOR_GREEN && w->instances[i].ended;
	return ended;
}

static int gate(struct walk *w, const struct control_counters *before, struct err *err)
{
	const struct control_counters *now = &w->callers;
	uint32_t dropped = now->dropped - before->dropped, refused = now->refused - before->refused;

	if (!heard_enough(w))
		return err_set(err, ERR_WORLD,
			       "the callers' counters came %u times in %d s (at least %d)",
			       w->callers_heard, (int)(counters_within_ns / NS_PER_S),
			       COUNTERS_UNTIL_SURE);
	if (dropped || refused)
		return err_set(err, ERR_WORLD,
			       "%u calls dropped (limit 0), %u refused (limit 0) since it began",
			       dropped, refused);
	if (ended_of_green(w))
		return err_set(err, ERR_WORLD, "%d instances of green have ended (limit 0)",
			       ended_of_green(w));
	return step_can_smoke(w, COLOR_GREEN) ? step_smoke(w, COLOR_GREEN, err) : 0;
}

int step_bake(struct walk *w, const struct step *s, struct err *err)
{
	struct control_counters before = w->callers;
	struct event action;

	walk_wait(w, clock_now_ns() + s->for_ns, NULL);
	if (w->interrupted || w->aborted)
		return 0;
	w->callers_heard = 0;
	walk_wait(w, clock_now_ns() + counters_within_ns, heard_enough);
	if (w->interrupted || w->aborted)
		return 0;
	action = step_action(w, ACTION_BAKE, NULL, "no call lost, every green instance answers");
	return step_action_done(w, action, gate(w, &before, err), err);
}
