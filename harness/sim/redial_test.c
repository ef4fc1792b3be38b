#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "sim/redial.h"

enum { DRAWS = 4000 };

static void a_delay_is_uniform_up_to_a_ceiling_that_doubles_to_the_cap(void **unused)
{
	static const struct {
		unsigned attempt;
		int64_t most_ms;
	} rows[] = { { 0, 100 },  { 1, 200 },  { 2, 400 },	     { 3, 800 },
		     { 4, 1000 }, { 5, 1000 }, { 4000000000u, 1000 } };

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rng rng = rng_split(42, i, "test");
		int64_t most_ns = rows[i].most_ms * NS_PER_MS, top_ns = 0, sum_ns = 0;

		for (int k = 0; k < DRAWS; k++) {
			int64_t ns = redial_delay_ns(100 * NS_PER_MS, NS_PER_S, rows[i].attempt,
						     &rng);

			assert_in_range(ns, 0, most_ns - 1);
			top_ns = ns > top_ns ? ns : top_ns;
			sum_ns += ns;
		}
		assert_true(top_ns > most_ns * 98 / 100); /* full jitter: the whole width is used */
		assert_in_range(sum_ns / DRAWS, most_ns * 47 / 100, most_ns * 53 / 100);
	}
}

static void a_base_above_the_cap_is_cut_to_it(void **unused)
{
	struct rng rng = rng_split(42, 0, "test");

	(void)unused;
	for (int k = 0; k < DRAWS; k++)
		assert_in_range(redial_delay_ns(NS_PER_S, 50 * NS_PER_MS, 0, &rng), 0,
				50 * NS_PER_MS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_delay_is_uniform_up_to_a_ceiling_that_doubles_to_the_cap),
		cmocka_unit_test(a_base_above_the_cap_is_cut_to_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
