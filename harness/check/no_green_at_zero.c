/*
 * I6, no green at zero: while green's weight is definitely 0, no fresh dial is given to green and
 * no green instance writes a call's state. Calls that came to green while it had weight may stay;
 * smoke probes (ids p-...) are exempt by their key.
 */
#include "check/core/witness.h"

struct state {
	uint64_t fresh, writes;
};

/* After a return to 0 the change needs its propagation; at the beginning there was nothing to
 * propagate. */
static int64_t zero_from_ns(const struct world *w)
{
	int64_t since_ns = w->zero_since_ns[COLOR_GREEN];

	if (!since_ns || !w->weights_asked)
		return since_ns;
	return since_ns + w->scenario->timers.propagation_ns;
}

static void placed(struct state *s, const struct world_call *c, const struct world *w,
		   const struct event *e, struct finding *f)
{
	int64_t since_ns = zero_from_ns(w);
	struct witness wit;

	if (!since_ns || c->dial_ns <= since_ns || c->dial_flags & DIAL_HAS_COOKIE)
		return;
	s->fresh++;
	if (c->color != COLOR_GREEN)
		return;
	wit = witness_of_call(w, c, e->t_ns);
	wit.anomaly = ANOMALY_ZERO_WEIGHT_LEAK;
	wit.cause = ANOMALY_UNKNOWN;
	witness_say(&wit, "fresh dial was given to %s while green has weight 0",
		    world_instance_name(w, c->instance));
	verdict_violation(f, &wit);
}

static bool is_write(const struct event *e)
{
	return e->code == VERB_SET || e->code == VERB_SETEX ||
	       (e->code == VERB_EVAL && e->flags & CMD_HAS_STATE);
}

static void written(struct state *s, const struct world_call *c, const struct world *w,
		    const struct event *e, struct finding *f)
{
	int64_t since_ns = zero_from_ns(w);
	struct witness wit;

	if (e->color != COLOR_GREEN || !since_ns || e->due_ns <= since_ns || !is_write(e) ||
	    !(e->flags & CMD_CALL_KEY) || e->flags & CMD_PROBE)
		return;
	/* A call that was rightly on green, and once green has had weight a call we have forgotten,
	 * may be finishing. */
	if (c ? c->flags & CALL_ON_GREEN : w->weights_asked)
		return;
	s->writes++;
	wit = witness_of_moment(w, e->t_ns);
	wit.call = e->call;
	wit.color = COLOR_GREEN;
	wit.instance = e->instance;
	wit.anomaly = ANOMALY_ZERO_WEIGHT_LEAK;
	wit.cause = ANOMALY_UNKNOWN;
	witness_say(&wit, "%s wrote the state of a call that was never given to green, at weight 0",
		    world_instance_name(w, e->instance));
	verdict_violation(f, &wit);
}

static void event(void *state, struct world_call *c, void *mine, const struct world *w,
		  const struct event *e, struct finding *f)
{
	(void)mine;
	if (e->kind == EVENT_CMD_OK)
		written(state, c, w, e, f);
	else if (c && world_placed(w, c))
		placed(state, c, w, e, f);
}

static void finish(void *state, const struct world *w, struct finding *f)
{
	struct state *s = state;

	finding_trust(f, w, ROLE_DIRECTOR);
	verdict_saw(f, s->fresh, 1);
	finding_colors(f, w);
	if (!w->config.seen && !w->shift.inv_ns)
		verdict_doubt(f, REASON_SOURCE_LOST, "the balancer's weights were never read");
	finding_say(
		f,
		"%llu fresh dials while green had weight 0, %llu on green, %llu foreign writes by green (limit 0)",
		(unsigned long long)s->fresh,
		(unsigned long long)(f->violations ? f->violations - s->writes : 0),
		(unsigned long long)(f->violations ? s->writes : 0));
}

const struct check check_no_green_at_zero = {
	.name = "no_green_at_zero",
	.about = "while green has weight 0 it is given no call and writes no call's state",
	.trials = "fresh dials",
	.kinds = KIND(DIAL_OK) | KIND(START_OK) | KIND(RESUME_OK) | KIND(CMD_OK),
	.state_bytes = sizeof(struct state),
	.event = event,
	.finish = finish,
};
