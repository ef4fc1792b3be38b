/*
 * What a probe call must have left in Redis after its only turn: one turn, the digest its reply
 * said, a time to live. Looks once and leaves the key there; blocking, the client's deadline.
 * Errors name the key.
 */
#ifndef DIRECTOR_PROBE_STATE_H
#define DIRECTOR_PROBE_STATE_H

#include "base/err.h"
#include "director/probe_call.h"
#include "observe/call_state.h"

struct probe_state {
	const char *key;
	const struct probe_result *said; /* by the agent */
	/* The key is to live this long after its last write; 0: not looked at. */
	int64_t ttl_ns;
	int64_t since_ns; /* no write was earlier (monotonic) */
};

/* *ret is filled when the key could be read at all. */
int probe_state_check(struct redis *, const struct probe_state *, struct call_state *ret,
		      struct err *);

#endif
