/*
 * I10, disturbance: a call that is cut and comes back was not dropped, but it was disturbed. What a
 * resumable caller will put up with is declared: how often, and how long it may be without a leg
 * for it. A loss that the caller planned is its own network's and no disturbance; one without
 * return is a drop, and judged as one.
 *
 * Judged only against a declared budget: what is bearable is the operator's to say, and a pass
 * against no limit would say nothing.
 */
#include <stdio.h>

#include "check/core/cause.h"
#include "check/core/outcome.h"
#include "check/core/witness.h"

struct state {
	uint64_t calls, disturbances, replayed, ours;
	int64_t longest_ns; /* dead air of one call */
	uint32_t most;	    /* disturbances of one call */
};

struct call_part {
	struct leg_cut cut;	   /* the last one that came back */
	int64_t lost_ns;	   /* cut and not back yet; 0: no */
	int64_t first_ns, back_ns; /* from the first loss to the last return */
	int64_t dead_ns;
	uint32_t count, replayed;
	uint16_t leg; /* that it came back on */
};

static bool is_disturbance(const struct world_call *c, const struct event *e)
{
	return c->admitted_ns && !c->lost_ns && e->leg == c->leg && e->flags == SIDE_AGENT &&
	       !(c->flags & CALL_PLANNED_LOSS);
}

static void back(struct call_part *m, const struct world_call *c, const struct event *e)
{
	if (!m->lost_ns)
		return;
	m->count++;
	m->dead_ns += e->t_ns - m->lost_ns;
	m->first_ns = m->first_ns ? m->first_ns : m->lost_ns;
	m->back_ns = e->t_ns;
	m->leg = e->leg;
	m->cut = c->cut;
	m->lost_ns = 0;
}

static void event(void *state, struct world_call *c, void *mine, const struct world *w,
		  const struct event *e, struct finding *f)
{
	struct call_part *m = mine;

	(void)state;
	(void)w;
	(void)f;
	if (!c)
		return;
	if (e->kind == EVENT_RESUME_OK)
		back(m, c, e);
	else if (e->kind == EVENT_LEG_END)
		m->lost_ns = is_disturbance(c, e) ? e->t_ns : m->lost_ns;
	else if (m->count && e->flags & TURN_RESENT && e->leg == m->leg)
		m->replayed++;
}

/* Which budget is exceeded; none when it is our own standstill that exceeds it. */
static enum anomaly over(struct state *s, const struct call_part *m, const struct world *w)
{
	const struct profile_plan *p = &w->scenario->calls.profile[PROFILE_RESUMABLE];
	bool often = p->disturbances >= 0 && m->count > (uint32_t)p->disturbances,
	     long_ = p->dead_air_ns && m->dead_ns > p->dead_air_ns, ours = false;

	if (often && cut_is_ours(w, &m->cut))
		ours = true;
	else if (often)
		return ANOMALY_DISTURBED;
	if (long_ &&
	    m->dead_ns - load_stalled_ns(&w->load, m->first_ns, m->back_ns) <= p->dead_air_ns)
		ours = true;
	else if (long_)
		return ANOMALY_DEAD_AIR;
	s->ours += ours;
	return ANOMALY_NONE;
}

static void convict(const struct call_part *m, const struct world *w, const struct world_call *c,
		    enum anomaly anomaly, struct finding *f)
{
	const struct profile_plan *p = &w->scenario->calls.profile[PROFILE_RESUMABLE];
	struct cause cause = cause_of_cut(w, &m->cut);
	struct witness wit = witness_of_call(w, c, m->cut.t_ns);
	char how[CUT_TEXT_MAX], why[CAUSE_TEXT_MAX], limit[48];

	wit.anomaly = anomaly;
	wit.cause = cause.anomaly;
	wit.cause_ns = cause.since_ns;
	wit.leg = m->cut.leg;
	wit.color = m->cut.color;
	wit.instance = m->cut.instance;
	if (anomaly == ANOMALY_DISTURBED)
		snprintf(limit, sizeof(limit), "limit %d reconnects", p->disturbances);
	else
		snprintf(limit, sizeof(limit), "limit %.0f ms", (double)p->dead_air_ns / NS_PER_MS);
	witness_say(
		&wit,
		"made to reconnect %u times, %.0f ms without a leg (%s); the last: %s%s; %u turns sent again",
		m->count, (double)m->dead_ns / NS_PER_MS, limit, cut_text(&m->cut, how),
		cause_text(w, &m->cut, &cause, why), m->replayed);
	verdict_violation(f, &wit);
}

static void call_done(void *state, struct world_call *c, void *mine, const struct world *w,
		      struct finding *f)
{
	struct state *s = state;
	const struct call_part *m = mine;
	enum anomaly anomaly;

	if (c->profile != PROFILE_RESUMABLE || !c->admitted_ns)
		return;
	s->calls++;
	s->disturbances += m->count;
	s->replayed += m->replayed;
	s->most = m->count > s->most ? m->count : s->most;
	s->longest_ns = m->dead_ns > s->longest_ns ? m->dead_ns : s->longest_ns;
	anomaly = over(s, m, w);
	if (anomaly)
		convict(m, w, c, anomaly, f);
}

static bool asked(const struct scenario *scenario)
{
	const struct profile_plan *p = &scenario->calls.profile[PROFILE_RESUMABLE];

	return p->share > 0 && (p->disturbances >= 0 || p->dead_air_ns);
}

static void finish(void *state, const struct world *w, struct finding *f)
{
	const struct profile_plan *p = &w->scenario->calls.profile[PROFILE_RESUMABLE];
	const struct state *s = state;
	char often[32] = "", silent[32] = "";

	verdict_saw(f, s->calls, 1);
	if (s->ours)
		verdict_doubt(f, REASON_LATE_GENERATOR,
			      "%llu calls are over the budget for a standstill of ours",
			      (unsigned long long)s->ours);
	if (p->disturbances >= 0)
		snprintf(often, sizeof(often), " (limit %d)", p->disturbances);
	if (p->dead_air_ns)
		snprintf(silent, sizeof(silent), " (limit %.0f ms)",
			 (double)p->dead_air_ns / NS_PER_MS);
	finding_say(
		f,
		"%llu reconnects that %llu callers had not planned, at most %u of one%s; at most %.0f ms without a leg%s; "
		"%llu turns sent again; %llu over budget",
		(unsigned long long)s->disturbances, (unsigned long long)s->calls, s->most, often,
		(double)s->longest_ns / NS_PER_MS, silent, (unsigned long long)s->replayed,
		(unsigned long long)f->violations);
}

const struct check check_disturbance = {
	.name = "disturbance",
	.about =
		"a call is made to reconnect no more often, and is without a leg for no longer, than its budget says",
	.asked = asked,
	.why_not = "no budget is declared for disturbances",
	.trials = "calls",
	.kinds = KIND(LEG_END) | KIND(RESUME_OK) | KIND(TURN_INV),
	.state_bytes = sizeof(struct state),
	.call_bytes = sizeof(struct call_part),
	.event = event,
	.call_done = call_done,
	.finish = finish,
};
