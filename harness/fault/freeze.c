/* SIGSTOP, and SIGCONT when it is over: an agent that is there, and takes no part. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "fault/fault.h"

static int begin(struct fault_job *job, struct err *err)
{
	return job->hands->signal(job->hands->user, job->plan->instance, SIGSTOP, err);
}

static int end(struct fault_job *job, struct err *err)
{
	return job->hands->signal(job->hands->user, job->plan->instance, SIGCONT, err);
}

/* The kernel's word: state T. Its name stands before that in parentheses, and may hold any. */
static int bite(struct fault_job *job)
{
	pid_t pid = job->hands->pid(job->hands->user, job->plan->instance);
	char path[64], text[512] = "";
	const char *state;
	FILE *in;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	in = pid > 0 ? fopen(path, "re") : NULL;
	if (!in)
		return -1;
	text[fread(text, 1, sizeof text - 1, in)] = '\0';
	fclose(in);
	state = strrchr(text, ')');
	return state && state[1] == ' ' && state[2] == 'T';
}

const struct fault fault_freeze = {
	.kind = FAULT_FREEZE,
	.begin = begin,
	.end = end,
	.bite = bite,
};
