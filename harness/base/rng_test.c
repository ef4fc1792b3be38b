#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "base/rng.h"

enum { DRAWS = 20000 };

/* The published first outputs of xoshiro256** for the state 1, 2, 3, 4. */
static void the_generator_is_xoshiro256starstar(void **state)
{
	struct rng rng = { { 1, 2, 3, 4 } };

	(void)state;
	assert_int_equal(rng_u64(&rng), 11520);
	assert_int_equal(rng_u64(&rng), 0);
	assert_int_equal(rng_u64(&rng), 1509978240);
	assert_int_equal(rng_u64(&rng), 1215971899390074240);
}

/* A change here changes the plan of every seed ever written down. */
static void plans_of_old_seeds_never_change(void **state)
{
	static const struct {
		uint64_t seed, index;
		const char *purpose;
		uint64_t drawn[3];
	} golden[] = {
		{ 42, 0, "hold", { 0xffcd790c4e4b4038, 0x2f04d1f8ed313cb9, 0x5e49437dfe8fc4e1 } },
		{ 42, 1, "hold", { 0x205eb40069405358, 0xb54ba91526e2b9a0, 0x6d5408b8232f9efd } },
		{ 43, 0, "hold", { 0x1dd94eb6b846b397, 0xb6bd8a4b5c7fdf48, 0x3b4aeeeb95ba80dc } },
		{ 42, 0, "arrival",
		  { 0xaa991c9892b961c7, 0x4d946a6b1cba2571, 0xb3bcc6c9333a972a } },
		{ 0, 0, "", { 0xd4e9384e6f5a37c4, 0x98f31a73738390ff, 0x4853b0223447cbcf } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(golden) / sizeof(*golden); i++) {
		struct rng rng = rng_split(golden[i].seed, golden[i].index, golden[i].purpose);
		for (int k = 0; k < 3; k++)
			assert_int_equal(rng_u64(&rng), golden[i].drawn[k]);
	}
}

static void neighbouring_streams_have_nothing_in_common(void **state)
{
	int same = 0;

	(void)state;
	for (uint64_t i = 0; i < 1000; i++) {
		struct rng a = rng_split(7, i, "legs"), b = rng_split(7, i + 1, "legs"),
			   c = rng_split(i, 7, "legs");
		uint64_t x = rng_u64(&a);
		same += __builtin_popcountll(x ^ rng_u64(&b));
		assert_true(i == 7 || x != rng_u64(&c));
	}
	assert_in_range(same, 31000, 33000); /* half of the bits differ */
}

static void unit_draws_fill_the_unit_interval(void **state)
{
	struct rng rng = rng_split(1, 0, "unit");
	double sum = 0, low = 1, high = 0;

	(void)state;
	for (int i = 0; i < DRAWS; i++) {
		double u = rng_unit(&rng);
		assert_true(u >= 0 && u < 1);
		sum += u;
		low = fmin(low, u);
		high = fmax(high, u);
	}
	assert_true(fabs(sum / DRAWS - 0.5) < 0.01);
	assert_true(low < 0.001 && high > 0.999);
}

static void normal_draws_have_mean_0_and_sigma_1_and_take_two_each(void **state)
{
	struct rng rng = rng_split(2, 0, "normal"), twin = rng;
	double sum = 0, squares = 0;

	(void)state;
	for (int i = 0; i < DRAWS; i++) {
		double x = rng_normal(&rng);
		assert_true(isfinite(x));
		sum += x;
		squares += x * x;
		rng_u64(&twin);
		rng_u64(&twin);
	}
	assert_true(fabs(sum / DRAWS) < 0.03);
	assert_true(fabs(squares / DRAWS - 1) < 0.05);
	assert_int_equal(rng_u64(&rng), rng_u64(&twin));
}

static void exponential_draws_have_their_mean(void **state)
{
	struct rng rng = rng_split(3, 0, "exponential");
	double sum = 0;
	int above = 0;

	(void)state;
	for (int i = 0; i < DRAWS; i++) {
		double x = rng_exponential(&rng, 4.0);
		assert_true(x >= 0 && isfinite(x));
		sum += x;
		above += x > 4.0;
	}
	assert_true(fabs(sum / DRAWS - 4.0) < 0.15);
	assert_true(fabs((double)above / DRAWS - exp(-1)) < 0.02);
}

static void below_gives_every_value_its_share(void **state)
{
	struct rng rng = rng_split(4, 0, "below");
	int seen[7] = { 0 };

	(void)state;
	for (int i = 0; i < 7 * 3000; i++)
		seen[rng_below(&rng, 7)]++;
	for (int i = 0; i < 7; i++)
		assert_in_range(seen[i], 2700, 3300);
	assert_int_equal(rng_below(&rng, 1), 0);
	/* With a biased modulus two thirds of the draws would fall into the lower half. */
	int low = 0;
	for (int i = 0; i < DRAWS; i++)
		low += rng_below(&rng, 3ULL << 62) < 3ULL << 61;
	assert_in_range(low, DRAWS * 48 / 100, DRAWS * 52 / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_generator_is_xoshiro256starstar),
		cmocka_unit_test(plans_of_old_seeds_never_change),
		cmocka_unit_test(neighbouring_streams_have_nothing_in_common),
		cmocka_unit_test(unit_draws_fill_the_unit_interval),
		cmocka_unit_test(normal_draws_have_mean_0_and_sigma_1_and_take_two_each),
		cmocka_unit_test(exponential_draws_have_their_mean),
		cmocka_unit_test(below_gives_every_value_its_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
