/*
 * Which of the Redis servers behind Sentinel is the primary, by the word of each of them (INFO
 * replication), past the tap. Two may say so at once: that is what is looked for. Blocking, each
 * to a deadline of the owner's; not a judgement.
 */
#ifndef OBSERVE_REDIS_ROLES_H
#define OBSERVE_REDIS_ROLES_H

#include <stddef.h>
#include <stdint.h>

#include "record/event.h"

enum { REDIS_ROLES_MAX = 8 };

struct redis_roles;

struct redis_role_said {
	uint32_t replicas; /* connected to it */
	uint32_t id;	   /* the first 32 bits of its replication id */
	uint64_t offset;   /* bytes of it */
};

/* "HOST:PORT,...", REDIS_ROLES_MAX at most; copied. Connects when first asked. */
struct redis_roles *redis_roles_new(const char *addresses, int64_t within_ns);
void redis_roles_free(struct redis_roles *); /* NULL is fine */
size_t redis_roles_count(const struct redis_roles *);
const char *redis_roles_address(const struct redis_roles *, size_t);
/* *ret is zero without an answer. */
enum redis_role redis_roles_ask(struct redis_roles *, size_t, struct redis_role_said *ret);
/* The address of the one that said it is the primary when it was asked last: of several the one
 * that was seen to become it last, for the one before is primary only until it hears of it. NULL:
 * none did. *ret_count: how many did. */
const char *redis_roles_primary(const struct redis_roles *, size_t *ret_count);
/* The text of INFO replication. Pure. */
enum redis_role redis_role_parse(const char *info, struct redis_role_said *ret);

#endif
