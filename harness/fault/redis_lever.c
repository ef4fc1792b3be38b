/* What the tap does to commands on their way: delay, hold, refuse, cut, swallow the answer. */
#include <stdio.h>

#include "fault/fault.h"
#include "record/event.h"
#include "tap/lever.h"

static int check(const struct fault_plan *plan, struct err *err)
{
	struct lever lever;

	return lever_parse(plan->lever, &lever, err);
}

static int begin(struct fault_job *job, struct err *err)
{
	char text[LEVER_TEXT_MAX];

	/* Its bites are told apart by this name. */
	if (snprintf(text, sizeof text, "%s as " FAULT_LEVER_NAME "%u", job->plan->lever,
		     job->number) >= (int)sizeof text)
		return err_set(err, ERR_INPUT, "lever \"%.40s...\": longer than %d bytes",
			       job->plan->lever, LEVER_TEXT_MAX - 1);
	return job->hands->lever(job->hands->user, text, err);
}

static int end(struct fault_job *job, struct err *err)
{
	char text[64];

	snprintf(text, sizeof text, "disarm " FAULT_LEVER_NAME "%u", job->number);
	return job->hands->lever(job->hands->user, text, err);
}

const struct fault fault_redis_lever = {
	.kind = FAULT_REDIS_LEVER,
	.check = check,
	.begin = begin,
	.end = end,
	.bite = fault_shows_elsewhere, /* the tap's events, each with the command it took */
};
