#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/rng.h"
#include "scenario/dist.h"

#define S NS_PER_S
enum { DRAWS = 40000 };

static const struct dist cases[] = {
	{ DIST_FIXED, 6 * S, 0, 0, INT64_MAX },
	{ DIST_UNIFORM, 0, 0, 3 * S, 12 * S },
	{ DIST_UNIFORM, 0, 0, 5 * S, 5 * S },
	{ DIST_EXPONENTIAL, 4 * S, 0, 0, INT64_MAX },
	{ DIST_EXPONENTIAL, 4 * S, 0, 1 * S, 6 * S },
	{ DIST_LOGNORMAL, 6 * S, 0.6, 0, INT64_MAX },
	{ DIST_LOGNORMAL, 6 * S, 0.6, 3 * S, 12 * S },
	{ DIST_LOGNORMAL, 6 * S, 0.6, 0, 4 * S },
	{ DIST_LOGNORMAL, 6 * S, 1.5, 10 * S, INT64_MAX },
};
enum { CASES = sizeof cases / sizeof *cases };

static void every_draw_lies_within_min_and_max(void **state)
{
	(void)state;
	for (size_t c = 0; c < CASES; c++) {
		struct rng rng = rng_split(1, c, "hold");

		for (int i = 0; i < DRAWS; i++) {
			int64_t v = dist_draw(&cases[c], &rng);

			assert_true(v >= cases[c].min_ns && v <= cases[c].max_ns);
		}
	}
}

static void the_stated_mean_is_the_mean_of_the_draws(void **state)
{
	(void)state;
	for (size_t c = 0; c < CASES; c++) {
		struct rng rng = rng_split(2, c, "hold");
		double sum = 0, squares = 0, mean, error;

		for (int i = 0; i < DRAWS; i++) {
			double v = (double)dist_draw(&cases[c], &rng) / S;

			sum += v;
			squares += v * v;
		}
		mean = sum / DRAWS;
		error = sqrt(fmax(0, squares / DRAWS - mean * mean) / DRAWS);
		if (fabs((double)dist_mean_ns(&cases[c]) / S - mean) > 5 * error + 1e-6)
			fail_msg("case %zu: drawn %f +- %f, stated %f", c, mean, error,
				 (double)dist_mean_ns(&cases[c]) / S);
	}
}

static void the_same_stream_draws_the_same_values(void **state)
{
	struct rng a = rng_split(3, 9, "hold"), b = rng_split(3, 9, "hold");

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(dist_draw(&cases[6], &a), dist_draw(&cases[6], &b));
}

static void mass_is_the_share_of_draws_that_need_no_second_try(void **state)
{
	static const struct {
		struct dist d;
		double want;
	} rows[] = {
		{ { DIST_FIXED, 6 * S, 0, 0, INT64_MAX }, 1 },
		{ { DIST_FIXED, 6 * S, 0, 7 * S, INT64_MAX }, 0 },
		{ { DIST_EXPONENTIAL, 4 * S, 0, 0, INT64_MAX }, 1 },
		{ { DIST_EXPONENTIAL, 4 * S, 0, 4 * S, INT64_MAX }, 0.367879 },
		{ { DIST_LOGNORMAL, 6 * S, 0.6, 0, INT64_MAX }, 1 },
		{ { DIST_LOGNORMAL, 6 * S, 0.6, 3 * S, 12 * S }, 0.730985 },
		{ { DIST_LOGNORMAL, 6 * S, 0.6, 12 * S, 3 * S }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (fabs(dist_mass(&rows[i].d) - rows[i].want) > 1e-4)
			fail_msg("row %zu: %f", i, dist_mass(&rows[i].d));
}

static void a_window_that_is_never_met_still_gives_a_value_inside_it(void **state)
{
	const struct dist never = { DIST_LOGNORMAL, 6 * S, 0.1, 3600 * S, 3700 * S };
	struct rng rng = rng_split(4, 0, "hold");
	int64_t v = dist_draw(&never, &rng);

	(void)state;
	assert_true(v >= never.min_ns && v <= never.max_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_draw_lies_within_min_and_max),
		cmocka_unit_test(the_stated_mean_is_the_mean_of_the_draws),
		cmocka_unit_test(the_same_stream_draws_the_same_values),
		cmocka_unit_test(mass_is_the_share_of_draws_that_need_no_second_try),
		cmocka_unit_test(a_window_that_is_never_met_still_gives_a_value_inside_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
