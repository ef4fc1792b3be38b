#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

static void the_clock_never_goes_back(void **state)
{
	int64_t last = clock_now_ns();

	(void)state;
	assert_true(last > 0);
	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_now_ns();
		assert_true(now >= last);
		last = now;
	}
}

static void the_realtime_clock_counts_from_1970(void **state)
{
	(void)state;
	assert_true(clock_realtime_ns() > 1600000000 * NS_PER_S); /* September 2020 */
}

static void cpu_time_grows_with_work_and_not_beyond_the_wall(void **state)
{
	int64_t start = clock_now_ns(), cpu = clock_cpu_ns();
	volatile unsigned work = 0;

	(void)state;
	while (clock_cpu_ns() == cpu)
		work++;
	assert_true(clock_cpu_ns() > cpu);
	/* One thread: CPU time is at most wall time; the slack is the kernel's accounting tick. */
	assert_true(clock_cpu_ns() - cpu <= clock_now_ns() - start + 20 * NS_PER_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_clock_never_goes_back),
		cmocka_unit_test(the_realtime_clock_counts_from_1970),
		cmocka_unit_test(cpu_time_grows_with_work_and_not_beyond_the_wall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
