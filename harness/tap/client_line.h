/*
 * A line of Redis's CLIENT LIST, and who it is: one of ours, Redis's own kin, or somebody who
 * speaks to Redis past the tap. Pure. Names and addresses only; what clients say is not in it.
 * Source: redis.io, "CLIENT LIST".
 */
#ifndef TAP_CLIENT_LINE_H
#define TAP_CLIENT_LINE_H

#include <stdbool.h>
#include <stdint.h>

struct client_line {
	uint64_t id;
	char addr[128], name[64], command[32], flags[16]; /* cut where they are longer */
};

/* Fields that the line does not have are empty. False when it has no id and no addr. */
bool client_line_parse(const char *line, struct client_line *ret);
/* Replicas, Sentinels, whoever calls itself crossfade-..., and who has not said anything yet: ours
 * give their name before anything else. */
bool client_line_is_known(const struct client_line *);

#endif
