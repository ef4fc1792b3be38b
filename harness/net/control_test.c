#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "net/control.h"

static int open_pair(void **state)
{
	int *pair = malloc(2 * sizeof *pair);

	*state = pair;
	return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
}

static int close_pair(void **state)
{
	int *pair = *state;

	for (int i = 0; i < 2; i++)
		if (pair[i] >= 0)
			close(pair[i]);
	free(pair);
	return 0;
}

static void a_message_arrives_whole_with_its_text(void **state)
{
	int *pair = *state;
	struct control_message m = control_make(CONTROL_BIND, -7, 1LL << 40), got;

	m.counters.live = 12;
	control_text(&m, "alb=%s\nredis=%s\n", "127.0.0.1:80", "127.0.0.1:6379");
	assert_int_equal(control_send(pair[0], &m), 0);
	assert_int_equal(control_wait(pair[1], clock_now_ns() + 5 * NS_PER_S, &got), 1);
	assert_int_equal(got.type, CONTROL_BIND);
	assert_int_equal(got.a, -7);
	assert_int_equal(got.b, 1LL << 40);
	assert_int_equal(got.counters.live, 12);
	assert_string_equal(got.text, m.text);
}

static void a_value_is_found_by_its_whole_name_only(void **state)
{
	struct control_message m = control_make(CONTROL_BIND, 0, 0);
	char out[16] = "untouched";

	(void)state;
	control_text(&m, "redis_tls=no\nredis=127.0.0.1:1\nempty=\nlast=end");
	assert_true(control_value(&m, "redis", out, sizeof out));
	assert_string_equal(out, "127.0.0.1:1");
	assert_true(control_value(&m, "last", out, sizeof out));
	assert_string_equal(out, "end");
	assert_false(control_value(&m, "edis", out, sizeof out));
	assert_false(control_value(&m, "redis", out, 4));
	assert_string_equal(out, "end");
	assert_true(control_value(&m, "empty", out, sizeof out));
	assert_string_equal(out, "");
}

static void the_end_of_the_peer_is_eof_and_silence_is_a_timeout(void **state)
{
	int *pair = *state;
	struct control_message got;

	assert_int_equal(control_wait(pair[1], clock_now_ns() + NS_PER_MS, &got), -1);
	assert_int_equal(errno, ETIMEDOUT);
	close(pair[0]);
	pair[0] = -1;
	assert_int_equal(control_wait(pair[1], clock_now_ns() + 5 * NS_PER_S, &got), 0);
}

static void what_was_said_last_arrives_though_our_own_words_were_not_heard(void **state)
{
	struct control_message last = control_make(CONTROL_FINISHED, 7, 0), got;
	int *pair = *state;

	assert_int_equal(control_send(pair[1], &last),
			 0); /* never read: the kernel tells a reset */
	assert_int_equal(control_send(pair[0], &last), 0);
	close(pair[0]);
	pair[0] = -1;
	assert_int_equal(control_wait(pair[1], clock_now_ns() + 5 * NS_PER_S, &got), 1);
	assert_int_equal(got.type, CONTROL_FINISHED);
	assert_int_equal(got.a, 7);
	assert_int_equal(control_receive(pair[1], &got), 0);
	assert_int_equal(control_receive(pair[1], &got), 0);
}

static void a_malformed_datagram_is_refused(void **state)
{
	int *pair = *state;
	struct control_message m = control_make(CONTROL_NOTE, 0, 0), got;

	assert_int_equal(send(pair[0], "short", 5, 0), 5);
	assert_int_equal(control_receive(pair[1], &got), -1);
	assert_int_equal(errno, EPROTO);
	control_text(&m, "four");
	m.text_size = 4000; /* says more than it brings */
	assert_true(send(pair[0], &m, offsetof(struct control_message, text) + 4, 0) > 0);
	assert_int_equal(control_receive(pair[1], &got), -1);
	assert_int_equal(errno, EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_message_arrives_whole_with_its_text, open_pair,
						close_pair),
		cmocka_unit_test(a_value_is_found_by_its_whole_name_only),
		cmocka_unit_test_setup_teardown(the_end_of_the_peer_is_eof_and_silence_is_a_timeout,
						open_pair, close_pair),
		cmocka_unit_test_setup_teardown(
			what_was_said_last_arrives_though_our_own_words_were_not_heard, open_pair,
			close_pair),
		cmocka_unit_test_setup_teardown(a_malformed_datagram_is_refused, open_pair,
						close_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
