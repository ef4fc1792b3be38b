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
#include "record/history.h"
#include "tap/redis_tap.h"

enum { PATIENCE_S = 20 };

/* An agent, the tap, and somebody who plays Redis, all on one loop. */
struct scene {
	char dir[64];
	struct lane *lane;
	struct loop *loop;
	struct redis_tap *tap;
	int listener;
	uint16_t doors[2];
};

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_addr = { htonl(INADDR_LOOPBACK) },
				     .sin_port = htons(port) };
}

static uint16_t open_door(struct scene *s, const char *name, enum color color)
{
	struct err err = { .kind = ERR_NONE };
	char text[ADDRESS_TEXT_MAX];
	struct address at;

	assert_int_equal(address_parse("127.0.0.1:0", true, &at, &err), 0);
	assert_int_equal(redis_tap_listen(s->tap, 0, name, color, &at, &err), 0);
	address_text(&at, text);
	return (uint16_t)atoi(strrchr(text, ':') + 1);
}

static void scene_open(struct scene *s)
{
	const struct lane_identity identity = { .run = "r1", .role = ROLE_TAP };
	struct sockaddr_in at = loopback(0);
	socklen_t size = sizeof at;
	struct address redis = { .size = sizeof at };
	struct err err = { .kind = ERR_NONE };

	*s = (struct scene){ .dir = "/tmp/crossfade-tap-XXXXXX", .loop = loop_new() };
	assert_non_null(mkdtemp(s->dir));
	assert_int_equal(lane_open(s->dir, &identity, &s->lane, &err), 0);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(s->listener, 8), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &size), 0);
	memcpy(&redis.at, &at, sizeof at);
	assert_int_equal(redis_tap_new(s->loop, s->lane, "call:${call}", &redis, &s->tap, &err), 0);
	s->doors[0] = open_door(s, "blue-1", COLOR_BLUE);
	s->doors[1] = open_door(s, "green-1", COLOR_GREEN);
}

/* Ends the recording; what was told is then in the history. */
static struct history *scene_judge(struct scene *s)
{
	struct history *history = NULL;
	struct err err = { .kind = ERR_NONE };

	redis_tap_free(s->tap);
	assert_int_equal(lane_close(s->lane, &err), 0);
	loop_free(s->loop);
	if (s->listener >= 0)
		close(s->listener);
	assert_int_equal(history_open(s->dir, &history, &err), 0);
	return history;
}

static void scene_close(struct scene *s, struct history *history)
{
	char path[96];

	history_free(history);
	snprintf(path, sizeof path, "%s/tap-0.lane", s->dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(s->dir), 0);
}

static int knock(uint16_t door)
{
	struct sockaddr_in at = loopback(door);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static int redis_side(struct scene *s)
{
	int64_t deadline_ns = clock_now_ns() + PATIENCE_S * NS_PER_S;
	int fd;

	while ((fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0) {
		assert_true(clock_now_ns() < deadline_ns);
		test_loop_turn(s->loop);
	}
	return fd;
}

static ssize_t receive(struct scene *s, int fd, char *out, size_t size)
{
	int64_t deadline_ns = clock_now_ns() + PATIENCE_S * NS_PER_S;
	ssize_t n;

	while ((n = recv(fd, out, size, 0)) < 0 && errno == EAGAIN) {
		assert_true(clock_now_ns() < deadline_ns);
		test_loop_turn(s->loop);
	}
	return n;
}

/* Bytes in at one end, the same bytes out at the other. */
static void passes(struct scene *s, int from, int to, const char *bytes)
{
	char got[1024];

	assert_int_equal(send(from, bytes, strlen(bytes), 0), strlen(bytes));
	assert_int_equal(receive(s, to, got, sizeof got), strlen(bytes));
	assert_memory_equal(got, bytes, strlen(bytes));
}

static void the_door_says_who_it_is_and_the_lane_says_what_happened(void **state)
{
	static const enum event_kind expected[] = { EVENT_TAP_OPEN,  EVENT_TAP_OPEN, EVENT_CMD_INV,
						    EVENT_CMD_OK,    EVENT_CMD_INV,  EVENT_CMD_INFO,
						    EVENT_TAP_CLOSE, EVENT_TAP_CLOSE };
	int64_t before_ns = clock_now_ns();
	const struct event *next;
	struct event e[8];
	struct history *history;
	struct scene s;
	size_t count = 0;
	int blue, green, behind_blue, behind_green;

	(void)state;
	scene_open(&s);
	blue = knock(s.doors[0]);
	behind_blue = redis_side(&s);
	green = knock(s.doors[1]);
	behind_green = redis_side(&s);
	passes(&s, green, behind_green, "*2\r\n$3\r\nGET\r\n$8\r\ncall:c-1\r\n");
	passes(&s, behind_green, green, "$-1\r\n");
	passes(&s, blue, behind_blue, "SETEX call:c-2 60 x\r\n");
	assert_int_equal(redis_tap_connections(s.tap), 2);
	assert_int_equal(redis_tap_commands(s.tap), 2);
	close(behind_blue);
	close(blue);
	while (redis_tap_connections(s.tap) == 2)
		test_loop_turn(s.loop);
	history = scene_judge(&s);
	while (history_next(history, &next) && next->kind != EVENT_LANE_END) {
		assert_true(count < 8);
		e[count++] = *next;
	}
	assert_int_equal(count, 8);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(e[i].kind, expected[i]);
		assert_true(e[i].t_ns >= before_ns);
	}
	assert_string_equal(history_instance(history, e[2].instance), "green-1");
	assert_int_equal(e[2].color, COLOR_GREEN);
	assert_string_equal(history_call(history, e[2].call), "c-1");
	assert_int_equal(e[3].due_ns, e[2].t_ns);
	assert_true(e[3].flags & CMD_NIL);
	assert_string_equal(history_instance(history, e[5].instance), "blue-1");
	assert_string_equal(history_call(history, e[5].call), "c-2");
	assert_int_equal(e[6].n, 1);
	assert_int_equal(e[7].n, 0);
	scene_close(&s, history);
	close(green);
	close(behind_green);
}

static void when_redis_refuses_so_does_the_tap(void **state)
{
	struct history *history;
	struct scene s;
	char got[8];
	int fd;

	(void)state;
	scene_open(&s);
	close(s.listener);
	s.listener = -1;
	fd = knock(s.doors[0]);
	assert_true(receive(&s, fd, got, sizeof got) <= 0);
	while (redis_tap_connections(s.tap))
		test_loop_turn(s.loop);
	close(fd);
	history = scene_judge(&s);
	scene_close(&s, history);
}

static void what_is_not_resp_is_passed_on_unread_and_told_once(void **state)
{
	struct history *history;
	const struct event *e;
	struct scene s;
	unsigned limits = 0, commands = 0;
	int agent, redis;

	(void)state;
	scene_open(&s);
	agent = knock(s.doors[0]);
	redis = redis_side(&s);
	passes(&s, agent, redis, "*1\r\n%%%%");
	passes(&s, redis, agent, "-ERR Protocol error\r\n");
	passes(&s, agent, redis, "*1\r\n$4\r\nPING\r\n");
	close(agent);
	close(redis);
	history = scene_judge(&s);
	while (history_next(history, &e)) {
		if (e->kind == EVENT_LIMIT) {
			limits++;
			assert_string_equal(
				history_note(history, e->conn),
				"tap: a connection is passed on unread: the agent does not speak RESP");
		}
		commands += e->kind == EVENT_CMD_INV;
	}
	assert_int_equal(limits, 1);
	assert_int_equal(commands, 0);
	scene_close(&s, history);
}

/* What the lane says of faults and commands, as text. */
static void told(struct scene *s, char out[1024])
{
	struct history *history = scene_judge(s);
	const struct event *e;

	out[0] = '\0';
	while (history_next(history, &e)) {
		size_t n = strlen(out);

		if (e->kind == EVENT_BITE)
			snprintf(out + n, 1024 - n, "bite %u %s %s; ", e->n, verb_name(e->code),
				 history_call(history, e->call));
		else if (e->kind >= EVENT_FAULT_INV && e->kind <= EVENT_FAULT_HEAL)
			snprintf(out + n, 1024 - n, "%s %u %u; ", event_kind_name(e->kind), e->n,
				 e->aux);
		else if (e->kind > EVENT_CMD_INV && e->kind <= EVENT_CMD_INFO)
			snprintf(out + n, 1024 - n, "%s %s; ", event_kind_name(e->kind) + 4,
				 verb_name(e->code));
	}
	scene_close(s, history);
}

static void pull(struct scene *s, const char *lever)
{
	struct err err = { .kind = ERR_NONE };

	if (redis_tap_lever(s->tap, lever, &err) < 0)
		fail_msg("%s", err.text);
}

static void nothing_comes(struct scene *s, int fd)
{
	char got[64];

	for (int i = 0; i < 20; i++) {
		assert_int_equal(recv(fd, got, sizeof got, 0), -1);
		test_loop_turn(s->loop);
	}
}

static void comes(struct scene *s, int fd, const char *bytes)
{
	char got[1024];
	size_t n = 0;

	while (n < strlen(bytes)) {
		ssize_t more = receive(s, fd, got + n, sizeof got - n);

		assert_true(more > 0);
		n += (size_t)more;
	}
	got[n] = '\0';
	assert_string_equal(got, bytes);
}

static void says(int fd, const char *bytes)
{
	assert_int_equal(send(fd, bytes, strlen(bytes), 0), strlen(bytes));
}

static void an_error_of_a_lever_comes_in_its_turn_and_its_command_never_at_redis(void **state)
{
	struct scene s;
	char text[1024];
	int agent, redis;

	(void)state;
	scene_open(&s);
	pull(&s, "error OOM where class=write count=2 as full");
	agent = knock(s.doors[0]);
	redis = redis_side(&s);
	says(agent, "GET call:c-1\r\nSETEX call:c-1 9 x\r\nPI");
	comes(&s, redis, "GET call:c-1\r\n");
	nothing_comes(&s, agent);
	says(redis, "$1\r\nx\r\n");
	comes(&s, agent, "$1\r\nx\r\n-OOM command not allowed when used memory > 'maxmemory'.\r\n");
	says(agent, "NG\r\nDEL call:c-2\r\nSET call:c-3 x\r\n");
	comes(&s, redis, "PING\r\nSET call:c-3 x\r\n");
	says(redis, "+PONG\r\n+OK\r\n");
	comes(&s, agent,
	      "+PONG\r\n-OOM command not allowed when used memory > 'maxmemory'.\r\n+OK\r\n");
	close(agent);
	close(redis);
	told(&s, text);
	assert_string_equal(text,
			    "fault.inv 1 0; fault.ok 1 0; ok get; bite 1 setex c-1; err setex; "
			    "ok ping; bite 1 del c-2; fault.heal 1 2; err del; ok set; ");
}

static void a_held_command_holds_what_follows_it_until_the_lever_is_disarmed(void **state)
{
	struct scene s;
	char text[1024];
	int agent, redis, other, behind_other;

	(void)state;
	scene_open(&s);
	pull(&s, "hold where color=blue verb=setex as h");
	agent = knock(s.doors[0]);
	redis = redis_side(&s);
	other = knock(s.doors[1]);
	behind_other = redis_side(&s);
	says(agent, "GET call:c-1\r\nSETEX call:c-1 9 x\r\nPING\r\nGE");
	comes(&s, redis, "GET call:c-1\r\n");
	says(redis, "$-1\r\n");
	comes(&s, agent, "$-1\r\n");
	passes(&s, other, behind_other, "SETEX call:c-2 9 x\r\n");
	nothing_comes(&s, redis);
	pull(&s, "disarm h");
	comes(&s, redis, "SETEX call:c-1 9 x\r\nPING\r\nGE");
	says(agent, "T k\r\n");
	comes(&s, redis, "T k\r\n");
	says(redis, "+OK\r\n+PONG\r\n$-1\r\n");
	comes(&s, agent, "+OK\r\n+PONG\r\n$-1\r\n");
	close(agent);
	close(redis);
	close(other);
	close(behind_other);
	told(&s, text);
	assert_string_equal(text, "fault.inv 1 0; fault.ok 1 0; bite 1 setex c-1; ok get; "
				  "fault.heal 1 1; ok setex; ok ping; ok get; info setex; ");
}

static void a_delay_and_a_hold_with_a_time_end_by_themselves(void **state)
{
	struct scene s;
	char text[1024];
	int agent, redis;
	int64_t begin_ns;

	(void)state;
	scene_open(&s);
	pull(&s, "delay 30ms where verb=get count=1");
	pull(&s, "hold 40ms where verb=set");
	agent = knock(s.doors[0]);
	redis = redis_side(&s);
	begin_ns = clock_now_ns();
	passes(&s, agent, redis, "GET k\r\n");
	assert_true(clock_now_ns() - begin_ns >= 30 * NS_PER_MS);
	passes(&s, redis, agent, "$-1\r\n");
	begin_ns = clock_now_ns();
	passes(&s, agent, redis, "SET k v\r\n");
	assert_true(clock_now_ns() - begin_ns >= 40 * NS_PER_MS);
	passes(&s, redis, agent, "+OK\r\n");
	close(agent);
	close(redis);
	told(&s, text);
	assert_string_equal(
		text, "fault.inv 1 0; fault.ok 1 0; fault.inv 2 0; fault.ok 2 0; bite 1 get ; "
		      "fault.heal 1 1; ok get; bite 2 set ; fault.heal 2 1; ok set; ");
}

static void a_swallowed_answer_was_given_and_a_cut_command_was_not(void **state)
{
	struct scene s;
	char got[64], text[1024];
	int agent, redis;

	(void)state;
	scene_open(&s);
	pull(&s, "swallow where verb=setex count=1");
	pull(&s, "cut where verb=setex");
	agent = knock(s.doors[0]);
	redis = redis_side(&s);
	says(agent, "GET k\r\nSETEX call:c-1 9 x\r\n");
	comes(&s, redis, "GET k\r\nSETEX call:c-1 9 x\r\n");
	says(redis, "$-1\r\n+O");
	comes(&s, agent, "$-1\r\n");
	says(redis, "K\r\n");
	assert_int_equal(receive(&s, agent, got, sizeof got), -1);
	close(agent);
	close(redis);
	agent = knock(s.doors[0]);
	redis = redis_side(&s);
	says(agent, "PING\r\nSETEX call:c-2 9 x\r\n");
	assert_int_equal(receive(&s, agent, got, sizeof got), -1);
	close(agent);
	close(redis);
	told(&s, text);
	assert_string_equal(text,
			    "fault.inv 1 0; fault.ok 1 0; fault.inv 2 0; fault.ok 2 0; ok get; "
			    "ok setex; bite 1 setex c-1; fault.heal 1 1; bite 2 setex c-2; "
			    "info ping; info setex; fault.heal 2 1; ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_door_says_who_it_is_and_the_lane_says_what_happened),
		cmocka_unit_test(when_redis_refuses_so_does_the_tap),
		cmocka_unit_test(what_is_not_resp_is_passed_on_unread_and_told_once),
		cmocka_unit_test(
			an_error_of_a_lever_comes_in_its_turn_and_its_command_never_at_redis),
		cmocka_unit_test(a_held_command_holds_what_follows_it_until_the_lever_is_disarmed),
		cmocka_unit_test(a_delay_and_a_hold_with_a_time_end_by_themselves),
		cmocka_unit_test(a_swallowed_answer_was_given_and_a_cut_command_was_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
