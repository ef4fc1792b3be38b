/* SIGKILL: an agent that dies in the middle of everything. There is nothing to heal. */
#include <signal.h>

#include "fault/fault.h"

static int begin(struct fault_job *job, struct err *err)
{
	return job->hands->signal(job->hands->user, job->plan->instance, SIGKILL, err);
}

static int bite(struct fault_job *job)
{
	return job->hands->has_ended(job->hands->user, job->plan->instance);
}

const struct fault fault_kill = {
	.kind = FAULT_KILL,
	.begin = begin,
	.end = fault_stays,
	.bite = bite,
};
