/*
 * Ourselves: were all lanes written to their end, did callers act when the plan said, did our own
 * limits stay out of it? None of it says anything about the target, so nothing here ever fails: a
 * doubt makes the run inconclusive.
 */
#include "check/core/witness.h"

struct state {
	uint64_t limits, local_dials, events_lost;
};

static void event(void *state, struct world_call *c, void *mine, const struct world *w,
		  const struct event *e, struct finding *f)
{
	struct state *s = state;

	(void)c;
	(void)mine;
	(void)w;
	if (e->kind == EVENT_LANE_END)
		s->events_lost += e->aux;
	else if (e->kind == EVENT_DIAL_FAIL)
		s->local_dials += e->n == DIAL_LOCAL_LIMIT;
	else if (!s->limits++)
		verdict_doubt(f, REASON_LOCAL_LIMIT, "a bound of ours was hit: %s (limit %u)",
			      world_note(w, e), e->aux);
}

static size_t count_lanes(const struct world *w, struct finding *f)
{
	const struct lane_status *lanes = NULL;
	size_t count = w->names ? history_lanes(w->names, &lanes) : 0;

	for (size_t i = 0; i < count; i++) {
		if (!lanes[i].whole)
			verdict_doubt(f, REASON_SOURCE_LOST, "%s: %s", lanes[i].file,
				      lanes[i].damage);
	}
	return count;
}

static void finish(void *state, const struct world *w, struct finding *f)
{
	struct state *s = state;
	const struct histogram *lag = &w->metrics.lag;
	int64_t p99_ns = histogram_quantile_ns(lag, 0.99);
	size_t lanes = count_lanes(w, f);

	verdict_saw(f, lag->count, 1);
	if (s->events_lost)
		verdict_doubt(f, REASON_SOURCE_LOST, "%llu events found no room in their lane",
			      (unsigned long long)s->events_lost);
	if (s->local_dials)
		verdict_doubt(f, REASON_LOCAL_LIMIT,
			      "%llu dials failed for lack of our own descriptors or ports",
			      (unsigned long long)s->local_dials);
	if (p99_ns > LAG_MAX_NS)
		verdict_doubt(f, REASON_LATE_GENERATOR,
			      "callers acted late: p99 %.1f ms (limit %.0f ms)",
			      (double)p99_ns / NS_PER_MS, (double)LAG_MAX_NS / NS_PER_MS);
	if (w->run_end_flags & 1)
		verdict_doubt(f, REASON_INTERRUPTED, "the run was interrupted");
	finding_say(f,
		    "%llu turns and dials sent, p99 %.1f ms late (limit %.0f ms), %zu lanes read",
		    (unsigned long long)lag->count, (double)p99_ns / NS_PER_MS,
		    (double)LAG_MAX_NS / NS_PER_MS, lanes);
}

const struct check check_honest_harness = {
	.name = "honest_harness",
	.about = "the record is whole and the callers kept to their plan",
	.kinds = KIND(LIMIT) | KIND(DIAL_FAIL) | KIND(LANE_END),
	.state_bytes = sizeof(struct state),
	.event = event,
	.finish = finish,
};
