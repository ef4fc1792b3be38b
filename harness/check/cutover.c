/*
 * The cutover itself: every planned step was walked and every action of it was answered ok within
 * its deadline. A failed smoke, a stuck drain, a driver's error fail here, once per step with the
 * first evidence; what was never reached is inconclusive. The phases a script announces are its
 * one step's; a rollback nobody planned is told, and no step.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "check/core/witness.h"

struct state {
	uint8_t *ends; /* of each planned step, its last phase.end's flags + 1; 0: none */
	uint64_t failed;
	bool step_failed; /* an action or a probe of the step under way */
	int64_t first_ns;
	uint8_t instance, color;
	char evidence[FINDING_TEXT_MAX];
	char rolled_back[64];
};

static void begin(void *state, const struct world *w)
{
	struct state *s = state;

	s->ends = xcalloc(w->scenario->step_count + 1, sizeof(*s->ends));
}

/* The planned step this phase was one of. */
static const struct step *planned(const struct world *w, const struct event *e)
{
	const struct scenario *scenario = w->scenario;
	const struct step *step = e->n < scenario->step_count ? &scenario->steps[e->n] : NULL;

	if (!step || (step->phase != (enum phase)e->code &&
		      (step->phase != PHASE_SCRIPT || e->code == PHASE_ROLLBACK)))
		return NULL;
	return step;
}

static void note_failure(struct state *s, const struct world *w, const struct event *e)
{
	const char *what = e->kind == EVENT_PROBE_FAIL ? "probe" : action_name(e->code);

	if (s->step_failed || (e->kind == EVENT_PROBE_FAIL && e->flags & 1))
		return;
	s->step_failed = true;
	s->first_ns = e->t_ns;
	s->instance = e->instance;
	s->color = e->color;
	snprintf(s->evidence, sizeof(s->evidence), "%s: %s", what, world_note(w, e->conn));
}

static void convict(struct state *s, const struct world *w, int64_t t_ns, const char *step,
		    const char *why, enum anomaly anomaly, struct finding *f)
{
	struct witness wit = witness_of_moment(w, s->step_failed ? s->first_ns : t_ns);

	wit.anomaly = anomaly;
	wit.cause = anomaly; /* the words that follow tell */
	wit.instance = s->instance;
	wit.color = s->color;
	witness_say(&wit, "%s failed: %s", step, *why ? why : s->evidence);
	verdict_violation(f, &wit);
	s->failed++;
	s->step_failed = false;
	s->instance = s->color = 0;
}

static void rolled_back(struct state *s, const struct world *w, const struct event *e)
{
	double took_s = (double)(e->t_ns - phases_current(&w->phases)->start_ns) / NS_PER_S;

	if (e->flags == PHASE_END_OK)
		snprintf(s->rolled_back, sizeof(s->rolled_back), ", rolled back in %.1f s", took_s);
	else if (e->flags == PHASE_END_FAILED)
		snprintf(s->rolled_back, sizeof(s->rolled_back),
			 ", not rolled back: that failed after %.1f s", took_s);
}

static void phase_ended(struct state *s, const struct world *w, const struct event *e,
			struct finding *f)
{
	const struct step *step = planned(w, e);

	if (e->flags == PHASE_END_FAILED)
		convict(s, w, e->t_ns, phase_name(e->code), world_note(w, e->conn),
			phase_is_stuck_drain(w, e) ? ANOMALY_DRAIN_STUCK : ANOMALY_STEP_FAILED, f);
	else if (s->step_failed)
		convict(s, w, e->t_ns, phase_name(e->code), "", ANOMALY_STEP_FAILED, f);
	if (step)
		s->ends[e->n] = (uint8_t)(e->flags + 1);
	else if (e->code == PHASE_ROLLBACK)
		rolled_back(s, w, e);
}

static void event(void *state, struct world_call *c, void *mine, const struct world *w,
		  const struct event *e, struct finding *f)
{
	(void)c;
	(void)mine;
	if (e->kind == EVENT_PHASE_END)
		phase_ended(state, w, e, f);
	else
		note_failure(state, w, e);
}

static void finish(void *state, const struct world *w, struct finding *f)
{
	struct state *s = state;
	uint64_t plan = 0, walked = 0, not_reached = 0;

	for (size_t i = 0; i < w->scenario->step_count; i++) {
		bool begun = s->ends[i] && s->ends[i] != PHASE_END_NOT_REACHED + 1;

		plan += !w->scenario->steps[i].skip;
		walked += begun;
		not_reached += s->ends[i] && !begun && !w->scenario->steps[i].skip;
	}
	if (s->step_failed)
		convict(s, w, w->last_ns, phase_name(phases_current(&w->phases)->phase), "",
			ANOMALY_STEP_FAILED, f);
	verdict_saw(f, walked, plan);
	if (not_reached)
		verdict_doubt(f, REASON_NO_PHASE, "%llu planned steps were not reached",
			      (unsigned long long)not_reached);
	if (w->refused)
		verdict_doubt(f, REASON_UNREACHABLE, "%s", w->refused);
	else if (w->failure)
		verdict_doubt(f, REASON_SOURCE_LOST, "the run broke off");
	else if (w->run_end_flags & RUN_INTERRUPTED)
		verdict_doubt(f, REASON_INTERRUPTED, "no step was begun after that");
	else if (!w->run_end_ns)
		verdict_doubt(f, REASON_SOURCE_LOST, "the record has no end of the run");
	finding_say(f, "%llu of %llu planned steps walked, %llu failed (limit 0)%s",
		    (unsigned long long)walked, (unsigned long long)plan,
		    (unsigned long long)s->failed, s->rolled_back);
}

static void release(void *state)
{
	struct state *s = state;

	free(s->ends);
}

const struct check check_cutover = {
	.name = "cutover",
	.about = "every planned step was walked and answered ok within its deadline",
	.kinds = KIND(PHASE_END) | KIND(ACTION_FAIL) | KIND(PROBE_FAIL),
	.state_bytes = sizeof(struct state),
	.begin = begin,
	.event = event,
	.finish = finish,
	.release = release,
};
