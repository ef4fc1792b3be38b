#include "director/test_walk.h"

#include "base/clock.h"

static const int64_t within_ns = 600 * NS_PER_MS;

/* Two of blue; how many have ended, were told to; what the balancer still has. */
static const struct row {
	const char *about;
	int ended, told, registered;
	bool deregistered; /* by us */
	int refuse_sets;
	const char *calls; /* made to the balancer */
	const char *why;   /* part of the error */
} rows[] = {
	{ "weights alone", 0, 0, 2, false, 0, "set ", "fresh dials in a row were not blue's" },
	{ "half of blue left", 1, 0, 2, false, 0, "set ", "fresh dials" },
	{ "taken out by us", 0, 0, 0, true, 0, "reregister set ", "fresh dials" },
	{ "told to, and still in", 0, 0, 2, true, 0, "set ", "fresh dials" },
	{ "refused once", 0, 0, 2, false, 1, "set set ", "fresh dials" },
	{ "refused for ever", 0, 0, 2, false, 99, NULL, "AccessDenied" },
	{ "all have ended", 2, 0, 2, false, 0, "", "blue is gone: all 2 instances" },
	{ "one ended, one told to", 1, 1, 2, false, 0, "", "blue is gone: all 2 instances" },
	{ "all ended, out as well", 2, 0, 0, true, 0, "", "blue is gone: all 2 instances" },
	{ "taken out by others", 0, 0, 0, false, 0, "", "blue is gone: none of its targets" },
};

static void traffic_goes_back_to_a_blue_that_is_there_and_never_to_one_that_is_gone(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		struct err err = { .kind = ERR_NONE };
		struct test_walk t;
		bool may_move;

		test_walk_open(&t);
		t.w.instance_count = 2;
		for (int n = 0; n < 2; n++)
			t.w.instances[n] = (struct walk_instance){
				.color = COLOR_BLUE,
				.ended = n < r->ended,
				.told_to_end = n >= r->ended && n < r->ended + r->told
			};
		test_weights(&t.balancer, 0, 100);
		t.w.shifted = true;
		t.w.deregistered[COLOR_BLUE] = r->deregistered;
		t.balancer.view.registered[COLOR_BLUE] = r->registered;
		t.balancer.refuse_sets = r->refuse_sets;
		assert_int_equal(step_rollback(&t.w, within_ns, &err), -1); /* no caller can dial */
		if (!strstr(err.text, r->why))
			fail_msg("%s: %s", r->about, err.text);
		if (r->calls && strcmp(t.balancer.calls, r->calls) != 0)
			fail_msg("%s: %s", r->about, t.balancer.calls);
		may_move = r->calls && *r->calls;
		assert_int_equal(t.w.shifted, !may_move);
		test_read(&t.balancer, &t.balancer.view, NULL);
		assert_int_equal(t.balancer.view.weight[COLOR_BLUE], may_move ? 100 : 0);
		test_walk_close(&t);
	}
}

static void a_balancer_that_is_not_as_it_was_is_told(void **state)
{
	struct err err = { .kind = ERR_NONE };
	struct test_walk t;

	(void)state;
	test_walk_open(&t);
	t.balancer.view.registered[COLOR_BLUE] = 1; /* somebody took one out */
	assert_int_equal(step_rollback(&t.w, within_ns, &err), -1);
	assert_non_null(strstr(err.text, "the balancer has blue=100 green=0 registered=1; the "
					 "snapshot was blue=100 green=0 registered=2"));
	test_walk_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			traffic_goes_back_to_a_blue_that_is_there_and_never_to_one_that_is_gone),
		cmocka_unit_test(a_balancer_that_is_not_as_it_was_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
