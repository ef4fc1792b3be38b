/*
 * What no single key says: contradictions between declared timers, calls and steps are errors (at
 * the place of the key that is wrong), plans that cannot give the evidence a gate asks for are
 * warnings. Pure.
 */
#ifndef SCENARIO_VALIDATE_H
#define SCENARIO_VALIDATE_H

#include "base/buf.h"
#include "scenario/document.h"
#include "scenario/scenario.h"

struct validation {
	const struct document *doc; /* for places */
	const struct scenario *sc;
	struct err *err;
};

int validate_scenario(const struct document *, const struct scenario *, struct err *);
/* The order of the cutover's steps; part of the above. */
int validate_steps(const struct validation *);
/* What is broken on purpose can be, and when; part of the above. */
int validate_faults(const struct validation *);
/* An error at the deepest key of a path such as "calls.hold.max" that the file has. */
int validate_error(const struct validation *, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* "FILE:LINE: warning: ..." lines. */
void validate_warnings(const struct scenario *, struct buf *warnings);

int64_t longest_stickiness_ns(const struct scenario *);

#endif
