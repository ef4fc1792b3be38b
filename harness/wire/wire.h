/*
 * A dialect: bytes <-> meaning. Pure: no socket, no clock; one file per dialect, one const table
 * `wire_<file name>`.
 *
 * Shaped for dialects to come as well as for `plain`: handshake headers, subprotocol and query
 * per connection; lists of frames to open and to reopen; ids of the call and of the connection;
 * text or binary; several frames a turn; and received bytes that mean 0..n things, each with a
 * not-before time (audio is heard when it is played out, not when it arrives).
 */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "record/words.h"

enum { WIRE_FRAME_MAX = 65536, WIRE_HEADERS_MAX = 8 };

/* What the caller knows about itself and this connection. */
struct wire_context {
	const char *call; /* call id: lives across legs */
	const char *conn; /* connection id: new for each leg */
	uint16_t leg;
	uint32_t acked; /* highest turn whose reply arrived */
};

struct wire_turn {
	uint32_t n; /* counts from 1 over the whole call */
	uint64_t token;
};

/* Frames to send, in order: a sink so that a dialect needs no memory of its own. binary says which
 * opcode. */
struct wire_sink {
	void (*frame)(void *user, const void *data, size_t size, bool binary);
	void *user;
};

struct wire_handshake {
	const char *protocol; /* subprotocol, or NULL */
	char query[256];      /* appended to the path after '?' or '&', "" for none */
	struct {
		char name[64], value[256];
	} headers[WIRE_HEADERS_MAX];
	size_t header_count;
};

enum meaning_kind {
	MEANING_READY,
	MEANING_REPLY_FIRST,
	MEANING_REPLY,
	MEANING_DRAINING,
	MEANING_ERROR,
	MEANING_HANGUP
};

struct meaning {
	enum meaning_kind kind;
	int64_t not_before_ns; /* relative to arrival: 0 = now */
	enum color color;
	char instance[32]; /* "" when not said */
	uint32_t n;	   /* reply: which turn */
	uint32_t turns;	   /* turns the agent's state holds */
	uint64_t digest;
	uint32_t version, epoch, redis_us, within_ms;
	uint8_t has;	/* STATE_HAS_* of record/event.h */
	char text[128]; /* error: one line */
};

struct wire {
	const char *name, *about;
	size_t state_bytes; /* per connection, zeroed before open/reopen */
	int (*handshake)(const struct wire_context *, struct wire_handshake *ret);
	void (*open)(void *state, const struct wire_context *,
		     const struct wire_sink *); /* leg 0 */
	void (*reopen)(void *state, const struct wire_context *,
		       const struct wire_sink *); /* later legs */
	void (*turn)(void *state, const struct wire_context *, const struct wire_turn *,
		     const struct wire_sink *);
	void (*bye)(void *state, const struct wire_context *, const struct wire_sink *);
	/* One whole message in; emits meanings. -1 for bytes that are not of this dialect (err says
	 * what). */
	int (*receive)(void *state, const struct wire_context *, const void *data, size_t size,
		       bool binary, void (*emit)(void *user, const struct meaning *), void *user,
		       struct err *);
};

size_t wire_count(void);
const struct wire *wire_at(size_t i);
const struct wire *wire_find(const char *name);

#endif
