/*
 * The supervisor process: parent of every other process of a run. Brings the stage up, starts the
 * schedule's clock, passes messages between director, workers, tap, observer and the `run`
 * command, and ends everything on every way out.
 *
 *   run <── phases, counters ── supervisor ── signal, stop ──> director, workers, agents, ...
 *
 * It judges nothing and plans nothing. EOF on the channel to `run` (it was killed) ends the run
 * at once.
 */
#ifndef DIRECTOR_SUPERVISOR_H
#define DIRECTOR_SUPERVISOR_H

#include "base/err.h"
#include "scenario/scenario.h"

struct supervisor_settings {
	const struct scenario *scenario;
	const char *run_dir; /* holds scenario.yaml; lanes and logs are written here */
	const char *run_id;
	const char *run6; /* the part of it that call ids carry */
	int workers;
	const char *local_ips; /* "A-B", or NULL */
	int control;	       /* channel to `run` */
};

/* Returns when nothing of the run is left: 0, or -1 with the reason it could not be done (already
 * told to `run`). */
int supervise(const struct supervisor_settings *, struct err *);

#endif
