#include "check/core/load.h"

#include "base/clock.h"
#include "check/core/golden.h"

static struct event beat(enum lane_role role, unsigned index, int64_t s, uint32_t cpu_ms,
			 uint32_t rss_kib)
{
	struct event e = event_make(EVENT_HEARTBEAT, s * NS_PER_S);

	e.code = (uint16_t)role;
	e.leg = (uint16_t)index;
	e.ver = cpu_ms;
	e.epoch = rss_kib;
	e.aux = 700;
	e.n = (uint16_t)(10 + index);
	return e;
}

static void workers_are_added_up_and_others_are_not(void **state)
{
	const struct event beats[] = {
		beat(ROLE_WORKER, 0, 10, 100, 500), beat(ROLE_WORKER, 1, 10, 0, 300),
		beat(ROLE_TAP, 0, 15, 9000, 9000),  beat(ROLE_WORKER, 0, 20, 1100, 400),
		beat(ROLE_WORKER, 1, 20, 500, 600),
	};
	struct load l = { 0 };
	struct generator g = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(beats) / sizeof(*beats); i++)
		load_event(&l, &beats[i]);
	load_report(&l, &g);
	assert_int_equal(g.workers, 2);
	assert_int_equal(g.rss_bytes, (500 + 600) * 1024);
	assert_int_equal(g.descriptors, 11);
	assert_true(g.cpu_percent > 14.99 && g.cpu_percent < 15.01);
	assert_int_equal(g.loop_lag_p99_ns, 700 * NS_PER_US);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workers_are_added_up_and_others_are_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
