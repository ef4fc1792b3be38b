#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "check/core/purges.h"

static void look(struct purges *p, int64_t before_ns, int64_t at_ns, uint64_t evicted,
		 uint32_t flushes)
{
	struct event e = event_make(EVENT_REDIS_PURGE, at_ns);

	e.due_ns = before_ns;
	e.digest = evicted;
	e.ver = flushes;
	purges_event(p, &e);
}

static void a_purge_lies_between_two_looks(void **state)
{
	static const struct {
		int64_t after_ns, until_ns;
		bool flushed, found;
	} cases[] = {
		{ 0, 100, false, true },			    /* around both looks */
		{ 0, 20, false, false },			    /* over when it had not begun */
		{ 0, 21, false, true },				    /* a nanosecond into it */
		{ 29, 100, false, true },			    /* written before its end */
		{ 30, 100, false, false }, { 0, 100, true, false }, /* nothing was flushed */
	};
	struct purges p = { .count = 0 };

	(void)state;
	look(&p, 0, 10, 5, 2); /* before the first look: nobody knows when */
	look(&p, 20, 30, 7, 2);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct purge *one = purges_between(&p, cases[i].flushed, cases[i].after_ns,
							 cases[i].until_ns);

		assert_int_equal(one != NULL, cases[i].found);
		if (one)
			assert_int_equal(one->evicted, 2);
	}
	look(&p, 40, 50, 7, 3);
	assert_int_equal(purges_between(&p, true, 0, 100)->flushes, 1);
	assert_ptr_equal(purges_between(&p, false, 0, 100), &p.list[0]);
	purges_free(&p);
}

static void a_server_that_began_anew_counts_from_0_and_another_is_known_only_from_then(void **state)
{
	struct purges p = { .count = 0 };
	struct event other = event_make(EVENT_REDIS_PURGE, 40);

	(void)state;
	look(&p, 0, 10, 5, 0);
	look(&p, 20, 30, 3, 0);
	assert_int_equal(purges_between(&p, false, 0, 100)->evicted, 3);
	other.digest = 1000;
	other.n = 1;
	purges_event(&p, &other);
	assert_int_equal(p.count, 1);
	purges_free(&p);
}

static void what_did_not_rise_is_known_between_two_looks_at_every_server(void **state)
{
	struct event late = event_make(EVENT_REDIS_PURGE, 9000);
	struct purges p = { .count = 0 };

	(void)state;
	assert_false(purges_known(&p, 20, 30));
	look(&p, 0, 10, 5, 0);
	look(&p, 20, 30, 5, 0);
	assert_true(purges_known(&p, 10, 30));
	assert_false(purges_known(&p, 9, 30));
	assert_false(purges_known(&p, 10, 31));
	late.aux = 8; /* us: it was asked at 1000 */
	late.digest = 5;
	purges_event(&p, &late);
	assert_true(purges_known(&p, 10, 1000));
	assert_false(purges_known(&p, 10, 1001));
	late.n = 1;
	purges_event(&p, &late);
	assert_false(purges_known(&p, 10, 1000));
	purges_free(&p);
}

static void each_server_has_counters_of_its_own(void **state)
{
	struct event other = event_make(EVENT_REDIS_PURGE, 40);
	struct purges p = { .count = 0 };

	(void)state;
	other.n = 1;
	other.digest = 1000;
	look(&p, 0, 10, 5, 0);
	purges_event(&p, &other);
	look(&p, 40, 50, 5, 0);
	purges_event(&p, &other);
	assert_int_equal(p.count, 0);
	look(&p, 50, 60, 6, 0);
	assert_int_equal(p.count, 1);
	assert_int_equal(p.list[0].evicted, 1);
	purges_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_purge_lies_between_two_looks),
		cmocka_unit_test(what_did_not_rise_is_known_between_two_looks_at_every_server),
		cmocka_unit_test(each_server_has_counters_of_its_own),
		cmocka_unit_test(
			a_server_that_began_anew_counts_from_0_and_another_is_known_only_from_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
