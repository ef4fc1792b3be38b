#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/test_redis.h"
#include "observe/redis_control.h"

/* A Redis that answers each command by the next line of its script, an empty one is silence,
 * whatever it is asked, and writes down what. */
struct scripted {
	const char *const *answers;
	int listener;
	char address[64], asked[2048];
	pthread_t thread;
};

/* One connection, until its other end closes it; false: the script is over. */
static bool serve(struct scripted *s, int fd)
{
	while (*s->answers) {
		size_t used = strlen(s->asked);
		ssize_t n = recv(fd, s->asked + used, sizeof s->asked - used - 1, 0);

		if (n <= 0)
			break;
		s->asked[used + (size_t)n] = '\0';
		send(fd, *s->answers, strlen(*s->answers), MSG_NOSIGNAL);
		s->answers++;
	}
	close(fd);
	return *s->answers;
}

static void *run(void *user)
{
	struct scripted *s = user;
	int fd;

	while ((fd = accept(s->listener, NULL, NULL)) >= 0 && serve(s, fd))
		;
	return NULL;
}

static struct redis_control *scripted_open(struct scripted *s, const char *const *answers)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof at;

	*s = (struct scripted){ .answers = answers };
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(s->listener, 4), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &size), 0);
	snprintf(s->address, sizeof s->address, "127.0.0.1:%d", ntohs(at.sin_port));
	assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
	return redis_control_new(s->address, "call:p-run001-control");
}

/* Ends the control first; then its Redis, whether it was asked all it knows or not. */
static void scripted_close(struct scripted *s, struct redis_control *c)
{
	redis_control_free(c);
	shutdown(s->listener, SHUT_RDWR);
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	close(s->listener);
}

static void a_get_and_a_setex_are_timed_and_the_key_goes_with_the_control(void **state)
{
	/* the name, PING, GET, SETEX, GET, SETEX, DEL */
	static const char *const answers[] = { "+OK\r\n",      "+PONG\r\n", "$-1\r\n", "+OK\r\n",
					       "$2\r\n{}\r\n", "+OK\r\n",   ":1\r\n",  NULL };
	struct redis_control_step steps[REDIS_CONTROL_STEPS];
	struct scripted s;
	struct redis_control *c = scripted_open(&s, answers);

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(redis_control_ask(c, steps), 2);
		assert_int_equal(steps[0].verb, VERB_GET);
		assert_int_equal(steps[1].verb, VERB_SETEX);
		assert_true(steps[0].answered && steps[1].answered);
		assert_true(steps[0].took_ns > 0 && steps[1].took_ns > 0);
		assert_true(steps[1].began_ns >= steps[0].began_ns + steps[0].took_ns);
	}
	scripted_close(&s, c);
	assert_non_null(strstr(s.asked, "crossfade-probe"));
	assert_non_null(
		strstr(s.asked, "\r\nSETEX\r\n$21\r\ncall:p-run001-control\r\n$2\r\n60\r\n"));
	assert_non_null(strstr(s.asked, "\r\nDEL\r\n$21\r\ncall:p-run001-control\r\n"));
}

static void silence_is_a_command_of_its_age_and_ends_its_connection_not_the_control(void **state)
{
	/* the name, PING, GET without an answer; another connection: the name, PING, GET, SETEX
	 * refused; another: the name, PING, DEL */
	static const char *const answers[] = { "+OK\r\n",
					       "+PONG\r\n",
					       "",
					       "+OK\r\n",
					       "+PONG\r\n",
					       "$-1\r\n",
					       "-READONLY You can't write\r\n",
					       "+OK\r\n",
					       "+PONG\r\n",
					       ":0\r\n",
					       NULL };
	struct redis_control_step steps[REDIS_CONTROL_STEPS];
	struct scripted s;
	struct redis_control *c = scripted_open(&s, answers);

	(void)state;
	assert_int_equal(redis_control_ask(c, steps), 1);
	assert_int_equal(steps[0].verb, VERB_GET);
	assert_false(steps[0].answered);
	assert_true(steps[0].took_ns >= 250 * NS_PER_MS);
	assert_int_equal(redis_control_ask(c, steps), 2);
	assert_true(steps[0].answered);
	assert_false(steps[1].answered);
	scripted_close(&s, c);
	assert_non_null(strstr(s.asked, "\r\nDEL\r\n"));
}

static void a_redis_that_is_gone_is_a_get_without_an_answer(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* bound, not listening */
	struct redis_control_step steps[REDIS_CONTROL_STEPS];
	struct redis_control *c;
	char address[64];

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	snprintf(address, sizeof address, "127.0.0.1:%d", ntohs(at.sin_port));
	c = redis_control_new(address, "k");
	assert_int_equal(redis_control_ask(c, steps), 1);
	assert_int_equal(steps[0].verb, VERB_GET);
	assert_false(steps[0].answered);
	redis_control_free(c);
	redis_control_free(NULL);
	close(fd);
}

static bool has_key(const struct test_redis *r)
{
	struct buf value = buf_init(4096);
	struct redis *redis = NULL;
	bool found;

	assert_int_equal(redis_open(r->address, PATIENCE_S * NS_PER_S, &redis, NULL), 0);
	assert_int_equal(redis_get(redis, "k", &found, &value, NULL), 0);
	redis_close(redis);
	buf_free(&value);
	return found;
}

static bool whole(struct redis_control *c)
{
	struct redis_control_step steps[REDIS_CONTROL_STEPS];

	return redis_control_ask(c, steps) == REDIS_CONTROL_STEPS && steps[0].answered &&
	       steps[1].answered;
}

static void after_a_failover_it_goes_on_at_the_new_primary(void **state)
{
	struct redis_control_step steps[REDIS_CONTROL_STEPS];
	struct test_redis old, new;
	struct redis_control *c;

	(void)state;
	test_redis_start(&old);
	test_redis_start(&new);
	c = redis_control_new(old.address, "k");
	assert_true(whole(c));
	assert_false(redis_control_turn(c, old.address));
	test_redis_follow(&old, &new);
	assert_int_equal(redis_control_ask(c, steps), 2);
	assert_false(steps[1].answered); /* READONLY */
	assert_true(redis_control_turn(c, new.address));
	assert_true(whole(c));
	assert_true(has_key(&new));
	test_redis_stop(&old); /* is of no more concern */
	assert_true(whole(c));
	redis_control_free(c);
	assert_false(has_key(&new));
	test_redis_stop(&new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_get_and_a_setex_are_timed_and_the_key_goes_with_the_control),
		cmocka_unit_test(
			silence_is_a_command_of_its_age_and_ends_its_connection_not_the_control),
		cmocka_unit_test(a_redis_that_is_gone_is_a_get_without_an_answer),
		cmocka_unit_test(after_a_failover_it_goes_on_at_the_new_primary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
