/*
 * The director process: walks the steps of the cutover, one after the other, each to its
 * deadline, and records what it asked, what it was told and what it believed. It drives the
 * balancer through a driver and processes through the supervisor; counts of active calls come
 * from the observer. It judges nothing.
 *
 *   for each step: phase.begin -> actions -> phase.end(ok | failed | not reached)
 *   a failed step skips the rest but the steady ones; weights that may differ from the snapshot
 *   by then go back to it, and so they do after an interrupt while blue is there to take them.
 */
#ifndef DIRECTOR_DIRECTOR_H
#define DIRECTOR_DIRECTOR_H

#include "base/err.h"
#include "scenario/scenario.h"

struct director_settings {
	const struct scenario *scenario;
	const char *run_dir;
	int control;
};

/* Serves the channel from BIND to the end of the run. 0, or -1 with an error of ours. */
int direct(const struct director_settings *, struct err *);

#endif
