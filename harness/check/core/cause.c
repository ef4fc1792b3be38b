#include "check/core/cause.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Takes the signature if it fits and its expected moment is nearer than the best so far. */
static void consider(struct cause *best, int64_t *miss_ns, enum anomaly anomaly, int64_t since_ns,
		     int64_t expected_ns, int64_t early_ns, int64_t late_ns, int64_t t_ns)
{
	int64_t off_ns = t_ns - expected_ns;

	if (!since_ns || off_ns < -early_ns || off_ns > late_ns || llabs(off_ns) >= *miss_ns)
		return;
	*miss_ns = llabs(off_ns);
	*best = (struct cause){ .anomaly = anomaly,
				.since_ns = since_ns,
				.offset_ns = t_ns - since_ns };
}

/* Not on record: told by the exit it brought, and set to it. */
static bool inferred(const struct world_instance *on, int64_t signal_ns)
{
	return on->ended_by_others && signal_ns == on->exit_ns;
}

struct cause cause_of_cut(const struct world *w, const struct leg_cut *cut)
{
	const struct world_instance *on = &w->instances[cut->instance];
	int64_t delay_ns = world_deregistration_delay_ns(w), idle_ns = w->scenario->timers.idle_ns;
	int64_t last_byte_ns = cut->t_ns - cut->silent_ms * NS_PER_MS, miss_ns = INT64_MAX;
	struct cause best = { .anomaly = ANOMALY_UNKNOWN };
	bool bare = cut->how == LEG_FIN || cut->how == LEG_RST;

	if (cut->side != SIDE_AGENT)
		return best;
	if (bare && idle_ns && cut->silent_ms)
		consider(&best, &miss_ns, ANOMALY_IDLE_CUT, last_byte_ns, last_byte_ns + idle_ns,
			 BALANCER_EARLY_NS, BALANCER_LATE_NS, cut->t_ns);
	if (!cut->instance)
		return best;
	consider(&best, &miss_ns, ANOMALY_CUT_BY_SIGTERM, on->sigterm_ns, on->sigterm_ns,
		 inferred(on, on->sigterm_ns) ? SIGTERM_WINDOW_NS : 0, SIGTERM_WINDOW_NS,
		 cut->t_ns);
	if (!bare)
		return best;
	consider(&best, &miss_ns, ANOMALY_CUT_BY_SIGKILL, on->sigkill_ns, on->sigkill_ns,
		 inferred(on, on->sigkill_ns) ? SIGKILL_WINDOW_NS : 0, SIGKILL_WINDOW_NS,
		 cut->t_ns);
	consider(&best, &miss_ns, ANOMALY_DEREGISTRATION_CUT, on->deregister_inv_ns,
		 on->deregister_inv_ns + delay_ns, BALANCER_EARLY_NS, BALANCER_LATE_NS, cut->t_ns);
	return best;
}

enum anomaly cause_of_refused_dial(unsigned failure)
{
	return failure == DIAL_TLS_VERSION ? ANOMALY_TLS_VERSION :
	       failure == DIAL_TLS_CERT	   ? ANOMALY_TLS_CERTIFICATE :
					     ANOMALY_UNKNOWN;
}

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
	const struct world_instance *on = &w->instances[cut->instance];
	const char *what = cause->anomaly == ANOMALY_CUT_BY_SIGTERM	? "SIGTERM of" :
			   cause->anomaly == ANOMALY_CUT_BY_SIGKILL	? "SIGKILL of" :
			   cause->anomaly == ANOMALY_DEREGISTRATION_CUT ? "deregistration of" :
									  "the last byte from";

	out[0] = '\0';
	if ((cause->anomaly == ANOMALY_CUT_BY_SIGTERM ||
	     cause->anomaly == ANOMALY_CUT_BY_SIGKILL) &&
	    inferred(on, cause->since_ns))
		snprintf(out, CAUSE_TEXT_MAX, ", %.1f ms %s the end of %s (exit %u)",
			 fabs((double)cause->offset_ns) / NS_PER_MS,
			 cause->offset_ns < 0 ? "before" : "after",
			 world_instance_name(w, cut->instance), on->exit_code);
	else if (cause->anomaly != ANOMALY_UNKNOWN)
		snprintf(out, CAUSE_TEXT_MAX, ", %.1f ms after %s %s",
			 (double)cause->offset_ns / NS_PER_MS, what,
			 world_instance_name(w, cut->instance));
	return out;
}
