/*
 * One look at a call's state in Redis, as any other client would read it. Not a judgement: fields
 * an agent does not keep are told as absent.
 */
#ifndef OBSERVE_CALL_STATE_H
#define OBSERVE_CALL_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "net/redis.h"

struct call_state {
	bool found; /* the key exists */
	bool has_turns, has_digest;
	uint32_t turns;
	uint64_t digest;
	int64_t ttl_s; /* remaining; -1 without ttl, -2 without key */
};

int call_state_read(struct redis *, const char *key, struct call_state *ret, struct err *);

#endif
