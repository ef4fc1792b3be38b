#include "driver/core/retry.h"

#include <stddef.h>
#include <string.h>

#include "base/clock.h"

struct retry_policy retry_policy_default(void)
{
	return (struct retry_policy){
		.attempts_max = 6,
		.base_ns = 100 * NS_PER_MS,
		.cap_ns = 2 * NS_PER_S,
		.attempt_within_ns = 4 * NS_PER_S,
	};
}

bool retry_worth(int status, const char *code)
{
	static const char *const passing[] = {
		"Throttling",
		"ThrottlingException",
		"ThrottledException",
		"RequestLimitExceeded",
		"RequestThrottled",
		"RequestThrottledException",
		"TooManyRequestsException",
		"PriorRequestNotComplete",
		"ServiceUnavailable",
		"RequestTimeout",
		"RequestTimeoutException",
	};

	if (status == 0 || status == 429 || status >= 500)
		return true;
	for (size_t i = 0; code && i < sizeof passing / sizeof *passing; i++)
		if (!strcmp(code, passing[i]))
			return true;
	return false;
}

int64_t retry_wait_ns(const struct retry_policy *policy, unsigned attempt, double unit)
{
	int64_t most_ns = policy->base_ns;

	while (--attempt && most_ns < policy->cap_ns)
		most_ns *= 2;
	if (most_ns > policy->cap_ns)
		most_ns = policy->cap_ns;
	return (int64_t)((double)most_ns * unit);
}
