/*
 * The words of `crossfade ping`, checked: a URL with this call's id in its place, headers, where
 * the state is. Looks at nothing outside but the CA file. Strings point into argv or into the
 * struct. Errors are ERR_INPUT and name the flag and the value.
 */
#ifndef COMMAND_CORE_PING_ARGS_H
#define COMMAND_CORE_PING_ARGS_H

#include "base/buf.h"
#include "command/command.h"
#include "net/ws.h"
#include "wire/wire.h"

enum { PING_HEADERS_MAX = 16 };

#define PING_FLAGS                                                                                 \
	{ .name = "--color", .takes_value = true, .env = "CROSSFADE_COLOR" },                      \
		{ .name = "--timeout", .takes_value = true, .env = "CROSSFADE_TIMEOUT" },          \
		{ .name = "--header", .letter = 'H', .takes_value = true, .repeats = true },       \
		{ .name = "--wire", .takes_value = true, .env = "CROSSFADE_WIRE" },                \
		{ .name = "--redis", .takes_value = true, .env = "CROSSFADE_REDIS" },              \
		{ .name = "--key", .takes_value = true, .env = "CROSSFADE_KEY" },                  \
		{ .name = "--ttl", .takes_value = true, .env = "CROSSFADE_TTL" },                  \
		{ .name = "--ca", .takes_value = true, .env = "CROSSFADE_CA" },                    \
	{                                                                                          \
		.name = "--no-resume"                                                              \
	}

struct ping_args {
	char call[40]; /* p-<random>-1 */
	uint64_t token;
	struct buf url, key; /* with the id in its place */
	enum color want;     /* COLOR_UNKNOWN: any */
	int64_t timeout_ns, ttl_ns;
	struct ws_header header[PING_HEADERS_MAX];
	char *header_name[PING_HEADERS_MAX]; /* cut from "Name: value" */
	size_t header_count;
	const struct wire *wire;
	const char *redis, *ca; /* NULL: not looked at; the system's */
	bool resume;
};

/* To be freed also after a failure. */
int ping_args_read(const struct flags *, struct ping_args *ret, struct err *);
void ping_args_free(struct ping_args *);

/* The id at ${call}, or behind a last '/'. */
int ping_url(const char *text, const char *call, struct buf *out, struct err *);
/* "Name: value"; what makes the request a WebSocket upgrade is not the user's to give. */
int ping_header(const char *text, char **ret_name, const char **ret_value, struct err *);

#endif
