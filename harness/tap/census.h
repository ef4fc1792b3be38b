/*
 * Who speaks to Redis past the tap: CLIENT LIST on a connection of its own, every second and when
 * asked, against the addresses the tap speaks from. It never blocks; a list of any length is read
 * as it comes, line by line. A connection that ended stays known for a while: Redis may list it
 * longer than we have it.
 *
 * Behind a unix socket all clients have one address: they are counted, and a surplus must be there
 * twice in a row. Where Redis sees other addresses than ours (address translation), or refuses the
 * list, nothing can be told: that is said once, and is not "nobody".
 */
#ifndef TAP_CENSUS_H
#define TAP_CENSUS_H

#include "net/loop.h"
#include "tap/client_line.h"
#include "tap/upstream.h"

struct census_listener {
	/* New ones since the last time; the first of them, NULL behind a unix socket. */
	void (*bypassed)(void *user, unsigned count, const struct client_line *first);
	void (*blind)(void *user, const char *why);
};

struct census;

/* The upstream outlives it. */
struct census *census_new(struct loop *, const struct upstream *redis,
			  const struct census_listener *, void *user);
void census_free(struct census *);
/* A connection of the tap, by what Redis sees of it; what it returns is handed back when that is
 * closed. */
uint16_t census_opened(struct census *, int seen);
void census_closed(struct census *, uint16_t);
void census_ask(struct census *);

#endif
