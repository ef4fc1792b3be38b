/*
 * Ourselves: were all lanes written to their end and read in order, did callers do what the plan
 * said when it said, does everybody mean the same by an instance, did our own limits stay out of
 * it? None of it says anything about the target, so nothing here ever fails: a doubt makes the run
 * inconclusive.
 */
#include <stdio.h>

#include "check/core/witness.h"

struct state {
	uint64_t limits, local_dials, events_lost, off_plan;
	uint64_t writers[ROLE_COUNT]; /* bit set of the processes with a lane of their own */
};

/* "worker-3" writes worker-3.lane, "tap" writes tap-0.lane, "redis" writes none. */
static void note_writer(struct state *s, const char *name)
{
	char word[32] = "";
	unsigned index = 0;
	int role = sscanf(name, "%31[a-z]-%u", word, &index) > 0 ? lane_role_parse(word) : -1;

	if (role > 0 && index < 64)
		s->writers[role] |= 1ULL << index;
}

static void event(void *state, struct world_call *c, void *mine, const struct world *w,
		  const struct event *e, struct finding *f)
{
	struct state *s = state;

	(void)mine;
	if (e->kind == EVENT_LANE_END)
		s->events_lost += e->aux;
	else if (e->kind ==
		 EVENT_HANGUP_INV) /* all planned turns are said before it, late or not */
		s->off_plan += c && e->turn != c->planned_turns;
	else if (e->kind == EVENT_DIAL_FAIL)
		s->local_dials += e->n == DIAL_LOCAL_LIMIT;
	else if (e->kind == EVENT_SPAWN)
		note_writer(s, world_note(w, e->conn));
	else if (!s->limits++)
		verdict_doubt(f, REASON_LOCAL_LIMIT, "a bound of ours was hit: %s (limit %u)",
			      world_note(w, e->conn), e->aux);
}

/* Lanes that were written and are not here. */
static void look_for_lanes(struct state *s, const struct lane_status *lanes, size_t count,
			   struct finding *f)
{
	for (size_t i = 0; i < count; i++) {
		if (lanes[i].index < 64)
			s->writers[lanes[i].role] &= ~(1ULL << lanes[i].index);
	}
	for (unsigned role = 1; role < ROLE_COUNT; role++) {
		if (s->writers[role])
			verdict_doubt(f, REASON_SOURCE_LOST, "%s-%d.lane is missing",
				      lane_role_name(role), __builtin_ctzll(s->writers[role]));
	}
}

static size_t count_lanes(struct state *s, const struct world *w, struct finding *f)
{
	const struct lane_status *lanes = NULL;
	size_t count = w->names ? history_lanes(w->names, &lanes) : 0;

	/* The supervisor says who else writes, and nobody says it of the supervisor. */
	if (w->names && history_header(w->names))
		s->writers[ROLE_SUPERVISOR] |= 1;
	if (count)
		look_for_lanes(s, lanes, count, f);
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
	size_t lanes = count_lanes(s, w, f);

	verdict_saw(f, lag->count, 1);
	if (s->events_lost)
		verdict_doubt(f, REASON_SOURCE_LOST, "%llu events found no room in their lane",
			      (unsigned long long)s->events_lost);
	if (w->late_events)
		verdict_doubt(
			f, REASON_SOURCE_LOST,
			"%llu events stand behind later ones, by up to %.3f ms: what came first is not certain",
			(unsigned long long)w->late_events, (double)w->latest_by_ns / NS_PER_MS);
	if (w->two_colors)
		verdict_doubt(f, REASON_NO_COLOR,
			      "%llu times %s was said to be of another color than before",
			      (unsigned long long)w->two_colors,
			      world_instance_name(w, w->two_colored));
	if (s->local_dials)
		verdict_doubt(f, REASON_LOCAL_LIMIT,
			      "%llu dials failed for lack of our own descriptors or ports",
			      (unsigned long long)s->local_dials);
	if (p99_ns > LAG_MAX_NS)
		verdict_doubt(f, REASON_LATE_GENERATOR,
			      "callers acted late: p99 %.1f ms (limit %.0f ms)",
			      (double)p99_ns / NS_PER_MS, (double)LAG_MAX_NS / NS_PER_MS);
	if (s->off_plan)
		verdict_doubt(
			f, REASON_LATE_GENERATOR,
			"%llu calls hung up after other turns than planned: paced by the answers, not by the plan",
			(unsigned long long)s->off_plan);
	if (w->run_end_flags & RUN_INTERRUPTED && !w->failure)
		verdict_doubt(f, REASON_INTERRUPTED, "the plan was not carried out to its end");
	finding_say(f,
		    "%llu turns and dials sent, p99 %.1f ms late (limit %.0f ms), %zu lanes read",
		    (unsigned long long)lag->count, (double)p99_ns / NS_PER_MS,
		    (double)LAG_MAX_NS / NS_PER_MS, lanes);
}

const struct check check_honest_harness = {
	.name = "honest_harness",
	.about = "the record is whole and the callers kept to their plan",
	.kinds = KIND(LIMIT) | KIND(DIAL_FAIL) | KIND(LANE_END) | KIND(SPAWN) | KIND(HANGUP_INV),
	.state_bytes = sizeof(struct state),
	.event = event,
	.finish = finish,
};
