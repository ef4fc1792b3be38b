/*
 * I3, new calls go to green: every fresh dial (no affinity cookie) that begins later than the
 * shift's answer plus the declared propagation ends on green. Either color is fine while the shift
 * is under way. The observed propagation, the last fresh dial on blue, is always told. No 5xx for
 * fresh dials meanwhile.
 */
#include "check/core/witness.h"

struct state {
	uint64_t fresh, green;
};

static bool is_fresh(const struct world_call *c)
{
	return !(c->dial_flags & DIAL_HAS_COOKIE);
}

static void placed(struct state *s, const struct world_call *c, const struct world *w,
		   const struct event *e, struct finding *f)
{
	int64_t after_ns = world_green_only_after_ns(w, c->dial_ns);
	struct witness wit;

	if (!is_fresh(c) || !after_ns || c->dial_ns <= after_ns)
		return;
	s->fresh++;
	if (c->color == COLOR_GREEN) {
		s->green++;
		return;
	}
	wit = witness_of_call(w, c, e->t_ns);
	wit.anomaly = ANOMALY_NOT_SHIFTED;
	wit.cause = ANOMALY_UNKNOWN;
	witness_say(
		&wit,
		"fresh dial %.3f s after blue was set to weight 0 (propagation limit %.3f s) was given to %s",
		(double)(c->dial_ns - w->shift.ok_ns) / NS_PER_S,
		(double)w->scenario->timers.propagation_ns / NS_PER_S,
		world_instance_name(w, c->instance));
	verdict_violation(f, &wit);
}

/* M5: weights changed one after the other leave a moment in which nobody is chosen. */
static void failed(const struct world_call *c, const struct world *w, const struct event *e,
		   struct finding *f)
{
	struct witness wit;

	if (!is_fresh(c) || e->n != DIAL_HTTP_STATUS || e->code < 500 || !w->shift.inv_ns ||
	    w->shift.until_ns)
		return;
	if (!world_serving(w, COLOR_BLUE)) /* then it is not the weights that leave nobody */
		return;
	if (c->dial_ns < w->shift.inv_ns ||
	    (w->shift.ok_ns && c->dial_ns > w->shift.ok_ns + w->scenario->timers.propagation_ns))
		return;
	wit = witness_of_call(w, c, e->t_ns);
	wit.anomaly = ANOMALY_BLACK_WINDOW;
	wit.cause = ANOMALY_UNKNOWN;
	witness_say(&wit, "fresh dial answered %u while the weights were being moved", e->code);
	verdict_violation(f, &wit);
}

static void event(void *state, struct world_call *c, void *mine, const struct world *w,
		  const struct event *e, struct finding *f)
{
	(void)mine;
	if (!c)
		return;
	if (e->kind == EVENT_DIAL_FAIL)
		failed(c, w, e, f);
	else if (world_placed(w, c))
		placed(state, c, w, e, f);
}

static void finish(void *state, const struct world *w, struct finding *f)
{
	struct state *s = state;
	int64_t after_ns = w->shift.ok_ns + w->scenario->timers.propagation_ns;
	double propagation_ms = w->fresh_blue_ns > w->shift.ok_ns
					? (double)(w->fresh_blue_ns - w->shift.ok_ns) / NS_PER_MS
					: 0;

	verdict_saw(f, s->fresh, 1);
	if (w->legs_without_color)
		verdict_doubt(f, REASON_NO_COLOR, "%llu legs did not say their color",
			      (unsigned long long)w->legs_without_color);
	if (!w->shift.ok_ns) {
		verdict_doubt(f, REASON_NO_PHASE, "the weights were never shifted to green");
		finding_say(f, "the weights were never shifted to green");
		return;
	}
	finding_say(
		f,
		"%llu fresh dials after %+.2f s, %llu green (propagation %.0f ms, limit %.0f ms)",
		(unsigned long long)s->fresh, world_s(w, after_ns), (unsigned long long)s->green,
		propagation_ms, (double)w->scenario->timers.propagation_ns / NS_PER_MS);
}

const struct check check_new_calls_to_green = {
	.name = "new_calls_to_green",
	.about = "once the shift has propagated, every fresh dial goes to green",
	.kinds = KIND(DIAL_OK) | KIND(DIAL_FAIL) | KIND(START_OK) | KIND(RESUME_OK),
	.state_bytes = sizeof(struct state),
	.event = event,
	.finish = finish,
};
