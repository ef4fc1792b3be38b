#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/redis.h"

/* A Redis that has said all its answers before it is asked. */
struct scripted {
	int listener, peer;
	char address[64];
	struct redis *redis;
};

static struct scripted scripted_open(const char *answers, int64_t timeout_ns)
{
	struct scripted s = { .peer = -1 };
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof at;
	struct err err = { .kind = ERR_NONE };

	s.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s.listener, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(s.listener, 1), 0);
	assert_int_equal(getsockname(s.listener, (struct sockaddr *)&at, &size), 0);
	snprintf(s.address, sizeof s.address, "127.0.0.1:%d", ntohs(at.sin_port));
	assert_int_equal(redis_open(s.address, timeout_ns, &s.redis, &err), 0);
	s.peer = accept(s.listener, NULL, NULL);
	assert_int_equal(send(s.peer, "+OK\r\n", 5, 0), 5); /* to its name */
	assert_int_equal(send(s.peer, answers, strlen(answers), 0), strlen(answers));
	return s;
}

static void scripted_close(struct scripted *s)
{
	redis_close(s->redis);
	close(s->peer);
	close(s->listener);
}

static void asked(struct scripted *s, const char *expected)
{
	char got[512];
	ssize_t n = recv(s->peer, got, sizeof got - 1, 0);

	assert_true(n > 0);
	got[n] = '\0';
	assert_string_equal(got, expected);
}

static void a_value_is_read_and_an_absent_key_is_not_an_empty_value(void **state)
{
	struct scripted s = scripted_open("$5\r\nhello\r\n$0\r\n\r\n$-1\r\n", 5 * NS_PER_S);
	struct buf value = buf_init(100);
	struct err err = { .kind = ERR_NONE };
	bool found = false;

	(void)state;
	assert_int_equal(redis_get(s.redis, "call:c-1", &found, &value, &err), 0);
	assert_true(found);
	assert_string_equal(buf_text(&value), "hello");
	asked(&s, "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$15\r\ncrossfade-probe\r\n"
		  "*2\r\n$3\r\nGET\r\n$8\r\ncall:c-1\r\n");
	assert_int_equal(redis_get(s.redis, "k", &found, &value, &err), 0);
	assert_true(found);
	assert_int_equal(value.len, 0);
	assert_int_equal(redis_get(s.redis, "k", &found, &value, &err), 0);
	assert_false(found);
	buf_free(&value);
	scripted_close(&s);
}

static void a_value_over_the_callers_limit_is_an_error_with_both_numbers(void **state)
{
	struct scripted s = scripted_open("$5\r\nhello\r\n", 5 * NS_PER_S);
	struct buf value = buf_init(4);
	struct err err = { .kind = ERR_NONE };
	bool found = false;

	(void)state;
	assert_int_equal(redis_get(s.redis, "k", &found, &value, &err), -1);
	assert_false(found);
	assert_non_null(strstr(err.text, "5 bytes, more than 4"));
	buf_free(&value);
	scripted_close(&s);
}

static void numbers_come_back_as_redis_says_them(void **state)
{
	struct scripted s = scripted_open(":-2\r\n:1\r\n+PONG\r\n", 5 * NS_PER_S);
	struct err err = { .kind = ERR_NONE };
	int64_t ttl_s = 0, deleted = 0;

	(void)state;
	assert_int_equal(redis_ttl(s.redis, "k", &ttl_s, &err), 0);
	assert_int_equal(ttl_s, -2);
	assert_int_equal(redis_delete(s.redis, "k", &deleted, &err), 0);
	assert_int_equal(deleted, 1);
	assert_int_equal(redis_ping(s.redis, &err), 0);
	scripted_close(&s);
}

static void on_key(void *user, const char *key, int64_t ttl_s)
{
	buf_printf(user, "%s %lld;", key, (long long)ttl_s);
}

static void keys_are_told_with_what_they_have_to_live_until_the_cursor_is_zero_again(void **state)
{
	struct scripted s = scripted_open("*2\r\n$2\r\n17\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n"
					  ":-1\r\n:1800\r\n"
					  "*2\r\n$1\r\n0\r\n*1\r\n$1\r\nc\r\n:-2\r\n",
					  5 * NS_PER_S);
	struct err err = { .kind = ERR_NONE };
	struct buf told = buf_init(100);

	(void)state;
	assert_int_equal(redis_scan(s.redis, "call:*", on_key, &told, &err), 0);
	assert_string_equal(buf_text(&told), "a -1;b 1800;c -2;");
	buf_free(&told);
	scripted_close(&s);
}

static void a_refusal_is_told_with_address_and_command_and_the_connection_lives_on(void **state)
{
	struct scripted s = scripted_open("-LOADING busy\r\n+PONG\r\n", 5 * NS_PER_S);
	struct err err = { .kind = ERR_NONE };
	char expected[128];

	(void)state;
	snprintf(expected, sizeof expected, "redis %s: PING: LOADING busy", s.address);
	assert_int_equal(redis_ping(s.redis, &err), -1);
	assert_int_equal(err.kind, ERR_WORLD);
	assert_string_equal(err.text, expected);
	assert_int_equal(redis_ping(s.redis, &err), 0);
	scripted_close(&s);
}

static void silence_ends_at_the_deadline_and_a_late_answer_is_nobodys(void **state)
{
	struct scripted s = scripted_open("", 20 * NS_PER_MS);
	struct err err = { .kind = ERR_NONE };

	(void)state;
	assert_int_equal(redis_ping(s.redis, &err), -1);
	assert_non_null(strstr(err.text, "no answer within 20 ms"));
	assert_int_equal(send(s.peer, "+PONG\r\n", 7, 0), 7);
	assert_int_equal(redis_ping(s.redis, &err), -1);
	assert_non_null(strstr(err.text, "the connection is lost"));
	scripted_close(&s);
}

static void a_bad_address_is_the_users_error_and_a_closed_port_the_worlds(void **state)
{
	static const char *const bad[] = {
		"", "nohost", ":1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:1x"
	};
	struct scripted s = scripted_open("", NS_PER_S);
	struct redis *redis = NULL;
	struct err err = { .kind = ERR_NONE };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(redis_open(bad[i], NS_PER_S, &redis, &err), -1);
		assert_int_equal(err.kind, ERR_INPUT);
	}
	scripted_close(&s);
	assert_int_equal(redis_open(s.address, NS_PER_S, &redis, &err), -1);
	assert_int_equal(err.kind, ERR_WORLD);
	assert_non_null(strstr(err.text, s.address));
	assert_null(redis);
	redis_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_read_and_an_absent_key_is_not_an_empty_value),
		cmocka_unit_test(a_value_over_the_callers_limit_is_an_error_with_both_numbers),
		cmocka_unit_test(numbers_come_back_as_redis_says_them),
		cmocka_unit_test(
			keys_are_told_with_what_they_have_to_live_until_the_cursor_is_zero_again),
		cmocka_unit_test(
			a_refusal_is_told_with_address_and_command_and_the_connection_lives_on),
		cmocka_unit_test(silence_ends_at_the_deadline_and_a_late_answer_is_nobodys),
		cmocka_unit_test(a_bad_address_is_the_users_error_and_a_closed_port_the_worlds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
