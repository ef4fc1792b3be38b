/*
 * When Redis threw keys away that had time to live: evicted to make room, or flushed, by its own
 * counters. They are looked at now and then, so it is known only between which two looks that was.
 */
#ifndef CHECK_CORE_PURGES_H
#define CHECK_CORE_PURGES_H

#include <stdbool.h>
#include <stddef.h>

#include "record/event.h"

/* After from_ns and not after to_ns. */
struct purge {
	int64_t from_ns, to_ns;
	uint64_t evicted, flushes; /* keys; times */
	uint32_t note;		   /* the server's limit of memory and policy */
};

enum { PURGE_SERVERS = 8 };

struct purges {
	struct purge *list;
	size_t count;
	struct purge_server {
		int64_t first_ns, last_ns; /* its counters are known from then to then; 0: not */
		uint64_t evicted, flushes;
	} server[PURGE_SERVERS];
};

void purges_free(struct purges *);
void purges_event(struct purges *, const struct event *redis_purge);
/* The first that may lie between, of keys evicted, or of flushes; NULL: there was none. */
const struct purge *purges_between(const struct purges *, bool flushed, int64_t after_ns,
				   int64_t until_ns);
/* Every server that says what it counts was looked at before and after: what did not rise in
 * between was not done. */
bool purges_known(const struct purges *, int64_t after_ns, int64_t until_ns);

#endif
