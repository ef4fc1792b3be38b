/*
 * I4, sticky reconnect. W is the declared cookie duration, a the age of the caller's cookie at its
 * dial, g one second:
 *
 *   a <= W-g, its color serving     same color, else sticky_lost
 *   W-g < a < W+g                   no evidence
 *   a >= W+g, a color at weight 0   never to that color, else sticky_debt
 *             since a move of weights
 *
 * Not asked where no stickiness is declared, nor of a balancer that binds by source address: there
 * is no cookie to be judged.
 *
 * And ahead of time: a balancer whose cookies last longer than declared, or longer than the drain
 * may take, is in debt.
 */
#include <stdlib.h>

#include "check/core/witness.h"

struct state {
	uint64_t fresh, stale, kept, configs;
	uint32_t told_s; /* last stickiness that convicted, + 1 */
};

static bool asked(const struct scenario *scenario)
{
	return (scenario->timers.stickiness_group_ns || scenario->timers.stickiness_target_ns) &&
	       scenario->stack.affinity == AFFINITY_COOKIE;
}

static void judge_fresh(struct state *s, const struct world_call *c, const struct world *w,
			const struct event *e, int64_t age_ns, struct finding *f)
{
	struct witness wit;

	s->fresh++;
	if (c->color == c->cookie_color) {
		s->kept++;
		return;
	}
	wit = witness_of_call(w, c, e->t_ns);
	wit.anomaly = ANOMALY_STICKY_LOST;
	wit.cause = ANOMALY_UNKNOWN;
	witness_say(
		&wit,
		"cookie of %s was %.3f s old (lasts %.1f s) and %s was serving, yet the resume went to %s%s",
		color_name(c->cookie_color), (double)age_ns / NS_PER_S,
		(double)world_stickiness_ns(w) / NS_PER_S, color_name(c->cookie_color),
		world_instance_name(w, c->instance),
		c->flags & CALL_SAW_COOKIE ? "" : "; no 101 ever carried a Set-Cookie");
	verdict_violation(f, &wit);
}

static void judge_stale(struct state *s, const struct world_call *c, const struct world *w,
			const struct event *e, int64_t age_ns, struct finding *f)
{
	int64_t zero_ns = w->zero_since_ns[c->color];
	struct witness wit;

	s->stale++;
	if (!zero_ns || c->dial_ns <= zero_ns + w->scenario->timers.propagation_ns)
		return;
	wit = witness_of_call(w, c, e->t_ns);
	wit.anomaly = wit.cause = ANOMALY_STICKY_DEBT;
	witness_say(
		&wit,
		"cookie was %.3f s old (declared to last %.1f s%s%.0d%s), yet it pulled the caller to %s at weight 0",
		(double)age_ns / NS_PER_S, (double)world_stickiness_ns(w) / NS_PER_S,
		w->config.seen ? ", the balancer says " : "",
		w->config.seen ? (int)w->config.stickiness_s : 0, w->config.seen ? " s" : "",
		world_instance_name(w, c->instance));
	verdict_violation(f, &wit);
}

/* Weights have left some color none, and that has propagated: blue by the shift, green by the way
 * back. */
static bool some_color_is_left(const struct world *w, int64_t t_ns)
{
	for (unsigned color = COLOR_BLUE; color < COLOR_COUNT && w->weights_asked; color++) {
		int64_t zero_ns = w->zero_since_ns[color];

		if (zero_ns && t_ns > zero_ns + w->scenario->timers.propagation_ns)
			return true;
	}
	return false;
}

static void placed(struct state *s, const struct world_call *c, const struct world *w,
		   const struct event *e, struct finding *f)
{
	int64_t age_ns = c->dial_ns - c->cookie_ns, lasts_ns = world_stickiness_ns(w);
	/* The cookie was issued after its dial began and weighed before this one was answered: on a
	 * slow machine it may have been older than the caller can know. */
	int64_t oldest_ns = (c->open_ns ? c->open_ns : e->t_ns) - c->cookie_dial_ns;

	if (!c->leg || !c->cookie_ns || c->cookie_color == COLOR_UNKNOWN)
		return;
	/* A jar that let its cookie go dials as a fresh caller: I3's business. */
	if (!(c->dial_flags & DIAL_HAS_COOKIE) && (c->flags & CALL_SAW_COOKIE || !lasts_ns))
		return;
	if (age_ns <= lasts_ns - COOKIE_TICK_NS) {
		if (oldest_ns <= age_ns + LAG_MAX_NS && world_serving(w, c->cookie_color))
			judge_fresh(s, c, w, e, age_ns, f);
	} else if (age_ns >= lasts_ns + COOKIE_TICK_NS && some_color_is_left(w, c->dial_ns)) {
		judge_stale(s, c, w, e, age_ns, f);
	}
}

/* The shortest time a drain may take; 0 when nothing is drained. */
static int64_t drain_deadline_ns(const struct scenario *scenario)
{
	int64_t shortest_ns = 0;

	for (size_t i = 0; i < scenario->step_count; i++) {
		const struct step *step = &scenario->steps[i];
		if (step->phase == PHASE_DRAIN && !step->skip &&
		    (!shortest_ns || step->deadline_ns < shortest_ns))
			shortest_ns = step->deadline_ns;
	}
	return shortest_ns;
}

static void config(struct state *s, const struct world *w, const struct event *e, struct finding *f)
{
	int64_t declared_ns = world_stickiness_ns(w), effective_ns = e->aux * NS_PER_S;
	int64_t deadline_ns = drain_deadline_ns(w->scenario);
	bool differs = llabs(effective_ns - declared_ns) >= NS_PER_S,
	     late = deadline_ns && effective_ns > deadline_ns;
	struct witness wit = witness_of_moment(w, e->t_ns);

	s->configs++;
	if ((!differs && !late) || s->told_s == e->aux + 1)
		return;
	s->told_s = e->aux + 1;
	wit.anomaly = late || effective_ns > declared_ns ? ANOMALY_STICKY_DEBT :
							   ANOMALY_STICKY_LOST;
	wit.cause = wit.anomaly;
	if (late)
		witness_say(
			&wit,
			"the balancer's cookies last %u s (declared %.1f s), longer than the drain may take (%.1f s)",
			e->aux, (double)declared_ns / NS_PER_S, (double)deadline_ns / NS_PER_S);
	else
		witness_say(&wit, "the balancer's cookies last %u s, declared %.1f s", e->aux,
			    (double)declared_ns / NS_PER_S);
	verdict_violation(f, &wit);
}

static void event(void *state, struct world_call *c, void *mine, const struct world *w,
		  const struct event *e, struct finding *f)
{
	(void)mine;
	if (e->kind == EVENT_CONFIG)
		config(state, w, e, f);
	else if (world_placed(w, c))
		placed(state, c, w, e, f);
}

static void finish(void *state, const struct world *w, struct finding *f)
{
	struct state *s = state;
	uint64_t resumes = s->fresh + s->stale;

	finding_trust(f, w, ROLE_DIRECTOR);
	verdict_saw(f, resumes > f->violations ? resumes : f->violations, 1);
	finding_colors(f, w);
	if (!s->fresh && world_stickiness_ns(w) > COOKIE_TICK_NS)
		verdict_doubt(f, REASON_VACUOUS, "no resume with a cookie younger than %.1f s",
			      (double)(world_stickiness_ns(w) - COOKIE_TICK_NS) / NS_PER_S);
	if (!w->shift.ok_ns)
		verdict_doubt(
			f, REASON_NO_PHASE,
			"the weights were never shifted to green: no cookie was put to the test");
	else if (!s->stale)
		verdict_doubt(f, REASON_VACUOUS,
			      "no resume after the shift with a cookie older than %.1f s",
			      (double)(world_stickiness_ns(w) + COOKIE_TICK_NS) / NS_PER_S);
	finding_say(
		f,
		"%llu resumes with a young cookie kept their color, %llu with an expired one after the shift; %llu "
		"violations (limit 0)",
		(unsigned long long)s->kept, (unsigned long long)s->stale,
		(unsigned long long)f->violations);
}

const struct check check_sticky_reconnect = {
	.name = "sticky_reconnect",
	.about =
		"a young cookie keeps a caller on its color, an expired one never pulls it back to a color at weight 0",
	.asked = asked,
	.why_not = "no stickiness is declared, or callers are bound by their address",
	.trials = "resumes",
	.kinds = KIND(DIAL_OK) | KIND(START_OK) | KIND(RESUME_OK) | KIND(CONFIG),
	.state_bytes = sizeof(struct state),
	.event = event,
	.finish = finish,
};
