#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/test_redis.h"
#include "observe/redis_purges.h"

static void what_info_says_is_read(void **state)
{
	static const struct {
		const char *info;
		struct redis_purges_said said;
	} cases[] = {
		{ "# Stats\r\nexpired_keys:3\r\nevicted_keys:4294967297\r\n",
		  { 4294967297, 0, 0, "" } },
		{ "# Memory\r\nmaxmemory:2097152\r\nmaxmemory_human:2.00M\r\n"
		  "maxmemory_policy:allkeys-lru\r\n",
		  { 0, 0, 2097152, "allkeys-lru" } },
		{ "# Commandstats\r\ncmdstat_flushall:calls=2,usec=9,usec_per_call=4.50\r\n"
		  "cmdstat_flushdb:calls=3,usec=1\r\ncmdstat_get:calls=7,usec=1\r\n",
		  { 0, 5, 0, "" } },
		{ "not_evicted_keys:9\r\ncmdstat_flushallx:calls=2\r\n", { 0, 0, 0, "" } },
		{ "", { 0, 0, 0, "" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct redis_purges_said said = { .evicted = 0 };

		redis_purges_parse(cases[i].info, &said);
		assert_int_equal(said.evicted, cases[i].said.evicted);
		assert_int_equal(said.flushes, cases[i].said.flushes);
		assert_int_equal(said.memory, cases[i].said.memory);
		assert_string_equal(said.policy, cases[i].said.policy);
	}
}

static void a_real_redis_counts_what_it_threw_away(void **state)
{
	static const char *const flush[] = { "FLUSHALL", NULL };
	static const char *const policy[] = { "CONFIG", "SET", "maxmemory-policy", "allkeys-lru",
					      NULL };
	static const char *const full[] = { "CONFIG", "SET", "maxmemory", "1", NULL };
	struct redis_purges_said said;
	struct redis *redis = NULL;
	struct redis_purges *purges;
	struct buf answer = buf_init(4096);
	struct test_redis server;

	(void)state;
	test_redis_start(&server);
	assert_int_equal(redis_open(server.address, PATIENCE_S * NS_PER_S, &redis, NULL), 0);
	purges = redis_purges_new(server.address);
	assert_int_equal(redis_purges_ask(purges, &said), 0);
	assert_int_equal(said.evicted + said.flushes + said.memory, 0);
	assert_string_equal(said.policy, "noeviction");
	assert_int_equal(redis_ask(redis, flush, &answer, NULL), 0);
	assert_int_equal(redis_setex(redis, "key", 60, "value", NULL), 0);
	assert_int_equal(redis_ask(redis, policy, &answer, NULL), 0);
	assert_int_equal(redis_ask(redis, full, &answer, NULL), 0);
	/* A command finds the memory full, and room is made before it is refused. */
	redis_setex(redis, "another", 60, "value", NULL);
	assert_int_equal(redis_purges_ask(purges, &said), 0);
	assert_int_equal(said.flushes, 1);
	assert_int_equal(said.evicted, 1);
	assert_int_equal(said.memory, 1);
	assert_string_equal(said.policy, "allkeys-lru");
	buf_free(&answer);
	redis_close(redis);
	test_redis_stop(&server);
	assert_int_equal(redis_purges_ask(purges, &said), -1);
	assert_int_equal(redis_purges_ask(purges, &said), -1);
	redis_purges_free(purges);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_info_says_is_read),
		cmocka_unit_test(a_real_redis_counts_what_it_threw_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
