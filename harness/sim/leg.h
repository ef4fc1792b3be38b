/*
 * One caller's connection: carries the call's actions out on net/ws in the words of a dialect, and
 * turns what comes back into inputs of the call. Keeps the call's cookies from leg to leg. Decides
 * nothing, and waits for nothing: deadlines are the call's.
 *
 *   call ──actions──> leg ──frames──> ws
 *        <──inputs───     <──bytes───
 */
#ifndef SIM_LEG_H
#define SIM_LEG_H

#include <stdbool.h>
#include <stdint.h>

#include "net/resolve.h"
#include "net/ws.h"
#include "record/lane.h"
#include "sim/call.h"
#include "sim/jar.h"
#include "wire/wire.h"

enum { LEG_ID_MAX = 32, LEG_CONN_MAX = 40, LEG_PATH_MAX = 1400 };

struct leg;

/* What all legs of a worker share. */
struct leg_place {
	struct ws_context *ws;
	const struct wire *wire;
	struct lane *lane;
	/* An input for the leg's call, stamped. Called from the loop only, never from leg_act. */
	void (*input)(struct leg *, const struct call_input *, int64_t now_ns);
	uint32_t first_source, sources; /* addresses to dial from (host order), how many; 0: any */
	struct url url;
	struct sockaddr_in address;
	char path_head[512], path_tail[512]; /* round the call id */
	uint64_t dials;
};

struct leg {
	struct leg_place *place;
	const struct call *call;
	struct jar jar;
	struct ws *ws;	  /* NULL between two legs */
	void *wire_state; /* wire->state_bytes of the owner's, or NULL */
	char id[LEG_ID_MAX];
	char conn[LEG_CONN_MAX]; /* of this leg */
};

/* Resolves the target. `url` is the scenario's with everything bound but ${call}. */
int leg_place_find(struct leg_place *, const char *url, struct err *);
/* Does what DO_DIAL, DO_OPEN, DO_REOPEN, DO_TURN, DO_BYE or DO_ABORT says. -1: not even tried. */
int leg_act(struct leg *, const struct call_action *);
bool leg_has_cookie(const struct leg *); /* a dial would carry one now */
void leg_release(struct leg *);		 /* once its connection has ended */

#endif
