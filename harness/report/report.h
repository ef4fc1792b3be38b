/*
 * A report shows a judgement; it decides nothing. One file per type, one const table
 * `report_<file name>`.
 * Writes to the stream it is given; never to stdout by itself, never colors unless told.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "check/judge.h"

#define RESULT_SCHEMA_NAME "crossfade.result/1"

struct report_input {
	const struct scenario *scenario;
	const struct judgement *judgement;
	struct history *history;  /* for names; for the events rewind first. NULL: no names */
	const char *run_dir;
	const char *again;        /* the command that repeats the run */
	bool color;               /* terminal colors */
	const char *const *environment; /* "key=value" pairs, NULL-terminated: versions, kernel, cores */
};

struct report {
	const char *name;   /* the word of --out */
	const char *about;
	int (*write)(const struct report_input *, FILE *, struct err *);
};

size_t report_count(void);
const struct report *report_at(size_t i);
const struct report *report_find(const char *name);

/* JSON Schema of result.json: the text of reports/result.schema.json. */
const char *report_schema(void);

#endif
