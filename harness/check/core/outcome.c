#include "check/core/cause.h"
#include "check/core/outcome.h"
#include "check/core/witness.h"

/* A polite goodbye in the middle of a sentence is a drop all the same. */
static unsigned how_lost(const struct world_call *c)
{
	bool polite = c->cut.how == LEG_CLOSE_FRAME && (c->cut.code == 1000 || c->cut.code == 1001);

	return polite && c->cut.side == SIDE_AGENT ? CALL_TRUNCATED : CALL_DROPPED;
}

/* Without a leg since lost_ns, no hangup, and never back. */
static unsigned never_back(const struct world *w, const struct world_call *c)
{
	const struct profile_plan *plan = &w->scenario->calls.profile[PROFILE_RESUMABLE];
	bool ended = c->flags & CALL_ENDED,
	     by_us = c->cut.side == SIDE_CALLER && !(c->flags & CALL_PLANNED_LOSS);
	int64_t until_ns = ended ? c->end_ns : w->last_ns,
		known_ns = ended ? INT64_MAX : known_until_ns(w, ROLE_WORKER);

	if (known_ns < until_ns) /* it may have come back after its lane was cut off */
		until_ns = known_ns > c->lost_ns ? known_ns : c->lost_ns;
	if (by_us && ended && c->end_code == CALL_MUTED)
		return CALL_MUTED;
	if (by_us && ended && c->end_code == CALL_ABANDONED)
		return CALL_ABANDONED;
	if (c->profile != PROFILE_RESUMABLE)
		return how_lost(c);
	/* At the limit it could still have been in time. */
	if (until_ns - c->lost_ns <= plan->resume_within_ns && !ended)
		return OUTCOME_LIVE;
	if (until_ns - c->lost_ns <= plan->resume_within_ns && c->end_code == CALL_ABANDONED)
		return CALL_ABANDONED;
	return how_lost(c);
}

unsigned outcome_of(const struct world *w, const struct world_call *c)
{
	bool ended = c->flags & CALL_ENDED;

	if (!c->admitted_ns)
		return !ended                          ? OUTCOME_LIVE
		       : c->end_code == CALL_ABANDONED ? CALL_ABANDONED
						       : CALL_REFUSED;
	if (c->flags & CALL_WAS_MUTED)
		return CALL_MUTED;
	if (c->flags & CALL_LATE_RESUME)
		return how_lost(c);
	if (c->hangup_ns)
		return CALL_COMPLETED;
	if (c->lost_ns)
		return never_back(w, c);
	if (!ended)
		return OUTCOME_LIVE;
	/* Its leg was up and nobody hung up: ours only if the simulator owns up to it. */
	return c->end_code == CALL_ABANDONED || c->end_code == CALL_MUTED ||
			       c->end_code == CALL_TRUNCATED
		       ? c->end_code
		       : CALL_DROPPED;
}

/* Without the time we lost it took no longer than it may. */
static bool in_time_but_for_us(const struct world *w, int64_t from_ns, int64_t to_ns,
			       int64_t limit_ns)
{
	int64_t stalled_ns = load_stalled_ns(&w->load, from_ns, to_ns);

	return stalled_ns && to_ns - from_ns - stalled_ns <= limit_ns;
}

bool cut_is_ours(const struct world *w, const struct leg_cut *cut)
{
	enum anomaly cause = cause_of_cut(w, cut).anomaly;
	int64_t from_ns = cut->t_ns - cut->silent_ms * NS_PER_MS;

	return cut->side == SIDE_AGENT && (cause == ANOMALY_UNKNOWN || cause == ANOMALY_IDLE_CUT) &&
	       load_stalled_ns(&w->load, from_ns, cut->t_ns);
}

bool outcome_is_ours(const struct world *w, const struct world_call *c, unsigned outcome)
{
	const struct timers_declared *timers = &w->scenario->timers;
	int64_t resume_ns = w->scenario->calls.profile[PROFILE_RESUMABLE].resume_within_ns,
		end_ns = c->end_ns ? c->end_ns : w->last_ns;

	if (outcome != CALL_DROPPED && outcome != CALL_TRUNCATED && outcome != CALL_MUTED &&
	    outcome != CALL_REFUSED)
		return false;
	if (c->flags & CALL_LOCAL_LIMIT)
		return true;
	if (!w->load.stall_count)
		return false;
	if (outcome == CALL_REFUSED)
		return in_time_but_for_us(w, c->start_ns, end_ns, timers->setup_within_ns);
	if (outcome == CALL_MUTED)
		return in_time_but_for_us(w, c->late_from_ns, c->late_to_ns, timers->dead_after_ns);
	if (c->flags & CALL_LATE_RESUME)
		return in_time_but_for_us(w, c->late_from_ns, c->late_to_ns, resume_ns);
	if (c->profile == PROFILE_RESUMABLE)
		return c->lost_ns && in_time_but_for_us(w, c->lost_ns, end_ns, resume_ns);
	return cut_is_ours(w, &c->cut);
}

const char *outcome_name(unsigned outcome)
{
	return outcome == OUTCOME_LIVE ? "live" : call_end_name(outcome);
}

void ledger_add(struct ledger *l, unsigned outcome)
{
	switch (outcome) {
	case CALL_COMPLETED:
		l->completed++;
		break;
	case CALL_DROPPED:
	case CALL_MUTED:
	case CALL_TRUNCATED:
		l->dropped++;
		break;
	case CALL_REFUSED:
		l->refused++;
		break;
	case CALL_ABANDONED:
		l->abandoned++;
		break;
	default:
		l->live++;
		break;
	}
}

bool ledger_balances(const struct ledger *l)
{
	return l->started == l->completed + l->dropped + l->refused + l->live + l->abandoned;
}
