#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "director/timeline.h"

struct look {
	int64_t at_s;
	bool known;
	uint32_t active;
	enum drain_state want;
};

static void run_looks(const struct look *looks, size_t count)
{
	struct drain_gate gate = drain_gate_open(100 * NS_PER_S, 3 * NS_PER_S, 20 * NS_PER_S);

	for (size_t i = 0; i < count; i++)
		assert_int_equal(drain_gate_look(&gate, (100 + looks[i].at_s) * NS_PER_S,
						 looks[i].known, looks[i].active),
				 looks[i].want);
}

static void drain_needs_an_unbroken_quiet_stretch(void **state)
{
	static const struct look looks[] = {
		{ 0, true, 4, DRAIN_WAITING }, { 1, true, 0, DRAIN_WAITING },
		{ 3, true, 1, DRAIN_WAITING }, { 4, true, 0, DRAIN_WAITING },
		{ 6, true, 0, DRAIN_WAITING }, { 7, true, 0, DRAIN_OVER },
	};

	(void)state;
	run_looks(looks, sizeof looks / sizeof *looks);
}

static void an_unreachable_instance_is_unknown_and_never_zero(void **state)
{
	static const struct look looks[] = {
		{ 0, true, 0, DRAIN_WAITING }, { 2, false, 0, DRAIN_WAITING },
		{ 3, true, 0, DRAIN_WAITING }, { 5, true, 0, DRAIN_WAITING },
		{ 6, true, 0, DRAIN_OVER },
	};

	(void)state;
	run_looks(looks, sizeof looks / sizeof *looks);
}

static void drain_is_stuck_at_its_deadline_but_not_when_quiet_ends_there(void **state)
{
	static const struct look stuck[] = { { 19, true, 1, DRAIN_WAITING },
					     { 20, true, 1, DRAIN_STUCK } };
	static const struct look just[] = { { 17, true, 0, DRAIN_WAITING },
					    { 20, true, 0, DRAIN_OVER } };

	(void)state;
	run_looks(stuck, 2);
	run_looks(just, 2);
}

static void the_plan_bounds_every_step_and_skips_count_nothing(void **state)
{
	struct step steps[] = {
		{ .phase = PHASE_STEADY, .for_ns = 8 * NS_PER_S },
		{ .phase = PHASE_DRAIN, .quiet_ns = 3 * NS_PER_S, .deadline_ns = 25 * NS_PER_S },
		{ .phase = PHASE_BUFFER, .for_ns = 3 * NS_PER_S, .skip = true },
		{ .phase = PHASE_TEARDOWN, .grace_ns = 1 * NS_PER_S },
	};
	struct scenario sc = { .steps = steps,
			       .step_count = 4,
			       .timers = { .longest_call_ns = 12 * NS_PER_S } };
	struct timeline_entry e[4], end;

	(void)state;
	sc.calls.profile[PROFILE_RESUMABLE].share = 0.5;
	sc.calls.profile[PROFILE_RESUMABLE].resume_within_ns = 5 * NS_PER_S;
	assert_int_equal(timeline_plan(&sc, e, 4, &end), 4);
	assert_int_equal(e[1].earliest_ns, 8 * NS_PER_S);
	assert_int_equal(e[2].earliest_ns, 11 * NS_PER_S);
	assert_int_equal(e[2].latest_ns, 33 * NS_PER_S);
	assert_int_equal(e[3].earliest_ns, 11 * NS_PER_S);
	assert_int_equal(end.latest_ns, (33 + 1 + 2 * TIMELINE_ACTION_S + 17) * NS_PER_S);
}

static void a_destructive_step_waits_as_said_or_on_a_deployed_system_two_minutes(void **state)
{
	static const struct {
		enum stack_kind kind;
		int64_t said_s, want_s;
	} cases[] = {
		{ STACK_LOCAL, -1, 0 }, { STACK_LOCAL, 3, 3 },	{ STACK_NONE, -1, 120 },
		{ STACK_NONE, 0, 0 },	{ STACK_NONE, 30, 30 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct step step = { .phase = PHASE_TEARDOWN };
		struct scenario sc = { .stack = { .kind = cases[i].kind },
				       .steps = &step,
				       .step_count = 1 };
		struct timeline_entry end;

		sc.balancer.settle_ns = cases[i].said_s < 0 ? -1 : cases[i].said_s * NS_PER_S;
		assert_int_equal(timeline_settle_ns(&sc), cases[i].want_s * NS_PER_S);
		timeline_plan(&sc, NULL, 0, &end);
		assert_int_equal(end.latest_ns,
				 (cases[i].want_s + 2 * TIMELINE_ACTION_S) * NS_PER_S);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drain_needs_an_unbroken_quiet_stretch),
		cmocka_unit_test(an_unreachable_instance_is_unknown_and_never_zero),
		cmocka_unit_test(drain_is_stuck_at_its_deadline_but_not_when_quiet_ends_there),
		cmocka_unit_test(the_plan_bounds_every_step_and_skips_count_nothing),
		cmocka_unit_test(
			a_destructive_step_waits_as_said_or_on_a_deployed_system_two_minutes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
