/*
 * For tests only: a loop that never waits longer than a moment, and both ends of a connection.
 * Include after cmocka.h.
 */
#ifndef NET_TEST_LOOP_H
#define NET_TEST_LOOP_H

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/loop.h"

static inline void test_loop_on_time(void *user)
{
	(void)user;
}

static inline void test_loop_turn(struct loop *loop)
{
	struct loop_timer *timer = loop_timer_new(loop, test_loop_on_time, NULL);

	loop_timer_at(timer, clock_now_ns() + NS_PER_MS);
	loop_run_once(loop);
	loop_timer_free(timer);
}

/* Connected on loopback, neither of them blocks. */
static inline void test_tcp_pair(int *client, int *accepted)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof at;
	int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(door, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(door, 1), 0);
	assert_int_equal(getsockname(door, (struct sockaddr *)&at, &size), 0);
	*client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(*client, (struct sockaddr *)&at, size), 0);
	*accepted = accept(door, NULL, NULL);
	assert_true(*accepted >= 0);
	close(door);
	assert_int_equal(fcntl(*client, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(*accepted, F_SETFL, O_NONBLOCK), 0);
}

#endif
