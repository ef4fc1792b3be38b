#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "sim/traffic.h"

static struct scenario scenario_of(int live, struct dist hold)
{
	struct scenario sc = { .seed = 42 };

	sc.calls = (struct calls){ .live = live,
				   .ramp_ns = 2 * NS_PER_S,
				   .hold = hold,
				   .turn_every_ns = NS_PER_S,
				   .silence_share = 0.05,
				   .silence_ns = 4 * NS_PER_S };
	sc.calls.profile[PROFILE_BRIDGE].share = 0.5;
	sc.calls.profile[PROFILE_RESUMABLE] = (struct profile_plan){
		.share = 0.5,
		.loses_legs = true,
		.lose_leg = { .kind = DIST_EXPONENTIAL,
			      .mean_ns = 4 * NS_PER_S,
			      .max_ns = INT64_MAX },
	};
	return sc;
}

static struct dist lognormal(void)
{
	return (struct dist){ .kind = DIST_LOGNORMAL,
			      .mean_ns = 6 * NS_PER_S,
			      .sigma = 0.6,
			      .min_ns = 3 * NS_PER_S,
			      .max_ns = 12 * NS_PER_S };
}

static struct dist fixed(int64_t ns)
{
	return (struct dist){ .kind = DIST_FIXED, .mean_ns = ns, .max_ns = INT64_MAX };
}

static uint64_t digest_of(const struct call_plan *p, uint64_t before)
{
	char text[160];
	int size = snprintf(text, sizeof(text), "%016llx %llu %lld %lld %d %u",
			    (unsigned long long)before, (unsigned long long)p->number,
			    (long long)p->due_ns, (long long)p->hold_ns, (int)p->profile, p->turns);

	return hash_id(text, (size_t)size);
}

static void the_plan_of_a_seed_never_changes(void **unused)
{
	struct scenario sc = scenario_of(200, lognormal());
	struct traffic t = traffic_begin(&sc);
	uint64_t digest = 0, other = 0;
	struct call_plan p;

	(void)unused;
	for (int i = 0; i < 1000; i++) {
		traffic_next(&t, &p);
		digest = digest_of(&p, digest);
	}
	assert_int_equal(digest, 0xcfc4346b2fdabd03);
	sc.seed = 43;
	t = traffic_begin(&sc);
	for (int i = 0; i < 1000; i++) {
		traffic_next(&t, &p);
		other = digest_of(&p, other);
	}
	assert_int_not_equal(digest, other);
}

static void calls_come_in_the_order_of_their_due_times_each_number_once(void **unused)
{
	struct scenario sc = scenario_of(300, lognormal());
	struct traffic t = traffic_begin(&sc);
	bool seen[2000] = { false };
	int64_t before_ns = 0;
	struct call_plan p;

	(void)unused;
	for (int i = 0; i < 1500; i++) {
		traffic_next(&t, &p);
		assert_true(p.due_ns >= before_ns);
		before_ns = p.due_ns;
		assert_true(p.number < 2000 && !seen[p.number]);
		seen[p.number] = true;
		if (p.number < 300)
			assert_in_range(p.due_ns, 0, sc.calls.ramp_ns);
	}
}

/* Calls that are live at a moment, over so many seeds: the mean is known to one in 100. */
static void the_number_of_live_calls_is_what_was_asked_from_the_ramp_on(void **unused)
{
	static const int64_t at_s[] = { 3, 8, 20 };
	enum { LIVE = 100, SEEDS = 200 };

	(void)unused;
	for (size_t m = 0; m < sizeof(at_s) / sizeof(*at_s); m++) {
		long sum = 0;

		for (uint64_t seed = 0; seed < SEEDS; seed++) {
			struct scenario sc = scenario_of(LIVE, lognormal());
			struct call_plan p;
			struct traffic t;

			sc.seed = seed;
			t = traffic_begin(&sc);
			for (traffic_next(&t, &p); p.due_ns <= at_s[m] * NS_PER_S;
			     traffic_next(&t, &p))
				sum += p.due_ns + p.hold_ns > at_s[m] * NS_PER_S;
		}
		if (labs(sum - LIVE * SEEDS) > LIVE * SEEDS * 3 / 100)
			fail_msg("at %d s: %.1f live", (int)at_s[m], (double)sum / SEEDS);
	}
}

/* Met at a random moment, a fixed hold has half of it left, an exponential one its whole mean. */
static void what_is_left_of_the_first_calls_is_what_a_stranger_would_find(void **unused)
{
	enum { LIVE = 4000 };
	const struct {
		struct dist hold;
		int64_t want_ns;
	} rows[] = {
		{ fixed(10 * NS_PER_S), 5 * NS_PER_S },
		{ { .kind = DIST_UNIFORM, .min_ns = 0, .max_ns = 12 * NS_PER_S }, 4 * NS_PER_S },
		{ { .kind = DIST_EXPONENTIAL, .mean_ns = 5 * NS_PER_S, .max_ns = INT64_MAX },
		  5 * NS_PER_S },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct scenario sc = scenario_of(LIVE, rows[i].hold);
		struct traffic t = traffic_begin(&sc);
		struct call_plan p;
		double sum_ns = 0;
		int count = 0;

		while (count < LIVE) {
			traffic_next(&t, &p);
			if (p.number >= LIVE)
				continue;
			sum_ns += (double)p.hold_ns;
			count++;
		}
		if (fabs(sum_ns / LIVE - (double)rows[i].want_ns) > 0.05 * (double)rows[i].want_ns)
			fail_msg("row %zu: %.3f s", i, sum_ns / LIVE / NS_PER_S);
	}
}

static void later_calls_keep_to_the_bounds_of_the_hold_and_to_the_rate(void **unused)
{
	struct scenario sc = scenario_of(200, lognormal());
	struct traffic t = traffic_begin(&sc);
	double rate = 200 / ((double)dist_mean_ns(&sc.calls.hold) / NS_PER_S);
	int arrivals = 0, bridges = 0, all = 0;
	struct call_plan p;

	(void)unused;
	for (traffic_next(&t, &p); p.due_ns < 101 * NS_PER_S; traffic_next(&t, &p)) {
		all++;
		bridges += p.profile == PROFILE_BRIDGE;
		if (p.number < 200)
			continue;
		arrivals++;
		assert_in_range(p.hold_ns, 3 * NS_PER_S, 12 * NS_PER_S);
	}
	assert_true(fabs(arrivals - 100 * rate) < 5 * sqrt(100 * rate));
	assert_true(abs(2 * bridges - all) < 5 * sqrt(all));
}

static void turns_are_due_every_so_often_with_silences_between(void **unused)
{
	struct scenario sc = scenario_of(1, fixed(10 * NS_PER_S));
	int gaps = 0, silences = 0;

	(void)unused;
	for (uint64_t number = 0; number < 300; number++) {
		struct pacing p = pacing_begin(&sc, number);
		int64_t at_ns = pacing_next_ns(&p);

		assert_in_range(at_ns, NS_PER_S / 4, NS_PER_S);
		for (int i = 0; i < 50; i++, gaps++) {
			int64_t next_ns = pacing_next_ns(&p);

			if (next_ns - at_ns != NS_PER_S) {
				assert_int_equal(next_ns - at_ns, 4 * NS_PER_S);
				silences++;
			}
			at_ns = next_ns;
		}
	}
	assert_in_range(silences, gaps * 4 / 100, gaps * 6 / 100);
}

static void a_plan_counts_the_turns_that_fall_due_before_the_hangup(void **unused)
{
	struct scenario sc = scenario_of(50, lognormal());
	struct traffic t = traffic_begin(&sc);
	struct call_plan p;

	(void)unused;
	for (int i = 0; i < 200; i++) {
		struct pacing pacing;
		uint32_t turns = 0;

		traffic_next(&t, &p);
		pacing = pacing_begin(&sc, p.number);
		while (pacing_next_ns(&pacing) < p.hold_ns)
			turns++;
		assert_int_equal(p.turns, turns);
	}
}

static void legs_are_lost_by_plan_and_one_in_ten_by_reset(void **unused)
{
	struct scenario sc = scenario_of(1, fixed(10 * NS_PER_S));
	enum { LEGS = 20000 };
	struct losses l = losses_begin(&sc, 7, PROFILE_RESUMABLE);
	double sum_ns = 0;
	int resets = 0;
	bool reset;

	(void)unused;
	for (int i = 0; i < LEGS; i++) {
		sum_ns += (double)losses_next_ns(&l, &reset);
		resets += reset;
	}
	assert_true(fabs(sum_ns / LEGS - 4e9) < 0.05 * 4e9);
	assert_in_range(resets, LEGS * 9 / 100, LEGS * 11 / 100);
	l = losses_begin(&sc, 7, PROFILE_BRIDGE);
	assert_int_equal(losses_next_ns(&l, &reset), INT64_MAX);
	assert_false(reset);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_plan_of_a_seed_never_changes),
		cmocka_unit_test(calls_come_in_the_order_of_their_due_times_each_number_once),
		cmocka_unit_test(the_number_of_live_calls_is_what_was_asked_from_the_ramp_on),
		cmocka_unit_test(what_is_left_of_the_first_calls_is_what_a_stranger_would_find),
		cmocka_unit_test(later_calls_keep_to_the_bounds_of_the_hold_and_to_the_rate),
		cmocka_unit_test(turns_are_due_every_so_often_with_silences_between),
		cmocka_unit_test(a_plan_counts_the_turns_that_fall_due_before_the_hangup),
		cmocka_unit_test(legs_are_lost_by_plan_and_one_in_ten_by_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
