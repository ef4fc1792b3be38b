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
 * Once blue is gone, what follows from it is not told again under another name. Asked of runs in
 * which something was rolled back, or should have been.
 */
#include <stdio.h>
#include <string.h>

#include "check/core/witness.h"

struct config_read {
	bool seen;
	uint64_t digest;
	const char *text;
	uint32_t green;
};

struct trial {
	int64_t begin_ns, end_ns; /* 0: none, or weights have moved since */
	bool failed, gone, equal;
	struct config_read after; /* read last in the rollback, or first after */
};

struct state {
	uint64_t count, fresh, crossings;
	int64_t longest_ns;
	/* The one before stands until it is clear that the one announced was done. */
	struct trial now, earlier;
	struct config_read before; /* the snapshot */
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

static struct witness moment(const struct world *w, int64_t t_ns, enum anomaly anomaly)
{
	struct witness wit = witness_of_moment(w, t_ns);

	wit.anomaly = anomaly;
	wit.cause = ANOMALY_UNKNOWN;
	wit.phase = PHASE_ROLLBACK;
	return wit;
}

/* Blue must be there until weights move again: once is enough for all its instances. */
static void look_for_blue(struct state *s, const struct world *w, int64_t t_ns, struct finding *f)
{
	unsigned blue = 0, gone = 0;
	struct witness wit;

	if (!s->now.begin_ns || s->now.gone || w->run_end_ns)
		return;
	for (unsigned i = 1; i < 256; i++) {
		const struct world_instance *on = &w->instances[i];

		if (!on->seen || on->color != COLOR_BLUE)
			continue;
		blue++;
		gone += on->exit_ns || on->sigterm_ns || on->sigkill_ns ||
			(s->now.end_ns && on->deregister_inv_ns);
	}
	if (!gone)
		return;
	s->now.gone = true;
	wit = moment(w, t_ns, ANOMALY_BLUE_GONE);
	wit.cause = ANOMALY_BLUE_GONE;
	witness_say(&wit, "%u of %u instances of blue had ended, were told to, or deregistered: %s",
		    gone, blue,
		    gone < blue ? "what there was is not there to go back to" :
				  "there was nothing to go back to");
	verdict_violation(f, &wit);
}

/* Where two texts begin to differ, from the last word before. */
static size_t same_words(const char *a, const char *b)
{
	size_t word = 0;

	for (size_t i = 0; a[i] && a[i] == b[i]; i++)
		if (a[i] == ' ')
			word = i + 1;
	return word;
}

static void judge_config(const struct state *s, const struct trial *t, const struct world *w,
			 struct finding *f)
{
	struct witness wit = moment(w, t->end_ns, ANOMALY_ROLLBACK_FAILED);
	const char *before = s->before.text ? s->before.text : "", *after = t->after.text;
	size_t at;

	if (!t->after.seen) {
		verdict_doubt(f, REASON_SOURCE_LOST,
			      "the balancer was not read back after a rollback");
		return;
	}
	if (t->equal)
		return;
	if (!s->before.seen) {
		verdict_doubt(f, REASON_SOURCE_LOST,
			      "no snapshot of the balancer to compare a rollback with");
		return;
	}
	at = same_words(before, after);
	witness_say(
		&wit,
		"after the rollback the balancer has %s%.90s; before the cutover it had %s%.90s",
		at ? "... " : "", after + at, at ? "... " : "", before + at);
	verdict_violation(f, &wit);
}

/* Weights move again, or it is the end: what the rollback left is judged. */
static void close_trial(const struct state *s, struct trial *t, const struct world *w,
			struct finding *f)
{
	/* What has failed has been told; what blue's end changed is. */
	if (t->end_ns && !t->failed && !t->gone)
		judge_config(s, t, w, f);
	*t = (struct trial){ .begin_ns = 0 };
}

static void begun(struct state *s, const struct event *e)
{
	s->count++;
	s->earlier = s->now;
	s->now = (struct trial){ .begin_ns = e->t_ns };
}

static void ended(struct state *s, const struct world *w, const struct event *e, struct finding *f)
{
	const struct step *step = e->n < w->scenario->step_count ? &w->scenario->steps[e->n] : NULL;
	bool limited = step && (step->phase == PHASE_ROLLBACK || step->phase == PHASE_SCRIPT);
	int64_t limit_ns = limited && step->deadline_ns ? step->deadline_ns :
							  scenario_rollback_within_ns(w->scenario);
	int64_t took_ns = e->t_ns - s->now.begin_ns;
	struct witness wit = moment(w, e->t_ns, ANOMALY_ROLLBACK_FAILED);

	if (!s->now.begin_ns || s->now.end_ns)
		return;
	if (e->flags == PHASE_END_NOT_REACHED) { /* it was no rollback */
		s->count--;
		s->now = s->earlier;
		s->earlier = (struct trial){ .begin_ns = 0 };
		return;
	}
	close_trial(s, &s->earlier, w, f);
	look_for_blue(s, w, s->now.begin_ns, f); /* who left meanwhile has been told */
	s->now.end_ns = e->t_ns;
	s->now.failed = e->flags == PHASE_END_FAILED;
	if (took_ns > s->longest_ns)
		s->longest_ns = took_ns;
	look_for_blue(s, w, e->t_ns, f);
	if (s->now.failed)
		witness_say(&wit, "the rollback failed: %s", world_note(w, e->conn));
	else if (took_ns > limit_ns + LAG_MAX_NS) /* its marks are made by us */
		witness_say(&wit, "the rollback took %.1f s (limit %.1f s)",
			    (double)took_ns / NS_PER_S, (double)limit_ns / NS_PER_S);
	if (*wit.text && !(s->now.failed && s->now.gone))
		verdict_violation(f, &wit);
}

static void read_back(struct state *s, const struct world *w, const struct event *e)
{
	const struct config_read read = {
		.seen = true, .digest = e->digest, .text = world_note(w, e->conn), .green = e->epoch
	};

	if (e->flags & 1)
		s->before = read;
	if (!s->now.begin_ns || (s->now.end_ns && s->now.after.seen))
		return; /* later changes are others' doing */
	s->now.after = read;
	s->now.equal = e->flags & 2 ||
		       (s->before.seen && e->digest && e->digest == s->before.digest);
}

/* A fresh dial that began after the rollback had propagated, and was not kept from it by us. A
 * rollback that failed has promised nothing. */
static bool is_concerned(const struct state *s, const struct world_call *c, const struct world *w,
			 const struct event *e)
{
	return s->now.end_ns && !s->now.failed && !w->run_end_ns &&
	       !(c->dial_flags & DIAL_HAS_COOKIE) &&
	       c->dial_ns > s->now.end_ns + w->scenario->timers.propagation_ns &&
	       (e->kind != EVENT_DIAL_FAIL || e->n != DIAL_LOCAL_LIMIT);
}

static void dialed(struct state *s, const struct world_call *c, const struct world *w,
		   const struct event *e, struct finding *f)
{
	double after_s = (double)(c->dial_ns - s->now.end_ns) / NS_PER_S;
	bool refused = e->kind == EVENT_DIAL_FAIL;
	struct witness wit;

	s->fresh++;
	/* Green had its share before the cutover as well: then it has it again. */
	if (!refused && (c->color == COLOR_BLUE || s->before.green))
		return;
	wit = witness_of_call(w, c, e->t_ns);
	wit.anomaly = s->now.gone ? ANOMALY_BLUE_GONE : ANOMALY_ROLLBACK_FAILED;
	wit.cause = s->now.gone ? ANOMALY_BLUE_GONE : ANOMALY_UNKNOWN;
	if (refused)
		witness_say(&wit, "fresh dial %.3f s after the rollback was not served: %s%s%.0u",
			    after_s, dial_failure_name(e->n), e->code ? " " : "", e->code);
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
			begun(s, e);
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
		if (s->now.end_ns)
			close_trial(s, &s->now, w, f);
		break;
	default:
		if (!c)
			break;
		if (e->kind == EVENT_RESUME_OK && s->count && c->cut.color == COLOR_GREEN &&
		    c->color == COLOR_BLUE)
			s->crossings++;
		if ((e->kind == EVENT_DIAL_FAIL || world_placed(w, c)) && is_concerned(s, c, w, e))
			dialed(s, c, w, e, f);
		break;
	}
}

static void finish(void *state, const struct world *w, struct finding *f)
{
	struct state *s = state;

	look_for_blue(s, w, s->now.begin_ns, f);
	close_trial(s, &s->earlier, w, f);
	close_trial(s, &s->now, w, f);
	if (!s->count)
		verdict_doubt(f, REASON_NO_PHASE, "the rollback was never reached");
	verdict_saw(f, s->fresh > f->violations ? s->fresh : f->violations, 1);
	finding_say(
		f,
		"%llu rollback%s, %.2f s%s; %llu fresh dials after it, %llu resumes came back from green; %llu "
		"violations (limit 0)",
		(unsigned long long)s->count, s->count == 1 ? "" : "s",
		(double)s->longest_ns / NS_PER_S, s->count == 1 ? "" : " at most",
		(unsigned long long)s->fresh, (unsigned long long)s->crossings,
		(unsigned long long)f->violations);
}

const struct check check_rollback = {
	.name = "rollback",
	.about = "a rollback restores the configuration, and fresh dials are blue's and served",
	.idle = idle,
	.why_not = "nothing was rolled back, nor was it planned",
	.trials = "fresh dials",
	.kinds = KIND(PHASE_BEGIN) | KIND(PHASE_END) | KIND(CONFIG) | KIND(EXIT) | KIND(SIGNAL) |
		 KIND(ACTION_INV) | KIND(WEIGHT_INV) | KIND(DIAL_OK) | KIND(DIAL_FAIL) |
		 KIND(START_OK) | KIND(RESUME_OK),
	.state_bytes = sizeof(struct state),
	.event = event,
	.finish = finish,
};
