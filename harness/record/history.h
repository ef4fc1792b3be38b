/*
 * A history: all lanes of a run, merged by t_ns (ties: lane order, then seq), read forwards, in blocks.
 * Instance and note numbers are remapped to history-wide ones. Memory: one block per lane plus the names.
 * Lane order is role, then index. An event recorded late is put in place if at most 64 younger ones were written in
 * an earlier block than it; past that it keeps its stamp and comes late.
 *
 * What is damaged is told, not hidden: history_lanes says per lane whether it is whole. Events up to the damage are
 * delivered. A file that is not a lane, lanes of different runs, or no lanes at all is an error (ERR_INPUT, place named).
 *
 * Also readable: NDJSON, one event per line, as history_print_ndjson writes it; golden histories are such files:
 *
 *   # a comment
 *   {"t":"1.250s","kind":"leg.end","call":"c-1","n":"fin","flags":"agent","color":"blue","instance":"blue-1"}
 *
 * Keys: t due kind call leg turn n code ver epoch aux conn note color instance digest flags; t and kind are needed,
 * others are 0 (due: -1). t and due are integer nanoseconds or a number with a unit ("3ms", "1.250s"); lines are in the
 * order of t. call: the id, or "#" and the 16 hex digits of its hash; digest: 16 hex digits; note: the text, for
 * kinds whose conn is a note. Numbers, but a word is read and printed where the field is an enumeration of words.h:
 *   code of phase.*, action.*, call.end, cmd.*      n of dial.fail, leg.end      flags of leg.end (side), call.start (profile)
 * A line {"lane":"worker-1.lane","role":"worker","index":1,"events":9,"first":0,"last":"2s","damage":"no lane.end"} is a
 * lane's status; "" or no damage: whole. A file without such lines is one whole lane.
 * Everything else is an error with file:line.
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

/* A run directory (its *.lane files) or an .ndjson file. */
int history_open(const char *path, struct history **ret, struct err *);
/* NDJSON in memory, which must outlive the history; `name` stands for the file in errors. For tests. */
int history_open_text(const char *name, const char *ndjson, struct history **ret, struct err *);
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

/* One event as one NDJSON line; zero fields are left out. seq and the lane are not kept: the order of lines is. */
void history_print_ndjson(const struct history *, const struct event *, FILE *);
/* The lane statuses as NDJSON lines, to be printed after the last event: without them damage would be forgotten. */
void history_print_ndjson_lanes(const struct history *, FILE *);

#endif
