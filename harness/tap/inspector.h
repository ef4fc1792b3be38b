/*
 * One connection between an agent and Redis, understood: commands paired with their answers and
 * told as events. It sees the bytes before they are passed on and never delays or changes them.
 * What it cannot understand makes it blind for the rest of the connection; it says so once, and
 * what was open then is of unknown effect (cmd.info).
 */
#ifndef TAP_INSPECTOR_H
#define TAP_INSPECTOR_H

#include <stddef.h>
#include <stdint.h>

#include "tap/command.h"

enum { INSPECTOR_OPEN_MAX = 65536 }; /* commands without an answer, on one connection */

struct inspector_listener {
	/* id: of the event's call, or NULL. seq is not set. */
	void (*event)(void *user, const struct event *, const char *id);
	void (*blind)(void *user, const char *why);
};

struct inspector {
	const struct inspector_listener *listener;
	void *user;
	const struct key_pattern *pattern;
	uint32_t conn;
	uint8_t instance, color;
	bool is_blind;
	struct resp commands, replies;
	int64_t begun_ns;   /* when the first byte of the command under way came */
	struct event *open; /* a ring of cmd.inv events; capacity a power of two */
	size_t first, count, cap;
};

void inspector_init(struct inspector *, const struct inspector_listener *, void *user,
		    const struct key_pattern *);
/* Bytes of the agent; now_ns was read after they came and before they are passed on. */
void inspector_commands(struct inspector *, const char *data, size_t size, int64_t now_ns);
void inspector_replies(struct inspector *, const char *data, size_t size, int64_t now_ns);
/* The connection is over. Returns how many commands were left unanswered. */
size_t inspector_end(struct inspector *, int64_t now_ns);
void inspector_free(struct inspector *);

#endif
