/*
 * The hash chain of a call's turns as the caller built it: the last 16 expected digests and the
 * last 4 tokens. Names exactly what a digest that is not the expected one is, as far back as it
 * remembers; beyond, it only says that it differs.
 */
#ifndef CHECK_CORE_CHAIN_H
#define CHECK_CORE_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

enum { CHAIN_DIGESTS = 16, CHAIN_TOKENS = 4 };

struct chain {
	uint64_t digest[CHAIN_DIGESTS]; /* after turn i, at i % 16; turn 0 is the start */
	uint64_t token[CHAIN_TOKENS];	/* of turn i, at i % 4 */
	uint16_t sent;			/* highest turn in it */
	bool started;			/* turn 0 is known */
};

void chain_start(struct chain *, uint64_t digest);
void chain_add(struct chain *, uint16_t turn, uint64_t token, uint64_t digest);
/* The expected digest after a turn; false when it is too old or was never known. */
bool chain_at(const struct chain *, unsigned turn, uint64_t *ret);

/* Any turn of this chain has the digest. */
bool chain_holds(const struct chain *, uint64_t digest);

enum chain_kind {
	CHAIN_AS_EXPECTED, /* the digest after turn n */
	CHAIN_FORGOTTEN,   /* too old to tell */
	CHAIN_OTHER_TURN,  /* the digest after another turn than n: *ret_turn */
	CHAIN_DOUBLED,	   /* turn *ret_turn was applied twice */
	CHAIN_REORDERED,   /* turn *ret_turn was applied before the one sent before it */
	CHAIN_SKIPPED,	   /* turn n applied on the state after *ret_turn < n - 1: those between are
			      lost */
	CHAIN_DIVERGED,
};
enum chain_kind chain_compare(const struct chain *, unsigned n, uint64_t digest,
			      unsigned *ret_turn);

#endif
