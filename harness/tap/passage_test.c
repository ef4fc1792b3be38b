/* One connection through the tap: what each lever does to the bytes of both sides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/test_loop.h"
#include "tap/passage.h"

enum { PATIENCE_S = 20 };

#define GET "*2\r\n$3\r\nGET\r\n$6\r\ncall:1\r\n"
#define SET "*3\r\n$3\r\nSET\r\n$6\r\ncall:1\r\n$1\r\nx\r\n"
#define PING "*1\r\n$4\r\nPING\r\n"

/* An agent, a passage, and somebody who plays Redis. */
struct scene {
	struct loop *loop;
	struct key_pattern pattern;
	struct levers levers;
	struct passage passage;
	int agent, redis;
	unsigned bites, ended, blind;
	char events[512];
};

static void on_event(void *user, const struct event *e, const char *id)
{
	struct scene *s = user;
	size_t n = strlen(s->events);

	(void)id;
	snprintf(s->events + n, sizeof s->events - n, "%s%s %s", n ? ", " : "",
		 event_kind_name(e->kind) + 4, verb_name(e->code));
}

static void on_blind(void *user, const char *why)
{
	struct scene *s = user;

	(void)why;
	s->blind++;
}

static void on_bite(void *user, const struct event *inv, const struct lever *lever)
{
	struct scene *s = user;

	assert_int_equal(inv->kind, EVENT_CMD_INV);
	assert_int_equal(lever->number, 1);
	s->bites++;
}

static void on_ended(void *user)
{
	struct scene *s = user;

	s->ended++;
}

static const struct passage_listener listener = {
	.event = on_event, .blind = on_blind, .bite = on_bite, .ended = on_ended
};

/* lever: armed before the first byte; NULL: none. */
static void scene_open(struct scene *s, const char *lever)
{
	struct lever *armed;
	int near, far;

	*s = (struct scene){ .loop = loop_new() };
	assert_int_equal(key_pattern_init(&s->pattern, "call:${call}"), 0);
	if (lever)
		assert_int_equal(levers_arm(&s->levers, lever, &armed, NULL), 0);
	test_tcp_pair(&s->agent, &near);
	test_tcp_pair(&s->redis, &far);
	passage_init(&s->passage, s->loop, &listener, s, &s->pattern, &s->levers, "blue-1");
	passage_open(&s->passage, near, far);
}

/* How many commands were left unanswered. */
static size_t scene_close(struct scene *s)
{
	size_t left = passage_free(&s->passage);

	key_pattern_free(&s->pattern);
	loop_free(s->loop);
	close(s->agent);
	close(s->redis);
	return left;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Exactly this comes, and no more of it than that. */
static void hear(struct scene *s, int fd, const char *text)
{
	int64_t until_ns = clock_now_ns() + PATIENCE_S * NS_PER_S;
	char got[1024] = "";
	size_t size = 0;

	while (size < strlen(text)) {
		ssize_t n = recv(fd, got + size, sizeof got - 1 - size, 0);

		size += n > 0 ? (size_t)n : 0;
		got[size] = '\0';
		if (clock_now_ns() > until_ns)
			fail_msg("heard \"%s\", not \"%s\"", got, text);
		test_loop_turn(s->loop);
	}
	assert_string_equal(got, text);
}

/* Nothing comes, though the loop had its turns. */
static void hear_nothing(struct scene *s, int fd)
{
	char byte;

	for (int i = 0; i < 5; i++)
		test_loop_turn(s->loop);
	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	assert_int_equal(errno, EAGAIN);
}

/* The connection was reset, after what had been sent on it. */
static void hear_reset(struct scene *s, int fd)
{
	int64_t until_ns = clock_now_ns() + PATIENCE_S * NS_PER_S;
	char byte;

	while (recv(fd, &byte, 1, 0) == -1 && errno == EAGAIN) {
		assert_true(clock_now_ns() < until_ns);
		test_loop_turn(s->loop);
	}
	assert_int_equal(errno, ECONNRESET);
}

static void without_a_lever_every_byte_goes_on_at_once(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, NULL);
	say(s.agent, "*2\r\n$3\r\nGE");
	hear(&s, s.redis, "*2\r\n$3\r\nGE");
	say(s.agent, "T\r\n$6\r\ncall:1\r\n" PING);
	hear(&s, s.redis, "T\r\n$6\r\ncall:1\r\n" PING);
	say(s.redis, "$-1\r");
	hear(&s, s.agent, "$-1\r");
	say(s.redis, "\n+PONG\r\n");
	hear(&s, s.agent, "\n+PONG\r\n");
	assert_string_equal(s.events, "inv get, inv ping, ok get, ok ping");
	assert_int_equal(scene_close(&s), 0);
}

static void with_one_commands_go_on_whole(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, "cut where verb=del");
	say(s.agent, PING "*2\r\n$3\r\nGE");
	hear(&s, s.redis, PING);
	hear_nothing(&s, s.redis);
	say(s.agent, "T\r\n$6\r\ncall:1\r\n");
	hear(&s, s.redis, GET);
	assert_int_equal(s.bites, 0);
	assert_int_equal(scene_close(&s), 2);
}

/* The end of the agent's stream is no reason to keep what will never be whole. */
static void half_a_command_goes_on_when_nothing_follows_it(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, "cut where verb=del");
	say(s.agent, "*2\r\n$3\r\nGE");
	hear_nothing(&s, s.redis);
	shutdown(s.agent, SHUT_WR);
	hear(&s, s.redis, "*2\r\n$3\r\nGE");
	assert_int_equal(scene_close(&s), 0);
}

static void a_delay_keeps_back_what_follows_on_the_connection(void **state)
{
	int64_t begin_ns = clock_now_ns();
	struct scene s;

	(void)state;
	scene_open(&s, "delay 60ms where verb=set");
	say(s.agent, GET SET PING);
	hear(&s, s.redis, GET);
	say(s.redis, "$-1\r\n");
	hear(&s, s.agent, "$-1\r\n"); /* the other way nothing is kept back */
	hear(&s, s.redis, SET PING);
	assert_true(clock_now_ns() - begin_ns >= 60 * NS_PER_MS);
	assert_int_equal(s.bites, 1);
	assert_int_equal(scene_close(&s), 2);
}

static void a_hold_lasts_until_it_is_released(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, "hold where class=write");
	say(s.agent, SET PING);
	hear_nothing(&s, s.redis);
	say(s.agent, GET);
	hear_nothing(&s, s.redis);
	assert_int_equal(s.bites, 1);
	levers_disarm(&s.levers, &s.levers.list[0]);
	passage_release(&s.passage, &s.levers.list[0]);
	hear(&s, s.redis, SET PING GET);
	passage_release(&s.passage, &s.levers.list[0]); /* again: of nothing */
	say(s.redis, "+OK\r\n+PONG\r\n$-1\r\n");
	hear(&s, s.agent, "+OK\r\n+PONG\r\n$-1\r\n");
	assert_string_equal(s.events, "inv set, inv ping, inv get, ok set, ok ping, ok get");
	assert_int_equal(scene_close(&s), 0);
}

/* Redis never hears of it, and its answer comes after those of the commands before it. */
static void an_error_of_ours_comes_in_its_turn(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, "error READONLY where verb=set count=1");
	say(s.agent, GET SET PING);
	hear(&s, s.redis, GET PING);
	hear_nothing(&s, s.agent);
	say(s.redis, "$2\r\nab");
	hear(&s, s.agent, "$2\r\nab");
	assert_int_equal(s.bites, 0);
	say(s.redis, "\r\n+PONG\r\n");
	hear(&s, s.agent,
	     "\r\n-READONLY You can't write against a read only replica.\r\n+PONG\r\n");
	assert_int_equal(s.bites, 1);
	assert_string_equal(s.events, "inv get, inv set, inv ping, ok get, err set, ok ping");
	assert_int_equal(scene_close(&s), 0);
}

static void a_cut_resets_both_sides_and_redis_never_heard(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, "cut where verb=set");
	say(s.agent, GET SET);
	hear(&s, s.redis, GET);
	hear_reset(&s, s.redis);
	hear_reset(&s, s.agent);
	assert_int_equal(s.ended, 1);
	assert_int_equal(s.bites, 1);
	assert_int_equal(scene_close(&s), 2);
	assert_string_equal(s.events, "inv get, inv set, info get, info set");
}

/* Redis did it, and the agent is never told. */
static void a_swallowed_answer_resets_both_sides_after_redis_obeyed(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, "swallow where verb=set");
	say(s.agent, GET SET);
	hear(&s, s.redis, GET SET);
	say(s.redis, "$-1\r\n+OK\r\n");
	hear(&s, s.agent, "$-1\r\n");
	hear_reset(&s, s.agent);
	assert_int_equal(s.bites, 1);
	assert_int_equal(s.ended, 1);
	assert_string_equal(s.events, "inv get, inv set, ok get, ok set");
	assert_int_equal(scene_close(&s), 0);
}

/* RESP3: what Redis tells on its own is no answer. */
static void a_push_is_not_swallowed_with_the_answer(void **state)
{
	static const char push[] = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$6\r\ncall:1\r\n";
	struct scene s;

	(void)state;
	scene_open(&s, "swallow where verb=set");
	say(s.agent, SET);
	hear(&s, s.redis, SET);
	say(s.redis, push);
	hear(&s, s.agent, push);
	assert_int_equal(s.bites, 0);
	say(s.redis, "+OK\r\n");
	hear_reset(&s, s.agent);
	assert_int_equal(s.bites, 1);
	assert_int_equal(scene_close(&s), 0);
}

/* Whoever plays Redis answers what it was not asked yet: our own answer waits all the same. */
static void an_error_of_ours_does_not_overtake_what_is_kept_back(void **state)
{
	struct lever *armed;
	struct scene s;

	(void)state;
	scene_open(&s, "hold where verb=get");
	assert_int_equal(levers_arm(&s.levers, "error OOM where verb=set", &armed, NULL), 0);
	say(s.agent, GET SET PING);
	hear_nothing(&s, s.redis);
	say(s.redis, "$-1\r\n");
	hear(&s, s.agent, "$-1\r\n");
	hear_nothing(&s, s.agent);
	assert_int_equal(scene_close(&s), 2);
}

/* An answer that no one can read: from then on nothing is ours to answer or to swallow. */
static void a_blind_passage_answers_no_more(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, "error OOM where verb=set");
	say(s.agent, GET SET);
	hear(&s, s.redis, GET);
	say(s.redis, "?what\r\n");
	hear(&s, s.agent, "?what\r\n");
	assert_int_equal(s.blind, 1);
	say(s.redis, "+more\r\n");
	hear(&s, s.agent, "+more\r\n");
	assert_int_equal(scene_close(&s), 0);
}

/* A lever armed in the middle of a command takes the next one: Redis has the beginning already. */
static void what_redis_has_begun_to_hear_is_out_of_reach(void **state)
{
	struct lever *armed;
	struct scene s;

	(void)state;
	scene_open(&s, NULL);
	say(s.agent, "*3\r\n$3\r\nSET\r\n$6\r\ncal");
	hear(&s, s.redis, "*3\r\n$3\r\nSET\r\n$6\r\ncal");
	assert_int_equal(levers_arm(&s.levers, "error OOM where verb=set", &armed, NULL), 0);
	say(s.agent, "l:1\r\n$1\r\nx\r\n" SET);
	hear(&s, s.redis, "l:1\r\n$1\r\nx\r\n");
	hear_nothing(&s, s.redis);
	say(s.redis, "+OK\r\n");
	hear(&s, s.agent, "+OK\r\n-OOM command not allowed when used memory > 'maxmemory'.\r\n");
	assert_int_equal(scene_close(&s), 0);
}

/* What nobody can understand is nobody's to keep: it goes on, both ways. */
static void a_blind_passage_still_passes_everything(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, "hold where class=write");
	say(s.agent, "*x\r\nwhatever");
	hear(&s, s.redis, "*x\r\nwhatever");
	assert_int_equal(s.blind, 1);
	say(s.agent, SET);
	hear(&s, s.redis, SET);
	say(s.redis, "-ERR Protocol error\r\n");
	hear(&s, s.agent, "-ERR Protocol error\r\n");
	assert_int_equal(s.bites, 0);
	assert_int_equal(scene_close(&s), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_lever_every_byte_goes_on_at_once),
		cmocka_unit_test(with_one_commands_go_on_whole),
		cmocka_unit_test(half_a_command_goes_on_when_nothing_follows_it),
		cmocka_unit_test(a_delay_keeps_back_what_follows_on_the_connection),
		cmocka_unit_test(a_hold_lasts_until_it_is_released),
		cmocka_unit_test(an_error_of_ours_comes_in_its_turn),
		cmocka_unit_test(a_cut_resets_both_sides_and_redis_never_heard),
		cmocka_unit_test(a_swallowed_answer_resets_both_sides_after_redis_obeyed),
		cmocka_unit_test(a_push_is_not_swallowed_with_the_answer),
		cmocka_unit_test(an_error_of_ours_does_not_overtake_what_is_kept_back),
		cmocka_unit_test(a_blind_passage_answers_no_more),
		cmocka_unit_test(what_redis_has_begun_to_hear_is_out_of_reach),
		cmocka_unit_test(a_blind_passage_still_passes_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
