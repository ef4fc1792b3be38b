#include "base/hash.h"
#include "check/core/chain.h"
#include "check/core/golden.h"

enum { TURNS = 20 };

/* A chain of so many turns; every expected digest in h. */
static struct chain chain_of(unsigned turns, uint64_t h[TURNS + 1])
{
	struct chain c = { 0 };

	h[0] = hash_chain_start("c-1", 3);
	chain_start(&c, h[0]);
	for (unsigned i = 1; i <= turns; i++) {
		h[i] = hash_chain_next(h[i - 1], i, 1000 + i);
		chain_add(&c, (uint16_t)i, 1000 + i, h[i]);
	}
	return c;
}

static void a_digest_is_named_for_what_it_is(void **state)
{
	uint64_t h[TURNS + 1];
	const struct chain c = chain_of(5, h);
	const struct {
		unsigned n;
		uint64_t digest;
		enum chain_kind kind;
		unsigned turn;
	} rows[] = {
		{ 5, h[5], CHAIN_AS_EXPECTED, 0 },
		{ 0, h[0], CHAIN_AS_EXPECTED, 0 },
		{ 5, h[4], CHAIN_OTHER_TURN, 4 },
		{ 5, h[0], CHAIN_OTHER_TURN, 0 },
		{ 9, h[5], CHAIN_OTHER_TURN, 5 },
		{ 5, hash_chain_next(h[5], 5, 1005), CHAIN_DOUBLED, 5 },
		{ 5, hash_chain_next(h[3], 3, 1003), CHAIN_DOUBLED, 3 },
		{ 5, hash_chain_next(h[3], 5, 1005), CHAIN_SKIPPED, 3 },
		{ 5, hash_chain_next(h[0], 5, 1005), CHAIN_SKIPPED, 0 },
		{ 5, hash_chain_next(hash_chain_next(h[3], 5, 1005), 4, 1004), CHAIN_REORDERED, 5 },
		{ 5, hash_chain_next(hash_chain_next(h[2], 4, 1004), 3, 1003), CHAIN_REORDERED, 4 },
		{ 5, hash_chain_next(h[4], 5, 1004), CHAIN_DIVERGED, 0 },
		{ 5, 12345, CHAIN_DIVERGED, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		unsigned turn = 0;
		enum chain_kind kind = chain_compare(&c, rows[i].n, rows[i].digest, &turn);
		if (kind != rows[i].kind || turn != rows[i].turn)
			fail_msg("row %zu: kind %d turn %u", i, kind, turn);
	}
}

static void only_the_last_sixteen_are_remembered(void **state)
{
	uint64_t h[TURNS + 1], digest;
	const struct chain c = chain_of(TURNS, h);
	unsigned turn = 0;

	(void)state;
	assert_true(chain_at(&c, 5, &digest));
	assert_int_equal(digest, h[5]);
	assert_false(chain_at(&c, 4, &digest));
	assert_false(chain_at(&c, 0, &digest));
	assert_false(chain_at(&c, TURNS + 1, &digest));
	assert_int_equal(chain_compare(&c, 4, h[4], &turn), CHAIN_FORGOTTEN);
	assert_int_equal(chain_compare(&c, TURNS, h[4], &turn), CHAIN_DIVERGED);
	assert_true(chain_holds(&c, h[5]));
	assert_false(chain_holds(&c, h[4]));
}

static void an_unknown_start_is_not_invented(void **state)
{
	struct chain c = { 0 };
	uint64_t digest;
	unsigned turn;

	(void)state;
	assert_false(chain_at(&c, 0, &digest));
	assert_int_equal(chain_compare(&c, 0, 5, &turn), CHAIN_FORGOTTEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_digest_is_named_for_what_it_is),
		cmocka_unit_test(only_the_last_sixteen_are_remembered),
		cmocka_unit_test(an_unknown_start_is_not_invented),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
