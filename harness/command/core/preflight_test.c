#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "command/core/preflight.h"

static struct preflight find(int calls, const char *name)
{
	struct preflight findings[PREFLIGHT_MAX];
	size_t count = preflight_machine(calls, findings);

	for (size_t i = 0; i < count; i++) {
		if (!strcmp(findings[i].name, name))
			return findings[i];
	}
	fail_msg("no finding %s", name);
	return (struct preflight){ 0 };
}

static void a_finding_that_is_not_ok_says_what_to_do(void **state)
{
	struct preflight findings[PREFLIGHT_MAX];
	size_t count = preflight_machine(1000000, findings), bad = 0;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_true(*findings[i].found);
		assert_int_equal(findings[i].ok, !*findings[i].fix);
		bad += !findings[i].ok;
	}
	assert_true(bad > 0); /* a million calls have no room on 65,535 ports */
}

static void the_descriptor_limit_is_held_against_two_a_call(void **state)
{
	struct rlimit limit;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max > 2000000)
		skip(); /* no count of calls that is a number here can exceed it */
	int fits = (int)(limit.rlim_max - 200) / 2;
	assert_true(find(fits, "descriptors").ok);
	assert_false(find(fits + 1, "descriptors").ok);
}

static void a_missing_redis_server_is_found_missing(void **state)
{
	char *path = strdup(getenv("PATH"));

	(void)state;
	setenv("PATH", "/no/such/folder:", 1);
	assert_false(find(1, "redis-server").ok);
	setenv("PATH", path, 1);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_finding_that_is_not_ok_says_what_to_do),
		cmocka_unit_test(the_descriptor_limit_is_held_against_two_a_call),
		cmocka_unit_test(a_missing_redis_server_is_found_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
