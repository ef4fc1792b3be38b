/*
 * What a Redis command says about a call: its verb, the call its key belongs to, the time to live
 * and the state it writes. Pure, from a parsed message. Reads as much as the record wants; whether
 * that is good is for checkers.
 */
#ifndef TAP_COMMAND_H
#define TAP_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "record/event.h"
#include "tap/resp.h"

enum { COMMAND_ID_MAX = 255 };

/* The scenario's state.key round its ${call}. */
struct key_pattern {
	char *prefix, *suffix;
};

/* The fields of a state object that the record keeps. */
struct state_seen {
	bool found; /* an object with turns and digest */
	uint16_t n; /* turns, at most 65535 */
	uint64_t digest;
	uint32_t ver, epoch; /* 0 when it has none */
};

struct command {
	enum verb verb;
	const char *unpaired;        /* why answers pair with nothing after this one, or NULL */
	char id[COMMAND_ID_MAX + 1]; /* of the call or probe; "" when the key is no call's */
	uint32_t ttl_s;              /* set by the same command; 0 none */
	struct state_seen state;
};

/* 0, or -1 when the text has no ${call}. */
int key_pattern_init(struct key_pattern *, const char *text);
void key_pattern_free(struct key_pattern *);

struct command command_read(const struct resp *, const struct key_pattern *);
struct state_seen state_seen_read(const char *value, size_t size);
/* An error reply that says that nothing happened; a script may have written before it failed. */
bool error_means_no_effect(enum verb verb, const char *error, size_t size);

#endif
