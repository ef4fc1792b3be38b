#include "check/core/unserved.h"

#include <stdio.h>

/* The last dial brought a leg that never got ready: one that did would have ended the loss. */
static bool was_opened(const struct world_call *c)
{
	return c->open_ns > c->lost_ns;
}

static bool was_refused(const struct world_call *c)
{
	return c->dial_ns > c->lost_ns && c->dial_failure;
}

struct cause unserved_cause(const struct world_call *c)
{
	struct cause cause = { .anomaly = ANOMALY_UNKNOWN };

	if (was_opened(c) && c->refused_ns >= c->open_ns) {
		cause = (struct cause){ .anomaly = ANOMALY_REDIS_REFUSED,
					.since_ns = c->refused_ns,
					.refused_by = c->refused_by };
	} else if (was_opened(c) && c->error_ns >= c->open_ns) {
		cause = (struct cause){ .anomaly = ANOMALY_AGENT_ERROR,
					.since_ns = c->error_ns,
					.note = c->error_note };
	} else if (was_opened(c)) {
		cause = (struct cause){ .anomaly = ANOMALY_NEVER_READY, .since_ns = c->open_ns };
	} else if (was_refused(c) && c->dial_failure != DIAL_LOCAL_LIMIT) {
		cause.anomaly = cause_of_refused_dial(c->dial_failure);
		if (cause.anomaly == ANOMALY_UNKNOWN)
			cause.anomaly = ANOMALY_BLOCKED;
	}
	return cause;
}

const char *unserved_text(const struct world *w, const struct world_call *c,
			  char out[UNSERVED_TEXT_MAX])
{
	const char *on = world_instance_name(w, c->instance);
	const struct leg_cut end = { .how = c->unready_how,
				     .side = c->unready_side,
				     .code = c->unready_code };
	struct cause cause = unserved_cause(c);
	char how[CUT_TEXT_MAX];

	out[0] = '\0';
	if (cause.anomaly == ANOMALY_AGENT_ERROR)
		snprintf(out, UNSERVED_TEXT_MAX, "its last leg was on %s and heard \"%.80s\"", on,
			 world_note(w, cause.note));
	else if (cause.anomaly == ANOMALY_REDIS_REFUSED)
		snprintf(out, UNSERVED_TEXT_MAX,
			 "its last leg was on %s, and Redis refused a command of it (%s)", on,
			 redis_error_name(cause.refused_by));
	else if (cause.anomaly == ANOMALY_NEVER_READY)
		snprintf(out, UNSERVED_TEXT_MAX, "its last leg was on %s, heard nothing and was %s",
			 on, cut_text(&end, how));
	else if (was_refused(c) && c->dial_status)
		snprintf(out, UNSERVED_TEXT_MAX, "its last dial failed by %s %u",
			 dial_failure_name(c->dial_failure), c->dial_status);
	else if (was_refused(c))
		snprintf(out, UNSERVED_TEXT_MAX, "its last dial failed by %s",
			 dial_failure_name(c->dial_failure));
	return out;
}
