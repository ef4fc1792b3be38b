/*
 * I7, a rollback brings back what was: the effective configuration equals the snapshot taken before
 * the cutover, blue is still there, fresh dials are blue's and served, and it did not take longer
 * than it may. Whether calls that had gone to green kept their state is state_continuity's; how
 * many came back is told here.
 *
 *   rollback begins        its end    + propagation              weights move again, or the end
 *   ──┬───────────────────────┬────────────┬───────────────────────────────┬──
 *     blue there?   config equal to the    every fresh dial: blue, and served
 *                   snapshot, in time
 *
 * Asked of runs in which something was rolled back, or should have been.
 */
#include <stdio.h>

#include "check/core/witness.h"

/* What the harness allows itself where the scenario says nothing. */
static const int64_t within_ns = 10 * NS_PER_S;

struct state {
	uint64_t count, fresh, crossings;
	int64_t begin_ns, end_ns; /* of the last rollback; 0: none, or weights have moved since */
	int64_t longest_ns;
	bool compared, equal; /* the last configuration read since it began */
	bool gone_told;
	char config[FINDING_TEXT_MAX / 2];
};

static bool is_planned(const struct world *w)
{
	for (size_t i = 0; i < w->scenario->step_count; i++)
		if (w->scenario->steps[i].phase == PHASE_ROLLBACK && !w->scenario->steps[i].skip)
			return true;
	return false;
}

static bool idle(const void *state, const struct world *w)
{
	const struct state *s = state;

	return !s->count && !is_planned(w);
}

static void convict(const struct world *w, int64_t t_ns, enum anomaly anomaly, const char *text,
		    struct finding *f)
{
	struct witness wit = witness_of_moment(w, t_ns);

	wit.anomaly = anomaly;
	wit.cause = ANOMALY_UNKNOWN;
	wit.phase = PHASE_ROLLBACK;
	witness_say(&wit, "%s", text);
	verdict_violation(f, &wit);
}

/* Blue must be there until weights move again: once is enough for all its instances. */
static void look_for_blue(struct state *s, const struct world *w, int64_t t_ns, struct finding *f)
{
	unsigned blue = 0, gone = 0;
	char text[FINDING_TEXT_MAX];

	if (!s->begin_ns || s->gone_told || w->run_end_ns)
		return;
	for (unsigned i = 1; i < 256; i++) {
		const struct world_instance *on = &w->instances[i];

		if (!on->seen || on->color != COLOR_BLUE)
			continue;
		blue++;
		gone += on->exit_ns || on->sigterm_ns || on->sigkill_ns ||
			(s->end_ns && on->deregister_inv_ns);
	}
	if (!gone)
		return;
	s->gone_told = true;
	snprintf(
		text, sizeof(text),
		"%u of %u instances of blue were gone or told to go: there was nothing to roll back to",
		gone, blue);
	convict(w, t_ns, ANOMALY_BLUE_GONE, text, f);
}

/* The rollback before this one, or before new weights, is over: what it left is judged. */
static void close_trial(struct state *s, const struct world *w, struct finding *f)
{
	char text[FINDING_TEXT_MAX];

	if (s->begin_ns && s->compared && !s->equal) {
		snprintf(
			text, sizeof(text),
			"after the rollback the balancer is not what it was before the cutover; it has %s",
			s->config);
		convict(w, s->end_ns ? s->end_ns : s->begin_ns, ANOMALY_ROLLBACK_FAILED, text, f);
	}
	if (s->begin_ns && !s->compared)
		verdict_doubt(f, REASON_SOURCE_LOST,
			      "the balancer was not read back after a rollback");
	s->begin_ns = s->end_ns = 0;
}

static void begun(struct state *s, const struct world *w, const struct event *e, struct finding *f)
{
	close_trial(s, w, f);
	s->count++;
	s->begin_ns = e->t_ns;
	s->compared = s->equal = s->gone_told = false;
	look_for_blue(s, w, e->t_ns, f);
}

static void ended(struct state *s, const struct world *w, const struct event *e, struct finding *f)
{
	const struct step *step = e->n < w->scenario->step_count ? &w->scenario->steps[e->n] : NULL;
	bool limited = step && (step->phase == PHASE_ROLLBACK || step->phase == PHASE_SCRIPT);
	int64_t limit_ns = limited && step->deadline_ns ? step->deadline_ns : within_ns;
	int64_t took_ns = e->t_ns - s->begin_ns;
	char text[FINDING_TEXT_MAX];

	if (!s->begin_ns || s->end_ns)
		return;
	s->end_ns = e->t_ns;
	if (took_ns > s->longest_ns)
		s->longest_ns = took_ns;
	look_for_blue(s, w, e->t_ns, f);
	if (e->flags == PHASE_END_FAILED) {
		snprintf(text, sizeof(text), "the rollback failed: %s", world_note(w, e));
		convict(w, e->t_ns, ANOMALY_ROLLBACK_FAILED, text, f);
	} else if (e->flags == PHASE_END_OK && took_ns > limit_ns) {
		snprintf(text, sizeof(text), "the rollback took %.1f s (limit %.1f s)",
			 (double)took_ns / NS_PER_S, (double)limit_ns / NS_PER_S);
		convict(w, e->t_ns, ANOMALY_ROLLBACK_FAILED, text, f);
	}
}

static void read_back(struct state *s, const struct world *w, const struct event *e)
{
	if (!s->begin_ns)
		return;
	s->compared = true;
	s->equal = e->flags & 2;
	snprintf(s->config, sizeof(s->config), "weights blue %u, green %u: %s", e->ver, e->epoch,
		 world_note(w, e));
}

/* A fresh dial that began after the rollback had propagated. */
static bool is_concerned(const struct state *s, const struct world_call *c, const struct world *w)
{
	return s->end_ns && !(c->dial_flags & DIAL_HAS_COOKIE) &&
	       c->dial_ns > s->end_ns + w->scenario->timers.propagation_ns;
}

static void dialed(struct state *s, const struct world_call *c, const struct world *w,
		   const struct event *e, struct finding *f)
{
	double after_s = (double)(c->dial_ns - s->end_ns) / NS_PER_S;
	struct witness wit;

	s->fresh++;
	if (e->kind != EVENT_DIAL_FAIL && c->color == COLOR_BLUE)
		return;
	wit = witness_of_call(w, c, e->t_ns);
	wit.anomaly = ANOMALY_ROLLBACK_FAILED;
	wit.cause = s->gone_told ? ANOMALY_BLUE_GONE : ANOMALY_UNKNOWN;
	if (e->kind == EVENT_DIAL_FAIL)
		witness_say(&wit, "fresh dial %.3f s after the rollback was not served: %s %u",
			    after_s, dial_failure_name(e->n), e->code);
	else
		witness_say(&wit, "fresh dial %.3f s after the rollback was given to %s", after_s,
			    world_instance_name(w, c->instance));
	verdict_violation(f, &wit);
}

static void event(void *state, struct world_call *c, void *mine, const struct world *w,
		  const struct event *e, struct finding *f)
{
	struct state *s = state;

	(void)mine;
	switch (e->kind) {
	case EVENT_PHASE_BEGIN:
		if (e->code == PHASE_ROLLBACK)
			begun(s, w, e, f);
		break;
	case EVENT_PHASE_END:
		if (e->code == PHASE_ROLLBACK)
			ended(s, w, e, f);
		break;
	case EVENT_CONFIG:
		read_back(s, w, e);
		break;
	case EVENT_EXIT:
	case EVENT_SIGNAL:
	case EVENT_ACTION_INV:
		look_for_blue(s, w, e->t_ns, f);
		break;
	case EVENT_WEIGHT_INV:
		if (s->end_ns)
			close_trial(s, w, f);
		break;
	default:
		if (!c)
			break;
		if (e->kind == EVENT_RESUME_OK && s->count && c->cut.color == COLOR_GREEN &&
		    c->color == COLOR_BLUE)
			s->crossings++;
		if ((e->kind == EVENT_DIAL_FAIL || world_placed(w, c)) && is_concerned(s, c, w))
			dialed(s, c, w, e, f);
		break;
	}
}

static void finish(void *state, const struct world *w, struct finding *f)
{
	struct state *s = state;

	close_trial(s, w, f);
	if (!s->count)
		verdict_doubt(f, REASON_NO_PHASE, "the rollback was never reached");
	verdict_saw(f, s->fresh > f->violations ? s->fresh : f->violations, 1);
	finding_say(
		f,
		"%llu rollbacks, the longest took %.2f s; %llu fresh dials after it, %llu resumes came back from green; %llu "
		"violations (limit 0)",
		(unsigned long long)s->count, (double)s->longest_ns / NS_PER_S,
		(unsigned long long)s->fresh, (unsigned long long)s->crossings,
		(unsigned long long)f->violations);
}

const struct check check_rollback = {
	.name = "rollback",
	.about = "a rollback restores the configuration, and fresh dials are blue's and served",
	.idle = idle,
	.kinds = KIND(PHASE_BEGIN) | KIND(PHASE_END) | KIND(CONFIG) | KIND(EXIT) | KIND(SIGNAL) |
		 KIND(ACTION_INV) | KIND(WEIGHT_INV) | KIND(DIAL_OK) | KIND(DIAL_FAIL) |
		 KIND(START_OK) | KIND(RESUME_OK),
	.state_bytes = sizeof(struct state),
	.event = event,
	.finish = finish,
};
