#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/test_redis.h"
#include "observe/redis_roles.h"

static void what_a_server_says_it_is_is_read(void **state)
{
	static const struct {
		const char *info;
		enum redis_role role;
		struct redis_role_said said;
	} cases[] = {
		{ "# Replication\r\nrole:master\r\nconnected_slaves:2\r\n"
		  "slave0:ip=127.0.0.1,port=1,state=online,offset=419,lag=0\r\n"
		  "master_replid:f93809412dd9e82d2f3299bad547c9a18a3a9687\r\n"
		  "master_repl_offset:419\r\n",
		  REDIS_ROLE_PRIMARY,
		  { 2, 0xf9380941, 419 } },
		{ "# Replication\r\nrole:slave\r\nmaster_host:127.0.0.1\r\n"
		  "slave_repl_offset:7\r\nconnected_slaves:0\r\nmaster_repl_offset:8589934592\r\n",
		  REDIS_ROLE_REPLICA,
		  { 0, 0, 8589934592 } },
		{ "# Replication\r\nconnected_slaves:2\r\n", REDIS_ROLE_SILENT, { 0, 0, 0 } },
		{ "", REDIS_ROLE_SILENT, { 0, 0, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct redis_role_said said;

		assert_int_equal(redis_role_parse(cases[i].info, &said), cases[i].role);
		assert_int_equal(said.replicas, cases[i].said.replicas);
		assert_int_equal(said.id, cases[i].said.id);
		assert_int_equal(said.offset, cases[i].said.offset);
	}
}

static void a_server_that_is_not_there_is_silent(void **state)
{
	struct redis_roles *r = redis_roles_new("127.0.0.1:1,127.0.0.1:2", NS_PER_S);
	struct redis_role_said said;

	(void)state;
	assert_int_equal(redis_roles_count(r), 2);
	assert_string_equal(redis_roles_address(r, 1), "127.0.0.1:2");
	assert_int_equal(redis_roles_ask(r, 1, &said), REDIS_ROLE_SILENT);
	assert_int_equal(said.offset, 0);
	redis_roles_free(r);
}

/* What each of two servers says, and who is the primary then; of what it said before, too. */
static void of_two_primaries_the_one_that_became_it_last_is_meant(void **state)
{
	enum { NOBODY = 2 };
	static const struct {
		enum { KEEP, FOLLOW, LEAD, HANG_UP, STOP } of[2]; /* before it is asked */
		size_t primaries, primary;
	} steps[] = {
		{ { KEEP, FOLLOW }, 1, 0 },	 { { KEEP, HANG_UP }, 1, 0 },
		{ { KEEP, LEAD }, 2, 1 },	 { { FOLLOW, KEEP }, 1, 1 },
		{ { LEAD, KEEP }, 2, 0 },	 { { STOP, KEEP }, 1, 1 },
		{ { KEEP, FOLLOW }, 0, NOBODY },
	};
	static const char *const hang_up[] = { "CLIENT", "KILL", "TYPE", "normal", NULL };
	struct test_redis server[2];
	struct redis_roles *r;
	char addresses[80];

	(void)state;
	test_redis_start(&server[0]);
	test_redis_start(&server[1]);
	snprintf(addresses, sizeof addresses, "%s,%s", server[0].address, server[1].address);
	r = redis_roles_new(addresses, PATIENCE_S * NS_PER_S);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		struct redis_role_said said;
		const char *primary;
		size_t count;

		for (size_t k = 0; k < 2; k++) {
			if (steps[i].of[k] == FOLLOW)
				test_redis_follow(&server[k], &server[!k]);
			else if (steps[i].of[k] == LEAD)
				test_redis_follow(&server[k], NULL);
			else if (steps[i].of[k] == HANG_UP)
				test_redis_tell(server[k].address, hang_up);
			else if (steps[i].of[k] == STOP)
				test_redis_stop(&server[k]);
		}
		for (size_t k = 0; k < 2; k++)
			redis_roles_ask(r, k, &said);
		primary = redis_roles_primary(r, &count);
		assert_int_equal(count, steps[i].primaries);
		if (steps[i].primary == NOBODY)
			assert_null(primary);
		else
			assert_string_equal(primary, server[steps[i].primary].address);
	}
	redis_roles_free(r);
	test_redis_stop(&server[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_server_says_it_is_is_read),
		cmocka_unit_test(a_server_that_is_not_there_is_silent),
		cmocka_unit_test(of_two_primaries_the_one_that_became_it_last_is_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
