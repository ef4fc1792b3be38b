/*
 * I8, no split brain: at most one instance acts for a call at a time. Acting is a message to the
 * caller or an accepted write of its state.
 *
 *   accepted writes   no two from one parent (fork: lost update, P4); epochs never fall; an epoch
 *                     has one instance (zombie_write)
 *   the caller        once a later leg is ready, or a higher epoch claimed, and g has passed,
 *                     nothing is heard from the earlier one (double_voice)
 *   without epochs    a write by an instance the caller has left, between or after those of the one
 *                     it talks to: a, b, a (zombie_write); the rest cannot be judged (no_fence)
 *
 * A stale write that Redis refused is no violation: it is evidence that the fence works. A scenario
 * whose callers lose their leg in mid-turn is aimed at the fence: it proves nothing if no write
 * met it. A call that was convicted is judged no further.
 */
#include <stdio.h>
#include <string.h>

#include "check/core/cause.h"
#include "check/core/settings.h"
#include "check/core/witness.h"
#include "check/core/writers.h"

struct state {
	uint64_t accepted, handovers; /* writes; those by another instance than the one before */
	uint64_t without_epoch, refused, resumes;
};

struct call_part {
	struct writers writers;
	int64_t ready_ns; /* of the newest leg that was ready */
	uint16_t ready_leg;
	uint8_t ready_instance;
	bool convicted;
};

static struct witness convict(struct call_part *m, const struct world *w,
			      const struct world_call *c, const struct event *e,
			      enum anomaly anomaly)
{
	struct witness wit = witness_of_call(w, c, e->t_ns);

	m->convicted = true;
	wit.anomaly = anomaly;
	wit.cause = ANOMALY_NONE;
	if (e->instance) {
		wit.instance = e->instance;
		wit.color = e->color;
	}
	return wit;
}

/* No fence of one server holds against a second one that says it is the primary. */
static void report(struct finding *f, const struct world *w, const struct world_call *c,
		   struct witness *wit)
{
	size_t used = strlen(wit->text);
	char why[CAUSE_TEXT_MAX];
	struct cause cause;

	if (cause_is_two_primaries(w, wit->t_ns, wit->t_ns)) {
		cause = (struct cause){ .anomaly = ANOMALY_TWO_PRIMARIES,
					.since_ns = w->two_primaries_ns };
		wit->cause = cause.anomaly;
		wit->cause_ns = cause.since_ns;
		snprintf(wit->text + used, sizeof(wit->text) - used, "%s",
			 silence_text(w, c, &cause, why));
	}
	verdict_violation(f, wit);
}

/* ---- writes ---- */

static struct witness forked(struct call_part *m, const struct world *w, const struct world_call *c,
			     const struct event *e, const struct write_seen *other)
{
	struct witness wit = convict(m, w, c, e, ANOMALY_FORK);

	witness_say(
		&wit,
		"lost update (P4): %s wrote %s %u (turn %u) at +%.3f s and %s wrote %s %u (turn %u) at +%.3f s, both "
		"from the state before, both accepted",
		world_instance_name(w, other->instance), e->ver ? "version" : "turn",
		e->ver ? other->version : other->n, other->n, world_s(w, other->done_ns),
		world_instance_name(w, e->instance), e->ver ? "version" : "turn",
		e->ver ? e->ver : e->n, e->n, world_s(w, e->t_ns));
	return wit;
}

static void judge_write(struct state *s, struct call_part *m, const struct world *w,
			const struct world_call *c, const struct event *e, struct finding *f)
{
	const struct write_seen last = m->writers.writes[0];
	uint32_t epoch = m->writers.epoch;
	struct write_seen other;
	struct witness wit;
	enum write_kind kind = writers_accept(&m->writers, e, &other);

	s->accepted++;
	s->without_epoch += !e->epoch;
	s->handovers += last.done_ns && last.instance != e->instance;
	/* The caller is with b, b has written since, and only then a's write began. */
	if (kind == WRITE_INTERLEAVED &&
	    (!m->ready_instance || m->ready_instance == e->instance ||
	     c->instance != m->ready_instance || m->ready_ns >= other.done_ns))
		kind = WRITE_IN_ORDER;
	if (kind == WRITE_IN_ORDER || m->convicted)
		return;
	if (kind == WRITE_FORK) {
		wit = forked(m, w, c, e, &other);
		report(f, w, c, &wit);
		return;
	}
	wit = convict(m, w, c, e, ANOMALY_ZOMBIE_WRITE);
	if (kind == WRITE_STALE_EPOCH)
		witness_say(
			&wit,
			"%s wrote turn %u with epoch %u, and Redis accepted it; epoch %u was in force since +%.3f s",
			world_instance_name(w, e->instance), e->n, e->epoch, epoch,
			world_s(w, m->writers.epoch_ns));
	else if (kind == WRITE_SHARED_EPOCH)
		witness_say(&wit, "epoch %u has two writers: %s, and %s with turn %u", e->epoch,
			    world_instance_name(w, m->writers.epoch_owner),
			    world_instance_name(w, e->instance), e->n);
	else
		witness_say(
			&wit,
			"%s wrote turn %u after %s, which has had the caller since +%.3f s, had written turn %u at +%.3f s",
			world_instance_name(w, e->instance), e->n,
			world_instance_name(w, other.instance), world_s(w, m->ready_ns), other.n,
			world_s(w, other.done_ns));
	report(f, w, c, &wit);
}

static void command(struct state *s, struct call_part *m, const struct world *w,
		    const struct world_call *c, const struct event *e, struct finding *f)
{
	bool nil = e->flags & CMD_NIL, state = e->flags & CMD_HAS_STATE;

	if (!(e->flags & CMD_CALL_KEY))
		return;
	if (e->kind == EVENT_CMD_ERR) {
		s->refused += state && e->epoch && e->epoch < m->writers.epoch;
	} else if (e->code == VERB_GET) {
		if (state || nil)
			writers_read(&m->writers, e);
	} else if (state && nil) {
		s->refused++;
	} else if (state) {
		judge_write(s, m, w, c, e, f);
	}
}

/* ---- what the caller hears ---- */

static void heard(struct call_part *m, const struct world *w, const struct world_call *c,
		  const struct event *e, struct finding *f)
{
	const struct writers *known = &m->writers;
	bool stale = e->flags & STATE_HAS_EPOCH && e->epoch < known->epoch &&
		     e->t_ns > known->epoch_ns + LAG_MAX_NS;
	bool twice = m->ready_ns && e->leg < m->ready_leg && e->t_ns > m->ready_ns + LAG_MAX_NS;
	struct witness wit;

	if (m->convicted || (!stale && !twice))
		return;
	wit = convict(m, w, c, e, ANOMALY_DOUBLE_VOICE);
	wit.leg = e->leg;
	if (stale)
		witness_say(
			&wit,
			"%s spoke to the caller with epoch %u, %.0f ms after epoch %u was in force (limit %.0f ms)",
			world_instance_name(w, e->instance), e->epoch,
			(double)(e->t_ns - known->epoch_ns) / NS_PER_MS, known->epoch,
			(double)LAG_MAX_NS / NS_PER_MS);
	else
		witness_say(
			&wit,
			"%s spoke on leg %u, %.0f ms after leg %u was ready on %s (limit %.0f ms)",
			world_instance_name(w, e->instance), e->leg,
			(double)(e->t_ns - m->ready_ns) / NS_PER_MS, m->ready_leg,
			world_instance_name(w, m->ready_instance), (double)LAG_MAX_NS / NS_PER_MS);
	report(f, w, c, &wit);
}

static void ready(struct call_part *m, const struct world_call *c, const struct event *e)
{
	if (e->leg >= m->ready_leg) {
		m->ready_ns = e->t_ns;
		m->ready_leg = e->leg;
		m->ready_instance = e->instance ? e->instance : c->instance;
	}
	if (e->flags & STATE_HAS_EPOCH)
		writers_epoch(&m->writers, e->epoch, e->instance, e->t_ns);
}

static void event(void *state, struct world_call *c, void *mine, const struct world *w,
		  const struct event *e, struct finding *f)
{
	struct state *s = state;
	struct call_part *m = mine;

	if (!c)
		return;
	switch (e->kind) {
	case EVENT_START_OK:
	case EVENT_RESUME_OK:
		s->resumes += e->kind == EVENT_RESUME_OK;
		heard(m, w, c, e, f);
		ready(m, c, e);
		break;
	case EVENT_REPLY_OK:
		heard(m, w, c, e, f);
		break;
	case EVENT_CMD_OK:
	case EVENT_CMD_ERR:
		command(s, m, w, c, e, f);
		break;
	default:
		break;
	}
}

/* ---- the end ---- */

static bool asked(const struct scenario *scenario)
{
	return scenario->state.tap;
}

static bool aims_at_the_fence(const struct scenario *scenario)
{
	const struct profile_plan *p = &scenario->calls.profile[PROFILE_RESUMABLE];

	return p->share > 0 && p->loses_legs && p->when == LOSE_MID_TURN;
}

static void doubt_the_fence(const struct state *s, struct finding *f)
{
	if (s->without_epoch)
		verdict_doubt(f, REASON_NO_FENCE,
			      "%llu of %llu writes carried no epoch: no fence was put to the test",
			      (unsigned long long)s->without_epoch,
			      (unsigned long long)s->accepted);
	else if (s->accepted && !s->refused)
		verdict_doubt(f, REASON_VACUOUS,
			      "no stale write met the fence: none of %llu writes was refused",
			      (unsigned long long)s->accepted);
}

static void finish(void *state, const struct world *w, struct finding *f)
{
	struct state *s = state;
	uint64_t saw = s->accepted ? s->handovers : s->resumes;
	char coverage[96] = "";

	verdict_saw(f, saw > f->violations ? saw : f->violations, 1);
	if (!s->accepted)
		verdict_doubt(f, REASON_NO_TAP,
			      "no accepted write of a call was seen: only voices were judged");
	if (aims_at_the_fence(w->scenario) && !f->violations)
		doubt_the_fence(s, f);
	if (s->without_epoch)
		snprintf(coverage, sizeof(coverage),
			 "; %llu without epoch: judged by forks, a-b-a and voices only (%s)",
			 (unsigned long long)s->without_epoch, reason_name(REASON_NO_FENCE));
	finding_say(
		f,
		"%llu writes, %llu of them by another instance than the one before; %llu stale ones refused; "
		"%llu violations (limit 0)%s",
		(unsigned long long)s->accepted, (unsigned long long)s->handovers,
		(unsigned long long)s->refused, (unsigned long long)f->violations, coverage);
}

const struct check check_split_brain = {
	.name = "split_brain",
	.about =
		"at most one instance acts for a call: one writer a state, one voice, one owner an epoch",
	.asked = asked,
	.why_not = "Redis is not watched: who writes is not seen",
	.trials = "handovers",
	.kinds = KIND(START_OK) | KIND(RESUME_OK) | KIND(REPLY_OK) | KIND(CMD_OK) | KIND(CMD_ERR),
	.state_bytes = sizeof(struct state),
	.call_bytes = sizeof(struct call_part),
	.event = event,
	.finish = finish,
};
