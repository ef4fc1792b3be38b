/*
 * What Redis counts of the keys it threw away although they had time to live: evicted to make room,
 * or flushed. And what it would do when its memory is full. Blocking, to a short deadline; not a
 * judgement.
 */
#ifndef OBSERVE_REDIS_PURGES_H
#define OBSERVE_REDIS_PURGES_H

#include <stdint.h>

struct redis_purges_said {
	uint64_t evicted; /* keys, since it began */
	uint32_t flushes; /* FLUSHALL and FLUSHDB, since it began */
	uint64_t memory;  /* its limit, bytes; 0: none */
	char policy[32];  /* noeviction, allkeys-lru, ...; "" when it does not say */
};

/* The parts of INFO that tell; what is not in them stays. */
void redis_purges_parse(const char *info, struct redis_purges_said *);

struct redis_purges;

/* Connects when it is first asked. The text is copied. */
struct redis_purges *redis_purges_new(const char *address);
void redis_purges_free(struct redis_purges *); /* NULL is fine */
/* 0, or -1 when Redis does not answer, or will not say. */
int redis_purges_ask(struct redis_purges *, struct redis_purges_said *ret);

#endif
