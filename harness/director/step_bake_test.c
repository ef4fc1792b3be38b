#include "director/test_walk.h"

#include "base/clock.h"

/* What callers lost before and during a bake, what became of green: whether the gate opens. */
static const struct row {
	uint32_t dropped_before, dropped, refused;
	int green_ended;
	const char *why; /* NULL: it opens */
} rows[] = {
	{ 0, 0, 0, 0, NULL },
	{ 7, 0, 0, 0, NULL },
	{ 0, 1, 0, 0, "1 calls dropped (limit 0), 0 refused (limit 0) since it began" },
	{ 7, 2, 3, 0, "2 calls dropped (limit 0), 3 refused (limit 0) since it began" },
	{ 0, 0, 0, 1, "1 instances of green have ended (limit 0)" },
};

static void a_canary_goes_on_only_when_nothing_was_lost(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		struct control_message m = control_make(CONTROL_COUNTERS, 0, 0);
		struct step step = { .phase = PHASE_BAKE };
		struct err err = { .kind = ERR_NONE };
		struct test_walk t;

		test_walk_open(&t);
		t.w.callers.dropped = r->dropped_before;
		t.w.instance_count = r->green_ended ? 1 : 0;
		t.w.instances[0] = (struct walk_instance){ .color = COLOR_GREEN, .ended = true };
		/* What was lost is told last, a moment after the end. */
		for (int n = 0; n < 3; n++) {
			m.counters.dropped = r->dropped_before + (n == 2 ? r->dropped : 0);
			m.counters.refused = n == 2 ? r->refused : 0;
			assert_int_equal(control_send(t.far, &m), 0);
		}
		assert_int_equal(step_bake(&t.w, &step, &err), r->why ? -1 : 0);
		if (r->why && strcmp(err.text, r->why) != 0)
			fail_msg("row %zu: %s", i, err.text);
		test_walk_close(&t);
	}
}

static void green_is_called_before_a_canary_goes_on(void **state)
{
	struct step step = { .phase = PHASE_BAKE };
	struct err err = { .kind = ERR_NONE };
	struct test_walk t;

	(void)state;
	test_walk_open(&t);
	t.w.instance_count = 1;
	t.w.instances[0] = (struct walk_instance){ .name = "green-1",
						   .address = "127.0.0.1:1",
						   .color = COLOR_GREEN };
	t.scenario.target.url = (char *)"ws://${alb}/${call}";
	t.scenario.stack.kind = STACK_LOCAL;
	for (int n = 0; n < 3; n++) {
		struct control_message m = control_make(CONTROL_COUNTERS, 0, 0);

		assert_int_equal(control_send(t.far, &m), 0);
	}
	assert_int_equal(step_bake(&t.w, &step, &err), -1);
	assert_non_null(strstr(err.text, "smoke test of green-1"));
	test_walk_close(&t);
}

static void silence_of_the_callers_opens_no_gate(void **state)
{
	struct control_message m = control_make(CONTROL_COUNTERS, 0, 0);
	struct step step = { .phase = PHASE_BAKE };
	struct err err = { .kind = ERR_NONE };
	struct test_walk t;

	(void)state;
	test_walk_open(&t);
	assert_int_equal(control_send(t.far, &m), 0); /* and no more */
	assert_int_equal(step_bake(&t.w, &step, &err), -1);
	assert_string_equal(err.text, "the callers' counters came 1 times in 5 s (at least 3)");
	test_walk_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_canary_goes_on_only_when_nothing_was_lost),
		cmocka_unit_test(green_is_called_before_a_canary_goes_on),
		cmocka_unit_test(silence_of_the_callers_opens_no_gate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
