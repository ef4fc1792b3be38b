/*
 * I1, zero dropped calls: every admitted call runs its script to its planned hangup. Dropped, muted
 * and truncated calls are violations; so are refused ones, unless the scenario has a gate of its
 * own on them. Compared with the script, never with a close code; named by the cause's signature,
 * or unknown.
 */
#include <stdio.h>
#include <string.h>

#include "check/core/cause.h"
#include "check/core/outcome.h"
#include "check/core/unserved.h"
#include "check/core/witness.h"

struct state {
	uint64_t judged, dropped, refused, unfinished, no_room, stalled, disturbed;
	bool refused_has_gate;
};

static void begin(void *state, const struct world *w)
{
	struct state *s = state;

	for (size_t i = 0; i < w->scenario->gate_count; i++)
		s->refused_has_gate |= !strcmp(w->scenario->gates[i].metric, "refused");
}

static void dropped(const struct world *w, const struct world_call *c, unsigned outcome,
		    struct finding *f)
{
	struct cause cause = cause_of_drop(w, c);
	struct witness wit = witness_of_call(w, c, c->cut.t_ns ? c->cut.t_ns : c->end_ns);
	char how[CUT_TEXT_MAX], why[CAUSE_TEXT_MAX], since[UNSERVED_TEXT_MAX] = "";

	if (c->cut.t_ns) {
		wit.leg = c->cut.leg;
		wit.color = c->cut.color;
		wit.instance = c->cut.instance;
	}
	wit.cause = cause.anomaly;
	wit.cause_ns = cause.since_ns;
	wit.anomaly = cause.anomaly == ANOMALY_UNKNOWN && outcome == CALL_TRUNCATED ?
			      ANOMALY_TRUNCATED :
			      cause.anomaly;
	if (c->profile == PROFILE_RESUMABLE && !(c->flags & CALL_LATE_RESUME))
		unserved_text(w, c, since);
	witness_say(&wit, "%s%s, turn %u of %u; %s profile, %s%s%s",
		    c->cut.t_ns ? cut_text(&c->cut, how) : "ended by nobody",
		    cause_text(w, &c->cut, &cause, why), c->acked, c->planned_turns,
		    profile_name(c->profile),
		    c->flags & CALL_LATE_RESUME ? "came back too late" : "never came back",
		    since[0] ? ", " : "", since);
	verdict_violation(f, &wit);
}

static void muted(const struct world *w, const struct world_call *c, struct finding *f)
{
	struct witness wit = witness_of_call(w, c, c->end_ns ? c->end_ns : w->last_ns);
	struct cause cause = cause_of_silence(w, c);
	char why[CAUSE_TEXT_MAX];

	wit.anomaly = ANOMALY_MUTED;
	wit.cause = cause.anomaly;
	wit.cause_ns = cause.since_ns;
	silence_text(w, c, &cause, why);
	if (c->muted_ns)
		witness_say(
			&wit,
			"heard nothing for %.1f s after turn %u (limit %.1f s) while the leg was up%s",
			(double)c->muted_ns / NS_PER_S, c->acked + 1U,
			(double)w->scenario->timers.dead_after_ns / NS_PER_S, why);
	else
		witness_say(&wit, "heard nothing after turn %u while the leg was up%s",
			    c->acked + 1U, why);
	verdict_violation(f, &wit);
}

static void refused(const struct world *w, const struct world_call *c, struct finding *f)
{
	struct witness wit = witness_of_call(w, c, c->end_ns);
	struct cause cause = unserved_cause(c);
	char why[UNSERVED_TEXT_MAX];

	wit.anomaly = ANOMALY_BLOCKED;
	wit.cause = cause.anomaly == ANOMALY_BLOCKED ? ANOMALY_UNKNOWN : cause.anomaly;
	wit.cause_ns = cause.since_ns;
	witness_say(&wit, "never admitted within %.1f s: %u dials failed; %s",
		    (double)w->scenario->timers.setup_within_ns / NS_PER_S, c->dial_failures,
		    unserved_text(w, c, why));
	verdict_violation(f, &wit);
}

static void call_done(void *state, struct world_call *c, void *mine, const struct world *w,
		      struct finding *f)
{
	struct state *s = state;
	unsigned outcome = outcome_of(w, c);
	bool bad = outcome == CALL_DROPPED || outcome == CALL_TRUNCATED || outcome == CALL_MUTED;

	(void)mine;
	if (outcome == CALL_ABANDONED || outcome == OUTCOME_LIVE) {
		s->unfinished++;
		return;
	}
	if (outcome_is_ours(w, c, outcome)) {
		*(c->flags & CALL_LOCAL_LIMIT ? &s->no_room : &s->stalled) += 1;
		return;
	}
	s->judged++;
	s->disturbed += !bad && c->cut.t_ns && c->cut.side == SIDE_AGENT;
	s->dropped += bad;
	if (outcome == CALL_REFUSED) {
		s->refused++;
		if (!s->refused_has_gate)
			refused(w, c, f);
	} else if (outcome == CALL_MUTED) {
		muted(w, c, f);
	} else if (bad) {
		dropped(w, c, outcome, f);
	}
}

static void finish(void *state, const struct world *w, struct finding *f)
{
	struct state *s = state;

	verdict_saw(f, s->judged, 1);
	if (!w->shift.ok_ns)
		verdict_doubt(f, REASON_NO_PHASE,
			      "the weights were never shifted to green: no call was at risk");
	else if (!w->crossed_shift)
		verdict_doubt(f, REASON_VACUOUS, "no call was live across the shift");
	if (s->unfinished)
		verdict_doubt(f, REASON_UNFINISHED, "%llu calls had not ended when the record does",
			      (unsigned long long)s->unfinished);
	if (s->no_room)
		verdict_doubt(f, REASON_LOCAL_LIMIT,
			      "%llu calls failed for lack of our own descriptors or ports",
			      (unsigned long long)s->no_room);
	if (s->stalled)
		verdict_doubt(f, REASON_LATE_GENERATOR,
			      "%llu calls failed while we stood still ourselves, for up to %.1f s",
			      (unsigned long long)s->stalled,
			      (double)w->load.longest_stall_ns / NS_PER_S);
	finding_say(
		f,
		"%llu of %llu dropped (limit 0), %llu refused, %llu live across the shift, %llu cut "
		"and resumed",
		(unsigned long long)s->dropped, (unsigned long long)s->judged,
		(unsigned long long)s->refused, (unsigned long long)w->crossed_shift,
		(unsigned long long)s->disturbed);
}

const struct check check_dropped_calls = {
	.name = "dropped_calls",
	.about = "every admitted call runs its script to its planned hangup",
	.trials = "calls",
	.state_bytes = sizeof(struct state),
	.begin = begin,
	.call_done = call_done,
	.finish = finish,
};
