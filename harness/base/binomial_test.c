/* cmocka wants these first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

#include "base/binomial.h"

/* By hand: 0 of 3 fair coins is 1/8, as is 3 of 3; 2 of 10 at 1/2 is 2 (1 + 10 + 45) / 1024; 5 of 5
 * at 0.9 is as likely as all others together are not: every count is no likelier. */
static void the_exact_test_gives_what_counting_gives(void **state)
{
	static const struct {
		uint64_t n, k;
		double p, value;
	} rows[] = {
		{ 0, 0, 0.5, 1 },
		{ 3, 0, 0.5, 0.25 },
		{ 3, 1, 0.5, 1 },
		{ 10, 2, 0.5, 112.0 / 1024 },
		{ 10, 5, 0.5, 1 },
		{ 5, 5, 0.9, 1 },
		{ 5, 0, 0.9, 1e-5 },
		{ 20, 20, 0.5, 2 / 1048576.0 },
		{ 4, 4, 0.25, 1 / 256.0 },
		{ 7, 0, 0, 1 },
		{ 7, 1, 0, 0 },
		{ 7, 7, 1, 1 },
		{ 7, 6, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		double value = binomial_two_sided(rows[i].n, rows[i].k, rows[i].p);

		if (fabs(value - rows[i].value) > 1e-9)
			fail_msg("%u of %u at %g: %.12g, by hand %.12g", (unsigned)rows[i].k,
				 (unsigned)rows[i].n, rows[i].p, value, rows[i].value);
	}
}

static void a_large_count_keeps_its_digits(void **state)
{
	(void)state;
	/* Normal approximation at z = 5.0 and n = 40,000: 5.7e-7 */
	assert_true(fabs(binomial_two_sided(40000, 20500, 0.5) / 5.9e-7 - 1) < 0.1);
	assert_true(binomial_two_sided(40000, 20000, 0.5) > 1 - 1e-9);
	assert_true(binomial_two_sided(100000, 0, 0.5) == 0 ||
		    binomial_two_sided(100000, 0, 0.5) < 1e-300);
}

static void a_share_is_known_better_the_more_were_seen(void **state)
{
	(void)state;
	assert_true(binomial_half_width_99(0, 0) == 0.5);
	assert_true(fabs(binomial_half_width_99(100, 50) - 0.1247) < 0.001);
	assert_true(fabs(binomial_half_width_99(10000, 5000) - 0.01287) < 0.0001);
	assert_true(binomial_half_width_99(50, 0) < binomial_half_width_99(20, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_exact_test_gives_what_counting_gives),
		cmocka_unit_test(a_large_count_keeps_its_digits),
		cmocka_unit_test(a_share_is_known_better_the_more_were_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
