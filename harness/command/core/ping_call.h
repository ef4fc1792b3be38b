/*
 * One ping, step by step, each with its time and, when it failed, its sentence. The first failure
 * ends it; what was not reached is not there. Blocking, to the deadline of the arguments. Judges
 * one call; prints nothing.
 */
#ifndef COMMAND_CORE_PING_CALL_H
#define COMMAND_CORE_PING_CALL_H

#include "command/core/ping_args.h"
#include "director/probe_call.h"
#include "net/tls_probe.h"
#include "observe/call_state.h"

enum ping_step {
	PING_RESOLVE,
	PING_CONNECT,
	PING_TLS, /* wss: version, certificate, on a connection of its own */
	PING_UPGRADE,
	PING_READY,
	PING_COLOR,
	PING_TURN,
	PING_STATE,  /* in Redis, or as the agent tells it */
	PING_RESUME, /* on a second leg, the first having been dropped */
	PING_STEPS
};

struct ping_result {
	struct {
		bool taken, ok;
		int64_t ns;
		char error[ERR_TEXT_MAX];
	} step[PING_STEPS];
	char address[32]; /* resolved */
	struct probe_result first, second;
	bool has_tls, has_state; /* the handshake was begun; Redis was read */
	struct tls_probe_result tls;
	struct call_state state;
	int64_t took_ns;
	int exit_code; /* 0, 99, 97 our own fault, 104, 105 interrupted */
};

const char *ping_step_name(enum ping_step);
/* cancel_fd: readable ends it; 0: nothing does. */
void ping_call(const struct ping_args *, int cancel_fd, struct ping_result *ret);

#endif
