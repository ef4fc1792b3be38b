/*
 * When to dial again: exponential backoff with full jitter, uniform in 0..min(cap, base *
 * 2^attempt). Pure.
 */
#ifndef SIM_REDIAL_H
#define SIM_REDIAL_H

#include <stdint.h>

#include "base/rng.h"

/* attempt: 0 for the first dial after a loss. */
int64_t redial_delay_ns(int64_t base_ns, int64_t cap_ns, unsigned attempt, struct rng *);

#endif
