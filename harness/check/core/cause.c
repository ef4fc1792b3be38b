#include "check/core/cause.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "check/core/unserved.h"

/* What happened, and when its effect on a leg is due; since_ns 0: it did not happen. */
struct moment {
	int64_t since_ns, due_ns;
};

static struct moment at_once(int64_t t_ns, bool happened)
{
	return (struct moment){ happened ? t_ns : 0, t_ns };
}

static const struct world_instance *instance_of(const struct world *w, const struct leg_cut *cut)
{
	return &w->instances[cut->instance];
}

/* Not on record: told by the exit it brought, and set to it. */
static bool is_inferred(const struct world_instance *on, int64_t signal_ns)
{
	return on->ended_by_others && signal_ns == on->exit_ns;
}

static struct moment of_silence(const struct world *w, const struct leg_cut *cut)
{
	int64_t last_byte_ns = cut->t_ns - cut->silent_ms * NS_PER_MS, idle_ns = world_idle_ns(w);

	return (struct moment){ idle_ns && cut->silent_ms ? last_byte_ns : 0,
				last_byte_ns + idle_ns };
}

static struct moment of_sigterm(const struct world *w, const struct leg_cut *cut)
{
	const struct world_instance *on = instance_of(w, cut);

	return at_once(on->sigterm_ns, !is_inferred(on, on->sigterm_ns));
}

static struct moment of_sigkill(const struct world *w, const struct leg_cut *cut)
{
	const struct world_instance *on = instance_of(w, cut);

	return at_once(on->sigkill_ns, !is_inferred(on, on->sigkill_ns));
}

static struct moment of_unseen_sigterm(const struct world *w, const struct leg_cut *cut)
{
	const struct world_instance *on = instance_of(w, cut);

	return at_once(on->sigterm_ns, is_inferred(on, on->sigterm_ns));
}

static struct moment of_unseen_sigkill(const struct world *w, const struct leg_cut *cut)
{
	const struct world_instance *on = instance_of(w, cut);

	return at_once(on->sigkill_ns, is_inferred(on, on->sigkill_ns));
}

static struct moment of_deregistration(const struct world *w, const struct leg_cut *cut)
{
	int64_t inv_ns = instance_of(w, cut)->deregister_inv_ns;

	return (struct moment){ inv_ns, inv_ns + world_deregistration_delay_ns(w) };
}

static struct moment of_reload(const struct world *w, const struct leg_cut *cut)
{
	(void)cut;
	return (struct moment){ w->hard_stop_ns ? w->reload_ns : 0,
				w->reload_ns + w->hard_stop_ns };
}

static struct moment of_goodbye(const struct world *w, const struct leg_cut *cut)
{
	int64_t goodbye_ns = instance_of(w, cut)->goodbye_ns;

	return at_once(goodbye_ns, true);
}

static struct moment of_death(const struct world *w, const struct leg_cut *cut)
{
	return at_once(instance_of(w, cut)->exit_ns, instance_of(w, cut)->died);
}

static struct moment of_burst(const struct world *w, const struct leg_cut *cut)
{
	const struct world_instance *on = instance_of(w, cut);
	bool within = on->burst > 1 && cut->t_ns >= on->burst_from_ns &&
		      cut->t_ns <= on->burst_to_ns;

	return (struct moment){ within ? on->sigterm_ns : 0, cut->t_ns };
}

/* By itself, after a SIGTERM of ours that began its drain. */
static struct moment of_end_of_drain(const struct world *w, const struct leg_cut *cut)
{
	const struct world_instance *on = instance_of(w, cut);

	return at_once(on->exit_ns, on->sigterm_ns && !on->sigkill_ns && !on->ended_by_others &&
					    on->sigterm_ns < on->exit_ns);
}

static const struct signature {
	enum anomaly anomaly;
	const char *what; /* the leg ended so long after ... */
	bool of_nobody;	  /* ... which is no event of the leg's instance */
	bool bare;	  /* only an ending without a close frame carries it */
	bool last_resort; /* considered only when nothing before it in this table fits */
	int64_t early_ns, late_ns;
	struct moment (*moment)(const struct world *, const struct leg_cut *);
} signatures[] = {
	{ .anomaly = ANOMALY_IDLE_CUT,
	  .what = "the last byte from",
	  .of_nobody = true,
	  .bare = true,
	  .early_ns = BALANCER_EARLY_NS,
	  .late_ns = BALANCER_LATE_NS,
	  .moment = of_silence },
	{ .anomaly = ANOMALY_CUT_BY_SIGTERM,
	  .what = "SIGTERM of",
	  .late_ns = SIGTERM_WINDOW_NS,
	  .moment = of_sigterm },
	{ .anomaly = ANOMALY_CUT_BY_SIGTERM,
	  .what = "the end of",
	  .early_ns = SIGTERM_WINDOW_NS,
	  .late_ns = SIGTERM_WINDOW_NS,
	  .moment = of_unseen_sigterm },
	{ .anomaly = ANOMALY_CUT_BY_SIGKILL,
	  .what = "SIGKILL of",
	  .bare = true,
	  .late_ns = SIGKILL_WINDOW_NS,
	  .moment = of_sigkill },
	{ .anomaly = ANOMALY_CUT_BY_SIGKILL,
	  .what = "the end of",
	  .bare = true,
	  .early_ns = SIGKILL_WINDOW_NS,
	  .late_ns = SIGKILL_WINDOW_NS,
	  .moment = of_unseen_sigkill },
	{ .anomaly = ANOMALY_DEREGISTRATION_CUT,
	  .what = "deregistration of",
	  .bare = true,
	  .early_ns = BALANCER_EARLY_NS,
	  .late_ns = BALANCER_LATE_NS,
	  .moment = of_deregistration },
	{ .anomaly = ANOMALY_RELOAD_CUT,
	  .what = "a reload of the balancer, under the leg on",
	  .of_nobody = true,
	  .bare = true,
	  .early_ns = BALANCER_EARLY_NS,
	  .late_ns = BALANCER_LATE_NS,
	  .moment = of_reload },
	{ .anomaly = ANOMALY_DRAIN_CUT_SHORT,
	  .what = "the end of another call on",
	  .late_ns = GOODBYE_WINDOW_NS,
	  .moment = of_goodbye },
	{ .anomaly = ANOMALY_INSTANCE_DIED,
	  .what = "the end of",
	  .early_ns = EXIT_WINDOW_NS,
	  .late_ns = EXIT_WINDOW_NS,
	  .moment = of_death },
	{ .anomaly = ANOMALY_DRAIN_CAP_CUT,
	  .what = "SIGTERM of",
	  .last_resort = true,
	  .moment = of_burst },
	{ .anomaly = ANOMALY_DRAIN_CUT_SHORT,
	  .what = "the end of",
	  .last_resort = true,
	  .early_ns = EXIT_WINDOW_NS,
	  .late_ns = EXIT_WINDOW_NS,
	  .moment = of_end_of_drain },
};
enum { SIGNATURES = sizeof(signatures) / sizeof(*signatures) };

/* How far the leg's end is from what the signature expects; INT64_MAX: it does not fit. */
static int64_t miss_of(const struct signature *s, const struct world *w, const struct leg_cut *cut,
		       int64_t *ret_since_ns)
{
	bool bare = cut->how == LEG_FIN || cut->how == LEG_RST;
	struct moment m;

	if ((s->bare && !bare) || (!s->of_nobody && !cut->instance))
		return INT64_MAX;
	m = s->moment(w, cut);
	if (!m.since_ns || cut->t_ns - m.due_ns < -s->early_ns || cut->t_ns - m.due_ns > s->late_ns)
		return INT64_MAX;
	*ret_since_ns = m.since_ns;
	return llabs(cut->t_ns - m.due_ns);
}

struct cause cause_of_cut(const struct world *w, const struct leg_cut *cut)
{
	struct cause best = { .anomaly = ANOMALY_UNKNOWN };
	int64_t least_ns = INT64_MAX;

	if (cut->side != SIDE_AGENT)
		return best;
	for (size_t i = 0; i < SIGNATURES; i++) {
		const struct signature *s = &signatures[i];
		int64_t since_ns = 0, miss_ns;

		if (s->last_resort && least_ns != INT64_MAX)
			break;
		miss_ns = miss_of(s, w, cut, &since_ns);
		if (miss_ns >= least_ns)
			continue;
		least_ns = miss_ns;
		best = (struct cause){ .anomaly = s->anomaly,
				       .signature = s,
				       .since_ns = since_ns,
				       .offset_ns = cut->t_ns - since_ns };
	}
	return best;
}

static struct cause of_refusal(const struct world_call *c, int64_t t_ns)
{
	return (struct cause){ .anomaly = ANOMALY_REDIS_REFUSED,
			       .since_ns = c->refused_ns,
			       .offset_ns = t_ns - c->refused_ns,
			       .refused_by = c->refused_by };
}

static struct cause of_error(const struct world_call *c, int64_t t_ns)
{
	return (struct cause){ .anomaly = ANOMALY_AGENT_ERROR,
			       .since_ns = c->error_ns,
			       .offset_ns = t_ns - c->error_ns,
			       .note = c->error_note };
}

/* It answered with an error, and with nothing since. */
static bool says_no_more(const struct world_call *c)
{
	return c->error_ns && c->error_ns >= c->free_ns && c->error_ns <= c->cut.t_ns;
}

struct cause cause_of_drop(const struct world *w, const struct world_call *c)
{
	struct cause cause = cause_of_cut(w, &c->cut);
	int64_t since_ns = c->cut.t_ns - c->refused_ns;

	if (cause.anomaly != ANOMALY_UNKNOWN)
		return cause;
	if (c->refused_ns && c->cut.side == SIDE_AGENT && since_ns >= 0 &&
	    since_ns <= REFUSAL_WINDOW_NS)
		return of_refusal(c, c->cut.t_ns);
	since_ns = c->cut.t_ns - c->denied_ns;
	if (c->denied_ns && c->cut.side == SIDE_AGENT && since_ns >= 0 &&
	    since_ns <= FENCE_WINDOW_NS)
		return (struct cause){ .anomaly = ANOMALY_FENCED_OFF,
				       .since_ns = c->denied_ns,
				       .offset_ns = since_ns };
	if (says_no_more(c) && c->cut.side == SIDE_AGENT &&
	    c->cut.t_ns - c->error_ns <= REFUSAL_WINDOW_NS)
		return of_error(c, c->cut.t_ns);
	return c->profile == PROFILE_RESUMABLE && c->lost_ns ? unserved_cause(c) : cause;
}

static struct cause since(enum anomaly anomaly, int64_t since_ns, int64_t harm_ns)
{
	return (struct cause){ .anomaly = anomaly,
			       .since_ns = since_ns,
			       .offset_ns = harm_ns - since_ns };
}

struct cause cause_of_silence(const struct world *w, const struct world_call *c)
{
	const struct world_instance *on = &w->instances[c->instance];
	int64_t from_ns = c->late_from_ns, to_ns = c->late_to_ns;
	struct cause cause = { .anomaly = ANOMALY_UNKNOWN };

	if (c->instance && on->stopped_ns && on->stopped_ns <= to_ns &&
	    (!on->resumed_ns || on->resumed_ns >= from_ns))
		cause = since(ANOMALY_FROZEN, on->stopped_ns, to_ns);
	else if (c->refused_ns >= from_ns && c->refused_ns <= to_ns && from_ns)
		cause = of_refusal(c, to_ns);
	else if (w->redis_ended_ns >= from_ns && w->redis_ended_ns <= to_ns && from_ns)
		cause = since(ANOMALY_REDIS_ENDED, w->redis_ended_ns, to_ns);
	else if (c->error_ns >= from_ns && c->error_ns <= to_ns && from_ns)
		cause = of_error(c, to_ns);
	else if (c->unheard)
		cause.anomaly = ANOMALY_FROZEN;
	return cause;
}

/* The servers are asked four times a second: there were two up to so much before they were seen. */
static const int64_t role_seen_within_ns = 500 * NS_PER_MS;

bool cause_is_two_primaries(const struct world *w, int64_t written_ns, int64_t read_ns)
{
	return w->two_primaries_ns && read_ns > w->two_primaries_ns - role_seen_within_ns &&
	       written_ns > w->two_primaries_ns - role_seen_within_ns &&
	       (!w->two_primaries_until_ns || written_ns < w->two_primaries_until_ns);
}

struct cause cause_of_vanishing(const struct world *w, int64_t from_ns, int64_t to_ns)
{
	const struct purge *purge;

	if (w->redis_ended_ns > from_ns && w->redis_ended_ns <= to_ns)
		return since(ANOMALY_REDIS_ENDED, w->redis_ended_ns, to_ns);
	if ((purge = purges_between(&w->purges, true, from_ns, to_ns)))
		return since(ANOMALY_REDIS_FLUSHED, purge->to_ns, to_ns);
	if (cause_is_two_primaries(w, from_ns, to_ns))
		return since(ANOMALY_TWO_PRIMARIES, w->two_primaries_ns, to_ns);
	for (unsigned i = 0; i < 2; i++)
		if (w->redis_moved_ns[i] > from_ns && w->redis_moved_ns[i] <= to_ns)
			return since(ANOMALY_REDIS_FAILOVER, w->redis_moved_ns[i], to_ns);
	if ((purge = purges_between(&w->purges, false, from_ns, to_ns)))
		return since(ANOMALY_REDIS_EVICTED, purge->to_ns, to_ns);
	return (struct cause){ .anomaly = ANOMALY_UNKNOWN };
}

struct cause cause_of_loss(const struct world *w, const struct world_call *c, int64_t from_ns,
			   int64_t to_ns)
{
	struct cause cause = cause_of_vanishing(w, from_ns, to_ns);

	/* What Redis refused it cannot have lost. */
	if (cause.anomaly != ANOMALY_REDIS_ENDED && cause.anomaly != ANOMALY_REDIS_FLUSHED &&
	    c->refused_ns > from_ns && c->refused_ns <= to_ns)
		return of_refusal(c, to_ns);
	return cause;
}

enum anomaly cause_of_exit(const struct world_instance *on)
{
	if (on->died)
		return ANOMALY_INSTANCE_DIED;
	if (!on->ended_by_others)
		return ANOMALY_UNKNOWN;
	return on->sigkill_ns == on->exit_ns ? ANOMALY_CUT_BY_SIGKILL : ANOMALY_CUT_BY_SIGTERM;
}

enum anomaly cause_of_refused_dial(unsigned failure)
{
	return failure == DIAL_TLS_VERSION ? ANOMALY_TLS_VERSION :
	       failure == DIAL_TLS_CERT	   ? ANOMALY_TLS_CERTIFICATE :
					     ANOMALY_UNKNOWN;
}

/* ---- sentences ---- */

const char *cut_text(const struct leg_cut *cut, char out[CUT_TEXT_MAX])
{
	const char *by = cut->side == SIDE_AGENT ? "the agent's side" : "the caller";

	if (cut->how == LEG_CLOSE_FRAME)
		snprintf(out, CUT_TEXT_MAX, "closed %u by %s", cut->code, by);
	else if (cut->how == LEG_FIN)
		snprintf(out, CUT_TEXT_MAX, "closed 1006 (FIN, no close frame) by %s", by);
	else if (cut->how == LEG_RST)
		snprintf(out, CUT_TEXT_MAX, "reset (RST) by %s", by);
	else
		snprintf(out, CUT_TEXT_MAX, "given up by %s (%s)", by, leg_how_name(cut->how));
	return out;
}

const char *cause_text(const struct world *w, const struct leg_cut *cut, const struct cause *cause,
		       char out[CAUSE_TEXT_MAX])
{
	const struct world_instance *on = instance_of(w, cut);
	const struct signature *s = cause->signature;
	double ms = (double)cause->offset_ns / NS_PER_MS;
	char more[64] = "";

	out[0] = '\0';
	if (s && s->moment == of_burst)
		snprintf(more, sizeof(more), ", %u legs at once", on->burst);
	else if (s && s->moment == of_reload)
		snprintf(more, sizeof(more), " (hard stop %.1f s)",
			 (double)w->hard_stop_ns / NS_PER_S);
	else if (s && cause->since_ns == on->exit_ns)
		snprintf(more, sizeof(more), " (exit %u)", on->exit_code);
	if (s)
		snprintf(out, CAUSE_TEXT_MAX, ", %.1f ms %s %s %s%s", fabs(ms),
			 ms < 0 ? "before" : "after", s->what,
			 world_instance_name(w, cut->instance), more);
	else if (cause->since_ns > cut->t_ns)
		return out; /* not what cut it: what kept it from coming back */
	else if (cause->anomaly == ANOMALY_REDIS_REFUSED)
		snprintf(out, CAUSE_TEXT_MAX,
			 ", %.1f ms after Redis had refused a command of it (%s)", ms,
			 redis_error_name(cause->refused_by));
	else if (cause->anomaly == ANOMALY_FENCED_OFF)
		snprintf(out, CAUSE_TEXT_MAX,
			 ", %.1f ms after it had found the state gone, or another's", ms);
	else if (cause->anomaly == ANOMALY_AGENT_ERROR)
		snprintf(out, CAUSE_TEXT_MAX, ", %.1f ms after it had said \"%.80s\"", ms,
			 world_note(w, cause->note));
	return out;
}

static void evictions_text(const struct world *w, const struct cause *cause,
			   char out[CAUSE_TEXT_MAX])
{
	const struct purge *p = purges_between(&w->purges, false, cause->since_ns - 1,
					       cause->since_ns);

	if (p)
		snprintf(out, CAUSE_TEXT_MAX, "; Redis evicted %llu keys by +%.3f s (%s)",
			 (unsigned long long)p->evicted, world_s(w, p->to_ns),
			 w->names ? history_note(w->names, p->note) : "");
}

const char *silence_text(const struct world *w, const struct world_call *c,
			 const struct cause *cause, char out[CAUSE_TEXT_MAX])
{
	const char *on = world_instance_name(w, c->instance);
	double at_s = world_s(w, cause->since_ns);

	out[0] = '\0';
	if (cause->anomaly == ANOMALY_FROZEN && cause->since_ns)
		snprintf(out, CAUSE_TEXT_MAX, "; %s was stopped at +%.3f s", on, at_s);
	else if (cause->anomaly == ANOMALY_FROZEN)
		snprintf(out, CAUSE_TEXT_MAX, "; %s answered nobody meanwhile, others answered",
			 on);
	else if (cause->anomaly == ANOMALY_REDIS_REFUSED)
		snprintf(out, CAUSE_TEXT_MAX, "; Redis had refused a command of it (%s) at +%.3f s",
			 redis_error_name(cause->refused_by), at_s);
	else if (cause->anomaly == ANOMALY_AGENT_ERROR)
		snprintf(out, CAUSE_TEXT_MAX, "; %s had said \"%.80s\"", on,
			 world_note(w, cause->note));
	else if (cause->anomaly == ANOMALY_REDIS_FAILOVER)
		snprintf(out, CAUSE_TEXT_MAX,
			 "; an agent had turned to another Redis server at +%.3f s", at_s);
	else if (cause->anomaly == ANOMALY_REDIS_ENDED)
		snprintf(out, CAUSE_TEXT_MAX, "; a Redis server had ended at +%.3f s", at_s);
	else if (cause->anomaly == ANOMALY_TWO_PRIMARIES)
		snprintf(out, CAUSE_TEXT_MAX, "; two Redis servers were primary since +%.3f s",
			 at_s);
	else if (cause->anomaly == ANOMALY_REDIS_FLUSHED)
		snprintf(out, CAUSE_TEXT_MAX, "; Redis was flushed by +%.3f s", at_s);
	else if (cause->anomaly == ANOMALY_REDIS_EVICTED)
		evictions_text(w, cause, out);
	return out;
}
