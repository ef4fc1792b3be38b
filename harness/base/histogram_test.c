#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/histogram.h"
#include "base/rng.h"

static struct histogram one_to(int count, int64_t unit_ns)
{
	struct histogram h = { 0 };

	for (int i = 1; i <= count; i++)
		histogram_add(&h, i * unit_ns);
	return h;
}

static void assert_near(int64_t ns, int64_t want_ns)
{
	if (ns < want_ns || (double)(ns - want_ns) > 0.032 * (double)want_ns)
		fail_msg("%lld is not within 3.2 %% above %lld", (long long)ns, (long long)want_ns);
}

static void an_empty_histogram_has_no_quantile(void **state)
{
	struct histogram h = { 0 };
	int64_t low = -1, high = -1;

	(void)state;
	assert_int_equal(histogram_quantile_ns(&h, 0.99), 0);
	assert_int_equal(histogram_interval_ns(&h, 0.99, &low, &high), -1);
	assert_int_equal(low, 0);
	assert_int_equal(high, INT64_MAX);
}

static void a_value_is_kept_to_3_percent_from_1_us_to_an_hour(void **state)
{
	(void)state;
	for (int64_t ns = 1100; ns < 3600 * NS_PER_S; ns += ns / 7) {
		struct histogram h = { 0 };
		histogram_add(&h, ns - ns / 3 > 1024 ? ns - ns / 3 : ns);
		histogram_add(&h, ns);
		histogram_add(&h, 2 * ns);
		assert_near(histogram_quantile_ns(&h, 0.5), ns);
	}
}

static void quantiles_are_ranks_not_averages(void **state)
{
	static const struct {
		double q;
		int64_t want;
	} cases[] = { { 0, 1 },     { 0.005, 1 }, { 0.5, 50 },    { 0.501, 51 },
		      { 0.95, 95 }, { 0.99, 99 }, { 0.991, 100 }, { 1, 100 } };
	struct histogram h = one_to(100, NS_PER_MS);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_near(histogram_quantile_ns(&h, cases[i].q), cases[i].want * NS_PER_MS);
	assert_int_equal(histogram_quantile_ns(&h, 0), NS_PER_MS);
	assert_int_equal(histogram_quantile_ns(&h, 1), 100 * NS_PER_MS);
}

static void a_lone_outlier_is_the_maximum_and_nothing_less(void **state)
{
	struct histogram h = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		histogram_add(&h, NS_PER_MS);
	histogram_add(&h, NS_PER_S);
	assert_near(histogram_quantile_ns(&h, 0.999), NS_PER_MS);
	assert_int_equal(histogram_quantile_ns(&h, 1), NS_PER_S);
}

static void what_is_outside_the_range_still_counts(void **state)
{
	struct histogram h = { 0 };

	(void)state;
	histogram_add(&h, -5);
	histogram_add(&h, 0);
	histogram_add(&h, 999);
	histogram_add(&h, 1000 * 3600 * NS_PER_S);
	histogram_add(&h, INT64_MAX);
	assert_int_equal(h.count, 5);
	assert_int_equal(h.min_ns, 0);
	assert_int_equal(h.max_ns, INT64_MAX);
	assert_true(histogram_quantile_ns(&h, 0.6) < 1056); /* the end of the first bucket */
	assert_int_equal(histogram_quantile_ns(&h, 0.8), INT64_MAX);
}

static void censored_samples_count_at_their_age(void **state)
{
	struct histogram h = one_to(9, NS_PER_MS);

	(void)state;
	histogram_add_censored(&h, 5 * NS_PER_S);
	assert_int_equal(h.count, 10);
	assert_int_equal(h.censored, 1);
	assert_int_equal(histogram_quantile_ns(&h, 1), 5 * NS_PER_S);
}

static void merged_halves_are_the_whole(void **state)
{
	struct rng rng = rng_split(5, 0, "histogram");
	struct histogram whole = { 0 }, half[2] = { { 0 } }, merged = { 0 };

	(void)state;
	for (int i = 0; i < 5000; i++) {
		int64_t ns = (int64_t)(exp(rng_normal(&rng)) * 1e6);
		histogram_add(&whole, ns);
		if (i % 10)
			histogram_add(&half[i % 3 == 0], ns);
		else
			histogram_add_censored(&half[1], ns), whole.censored++;
	}
	histogram_merge(&merged, &half[0]);
	histogram_merge(&merged, &(struct histogram){ 0 });
	histogram_merge(&merged, &half[1]);
	assert_true(fabs(merged.sum_ns - whole.sum_ns) < 1e-6 * whole.sum_ns);
	merged.sum_ns = whole.sum_ns; /* the order of additions shows in the last bits */
	assert_memory_equal(&merged, &whole, sizeof(whole));
}

/* Ranks worked out with exact fractions by another program; count + 1 stands for "no bound". */
static void intervals_are_the_exact_binomial_ranks(void **state)
{
	static const struct {
		int count;
		double q;
		int low, high;
	} cases[] = {
		{ 1, 0.5, 0, 2 },         { 7, 0.5, 0, 8 },        { 8, 0.5, 1, 8 },
		{ 100, 0.5, 37, 64 },     { 103, 0.95, 91, 104 },  { 104, 0.95, 92, 104 },
		{ 200, 0.95, 181, 198 },  { 527, 0.99, 515, 528 }, { 528, 0.99, 516, 528 },
		{ 1000, 0.99, 981, 998 }, { 1000, 0.01, 3, 20 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct histogram h = one_to(cases[i].count, 10 * NS_PER_US);
		int64_t low = -1, high = -1;
		bool bounded = cases[i].high <= cases[i].count;
		assert_int_equal(histogram_interval_ns(&h, cases[i].q, &low, &high),
				 bounded ? 0 : -1);
		int64_t want_low = cases[i].low * 10 * NS_PER_US,
			want_high = cases[i].high * 10 * NS_PER_US;
		assert_true(low <= want_low && (double)low >= (double)want_low / 1.032);
		if (bounded)
			assert_near(high, want_high);
		else
			assert_int_equal(high, INT64_MAX);
	}
}

static void the_interval_of_an_extreme_has_one_side(void **state)
{
	struct histogram h = one_to(1000, NS_PER_MS);
	int64_t low, high;

	(void)state;
	assert_int_equal(histogram_interval_ns(&h, 1, &low, &high), -1);
	assert_true(low >= 968 * NS_PER_MS && low <= 1000 * NS_PER_MS);
	assert_int_equal(high, INT64_MAX);
	assert_int_equal(histogram_interval_ns(&h, 0, &low, &high), 0);
	assert_int_equal(low, NS_PER_MS);
}

static void ten_million_samples_leave_a_narrow_interval(void **state)
{
	struct histogram h = one_to(1000, NS_PER_MS);
	int64_t low, high;

	(void)state;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		h.bucket[i] *= 10000;
	h.count *= 10000;
	assert_int_equal(histogram_interval_ns(&h, 0.5, &low, &high), 0);
	assert_true(low >= 480 * NS_PER_MS && high <= 520 * NS_PER_MS && low <= 500 * NS_PER_MS &&
		    high >= 500 * NS_PER_MS);
}

/* What "99 %" promises: of many draws from a known distribution few intervals miss. */
static void intervals_hold_the_true_quantile_as_often_as_promised(void **state)
{
	const int64_t true_p95_ns = (int64_t)(-log(0.05) * 1e7);
	int missed = 0;

	(void)state;
	for (uint64_t run = 0; run < 400; run++) {
		struct rng rng = rng_split(6, run, "interval");
		struct histogram h = { 0 };
		int64_t low, high;
		for (int i = 0; i < 300; i++)
			histogram_add(&h, (int64_t)rng_exponential(&rng, 1e7));
		assert_int_equal(histogram_interval_ns(&h, 0.95, &low, &high), 0);
		missed += low > true_p95_ns || high < true_p95_ns;
	}
	assert_in_range(missed, 0, 10); /* 4 expected at most */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_histogram_has_no_quantile),
		cmocka_unit_test(a_value_is_kept_to_3_percent_from_1_us_to_an_hour),
		cmocka_unit_test(quantiles_are_ranks_not_averages),
		cmocka_unit_test(a_lone_outlier_is_the_maximum_and_nothing_less),
		cmocka_unit_test(what_is_outside_the_range_still_counts),
		cmocka_unit_test(censored_samples_count_at_their_age),
		cmocka_unit_test(merged_halves_are_the_whole),
		cmocka_unit_test(intervals_are_the_exact_binomial_ranks),
		cmocka_unit_test(the_interval_of_an_extreme_has_one_side),
		cmocka_unit_test(ten_million_samples_leave_a_narrow_interval),
		cmocka_unit_test(intervals_hold_the_true_quantile_as_often_as_promised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
