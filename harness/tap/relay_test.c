#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rng.h"
#include "net/test_loop.h"
#include "tap/relay.h"

enum { PATIENCE_S = 20, STREAM_BYTES = 3 << 20 };

/* A caller's socket, the relay between its two inner ends, a server's socket. */
struct bench {
	struct loop *loop;
	struct relay *relay;
	int caller, server;
	size_t passed[RELAY_SIDES];
	bool ended, lines, held;
};

static size_t on_came(void *user, enum relay_side from, const char *data, size_t size, bool last)
{
	struct bench *b = user;
	enum relay_side to = from == RELAY_NEAR ? RELAY_FAR : RELAY_NEAR;
	size_t done = size;

	assert_non_null(data);
	if (memmem(data, size, "secret", 6))
		relay_forget(b->relay);
	if (memmem(data, size, "cut", 3))
		relay_cut(b->relay);
	if (b->lines &&
	    !last) { /* whole lines only, "drop" is for nobody, and none while it is held */
		const char *end = memrchr(data, '\n', size);

		done = end && !b->held ? (size_t)(end - data) + 1 : 0;
		if (done == 5 && !memcmp(data, "drop\n", 5)) {
			relay_send(b->relay, from, "dropped", 7);
			return done;
		}
	}
	relay_send(b->relay, to, data, done);
	b->passed[from] += done;
	return done;
}

static void on_ended(void *user)
{
	struct bench *b = user;

	b->ended = true;
}

static void bench_open(struct bench *b)
{
	static const struct relay_owner owner = { .came = on_came, .ended = on_ended };
	int near, far;

	*b = (struct bench){ .loop = loop_new() };
	test_tcp_pair(&b->caller, &near);
	test_tcp_pair(&far, &b->server);
	b->relay = relay_new(b->loop, near, far, &owner, b);
}

static void bench_close(struct bench *b)
{
	if (!b->ended)
		relay_free(b->relay);
	loop_free(b->loop);
	close(b->caller);
	close(b->server);
}

/* What arrives at fd until something does; 0 at its end, -1 with errno when it is broken. */
static ssize_t receive(struct bench *b, int fd, char *out, size_t size)
{
	int64_t deadline_ns = clock_now_ns() + PATIENCE_S * NS_PER_S;
	ssize_t n;

	while ((n = recv(fd, out, size, 0)) < 0 && errno == EAGAIN) {
		assert_true(clock_now_ns() < deadline_ns);
		test_loop_turn(b->loop);
	}
	return n;
}

static void fill(char *out, size_t size, uint64_t seed)
{
	struct rng rng = rng_split(seed, 0, "bytes");

	for (size_t i = 0; i < size; i++)
		out[i] = (char)rng_u64(&rng);
}

static void every_byte_arrives_in_order_both_ways_at_once(void **state)
{
	char *sent[2] = { malloc(STREAM_BYTES), malloc(STREAM_BYTES) },
	     *got[2] = { malloc(STREAM_BYTES), malloc(STREAM_BYTES) };
	size_t out[2] = { 0, 0 }, in[2] = { 0, 0 };
	int64_t deadline_ns = clock_now_ns() + PATIENCE_S * NS_PER_S;
	struct bench b;
	int fd[2];

	(void)state;
	bench_open(&b);
	fd[0] = b.caller;
	fd[1] = b.server;
	fill(sent[0], STREAM_BYTES, 1);
	fill(sent[1], STREAM_BYTES, 2);
	while (in[0] < STREAM_BYTES || in[1] < STREAM_BYTES) {
		for (int s = 0; s < 2; s++) {
			ssize_t n = send(fd[s], sent[s] + out[s], STREAM_BYTES - out[s],
					 MSG_NOSIGNAL);

			out[s] += n > 0 ? (size_t)n : 0;
			/* the readers are slow, so that the relay has to hold back */
			n = recv(fd[s], got[s] + in[s],
				 STREAM_BYTES - in[s] < 9999 ? STREAM_BYTES - in[s] : 9999, 0);
			in[s] += n > 0 ? (size_t)n : 0;
		}
		assert_true(clock_now_ns() < deadline_ns);
		test_loop_turn(b.loop);
	}
	assert_memory_equal(sent[0], got[1], STREAM_BYTES);
	assert_memory_equal(sent[1], got[0], STREAM_BYTES);
	assert_int_equal(b.passed[RELAY_NEAR], STREAM_BYTES);
	assert_int_equal(b.passed[RELAY_FAR], STREAM_BYTES);
	bench_close(&b);
	for (int s = 0; s < 2; s++) {
		free(sent[s]);
		free(got[s]);
	}
}

static void a_side_whose_other_side_does_not_read_is_not_read_for_ever(void **state)
{
	char block[65536];
	size_t sent = 0;
	struct bench b;

	(void)state;
	memset(block, 'x', sizeof block);
	bench_open(&b);
	for (int idle = 0; idle < 50;) {
		ssize_t n = send(b.caller, block, sizeof block, MSG_NOSIGNAL);

		idle = n > 0 ? 0 : idle + 1;
		sent += n > 0 ? (size_t)n : 0;
		assert_true(sent < 256 << 20);
		test_loop_turn(b.loop);
	}
	/* All of it is in the kernel's buffers and in the relay's bounded queue; reading sets it
	 * going again. */
	assert_true(b.passed[RELAY_NEAR] <= sent);
	for (size_t got = 0; got < sent;) {
		ssize_t n = receive(&b, b.server, block, sizeof block);

		assert_true(n > 0);
		got += (size_t)n;
	}
	assert_int_equal(b.passed[RELAY_NEAR], sent);
	bench_close(&b);
}

static void a_half_close_is_passed_on_and_the_answer_still_comes(void **state)
{
	char got[16];
	struct bench b;

	(void)state;
	bench_open(&b);
	assert_int_equal(send(b.caller, "ask", 3, 0), 3);
	shutdown(b.caller, SHUT_WR);
	assert_int_equal(receive(&b, b.server, got, sizeof got), 3);
	assert_int_equal(receive(&b, b.server, got, sizeof got), 0);
	assert_int_equal(send(b.server, "answer", 6, 0), 6);
	assert_int_equal(receive(&b, b.caller, got, sizeof got), 6);
	assert_false(b.ended);
	shutdown(b.server, SHUT_WR);
	assert_int_equal(receive(&b, b.caller, got, sizeof got), 0);
	assert_true(b.ended);
	bench_close(&b);
}

static void a_reset_is_passed_on_as_a_reset(void **state)
{
	struct linger reset = { .l_onoff = 1 };
	char got[16];
	struct bench b;

	(void)state;
	bench_open(&b);
	assert_int_equal(send(b.caller, "ask", 3, 0), 3);
	assert_int_equal(receive(&b, b.server, got, sizeof got), 3);
	setsockopt(b.caller, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	close(b.caller);
	assert_int_equal(receive(&b, b.server, got, sizeof got), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_true(b.ended);
	b.caller = -1;
	bench_close(&b);
}

static void what_is_kept_back_comes_later_in_order_and_what_is_dropped_never(void **state)
{
	char got[64];
	struct bench b;

	(void)state;
	bench_open(&b);
	b.lines = true;
	assert_int_equal(send(b.caller, "hal", 3, 0), 3);
	assert_int_equal(send(b.server, "hello\n", 6, 0), 6);
	assert_int_equal(receive(&b, b.caller, got, sizeof got), 6);
	assert_int_equal(b.passed[RELAY_NEAR], 0);
	assert_int_equal(send(b.caller, "f\nmore", 6, 0), 6);
	assert_int_equal(receive(&b, b.server, got, sizeof got), 5);
	assert_memory_equal(got, "half\n", 5);
	assert_int_equal(send(b.caller, "\n", 1, 0), 1);
	assert_int_equal(receive(&b, b.server, got, sizeof got), 5);
	assert_int_equal(send(b.caller, "drop\n", 5, 0), 5);
	assert_int_equal(receive(&b, b.caller, got, sizeof got), 7);
	assert_memory_equal(got, "dropped", 7);
	b.held = true;
	assert_int_equal(send(b.caller, "held\n", 5, 0), 5);
	for (int i = 0; i < 20; i++)
		test_loop_turn(b.loop);
	assert_int_equal(recv(b.server, got, sizeof got, 0), -1);
	b.held = false;
	relay_go_on(b.relay, RELAY_NEAR);
	assert_int_equal(receive(&b, b.server, got, sizeof got), 5);
	/* the end comes after what was kept back */
	assert_int_equal(send(b.caller, "rest", 4, 0), 4);
	shutdown(b.caller, SHUT_WR);
	assert_int_equal(receive(&b, b.server, got, sizeof got), 4);
	assert_int_equal(receive(&b, b.server, got, sizeof got), 0);
	bench_close(&b);
}

static void a_side_that_is_kept_back_is_read_to_the_limit_and_no_further(void **state)
{
	char block[65536];
	size_t sent = 0, got = 0;
	struct bench b;

	(void)state;
	memset(block, 'x', sizeof block);
	block[sizeof block - 1] = '\n';
	bench_open(&b);
	b.lines = b.held = true;
	for (int idle = 0; idle < 50;) {
		ssize_t n = send(b.caller, block, sizeof block, MSG_NOSIGNAL);

		idle = n > 0 ? 0 : idle + 1;
		sent += n > 0 ? (size_t)n : 0;
		assert_true(sent < 256 << 20);
		test_loop_turn(b.loop);
	}
	b.held = b.lines = false;
	relay_go_on(b.relay, RELAY_NEAR);
	while (got < sent) {
		ssize_t n = receive(&b, b.server, block, sizeof block);

		assert_true(n > 0);
		got += (size_t)n;
	}
	bench_close(&b);
}

static void a_cut_is_a_reset_on_both_sides(void **state)
{
	char got[16];
	struct bench b;

	(void)state;
	bench_open(&b);
	assert_int_equal(send(b.caller, "cut", 3, 0), 3);
	assert_int_equal(receive(&b, b.caller, got, sizeof got), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_true(b.ended);
	while (recv(b.server, got, sizeof got, 0) > 0)
		;
	assert_int_equal(errno, ECONNRESET);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_arrives_in_order_both_ways_at_once),
		cmocka_unit_test(a_side_whose_other_side_does_not_read_is_not_read_for_ever),
		cmocka_unit_test(a_half_close_is_passed_on_and_the_answer_still_comes),
		cmocka_unit_test(a_reset_is_passed_on_as_a_reset),
		cmocka_unit_test(what_is_kept_back_comes_later_in_order_and_what_is_dropped_never),
		cmocka_unit_test(a_side_that_is_kept_back_is_read_to_the_limit_and_no_further),
		cmocka_unit_test(a_cut_is_a_reset_on_both_sides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
