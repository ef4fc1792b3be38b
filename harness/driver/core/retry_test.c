#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "driver/core/retry.h"

static void what_may_pass_is_asked_again_and_what_will_not_is_not(void **state)
{
	static const struct {
		int status;
		const char *code;
		bool worth;
	} cases[] = {
		{ 0, NULL, true },
		{ 400, "Throttling", true },
		{ 400, "ThrottlingException", true },
		{ 400, "RequestLimitExceeded", true },
		{ 400, "ServiceUnavailable", true },
		{ 429, NULL, true },
		{ 500, NULL, true },
		{ 500, "HealthUnavailable", true },
		{ 502, NULL, true },
		{ 503, "ServiceUnavailable", true },
		{ 504, NULL, true },
		{ 400, NULL, false },
		{ 400, "ValidationError", false },
		{ 400, "Throttlin", false },
		{ 400, "RuleNotFound", false },
		{ 403, "AccessDenied", false },
		{ 403, "SignatureDoesNotMatch", false },
		{ 403, "ExpiredToken", false },
		{ 404, NULL, false },
		{ 302, NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (retry_worth(cases[i].status, cases[i].code) != cases[i].worth)
			fail_msg("%d %s", cases[i].status, cases[i].code ? cases[i].code : "-");
}

static void the_wait_doubles_to_its_cap_and_chance_takes_its_share(void **state)
{
	static const struct retry_policy policy = { .base_ns = 100, .cap_ns = 1000 };
	static const struct {
		unsigned attempt;
		double unit;
		int64_t wait_ns;
	} cases[] = {
		{ 1, 0.5, 50 },
		{ 2, 0.5, 100 },
		{ 3, 0.5, 200 },
		{ 4, 0.5, 400 },
		{ 5, 0.5, 500 },
		{ 6, 0.5, 500 },
		{ 4000000000u, 0.5, 500 },
		{ 1, 0, 0 },
		{ 1, 0.99, 99 },
		{ 5, 0.99, 990 },
		{ 5, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(retry_wait_ns(&policy, cases[i].attempt, cases[i].unit),
				 cases[i].wait_ns);
}

/* Even when chance always draws the longest wait. */
static void all_waits_together_leave_room_in_a_call_of_ten_seconds(void **state)
{
	struct retry_policy policy = retry_policy_default();
	int64_t sum_ns = 0;

	(void)state;
	for (unsigned attempt = 1; attempt < policy.attempts_max; attempt++)
		sum_ns += retry_wait_ns(&policy, attempt, 1);
	assert_true(sum_ns <= 5 * NS_PER_S);
	assert_true(policy.attempt_within_ns <= 5 * NS_PER_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_pass_is_asked_again_and_what_will_not_is_not),
		cmocka_unit_test(the_wait_doubles_to_its_cap_and_chance_takes_its_share),
		cmocka_unit_test(all_waits_together_leave_room_in_a_call_of_ten_seconds),
	};

	return cmocka_run_group_tests_name("driver/core/retry", tests, NULL, NULL);
}
