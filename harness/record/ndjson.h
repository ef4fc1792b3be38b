/*
 * One line of an NDJSON history <-> one event. Knows the keys and words that history.h documents,
 * and nothing of files but the line it is given. Not fast: golden histories and exports, not the
 * way a run is judged.
 */
#ifndef RECORD_NDJSON_H
#define RECORD_NDJSON_H

#include "record/lane_reader.h"

enum ndjson_line { NDJSON_NOTHING /* empty or comment */, NDJSON_EVENT, NDJSON_LANE };

/* What the line is, the event or status in *ret_..., names interned; -1 with a text that says what
 * is wrong, no place. */
int ndjson_parse(const char *line, struct history_names *, struct event *ret_event,
		 struct lane_status *ret_lane, struct err *);
void ndjson_print_event(const struct history_names *, const struct event *, FILE *);
void ndjson_print_lane(const struct lane_status *, FILE *);

#endif
