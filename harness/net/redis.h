/*
 * Redis client over hiredis, synchronous, to a deadline: for probes, smoke tests and start-up
 * checks. A connection calls itself crossfade-probe. The agents' own asynchronous use lives in
 * fixtures/agent.
 */
#ifndef NET_REDIS_H
#define NET_REDIS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct redis;

enum { REDIS_WORDS_MAX = 16 };

/* address: "HOST:PORT" or "unix:PATH". Errors name the address, never a password. */
int redis_open(const char *address, int64_t timeout_ns, struct redis **ret, struct err *);
void redis_close(struct redis *);
int redis_ping(struct redis *, struct err *);
/* Any other command, a word each, NULL-terminated; its answer as text, an element of a list a
 * line. */
int redis_ask(struct redis *, const char *const *words, struct buf *answer, struct err *);
/* *ret_found false and empty value when nil. */
int redis_get(struct redis *, const char *key, bool *ret_found, struct buf *value, struct err *);
int redis_setex(struct redis *, const char *key, int64_t ttl_s, const char *value, struct err *);
int redis_ttl(struct redis *, const char *key, int64_t *ret_s,
	      struct err *); /* -1 no ttl, -2 no key, as Redis says */
int redis_delete(struct redis *, const char *key, int64_t *ret_deleted, struct err *);
/* Appends to a pattern what stands for nothing but the text itself. */
void redis_glob_literal(struct buf *pattern, const char *text);
/* Every key that matches a glob, by SCAN, and its time to live as above: all there are at rest; one
 * may come twice while Redis resizes its table. Each page to its own deadline. */
int redis_scan(struct redis *, const char *pattern,
	       void (*each)(void *user, const char *key, int64_t ttl_s), void *user, struct err *);
/* One page of it, of about so many keys, matching or not. *cursor: 0 begins, and is told at the
 * end. */
int redis_scan_page(struct redis *, const char *pattern, unsigned count, uint64_t *cursor,
		    void (*each)(void *user, const char *key, int64_t ttl_s), void *user,
		    struct err *);

#endif
