/* A real Redis with the states of a run's calls in it, which come and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "net/test_redis.h"
#include "observe/key_probe.h"

struct scene {
	struct test_redis server;
	struct redis *redis;
	struct key_probe *probe;
	struct key_probe_read reads[KEY_PROBE_KEYS];
	size_t count; /* of the last round */
};

static void scene_open(struct scene *s)
{
	struct err err = { .kind = ERR_NONE };

	*s = (struct scene){ .count = 0 };
	test_redis_start(&s->server);
	assert_int_equal(redis_open(s->server.address, PATIENCE_S * NS_PER_S, &s->redis, NULL), 0);
	if (key_probe_new(s->server.address, "v[1]*?^\\:call:${call}:state", 1800, "abc123",
			  &s->probe, &err) < 0)
		fail_msg("%s", err.text);
}

static void scene_close(struct scene *s)
{
	key_probe_free(s->probe);
	redis_close(s->redis);
	test_redis_stop(&s->server);
}

static void put(struct scene *s, const char *key, const char *value)
{
	assert_int_equal(redis_setex(s->redis, key, 1800, value, NULL), 0);
}

static const struct key_probe_read *read_of(const struct scene *s, const char *id)
{
	for (size_t i = 0; i < s->count; i++)
		if (!strcmp(s->reads[i].id, id))
			return &s->reads[i];
	return NULL;
}

/* SCAN may need more than one page to come by a key. */
static const struct key_probe_read *read_until(struct scene *s, const char *id)
{
	int64_t deadline_ns = clock_now_ns() + PATIENCE_S * NS_PER_S;

	while (!read_of(s, id)) {
		assert_true(clock_now_ns() < deadline_ns);
		s->count = key_probe_ask(s->probe, s->reads);
	}
	return read_of(s, id);
}

static void what_is_there_is_read_of_this_runs_calls_only(void **state)
{
	const struct key_probe_read *r;
	struct scene s;

	(void)state;
	scene_open(&s);
	put(&s, "v[1]*?^\\:call:p-abc123-1:state", "{}");
	put(&s, "v[1]*?^\\:call:c-other1-1:state", "{}");
	put(&s, "v[1]*?^\\:call:c-abc123-9:other", "{}");
	put(&s, "v[1]*?^\\:call:c-abc123-7:state", "{\"turns\":3,\"digest\":\"00000000000000ff\"}");
	r = read_until(&s, "c-abc123-7");
	assert_int_equal(s.count, 1);
	assert_true(r->state.found && r->state.has_turns && r->state.has_digest);
	assert_int_equal(r->state.turns, 3);
	assert_int_equal(r->state.digest, 255);
	assert_in_range(r->state.ttl_s, 1700, 1800);
	assert_true(r->began_ns <= r->ended_ns);
	scene_close(&s);
}

static void it_goes_on_at_another_server_with_the_keys_it_knows(void **state)
{
	struct test_redis other;
	struct scene s;

	(void)state;
	scene_open(&s);
	put(&s, "v[1]*?^\\:call:c-abc123-1:state", "{\"turns\":1}");
	assert_int_equal(read_until(&s, "c-abc123-1")->state.turns, 1);
	test_redis_start(&other);
	key_probe_turn(s.probe, other.address);
	s.count = key_probe_ask(s.probe, s.reads);
	assert_non_null(read_of(&s, "c-abc123-1"));
	assert_false(read_of(&s, "c-abc123-1")->state.found);
	test_redis_stop(&other);
	scene_close(&s);
}

static void one_that_is_gone_is_told_once(void **state)
{
	struct scene s;
	int64_t deleted;

	(void)state;
	scene_open(&s);
	put(&s, "v[1]*?^\\:call:c-abc123-1:state", "{\"turns\":1}");
	put(&s, "v[1]*?^\\:call:c-abc123-2:state", "{\"turns\":1}");
	read_until(&s, "c-abc123-1");
	read_until(&s, "c-abc123-2");
	assert_int_equal(redis_delete(s.redis, "v[1]*?^\\:call:c-abc123-1:state", &deleted, NULL),
			 0);
	s.count = key_probe_ask(s.probe, s.reads);
	assert_non_null(read_of(&s, "c-abc123-1"));
	assert_false(read_of(&s, "c-abc123-1")->state.found);
	assert_true(read_until(&s, "c-abc123-2")->state.found);
	s.count = key_probe_ask(s.probe, s.reads);
	assert_null(read_of(&s, "c-abc123-1"));
	scene_close(&s);
}

/* Each of many is looked at in the end, never more than a few at a time. */
static void all_have_their_turn(void **state)
{
	enum { MANY = 5 * KEY_PROBE_KEYS };
	bool seen[MANY] = { false };
	size_t left = MANY;
	struct scene s;
	char key[64];

	(void)state;
	scene_open(&s);
	for (int i = 0; i < MANY; i++) {
		snprintf(key, sizeof key, "v[1]*?^\\:call:c-abc123-%d:state", i);
		put(&s, key, "{\"turns\":1}");
	}
	for (int round = 0; left; round++) {
		assert_in_range(round, 0, 1000);
		s.count = key_probe_ask(s.probe, s.reads);
		assert_in_range(s.count, 0, KEY_PROBE_KEYS);
		for (size_t i = 0; i < s.count; i++) {
			int n = atoi(s.reads[i].id + strlen("c-abc123-"));

			left -= !seen[n];
			seen[n] = true;
		}
	}
	scene_close(&s);
}

/* The states of calls that are over stay for half an hour: they would crowd out the others. */
static void what_nobody_has_written_for_long_is_passed_over(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s);
	for (unsigned i = 0; i < 300; i++) {
		char key[64];

		snprintf(key, sizeof key, "v[1]*?^\\:call:c-abc123-%u:state", i + 1000);
		assert_int_equal(redis_setex(s.redis, key, 1769, "{}", NULL), 0);
	}
	put(&s, "v[1]*?^\\:call:c-abc123-7:state", "{}");
	read_until(&s, "c-abc123-7");
	assert_int_equal(s.count, 1);
	assert_int_equal(redis_setex(s.redis, "v[1]*?^\\:call:c-abc123-7:state", 1769, "{}", NULL),
			 0);
	s.count = key_probe_ask(s.probe, s.reads);
	assert_int_equal(s.count, 1); /* once more, and no longer */
	assert_in_range(s.reads[0].state.ttl_s, 1600, 1769);
	s.count = key_probe_ask(s.probe, s.reads);
	assert_int_equal(s.count, 0);
	scene_close(&s);
}

static void what_is_no_state_is_not_told(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s);
	put(&s, "v[1]*?^\\:call:c-abc123-1:state", "no JSON");
	put(&s, "v[1]*?^\\:call:c-abc123-2:state", "{}");
	assert_false(read_until(&s, "c-abc123-2")->state.has_turns);
	assert_null(read_of(&s, "c-abc123-1"));
	scene_close(&s);
}

static void a_redis_that_is_gone_is_no_answer_and_one_that_is_back_is_asked_again(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s);
	put(&s, "v[1]*?^\\:call:c-abc123-1:state", "{}");
	read_until(&s, "c-abc123-1");
	process_signal(&s.server.process, SIGSTOP);
	assert_int_equal(key_probe_ask(s.probe, s.reads), 0);
	process_signal(&s.server.process, SIGCONT);
	s.count = 0;
	assert_true(read_until(&s, "c-abc123-1")->state.found);
	scene_close(&s);
}

static void a_key_without_a_call_is_refused(void **state)
{
	struct err err = { .kind = ERR_NONE };
	struct key_probe *probe = NULL;

	(void)state;
	assert_int_equal(key_probe_new("127.0.0.1:1", "state", 1800, "abc123", &probe, &err), -1);
	assert_string_equal(err.text, "state.key state: has no ${call}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_is_read_of_this_runs_calls_only),
		cmocka_unit_test(it_goes_on_at_another_server_with_the_keys_it_knows),
		cmocka_unit_test(one_that_is_gone_is_told_once),
		cmocka_unit_test(all_have_their_turn),
		cmocka_unit_test(what_nobody_has_written_for_long_is_passed_over),
		cmocka_unit_test(what_is_no_state_is_not_told),
		cmocka_unit_test(
			a_redis_that_is_gone_is_no_answer_and_one_that_is_back_is_asked_again),
		cmocka_unit_test(a_key_without_a_call_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
