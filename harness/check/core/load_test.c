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

static struct event late(enum lane_role role, int64_t ms, int64_t lag_ms)
{
	struct event e = event_make(EVENT_HEARTBEAT, ms * NS_PER_MS);

	e.code = (uint16_t)role;
	e.aux = (uint32_t)(lag_ms * 1000);
	return e;
}

/* A heartbeat at t with a lag of L: L was lost at some time of the L + 250 ms before t. */
static void time_lost_is_known_by_where_it_may_have_been(void **state)
{
	const struct event beats[] = {
		late(ROLE_WORKER, 5000, 250),  /* within bounds */
		late(ROLE_WORKER, 10000, 750), /* 9.00 s to 10.00 s */
		late(ROLE_TAP, 10100, 400),    /* from 9.45 s: the same one */
		late(ROLE_OBSERVER, 20000, 5000),
		late(ROLE_TAP, 30000, 1000), /* 28.75 s to 30.00 s */
	};
	static const struct {
		int64_t from_ms, to_ms, lost_ms;
	} rows[] = {
		{ 0, 9000, 0 },		{ 0, 9001, 1 },		{ 9500, 9600, 100 },
		{ 0, 60000, 1100 + 1000 }, { 10100, 28750, 0 }, { 29000, 40000, 1000 },
		{ 15000, 21000, 0 },
	};
	struct load l = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(beats) / sizeof(*beats); i++)
		load_event(&l, &beats[i]);
	assert_int_equal(l.longest_stall_ns, NS_PER_S);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(load_stalled_ns(&l, rows[i].from_ms * NS_PER_MS,
						 rows[i].to_ms * NS_PER_MS),
				 rows[i].lost_ms * NS_PER_MS);
	load_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workers_are_added_up_and_others_are_not),
		cmocka_unit_test(time_lost_is_known_by_where_it_may_have_been),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
