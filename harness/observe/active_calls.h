/*
 * How many calls an instance says it has: GET /metrics/active_calls. A claim, for attribution and
 * for the drain; not a judgement. Silence is never zero.
 */
#ifndef OBSERVE_ACTIVE_CALLS_H
#define OBSERVE_ACTIVE_CALLS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Asks the instance at HOST:PORT, for a second at most. -1: unreachable, or its answer is not
 * understood (ERR_WORLD). */
int active_calls_read(const char *address, uint32_t *ret_active, struct err *);
/* The page's text alone: a JSON object with a count `active_calls`. */
int active_calls_parse(const char *text, size_t size, uint32_t *ret_active, struct err *);

#endif
