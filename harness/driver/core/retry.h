/*
 * Which refused calls of an AWS API are worth asking again, and how long to wait before. Pure: the
 * wait itself is the caller's, and so is his deadline. Only for calls that may be made twice; all
 * calls of the driver may: each states what shall be, none adds to what is.
 * The words are those of botocore's _retry.json; the wait is exponential with full jitter, so that
 * many who were throttled together do not come back together.
 */
#ifndef DRIVER_CORE_RETRY_H
#define DRIVER_CORE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct retry_policy {
	unsigned attempts_max; /* the first one counts */
	int64_t base_ns, cap_ns;
	int64_t attempt_within_ns; /* how long one attempt waits for its answer */
};

struct retry_policy retry_policy_default(void);
/* status: of HTTP, 0 when there was no answer; code: the API's error code, or NULL. */
bool retry_worth(int status, const char *code);
/* Between the attempt that failed (1 the first) and the next; unit: random, [0, 1). */
int64_t retry_wait_ns(const struct retry_policy *, unsigned attempt, double unit);

#endif
