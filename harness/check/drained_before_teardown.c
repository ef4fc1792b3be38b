/*
 * I5, drained before teardown: when an instance is torn down, no leg of a caller is live on it.
 * Teardown is the first of SIGKILL, SIGTERM outside a drain, exit, or legs being cut by a signal or
 * a deregistration. A SIGTERM that begins a drain is no teardown by itself. Also: each claim
 * "drained" equals what the callers see, nobody is admitted to a drained color, and the drain ends
 * in time.
 */
#include <signal.h>

#include "check/core/cause.h"
#include "check/core/witness.h"

struct torn {
	int64_t at_ns;
	enum anomaly cause;
	uint32_t live, raced,
		cut;   /* at teardown; ended by their callers in the same instant; cut since */
	uint64_t legs; /* ever placed on it */
	uint64_t call; /* one that was live or cut */
	uint16_t leg;
};

struct state {
	struct torn torn[256];
	enum color believed; /* of the last claim */
	int64_t drained_ns[COLOR_COUNT];
	uint64_t claims, unnamed;
	uint64_t unreachable; /* claims with an instance nobody could ask */
	uint64_t partial;     /* claims that rest on fewer instances than there were */
};

static const struct world_call *some_call_on(const struct world *w, unsigned instance,
					     enum color color)
{
	struct world_call *c;
	size_t cursor = 0;

	while ((c = table_each(&w->calls, &cursor))) {
		if (c->flags & CALL_COUNTED &&
		    (instance ? c->instance == instance : c->color == color))
			return c;
	}
	return NULL;
}

static void tear_down(struct state *s, const struct world *w, const struct event *e,
		      enum anomaly cause)
{
	struct torn *torn = &s->torn[e->instance];
	const struct world_call *c;

	if (!e->instance || torn->at_ns || w->run_end_ns)
		return;
	torn->at_ns = e->t_ns;
	torn->cause = cause;
	torn->live = w->instances[e->instance].live;
	c = torn->live ? some_call_on(w, e->instance, COLOR_UNKNOWN) : NULL;
	if (c) {
		torn->call = c->id;
		torn->leg = c->leg;
	}
}

/* The caller itself ended a leg that was still counted. */
static void left(struct state *s, const struct world_call *c, const struct event *e)
{
	struct torn *torn = &s->torn[c->instance];

	if (torn->at_ns && e->t_ns - torn->at_ns <= SIGNAL_RACE_NS && c->open_ns < torn->at_ns &&
	    torn->raced < torn->live) /* of a teardown that a cut told none is counted as live */
		torn->raced++;
}

/* A leg's end that tells of a teardown at once. */
static bool is_teardown(enum anomaly cause)
{
	return cause == ANOMALY_CUT_BY_SIGTERM || cause == ANOMALY_CUT_BY_SIGKILL ||
	       cause == ANOMALY_DEREGISTRATION_CUT || cause == ANOMALY_DRAIN_CUT_SHORT;
}

/* What was felt before the process was seen to end, and is known only now for what it was. */
static void exited(struct state *s, const struct world *w, const struct event *e)
{
	const struct world_instance *on = &w->instances[e->instance];
	struct torn *torn = &s->torn[e->instance];
	struct world_call *c;
	size_t cursor = 0;

	tear_down(s, w, e, cause_of_exit(on));
	if (!torn->at_ns || w->run_end_ns)
		return;
	while ((c = table_each(&w->calls, &cursor))) {
		struct cause cause = cause_of_cut(w, &c->cut);

		if (c->cut.instance != e->instance || cause.anomaly == ANOMALY_UNKNOWN ||
		    (cause.since_ns != on->exit_ns && cause.anomaly != ANOMALY_DRAIN_CAP_CUT))
			continue;
		torn->cut++;
		torn->cause = cause.anomaly;
		torn->call = c->id;
		torn->leg = c->cut.leg;
	}
}

static void leg_ended(struct state *s, const struct world_call *c, const struct world *w,
		      const struct event *e)
{
	const struct leg_cut cut = { .t_ns = e->t_ns,
				     .silent_ms = e->aux,
				     .leg = e->leg,
				     .code = e->code,
				     .how = (uint8_t)e->n,
				     .side = e->flags,
				     .color = c->color,
				     .instance = c->instance };
	struct torn *torn = &s->torn[c->instance];
	enum anomaly cause;

	if (e->leg != c->leg || e->flags != SIDE_AGENT || w->run_end_ns)
		return;
	cause = cause_of_cut(w, &cut).anomaly;
	if (!is_teardown(cause))
		return;
	if (!torn->at_ns)
		torn->at_ns = e->t_ns;
	if (!torn->cut++) {
		torn->call = c->id;
		torn->leg = e->leg;
		torn->cause = cause;
	}
}

static void placed(struct state *s, const struct world_call *c, const struct world *w,
		   const struct event *e, struct finding *f)
{
	int64_t age_ns = c->dial_ns - c->cookie_ns, drained_ns = s->drained_ns[c->color];
	bool fresh = !(c->dial_flags & DIAL_HAS_COOKIE);
	struct witness wit;

	s->torn[c->instance].legs++;
	s->unnamed += !c->instance;
	if (!drained_ns || c->dial_ns <= drained_ns || !w->zero_since_ns[c->color])
		return;
	if (!fresh && (!c->cookie_ns || age_ns < world_stickiness_ns(w) + COOKIE_TICK_NS))
		return;
	wit = witness_of_call(w, c, e->t_ns);
	wit.anomaly = fresh ? ANOMALY_ZERO_WEIGHT_LEAK : ANOMALY_STICKY_DEBT;
	wit.cause = wit.anomaly;
	witness_say(&wit, "admitted to %s %.3f s after %s was drained, %s",
		    world_instance_name(w, c->instance), (double)(e->t_ns - drained_ns) / NS_PER_S,
		    color_name(c->color), fresh ? "without a cookie" : "with an expired cookie");
	verdict_violation(f, &wit);
}

/* Instances of the color that have not ended, as far as we know of any. */
static uint32_t left_of(const struct world *w, unsigned color)
{
	uint32_t count = 0;

	for (unsigned i = 1; i < 256; i++)
		count += w->instances[i].seen && w->instances[i].color == color &&
			 !w->instances[i].exit_ns;
	return count;
}

/* A color with a share again is drained no more. */
static void weights_asked(struct state *s, const struct event *e)
{
	if (e->ver)
		s->drained_ns[COLOR_BLUE] = 0;
	if (e->epoch)
		s->drained_ns[COLOR_GREEN] = 0;
}

static void belief(struct state *s, const struct world *w, const struct event *e, struct finding *f)
{
	uint32_t live = world_live(w, e->color), there = left_of(w, e->color);
	const struct world_call *c;
	struct witness wit;
	char asked[64];

	s->claims++;
	s->partial += e->aux && e->aux < there;
	s->believed = e->color < COLOR_COUNT ? e->color : COLOR_UNKNOWN;
	s->unreachable += e->digest != 0;
	if (live == e->n)
		return;
	c = some_call_on(w, 0, e->color);
	wit = c ? witness_of_call(w, c, e->t_ns) : witness_of_moment(w, e->t_ns);
	wit.anomaly = ANOMALY_DRAIN_LIE;
	wit.color = e->color;
	if (e->aux < there)
		snprintf(asked, sizeof(asked), "%u of its %u instances asked", e->aux, there);
	else
		snprintf(asked, sizeof(asked), "%u instances asked", e->aux);
	witness_say(&wit,
		    "%s was believed drained with %u calls, %s%s; its callers had %u legs live",
		    color_name(e->color), e->n, asked,
		    e->digest ? ", some without an answer (which is unknown, never 0)" : "", live);
	verdict_violation(f, &wit);
}

static void phase_ended(struct state *s, const struct world *w, const struct event *e,
			struct finding *f)
{
	const struct step *step = e->n < w->scenario->step_count ? &w->scenario->steps[e->n] : NULL;
	struct witness wit = witness_of_moment(w, e->t_ns);

	if (e->code != PHASE_DRAIN || !step)
		return;
	if (e->flags == PHASE_END_OK) /* a script's drain is of the color it believes in */
		s->drained_ns[step->phase == PHASE_DRAIN ? step->color : s->believed] = e->t_ns;
	if (!phase_is_stuck_drain(w, e) || step->phase != PHASE_DRAIN)
		return;
	wit.anomaly = ANOMALY_DRAIN_STUCK;
	wit.cause = ANOMALY_UNKNOWN;
	wit.color = step->color;
	witness_say(&wit, "%s was not drained within %.1f s; callers had %u legs live on it",
		    color_name(step->color), (double)step->deadline_ns / NS_PER_S,
		    world_live(w, step->color));
	verdict_violation(f, &wit);
}

static void event(void *state, struct world_call *c, void *mine, const struct world *w,
		  const struct event *e, struct finding *f)
{
	struct state *s = state;

	(void)mine;
	switch (e->kind) {
	case EVENT_SIGNAL:
		if (e->code == SIGKILL)
			tear_down(s, w, e, ANOMALY_CUT_BY_SIGKILL);
		else if (e->code == SIGTERM && phases_at(&w->phases, e->t_ns) != PHASE_DRAIN)
			tear_down(s, w, e, ANOMALY_CUT_BY_SIGTERM);
		break;
	case EVENT_EXIT:
		exited(s, w, e);
		break;
	case EVENT_BELIEF:
		belief(s, w, e, f);
		break;
	case EVENT_PHASE_END:
		phase_ended(s, w, e, f);
		break;
	case EVENT_WEIGHT_INV:
		weights_asked(s, e);
		break;
	case EVENT_HANGUP_INV:
	case EVENT_LEG_LOSE:
		if (c && c->flags & CALL_COUNTED)
			left(s, c, e);
		break;
	case EVENT_LEG_END:
		if (c && c->flags & CALL_COUNTED)
			leg_ended(s, c, w, e);
		break;
	default:
		if (world_placed(w, c))
			placed(s, c, w, e, f);
		break;
	}
}

static void convict(const struct world *w, const struct torn *torn, unsigned instance,
		    uint32_t legs, struct finding *f)
{
	struct witness wit = witness_of_moment(w, torn->at_ns);

	wit.call = torn->call;
	wit.leg = torn->leg;
	wit.instance = (uint8_t)instance;
	wit.color = w->instances[instance].color;
	wit.anomaly = ANOMALY_TORN_DOWN_LIVE;
	wit.cause = torn->cause;
	witness_say(
		&wit,
		"torn down with %u of its %llu legs live (limit 0): %u live at that moment, %u cut then or after",
		legs, (unsigned long long)torn->legs, torn->live - torn->raced, torn->cut);
	verdict_violation(f, &wit);
	f->violations += legs - 1;
	f->anomalies[ANOMALY_TORN_DOWN_LIVE] += legs - 1;
}

static bool teardown_is_planned(const struct world *w)
{
	for (size_t i = 0; i < w->scenario->step_count; i++)
		if (w->scenario->steps[i].phase == PHASE_TEARDOWN && !w->scenario->steps[i].skip)
			return true;
	return false;
}

/* Where nothing of ours tears anything down, as with a deployed system whose processes are not in
 * our sight, the claims that a color is drained are what there is to judge. */
static void finish(void *state, const struct world *w, struct finding *f)
{
	struct state *s = state;
	uint64_t legs = 0, live = 0, torn_count = 0;
	bool by_claims;

	for (unsigned i = 1; i < 256; i++) {
		const struct torn *torn = &s->torn[i];
		uint32_t at_once = torn->live - torn->raced,
			 bad = torn->cut > at_once ? torn->cut : at_once;
		if (!torn->at_ns)
			continue;
		if (!w->run_end_ns && torn->at_ns > w->director_ns) {
			verdict_doubt(f, REASON_SOURCE_LOST,
				      "%s ended after the last word of the cutover's record",
				      world_instance_name(w, (uint8_t)i));
			continue;
		}
		torn_count++;
		legs += torn->legs;
		live += bad;
		if (bad)
			convict(w, torn, i, bad, f);
		else if (!w->instances[i].exit_ns)
			verdict_doubt(f, REASON_SOURCE_LOST, "the end of %s was not seen",
				      world_instance_name(w, (uint8_t)i));
	}
	by_claims = !torn_count && s->claims && !teardown_is_planned(w);
	if (by_claims)
		legs = s->claims;
	finding_trust(f, w, ROLE_WORKER);
	verdict_saw(f, legs > f->violations ? legs : f->violations, 1);
	if (!torn_count && !by_claims)
		verdict_doubt(f, REASON_NO_PHASE, "no instance was torn down");
	if (s->unreachable)
		verdict_doubt(f, REASON_UNREACHABLE,
			      "%llu claims of `drained` rest on an instance that did not answer",
			      (unsigned long long)s->unreachable);
	if (s->partial)
		verdict_doubt(f, REASON_UNREACHABLE,
			      "%llu claims of `drained` rest on some of the instances, not on all",
			      (unsigned long long)s->partial);
	if (s->unnamed)
		verdict_doubt(f, REASON_NO_COLOR, "%llu legs did not say their instance",
			      (unsigned long long)s->unnamed);
	finding_say(
		f,
		"%llu of %llu legs live at the teardown of %llu instances (limit 0), %llu of %llu claims of `drained` held",
		(unsigned long long)live, (unsigned long long)(by_claims ? 0 : legs),
		(unsigned long long)torn_count,
		(unsigned long long)(s->claims - f->anomalies[ANOMALY_DRAIN_LIE]),
		(unsigned long long)s->claims);
}

const struct check check_drained_before_teardown = {
	.name = "drained_before_teardown",
	.about =
		"no caller's leg is live on an instance when it is torn down, and nobody believes otherwise",
	.trials = "legs",
	.kinds = KIND(SIGNAL) | KIND(EXIT) | KIND(BELIEF) | KIND(PHASE_END) | KIND(WEIGHT_INV) |
		 KIND(HANGUP_INV) | KIND(LEG_LOSE) | KIND(LEG_END) | KIND(DIAL_OK) |
		 KIND(START_OK) | KIND(RESUME_OK),
	.state_bytes = sizeof(struct state),
	.event = event,
	.finish = finish,
};
