/*
 * I14, effective is intended: each time the balancer is read back it has the weights that were
 * asked for last and answered with yes, and the timers the scenario declares. A reading while a
 * change is under way is no evidence; after a change that failed what is read is the new intention.
 */
#include <stdlib.h>

#include "check/core/witness.h"

struct state {
	uint32_t blue, green; /* intended */
	bool known, pending, timers_told;
	uint64_t reads;
};

static struct witness drift(const struct world *w, const struct event *e)
{
	struct witness wit = witness_of_moment(w, e->t_ns);

	wit.anomaly = ANOMALY_CONFIG_DRIFT;
	wit.cause = ANOMALY_UNKNOWN;
	return wit;
}

static void compare_weights(struct state *s, const struct world *w, const struct event *e,
			    struct finding *f)
{
	bool same = e->ver == s->blue && e->epoch == s->green;
	struct witness wit;

	if (s->known && !same) {
		wit = drift(w, e);
		witness_say(
			&wit,
			"the weights are blue %u, green %u; intended, and confirmed, were %u, %u",
			e->ver, e->epoch, s->blue, s->green);
		verdict_violation(f, &wit);
	}
	s->blue = e->ver;
	s->green = e->epoch;
	s->known = true;
}

static bool off(uint32_t effective_s, int64_t declared_ns)
{
	return llabs((int64_t)effective_s * NS_PER_S - declared_ns) >= NS_PER_S;
}

/* Told once: timers do not come and go with weights. */
static void compare_timers(struct state *s, const struct world *w, const struct event *e,
			   struct finding *f)
{
	const struct timers_declared *t = &w->scenario->timers;
	int64_t target_ns = t->stickiness_target_ns < UINT16_MAX * NS_PER_S ?
				    t->stickiness_target_ns :
				    UINT16_MAX * NS_PER_S;
	struct witness wit;

	if (s->timers_told || (!off(e->aux, t->stickiness_group_ns) && !off(e->turn, target_ns) &&
			       !off(e->n, t->deregistration_delay_ns)))
		return;
	s->timers_told = true;
	wit = drift(w, e);
	witness_say(
		&wit,
		"the balancer has stickiness %u s (group), %u s (target), deregistration delay %u s; declared are %.0f, %.0f, %.0f s",
		e->aux, e->turn, e->n, (double)t->stickiness_group_ns / NS_PER_S,
		(double)t->stickiness_target_ns / NS_PER_S,
		(double)t->deregistration_delay_ns / NS_PER_S);
	verdict_violation(f, &wit);
}

static void event(void *state, struct world_call *c, void *mine, const struct world *w,
		  const struct event *e, struct finding *f)
{
	struct state *s = state;

	(void)c;
	(void)mine;
	switch (e->kind) {
	case EVENT_WEIGHT_INV:
		s->pending = true;
		break;
	case EVENT_WEIGHT_OK:
		s->pending = false;
		s->blue = e->ver;
		s->green = e->epoch;
		s->known = true;
		break;
	case EVENT_ACTION_FAIL:
		if (e->code != ACTION_SET_WEIGHTS)
			break;
		s->known = s->pending = false; /* nobody knows what took effect */
		break;
	default:
		if (s->pending || w->run_end_ns)
			break;
		s->reads++;
		compare_weights(s, w, e, f);
		compare_timers(s, w, e, f);
		break;
	}
}

static void finish(void *state, const struct world *w, struct finding *f)
{
	struct state *s = state;

	(void)w;
	verdict_saw(f, s->reads > f->violations ? s->reads : f->violations, 1);
	finding_say(f, "%llu readings of the balancer, %llu not as intended (limit 0)",
		    (unsigned long long)s->reads, (unsigned long long)f->violations);
}

const struct check check_config = {
	.name = "config",
	.about = "the balancer's effective weights and timers are the intended ones",
	.kinds = KIND(CONFIG) | KIND(WEIGHT_INV) | KIND(WEIGHT_OK) | KIND(ACTION_FAIL),
	.state_bytes = sizeof(struct state),
	.event = event,
	.finish = finish,
};
