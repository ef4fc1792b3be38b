#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "base/timers.h"

enum { MANY = 500 };

static void an_empty_heap_has_nothing_due(void **state)
{
	struct timers timers = { 0 };

	(void)state;
	assert_int_equal(timers_next_ns(&timers), INT64_MAX);
	assert_null(timers_pop_due(&timers, INT64_MAX));
	timers_free(&timers);
}

static void timers_come_out_by_deadline_and_not_early(void **state)
{
	struct timers timers = { 0 };
	struct timer a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	timers_arm(&timers, &a, 30);
	timers_arm(&timers, &b, 10);
	timers_arm(&timers, &c, 20);
	assert_int_equal(timers_next_ns(&timers), 10);
	assert_null(timers_pop_due(&timers, 9));
	assert_ptr_equal(timers_pop_due(&timers, 25), &b);
	assert_int_equal(b.slot, 0);
	assert_ptr_equal(timers_pop_due(&timers, 25), &c);
	assert_null(timers_pop_due(&timers, 25));
	assert_ptr_equal(timers_pop_due(&timers, 30), &a);
	timers_free(&timers);
}

static void arming_again_moves_a_timer_either_way(void **state)
{
	struct timers timers = { 0 };
	struct timer a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	timers_arm(&timers, &a, 10);
	timers_arm(&timers, &b, 20);
	timers_arm(&timers, &c, 30);
	timers_arm(&timers, &a, 40);
	assert_int_equal(timers_next_ns(&timers), 20);
	timers_arm(&timers, &c, 5);
	assert_ptr_equal(timers_pop_due(&timers, 100), &c);
	assert_ptr_equal(timers_pop_due(&timers, 100), &b);
	assert_ptr_equal(timers_pop_due(&timers, 100), &a);
	assert_int_equal(timers.count, 0);
	timers_free(&timers);
}

static void a_cancelled_timer_never_comes(void **state)
{
	struct timers timers = { 0 };
	struct timer a = { 0 }, b = { 0 };

	(void)state;
	timers_cancel(&timers, &a);
	timers_arm(&timers, &a, 10);
	timers_arm(&timers, &b, 20);
	timers_cancel(&timers, &a);
	timers_cancel(&timers, &a);
	assert_ptr_equal(timers_pop_due(&timers, 100), &b);
	assert_null(timers_pop_due(&timers, 100));
	timers_free(&timers);
}

static void freeing_disarms_what_is_left(void **state)
{
	struct timers timers = { 0 };
	struct timer a = { 0 };

	(void)state;
	timers_arm(&timers, &a, 10);
	timers_free(&timers);
	assert_int_equal(a.slot, 0);
	timers_arm(&timers, &a, 11);
	assert_int_equal(timers_next_ns(&timers), 11);
	timers_free(&timers);
}

/* Against the plainest model: an array that is searched. */
static void random_arms_moves_and_cancels_agree_with_a_list(void **state)
{
	struct rng rng = rng_split(1, 0, "timers");
	struct timers timers = { 0 };
	struct timer timer[MANY] = { 0 };
	int64_t model[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++)
		model[i] = -1;
	for (int step = 0; step < 4000; step++) {
		size_t i = rng_below(&rng, MANY);
		int64_t next = INT64_MAX;
		switch (rng_below(&rng, 4)) {
		case 0:
			timers_cancel(&timers, &timer[i]);
			model[i] = -1;
			break;
		case 1: {
			int64_t now = timers_next_ns(&timers);
			struct timer *due = timers_pop_due(&timers, now);
			assert_int_equal(due == NULL, now == INT64_MAX);
			if (due) {
				assert_int_equal(model[due - timer], now);
				model[due - timer] = -1;
			}
			break;
		}
		default:
			model[i] = (int64_t)rng_below(&rng, 300);
			timers_arm(&timers, &timer[i], model[i]);
		}
		size_t armed = 0;
		for (int k = 0; k < MANY; k++) {
			assert_int_equal(timer[k].slot != 0, model[k] >= 0);
			armed += model[k] >= 0;
			if (model[k] >= 0 && model[k] < next)
				next = model[k];
		}
		assert_int_equal(timers.count, armed);
		assert_int_equal(timers_next_ns(&timers), next);
	}
	timers_free(&timers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_heap_has_nothing_due),
		cmocka_unit_test(timers_come_out_by_deadline_and_not_early),
		cmocka_unit_test(arming_again_moves_a_timer_either_way),
		cmocka_unit_test(a_cancelled_timer_never_comes),
		cmocka_unit_test(freeing_disarms_what_is_left),
		cmocka_unit_test(random_arms_moves_and_cancels_agree_with_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
