#include "check/core/chain.h"

#include "base/hash.h"

void chain_start(struct chain *c, uint64_t digest)
{
	c->digest[0] = digest;
	c->started = true;
}

void chain_add(struct chain *c, uint16_t turn, uint64_t token, uint64_t digest)
{
	c->digest[turn % CHAIN_DIGESTS] = digest;
	c->token[turn % CHAIN_TOKENS] = token;
	if (turn > c->sent)
		c->sent = turn;
}

bool chain_at(const struct chain *c, unsigned turn, uint64_t *ret)
{
	if (turn > c->sent || c->sent - turn >= CHAIN_DIGESTS || (!turn && !c->started))
		return false;
	*ret = c->digest[turn % CHAIN_DIGESTS];
	return true;
}

bool chain_holds(const struct chain *c, uint64_t digest)
{
	unsigned oldest = c->sent >= CHAIN_DIGESTS ? c->sent - CHAIN_DIGESTS + 1U : 0U;
	uint64_t known;

	for (unsigned turn = oldest; turn <= c->sent; turn++) {
		if (chain_at(c, turn, &known) && known == digest)
			return true;
	}
	return false;
}

static bool token_at(const struct chain *c, unsigned turn, uint64_t *ret)
{
	if (!turn || turn > c->sent || c->sent - turn >= CHAIN_TOKENS)
		return false;
	*ret = c->token[turn % CHAIN_TOKENS];
	return true;
}

/* Is it turn `turn` put on the state after turn `base`? */
static bool is_step(const struct chain *c, unsigned base, unsigned turn, uint64_t digest)
{
	uint64_t from, token;

	return chain_at(c, base, &from) && token_at(c, turn, &token) &&
	       hash_chain_next(from, turn, token) == digest;
}

/* Is it turn `late` put after turn `late` + 1 on the state before both? */
static bool is_swap(const struct chain *c, unsigned late, uint64_t digest)
{
	uint64_t from, first, second;

	return chain_at(c, late - 1, &from) && token_at(c, late + 1, &first) &&
	       token_at(c, late, &second) &&
	       hash_chain_next(hash_chain_next(from, late + 1, first), late, second) == digest;
}

enum chain_kind chain_compare(const struct chain *c, unsigned n, uint64_t digest,
			      unsigned *ret_turn)
{
	unsigned oldest = c->sent >= CHAIN_DIGESTS ? c->sent - CHAIN_DIGESTS + 1U : 0U;
	uint64_t expected;
	bool known = chain_at(c, n, &expected);

	if (known && expected == digest)
		return CHAIN_AS_EXPECTED;
	for (unsigned turn = oldest; turn <= c->sent; turn++) {
		if (turn != n && chain_at(c, turn, &expected) && expected == digest) {
			*ret_turn = turn;
			return CHAIN_OTHER_TURN;
		}
	}
	if (!known && n <= c->sent)
		return CHAIN_FORGOTTEN;
	for (unsigned turn = oldest; turn <= c->sent; turn++) {
		if (is_step(c, turn, turn, digest)) {
			*ret_turn = turn;
			return CHAIN_DOUBLED;
		}
	}
	for (unsigned late = oldest + 1; late < c->sent; late++) {
		if (is_swap(c, late, digest)) {
			*ret_turn = late + 1;
			return CHAIN_REORDERED;
		}
	}
	for (unsigned last = c->sent; last > oldest && c->sent - last < CHAIN_TOKENS; last--)
		for (unsigned base = oldest; base + 1 < last; base++) {
			if (is_step(c, base, last, digest)) {
				*ret_turn = base;
				return CHAIN_SKIPPED;
			}
		}
	return CHAIN_DIVERGED;
}
