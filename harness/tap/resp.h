/*
 * RESP, the Redis protocol (versions 2 and 3), read as it comes: any cut of the stream gives the
 * same messages. Pure; it neither changes nor keeps the bytes, but for the beginning of what the
 * tap wants to understand. Not a validator of commands, and not for building messages. Source:
 * redis.io, "Redis serialization protocol specification".
 *
 *   commands:  *2 $3 GET $8 call:c-1   or a line:   GET call:c-1
 *   replies:   one element of any type, nested ones inside
 *
 * Whoever sets `element` hears of each element of an answer that is an array, a set, a map or a
 * push when it ends, the text of a simple one in arg 0 until `element` returns.
 *
 * An empty command is no message. A push (>) is a message of its own; attributes (|) belong to what
 * follows them. Streamed types ($? *?) are not spoken by any Redis and count as broken.
 */
#ifndef TAP_RESP_H
#define TAP_RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
	RESP_ARGS_MAX = 32,		    /* arguments of a command that are kept */
	RESP_SECOND_BYTES_MAX = 4096,	    /* of a command's second word: a key, or a script */
	RESP_KEPT_BYTES_MAX = 65536 + 4096, /* of one message: a 64 KiB value, verb and key */
	RESP_LINE_BYTES_MAX = 65536,	    /* of an inline command, as in Redis */
	RESP_DEPTH_MAX = 32
};

enum resp_side { RESP_COMMANDS, RESP_REPLIES };
enum resp_status {
	RESP_MORE,    /* all bytes used, no message ended */
	RESP_MESSAGE, /* one ended; more bytes may be left */
	RESP_BROKEN   /* not RESP: the stream cannot be understood any more */
};

struct resp_text {
	size_t size;	 /* as announced; of a line reply: what is kept */
	size_t at, kept; /* the beginning of it, in resp.kept */
};

struct resp {
	enum resp_side side;
	/* Of answers; may be changed between two messages. Type and null are the element's. */
	void (*element)(void *user, const struct resp *, char type, bool null);
	void *user;
	/* The message: valid after RESP_MESSAGE until the next feed. */
	char type;	    /* first byte; of a line command: 'i' */
	bool null;	    /* a reply $-1, *-1 or _ */
	uint32_t arg_count; /* of a command; of a reply: 1 if it is no aggregate, else 0 */
	struct resp_text arg[RESP_ARGS_MAX];
	struct buf kept;
	/* Where we are in it. */
	enum { RESP_AT_TYPE, RESP_IN_LINE, RESP_IN_BULK, RESP_AFTER_BULK } at;
	bool broken, begun, return_seen;
	char head;  /* type of the element under way */
	char outer; /* type of the element of the message under way, and whether it is null */
	bool outer_null;
	char line[256];	  /* its head, as far as it matters */
	size_t line_size; /* may be more than fits */
	uint64_t bulk_left;
	unsigned depth;
	struct {
		uint64_t left; /* elements still to come */
		bool attribute;
	} nest[RESP_DEPTH_MAX];
};

void resp_init(struct resp *, enum resp_side);
void resp_free(struct resp *);
/* Overwrites what is kept: a message that held a secret is over, or the connection is. */
void resp_wipe(struct resp *);
/* Reads to the end of a message at most. *ret_used is always set. A broken stream stays broken. */
enum resp_status resp_feed(struct resp *, const char *data, size_t size, size_t *ret_used);
/* The i-th argument, or NULL when there is none or it was not kept whole. Not NUL-terminated. */
const char *resp_arg(const struct resp *, size_t i, size_t *ret_size);

#endif
