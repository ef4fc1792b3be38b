/* A real Redis with states in it, frozen and gone: what is put on record of it. */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "director/residue.h"
#include "director/stage_parts.h"
#include "net/test_redis.h"
#include "record/history.h"
#include "record/test_lanes.h"

struct scene {
	struct test_dir dir;
	struct stage stage;
	struct scenario scenario;
	char redis[64];
	struct redis_part parts;
};

static void on_message(void *user, struct member *member, const struct control_message *m)
{
	(void)user;
	(void)member;
	(void)m;
}

static void on_exit_of(void *user, struct member *member)
{
	(void)user;
	(void)member;
}

static void scene_open(struct scene *s)
{
	static const struct stage_owner owner = { .on_message = on_message, .on_exit = on_exit_of };
	struct err err = { .kind = ERR_NONE };

	*s = (struct scene){ .dir = test_dir_make() };
	s->scenario.state.key = (char *)"[call]*?:${call}";
	s->scenario.state.ttl_ns = 1800 * NS_PER_S;
	s->stage = (struct stage){ .run_dir = s->dir.path, .owner = &owner, .loop = loop_new() };
	s->stage.lane = test_lane_open(&s->dir, "run", ROLE_SUPERVISOR, 0);
	if (part_redis(&s->stage, &s->scenario, &s->parts, &err) < 0)
		fail_msg("%s", err.text);
	snprintf(s->redis, sizeof s->redis, "%s", s->parts.server[0].address);
}

/* Ends the lane and tells its residue events, a line each. */
static void scene_close(struct scene *s, struct buf *told)
{
	struct history *history = NULL;
	struct err err = { .kind = ERR_NONE };
	const struct event *e;

	test_lane_close(s->stage.lane);
	stage_free(&s->stage);
	loop_free(s->stage.loop);
	if (history_open(s->dir.path, &history, &err) < 0)
		fail_msg("%s", err.text);
	while (history_next(history, &e))
		if (e->kind == EVENT_RESIDUE)
			buf_printf(told, "%s %u of %u%s: %s\n", residue_name(e->code), e->n, e->aux,
				   e->flags & RESIDUE_UNSEEN ? " unseen" : "",
				   history_note(history, e->conn));
	history_free(history);
	test_dir_remove(&s->dir);
}

static void write_state(const char *address, const char *key, int64_t ttl_s)
{
	struct redis *redis = NULL;

	assert_int_equal(redis_open(address, 20 * NS_PER_S, &redis, NULL), 0);
	assert_int_equal(redis_setex(redis, key, ttl_s, "{}", NULL), 0);
	redis_close(redis);
}

static void assert_told(const struct buf *told, const char *line)
{
	if (!strstr(buf_text(told), line))
		fail_msg("\"%s\" is not in %s", line, buf_text(told));
}

static void states_that_outlive_their_calls_are_named_and_those_of_other_runs_are_not(void **state)
{
	struct buf told = buf_init(4096);
	struct scene s;

	(void)state;
	scene_open(&s);
	write_state(s.redis, "[call]*?:c-abc123-1", 1800);
	write_state(s.redis, "[call]*?:c-abc123-2", 3600);
	write_state(s.redis, "[call]*?:c-other1-3", 3600);
	residue_of_redis(s.stage.lane, &s.scenario, s.redis, "abc123");
	stage_end(&s.stage, MEMBER_REDIS, 20 * NS_PER_S);
	residue_of_processes(&s.stage, 0);
	scene_close(&s, &told);
	assert_string_equal(buf_text(&told), "clients 0 of 1: \n"
					     "keys 1 of 2: [call]*?:c-abc123-2 (3600 s)\n"
					     "processes 0 of 1: \n");
	buf_free(&told);
}

static void a_redis_that_answers_nobody_holds_clients_back_and_has_to_be_killed(void **state)
{
	struct buf told = buf_init(4096);
	struct scene s;

	(void)state;
	scene_open(&s);
	stage_signal(stage_find(&s.stage, "redis"), SIGSTOP);
	residue_of_redis(s.stage.lane, &s.scenario, s.redis, "abc123");
	stage_end(&s.stage, MEMBER_REDIS, NS_PER_MS);
	residue_of_processes(&s.stage, 2);
	scene_close(&s, &told);
	assert_told(&told, "clients 1 of 1: redis 127.0.0.1:");
	assert_told(&told, "keys 0 of 0 unseen: redis 127.0.0.1:");
	assert_told(&told, "processes 3 of 1: 2 that nobody here had started, redis\n");
	buf_free(&told);
}

static void a_redis_that_is_gone_cannot_be_looked_at(void **state)
{
	struct buf told = buf_init(4096);
	struct scene s;

	(void)state;
	scene_open(&s);
	stage_end(&s.stage, MEMBER_REDIS, 20 * NS_PER_S);
	residue_of_redis(s.stage.lane, &s.scenario, s.redis, "abc123");
	residue_of_redis(s.stage.lane, &s.scenario, "", "abc123");
	scene_close(&s, &told);
	assert_told(&told, "clients 0 of 0 unseen: redis 127.0.0.1:");
	assert_told(&told, "keys 0 of 0 unseen: redis 127.0.0.1:");
	buf_free(&told);
}

static bool is_gone(const char *address)
{
	struct redis *redis = NULL;
	bool gone = redis_open(address, 20 * NS_PER_S, &redis, NULL) < 0;

	redis_close(redis);
	return gone;
}

static void kill_redis(struct scene *s)
{
	int64_t deadline_ns = clock_now_ns() + 20 * NS_PER_S;

	stage_signal(s->parts.server[0].member, SIGKILL);
	while (!is_gone(s->redis)) {
		assert_true(clock_now_ns() < deadline_ns);
		sched_yield();
	}
}

/* Of two servers: the keys of who says it is the primary, the clients of who says anything; while
 * none says it is, both of both. */
static void after_a_failover_the_primary_of_the_end_is_looked_at(void **state)
{
	enum { PROMOTED = 1, FROZEN = 2, GONE = 4, PAUSED = 8 };
	static const struct {
		unsigned is; /* the second was promoted or is a replica; it is paused; the first is
				frozen or gone */
		int looks;
		const char *told;
	} cases[] = {
		{ 0, 3, "keys 1 of 1: [call]*?:c-abc123-1 (" },
		{ PROMOTED | FROZEN, 2, "keys 1 of 1: [call]*?:c-abc123-2 (" },
		{ PROMOTED | GONE, 2, "clients 0 of 1: \nkeys 1 of 1: [call]*?:c-abc123-2 (" },
		{ PROMOTED | PAUSED, 4, "clients 1 of 1: redis" },
		{ GONE, 4, "clients 0 of 0 unseen: redis 127.0.0.1:" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		static const char *const pause[] = { "CLIENT", "PAUSE", "60000", "WRITE", NULL };
		struct buf told = buf_init(4096);
		struct err err = { .kind = ERR_NONE };
		struct redis_server second;
		int looks = 0;
		char servers[100], port[8];
		const char *const follow[] = { "REPLICAOF", "127.0.0.1", port, NULL };
		struct scene s;

		scene_open(&s);
		if (part_redis_server(&s.stage, "redis-2", part_redis_words, NULL, &second, &err) <
		    0)
			fail_msg("%s", err.text);
		snprintf(servers, sizeof servers, "%s,%s", s.redis, second.address);
		snprintf(port, sizeof port, "%s", strrchr(s.redis, ':') + 1);
		write_state(s.redis, "[call]*?:c-abc123-1", 3600);
		if (cases[i].is & PROMOTED)
			write_state(second.address, "[call]*?:c-abc123-2", 4000);
		else
			test_redis_tell(second.address, follow);
		if (cases[i].is & PAUSED)
			test_redis_tell(second.address, pause);
		if (cases[i].is & FROZEN)
			stage_signal(s.parts.server[0].member, SIGSTOP);
		if (cases[i].is & GONE)
			kill_redis(&s);
		residue_of_redis(s.stage.lane, &s.scenario, servers, "abc123");
		stage_end(&s.stage, MEMBER_REDIS, 100 * NS_PER_MS);
		scene_close(&s, &told);
		assert_told(&told, cases[i].told);
		for (const char *at = buf_text(&told); (at = strchr(at, '\n')); at++)
			looks++;
		assert_int_equal(looks, cases[i].looks);
		buf_free(&told);
	}
}

/* Until it sleeps, its loader holds a file open now and then. */
static void wait_until_asleep(pid_t pid)
{
	int64_t deadline_ns = clock_now_ns() + 20 * NS_PER_S;
	char path[64], stat[256], pattern[64];
	size_t got;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	snprintf(pattern, sizeof pattern, "%d (sleep) S ", (int)pid);
	do {
		assert_true(clock_now_ns() < deadline_ns);
		sched_yield();
		f = fopen(path, "re");
		assert_non_null(f);
		got = fread(stat, 1, sizeof stat - 1, f);
		fclose(f);
		stat[got] = '\0';
	} while (strncmp(stat, pattern, strlen(pattern)) != 0);
}

/* One that holds a few more is within what comes and goes; the count at first is set back. */
static void an_agent_that_holds_more_descriptors_than_at_first_is_named(void **state)
{
	static const char *const argv[] = { "sleep", "600", NULL };
	static const struct {
		int more;
		const char *told;
	} cases[] = {
		{ 0, "descriptors 0 of 1: \n" },
		{ 8, "descriptors 0 of 1: \n" },
		{ 9, "descriptors 1 of 1: blue-1 " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct member_spec spec = { .kind = MEMBER_AGENT,
					    .name = "blue-1",
					    .program = "/bin/sleep",
					    .argv = argv };
		struct buf told = buf_init(4096);
		struct err err = { .kind = ERR_NONE };
		struct member *m;
		struct scene s;

		scene_open(&s);
		if (stage_start(&s.stage, &spec, &m, &err) < 0)
			fail_msg("%s", err.text);
		wait_until_asleep(m->process.pid);
		residue_count_descriptors(&s.stage);
		assert_true(m->descriptors > 0);
		m->descriptors -= cases[i].more;
		residue_of_agents(&s.stage);
		stage_end(&s.stage, MEMBER_AGENT, 20 * NS_PER_S);
		stage_end(&s.stage, MEMBER_REDIS, 20 * NS_PER_S);
		scene_close(&s, &told);
		assert_told(&told, cases[i].told);
		buf_free(&told);
	}
}

static void the_address_is_found_among_the_bindings(void **state)
{
	static const struct {
		const char *bindings, *address;
	} cases[] = {
		{ "run=a\nredis=127.0.0.1:7\nalb=x\n", "127.0.0.1:7" },
		{ "redis=127.0.0.1:7", "127.0.0.1:7" },
		{ "run=a\nnoredis=x\n", "" },
		{ "redis=h:1\nredis_servers=h:1,h:2\nsentinels=h:3\n", "h:1,h:2" },
		{ "", "" },
	};
	char address[64];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		residue_find_redis(cases[i].bindings, address, sizeof address);
		assert_string_equal(address, cases[i].address);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			states_that_outlive_their_calls_are_named_and_those_of_other_runs_are_not),
		cmocka_unit_test(
			a_redis_that_answers_nobody_holds_clients_back_and_has_to_be_killed),
		cmocka_unit_test(a_redis_that_is_gone_cannot_be_looked_at),
		cmocka_unit_test(after_a_failover_the_primary_of_the_end_is_looked_at),
		cmocka_unit_test(an_agent_that_holds_more_descriptors_than_at_first_is_named),
		cmocka_unit_test(the_address_is_found_among_the_bindings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
