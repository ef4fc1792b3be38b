/*
 * The crowd: all calls of one worker, their legs and their timers. The thin edge round the pure
 * call: it stamps, feeds inputs to call_step and carries the actions out on net/ws. One loop timer
 * for all calls; callers come from a slab.
 *
 *   traffic ──due──> caller { call, leg } ──actions──> leg, lane
 *                       ^─── inputs, timers ───┘
 */
#ifndef SIM_CROWD_H
#define SIM_CROWD_H

#include <stdbool.h>
#include <stdint.h>

#include "net/loop.h"
#include "net/ws.h"
#include "record/lane.h"
#include "scenario/scenario.h"
#include "wire/wire.h"

struct crowd_settings {
	const struct scenario *scenario;
	struct loop *loop;
	struct lane *lane;
	struct ws_context *ws;
	const struct wire *wire;
	const char *run6; /* call ids are c-<run6>-<number> */
	const char *url;  /* target.url, everything bound but ${call} */
	/* Calls are sharded by hash_id(id) % workers. */
	uint32_t worker, workers;
	/* Addresses to dial from (host order), and how many; 0: the kernel's choice. */
	uint32_t first_source, sources;
};

struct crowd_counts {
	uint32_t live, live_by_color[COLOR_COUNT]; /* live: begun and not over */
	uint32_t started, ended[CALL_END_COUNT];
	uint64_t turns, resumes;
};

struct crowd;

/* Resolves the target: ERR_WORLD when its name has no address. scenario, loop, lane, ws and wire
 * must outlive the crowd. */
int crowd_new(const struct crowd_settings *, struct crowd **ret, struct err *);
/* zero: the schedule's, monotonic; may lie ahead. */
void crowd_start(struct crowd *, int64_t zero_ns);
/* No new calls; those live at the deadline are abandoned. */
void crowd_stop(struct crowd *, int64_t deadline_ns);
void crowd_abandon(struct crowd *);	/* now */
bool crowd_empty(const struct crowd *); /* stopped, and nobody is left */
const struct crowd_counts *crowd_counts(const struct crowd *);
/* After the ws context is gone, or when the crowd is empty. */
void crowd_free(struct crowd *);

#endif
