/*
 * One short call of our own: dial, open, one turn, its reply, bye. The smoke test of an instance
 * and the proof that fresh dials are served. No cookie jar, no retries; blocking to a deadline on
 * a loop of its own.
 */
#ifndef DIRECTOR_PROBE_CALL_H
#define DIRECTOR_PROBE_CALL_H

#include "base/err.h"
#include "record/words.h"
#include "wire/wire.h"

struct probe_target {
	const char *url;  /* ws://... complete */
	const char *call; /* id, p-... */
	const char *ca;	  /* PEM file a wss certificate is verified with; NULL: the system's */
	const struct wire *wire;
	uint64_t token;
	int64_t timeout_ns;
};

struct probe_result {
	enum color color; /* as the 101, else the first message said */
	char instance[32];
	bool has_digest;
	uint64_t digest; /* of the reply */
	int64_t took_ns; /* dial to reply */
};

/* 0 when turn 1 was answered with turns 1 and the digest chain is right (where the agent sends
 * one). */
int probe_call(const struct probe_target *, struct probe_result *ret, struct err *);

#endif
