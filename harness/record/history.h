/*
 * A history: all lanes of a run, merged by t_ns (ties: lane order, then seq), read once, forwards, in blocks.
 * Instance and note numbers are remapped to history-wide ones. Memory: one block per lane plus the names.
 *
 * What is damaged is told, not hidden: history_lanes says per lane whether it is whole. A file that is not a lane,
 * lanes of different runs, or a directory without lanes is an error (ERR_INPUT, place named).
 *
 * Also readable: NDJSON, one event per line, as history_print_ndjson writes it; golden histories are such files.
 */
#ifndef RECORD_HISTORY_H
#define RECORD_HISTORY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "record/event.h"
#include "record/lane.h"

struct history;

struct lane_status {
	char file[256];
	enum lane_role role;
	uint32_t index;
	uint64_t events;
	bool whole;            /* ended with lane.end, no gap, no bad block */
	char damage[128];      /* "" when whole; else what and at which byte */
	int64_t first_ns, last_ns;
};

/* DIR is a run directory (its *.lane files) or an .ndjson file. */
int history_open(const char *path, struct history **ret, struct err *);
/* Next event in merged order; false at the end. The pointer is good until the next call. */
bool history_next(struct history *, const struct event **ret);
/* Lane statuses are final after history_next returned false. */
size_t history_lanes(const struct history *, const struct lane_status **ret);
const struct lane_header *history_header(const struct history *); /* of the first lane; NULL for NDJSON */
/* Names; "" when unknown. Strings live as long as the history. */
const char *history_instance(const struct history *, uint8_t instance);
const char *history_note(const struct history *, uint32_t note);
const char *history_call(const struct history *, uint64_t call);
int history_rewind(struct history *, struct err *);
void history_free(struct history *);

/* One event as one NDJSON line: {"t":..,"due":..,"kind":"dial.ok","call":"c-..","color":"blue","instance":"blue-1",...};
 * zero fields are left out, notes and names are written as text. */
void history_print_ndjson(const struct history *, const struct event *, FILE *);

#endif
