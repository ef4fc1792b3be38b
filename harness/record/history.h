/*
 * A history: all lanes of a run, merged by t_ns (ties: lane order, then seq), read forwards.
 * Instance and note numbers are remapped to history-wide ones. Memory: one block per lane plus the
 * names. Lane order is role, then index. An event recorded late is put in place if at most 64
 * younger ones were written in an earlier block than it; past that it keeps its stamp, comes late.
 *
 * What is damaged is told, not hidden: history_lanes says per lane whether it is whole. Events up
 * to the damage are delivered. A file that is not a lane, lanes of different runs, or no lanes at
 * all is an error (ERR_INPUT, place named).
 *
 * Also readable: NDJSON, one event per line, as history_print_ndjson writes it; golden histories
 * are such files:
 *
 *   # a comment
 *   {"t":"1.250s","kind":"leg.end","call":"c-1","leg":1,"n":"fin","flags":"agent","color":"blue"}
 *
 * Keys: t due kind call leg turn n code ver epoch aux conn note color instance digest flags; t and
 * kind are needed, others are 0 (due: -1).
 *   t, due      integer nanoseconds or a number with a unit ("3ms", "1.250s"); lines in order of t
 *   call        the id, or "#" and the 16 hex digits of its hash
 *   digest      16 hex digits
 *   note        the text, instead of conn, for kinds whose conn is a note
 *   code        also a word of words.h: of phase.*, action.*, call.end, cmd.* (verb)
 *   n           also a word: of dial.fail (dial_failure), leg.end (leg_how)
 *   flags       also a word: of leg.end (side), call.start (profile)
 * {"lane":"worker-1.lane","role":"worker","index":1,"events":9,"first":0,"last":"2s","damage":"torn"}
 * is a lane's status; without damage (or with "") it is whole. Without such lines the file is one
 * whole lane. Everything else is an error with file:line.
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
/* NDJSON in memory, which must outlive the history; `name` is the file's in errors. For tests. */
int history_open_text(const char *name, const char *ndjson, struct history **ret, struct err *);
/* Next event in merged order; false at the end. The pointer is good until the next call. */
bool history_next(struct history *, const struct event **ret);
/* The next so many, copied; fewer than max only at the end. */
size_t history_read(struct history *, struct event *out, size_t max);
/* Lane statuses are final after history_next returned false. */
size_t history_lanes(const struct history *, const struct lane_status **ret);
/* Of the first lane that has one; NULL for NDJSON. */
const struct lane_header *history_header(const struct history *);
/* Names; "" when unknown. Strings live as long as the history. */
const char *history_instance(const struct history *, uint8_t instance);
const char *history_note(const struct history *, uint32_t note);
const char *history_call(const struct history *, uint64_t call);
int history_rewind(struct history *, struct err *);
void history_free(struct history *);

/* One event as one NDJSON line; zero fields are left out, seq and the lane are not kept. */
void history_print_ndjson(const struct history *, const struct event *, FILE *);
/* The lane statuses as NDJSON lines, after the last event: else damage would be forgotten. */
void history_print_ndjson_lanes(const struct history *, FILE *);

#endif
