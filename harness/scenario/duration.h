/*
 * Durations and shares as people write them: "800ms", "1m30s", "1.5s", "50%". Exact: a duration is
 * a whole number of nanoseconds or an error, and what is formatted parses back to the same number.
 */
#ifndef SCENARIO_DURATION_H
#define SCENARIO_DURATION_H

#include <stdint.h>

#include "base/err.h"

enum { DURATION_TEXT_MAX = 32 };
#define DURATION_MAX_NS                                                                            \
	(8760 * 3600LL * 1000000000LL) /* a year of hours: no sum of a few overflows */

/* One or more numbers with a unit (h m s ms us ns), larger units first; "0" needs none. Errors do
 * not name the place. */
int duration_parse(const char *text, int64_t *ret_ns, struct err *);
/* In the largest unit that divides it. */
void duration_format(int64_t ns, char out[DURATION_TEXT_MAX]);

/* "5%" or "0.05", within 0..1. */
int share_parse(const char *text, double *ret, struct err *);
/* A plain finite decimal number, the whole text. */
int number_parse(const char *text, double *ret, struct err *);
/* Shortest text that parses back to the same double. */
void number_format(double v, char out[DURATION_TEXT_MAX]);

#endif
