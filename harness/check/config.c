/*
 * I14, effective is intended: each time the balancer is read back it has the weights that were
 * asked for last and answered with yes, and the timers the scenario declares. A reading while a
 * change is under way is no evidence, nor is one that shows the change asked for next; after a
 * change that failed what is read is the new intention. A script that ends well has what it asked
 * for, whether it looked or not.
 */
#include <stdlib.h>

#include "check/core/witness.h"

struct weights {
	bool known;
	uint32_t blue, green;
	int64_t t_ns;
};

struct state {
	struct weights intended;
	struct weights asked; /* and not answered yet */
	struct weights other; /* read instead of the intended; convicts unless asked for next */
	bool timers_told;
	uint64_t reads;
};

static struct weights weights_of(const struct event *e)
{
	return (struct weights){
		.known = true, .blue = e->ver, .green = e->epoch, .t_ns = e->t_ns
	};
}

static bool same(const struct weights *a, const struct weights *b)
{
	return a->known && b->known && a->blue == b->blue && a->green == b->green;
}

static struct witness drift(const struct world *w, int64_t t_ns)
{
	struct witness wit = witness_of_moment(w, t_ns);

	wit.anomaly = ANOMALY_CONFIG_DRIFT;
	wit.cause = ANOMALY_UNKNOWN;
	return wit;
}

/* What was read instead stands: it was nobody's next step. */
static void convict_other(struct state *s, const struct world *w, struct finding *f)
{
	struct witness wit = drift(w, s->other.t_ns);

	if (!s->other.known)
		return;
	witness_say(&wit, "the weights are blue %u, green %u; intended, and confirmed, were %u, %u",
		    s->other.blue, s->other.green, s->intended.blue, s->intended.green);
	verdict_violation(f, &wit);
	s->intended = s->other; /* once is enough */
	s->other.known = false;
}

static void asked(struct state *s, const struct world *w, const struct event *e, struct finding *f)
{
	s->asked = weights_of(e);
	if (same(&s->asked, &s->other))
		s->other.known = false;
	convict_other(s, w, f);
}

static void answered(struct state *s, const struct event *e)
{
	s->intended = weights_of(e);
	if (same(&s->intended, &s->asked))
		s->asked.known = false;
}

/* A change of ours that failed: nobody knows what took effect. A script that failed knows that it
 * did not get what it wanted. */
static void failed(struct state *s, const struct event *e)
{
	if (e->code == ACTION_SET_WEIGHTS)
		s->intended.known = s->asked.known = false;
	if (e->code == ACTION_SCRIPT)
		s->asked.known = false;
}

static void script_ended(struct state *s, const struct world *w, const struct event *e,
			 struct finding *f)
{
	struct witness wit = drift(w, e->t_ns);

	if (!s->asked.known || same(&s->asked, &s->intended))
		return;
	witness_say(
		&wit,
		"the script ended well; it had asked for blue %u, green %u, and the weights are %u, %u",
		s->asked.blue, s->asked.green, s->intended.blue, s->intended.green);
	verdict_violation(f, &wit);
	s->asked.known = false;
}

static void compare_weights(struct state *s, const struct world *w, const struct event *e,
			    struct finding *f)
{
	struct weights read = weights_of(e);

	if (s->intended.known && same(&read, &s->intended)) {
		s->other.known = false;
	} else if (s->intended.known) {
		if (s->other.known)
			convict_other(s, w, f);
		else
			s->other = read;
	} else {
		s->intended = read;
	}
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

	if (s->timers_told ||
	    (!off(e->aux, t->stickiness_group_ns) && !off(e->turn, target_ns) &&
	     !off(e->n, t->deregistration_delay_ns) && !(e->code && off(e->code, t->idle_ns))))
		return;
	s->timers_told = true;
	wit = drift(w, e->t_ns);
	witness_say(
		&wit,
		"the balancer has stickiness %u s (group), %u s (target), deregistration delay %u s, idle timeout %u s; declared are "
		"%.0f, %.0f, %.0f, %.0f s",
		e->aux, e->turn, e->n, e->code, (double)t->stickiness_group_ns / NS_PER_S,
		(double)t->stickiness_target_ns / NS_PER_S,
		(double)t->deregistration_delay_ns / NS_PER_S, (double)t->idle_ns / NS_PER_S);
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
		asked(s, w, e, f);
		break;
	case EVENT_WEIGHT_OK:
		answered(s, e);
		break;
	case EVENT_ACTION_FAIL:
		failed(s, e);
		break;
	case EVENT_ACTION_OK:
		if (e->code == ACTION_SCRIPT)
			script_ended(s, w, e, f);
		break;
	default:
		if (w->run_end_ns)
			break;
		s->reads++;
		compare_timers(s, w, e, f);
		if (!w->weights_pending)
			compare_weights(s, w, e, f);
		break;
	}
}

static void finish(void *state, const struct world *w, struct finding *f)
{
	struct state *s = state;

	convict_other(s, w, f);
	verdict_saw(f, s->reads > f->violations ? s->reads : f->violations, 1);
	finding_say(f, "%llu readings of the balancer, %llu not as intended (limit 0)",
		    (unsigned long long)s->reads, (unsigned long long)f->violations);
}

const struct check check_config = {
	.name = "config",
	.about = "the balancer's effective weights and timers are the intended ones",
	.kinds = KIND(CONFIG) | KIND(WEIGHT_INV) | KIND(WEIGHT_OK) | KIND(ACTION_OK) |
		 KIND(ACTION_FAIL),
	.state_bytes = sizeof(struct state),
	.event = event,
	.finish = finish,
};
