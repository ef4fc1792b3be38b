/*
 * One short call of our own, leg by leg: dial, open, one turn, its reply, bye; or dial, resume,
 * what the agent still knows, bye. The smoke test of an instance, and `crossfade ping`. No cookie
 * jar, no retries, no Redis (probe_state.h); each leg blocks to a deadline on a loop of its own.
 */
#ifndef DIRECTOR_PROBE_CALL_H
#define DIRECTOR_PROBE_CALL_H

#include "base/err.h"
#include "net/ws.h"
#include "record/words.h"
#include "wire/wire.h"

/* In this order. A leg that resumes has no turn. */
enum probe_step {
	PROBE_RESOLVE, /* the address of the URL */
	PROBE_CONNECT, /* with TLS when it is wss */
	PROBE_UPGRADE, /* request to 101 */
	PROBE_READY,   /* on the second leg with all that was said on the first */
	PROBE_COLOR,
	PROBE_TURN, /* turn 1 is answered, and it is the only one */
	PROBE_STEPS
};

struct probe_target {
	const char *url;		   /* ws://... complete */
	const char *call;		   /* id, p-... */
	const struct sockaddr_in *address; /* of the URL's host, known already; or NULL */
	const char *ca; /* PEM file a wss certificate is verified with; NULL: the system's */
	const struct wire *wire;
	const struct ws_header *headers; /* beside the dialect's own */
	size_t header_count;
	enum color want; /* who says another one is spoken to no further; COLOR_UNKNOWN: any */
	uint64_t token;
	int64_t timeout_ns;
	bool resumes;  /* a second leg, after turn 1 was answered on the first */
	bool drops;    /* ends as a caller's network does, without bye and close frame */
	int cancel_fd; /* readable: give up; 0: nothing can */
	/* Who answers is all that is asked: over as soon as the 101 tells, before the call begins,
	 * that is without a PROBE_READY. One that does not tell is followed by a whole call. */
	bool hello_only;
};

struct probe_result {
	enum color color; /* as the 101, else the first message said */
	char instance[32];
	bool has_turns, has_digest; /* what the agent said last of its state */
	uint32_t turns;
	uint64_t digest;
	int64_t step_ns[PROBE_STEPS]; /* how long each took, -1 not reached */
	enum probe_step failed;	      /* PROBE_STEPS: none */
	bool cancelled;
	int64_t took_ns; /* all of it */
};

/* 0 when turn 1 was answered, or is still known, with turns 1 and the digest chain is right (where
 * the agent sends them); with hello_only when it is known who would. *ret is filled as far as the
 * call came, also when it failed. */
int probe_call(const struct probe_target *, struct probe_result *ret, struct err *);

#endif
