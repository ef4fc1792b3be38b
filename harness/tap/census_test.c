/* The census against somebody who plays Redis: what its list says, and who is told of it. */
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
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/test_loop.h"
#include "tap/census.h"

enum { PATIENCE_S = 20 };

struct scene {
	struct loop *loop;
	struct upstream redis;
	struct census *census;
	char dir[64], path[108];    /* of a unix socket */
	int listener, asker, agent; /* asker, agent: Redis's ends of the census, of a connection */
	char asked[256];
	unsigned bypassed, told, blind;
	struct client_line first;
	char why[128];
};

static void on_bypassed(void *user, unsigned count, const struct client_line *first)
{
	struct scene *s = user;

	s->bypassed += count;
	s->told++;
	s->first = first ? *first : (struct client_line){ .id = 0 };
}

static void on_blind(void *user, const char *why)
{
	struct scene *s = user;

	s->blind++;
	snprintf(s->why, sizeof s->why, "%s", why);
}

static const struct census_listener listener = { .bypassed = on_bypassed, .blind = on_blind };

#define AWAIT(s, condition)                                                                        \
	for (int64_t until_ = clock_now_ns() + PATIENCE_S * NS_PER_S; !(condition);) {             \
		if (clock_now_ns() > until_)                                                       \
			fail_msg("%s never came", #condition);                                     \
		test_loop_turn((s)->loop);                                                         \
	}

static int accept_one(struct scene *s)
{
	int fd = -1;

	AWAIT(s, (fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0);
	return fd;
}

/* Until the census has read what it was answered, and asks for the list once more. */
static void await_question(struct scene *s)
{
	size_t size = 0;

	s->asked[0] = '\0';
	while (!strstr(s->asked, "CLIENT LIST\r\n")) {
		ssize_t n = -1;

		AWAIT(s, (census_ask(s->census),
			  n = recv(s->asker, s->asked + size, sizeof s->asked - 1 - size, 0)) > 0);
		size += (size_t)n;
		s->asked[size] = '\0';
	}
}

/* As Redis names the other end of a connection. */
static const char *peer(int fd, char out[ADDRESS_TEXT_MAX])
{
	struct address at = { .size = sizeof at.at };

	assert_int_equal(getpeername(fd, (struct sockaddr *)&at.at, &at.size), 0);
	address_text(&at, out);
	return out;
}

static void answer(struct scene *s, const char *text)
{
	char head[32];
	int size = snprintf(head, sizeof head, "$%zu\r\n", strlen(text));

	assert_int_equal(send(s->asker, head, (size_t)size, MSG_NOSIGNAL), size);
	for (const char *at = text; *at; at += 7) { /* in pieces, as large lists come */
		size_t left = strlen(at), n = left < 7 ? left : 7;

		assert_int_equal(send(s->asker, at, n, MSG_NOSIGNAL), n);
		test_loop_turn(s->loop);
		if (n < 7)
			break;
	}
	assert_int_equal(send(s->asker, "\r\n", 2, MSG_NOSIGNAL), 2);
}

/* The list with the census itself in it, and who else there is. */
static void list(struct scene *s, const char *others)
{
	char text[21000], at[ADDRESS_TEXT_MAX];

	snprintf(text, sizeof text,
		 "id=1 addr=%s name=crossfade-tap-%d cmd=client|list flags=N\n%s",
		 s->path[0] ? "/redis:0" : peer(s->asker, at), (int)getpid(), others);
	answer(s, text);
	await_question(s);
}

static void open_door(struct scene *s, const struct sockaddr *at, socklen_t size)
{
	struct address *redis = &s->redis.at;

	s->listener = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listener, at, size), 0);
	assert_int_equal(listen(s->listener, 8), 0);
	redis->size = sizeof redis->at;
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&redis->at, &redis->size), 0);
}

static void scene_open(struct scene *s, bool by_unix)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	*s = (struct scene){ .loop = loop_new(),
			     .dir = "/tmp/crossfade-census-XXXXXX",
			     .agent = -1 };
	assert_non_null(mkdtemp(s->dir));
	if (by_unix) {
		snprintf(s->path, sizeof s->path, "%s/redis", s->dir);
		snprintf(un.sun_path, sizeof un.sun_path, "%s", s->path);
		open_door(s, (struct sockaddr *)&un, sizeof un);
	} else {
		open_door(s, (struct sockaddr *)&in, sizeof in);
	}
	s->census = census_new(s->loop, &s->redis, &listener, s);
	s->asker = accept_one(s);
	await_question(s);
}

static void scene_close(struct scene *s)
{
	census_free(s->census);
	loop_free(s->loop);
	close(s->asker);
	close(s->listener);
	if (s->path[0])
		unlink(s->path);
	assert_int_equal(rmdir(s->dir), 0);
}

static void it_says_who_it_is_before_it_asks(void **state)
{
	char hello[128];
	struct scene s;

	(void)state;
	scene_open(&s, false);
	snprintf(hello, sizeof hello, "CLIENT SETNAME crossfade-tap-%d\r\nCLIENT LIST\r\n",
		 (int)getpid());
	assert_string_equal(s.asked, hello);
	scene_close(&s);
}

static void a_client_of_another_address_is_told_once(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, false);
	list(&s, "id=9 addr=10.0.0.7:4711 name=app cmd=setex flags=N\n");
	assert_int_equal(s.bypassed, 1);
	assert_string_equal(s.first.addr, "10.0.0.7:4711");
	assert_string_equal(s.first.name, "app");
	list(&s, "id=9 addr=10.0.0.7:4711 name=app cmd=setex flags=N\n"
		 "id=12 addr=10.0.0.8:4712 name= cmd=get flags=N\n"
		 "id=13 addr=10.0.0.8:4713 name= cmd=get flags=N\n");
	assert_int_equal(s.bypassed, 3);
	assert_string_equal(s.first.addr, "10.0.0.8:4712");
	assert_int_equal(s.told, 2);
	assert_int_equal(s.blind, 0);
	scene_close(&s);
}

/* Redis may list a connection a while after we have closed it. */
static void connections_of_the_tap_and_redis_s_own_kin_are_not_told(void **state)
{
	char others[1024], at[ADDRESS_TEXT_MAX];
	struct scene s;
	uint16_t known;
	int seen, far;

	(void)state;
	scene_open(&s, false);
	far = upstream_connect(&s.redis, &seen);
	assert_true(far >= 0);
	s.agent = accept_one(&s);
	known = census_opened(s.census, seen);
	snprintf(others, sizeof others,
		 "id=2 addr=%s name=agent cmd=get flags=N\n"
		 "id=3 addr=10.0.0.1:1 name= cmd=replconf flags=S\n"
		 "id=4 addr=10.0.0.1:2 name=sentinel-ab-cmd cmd=ping flags=N\n"
		 "id=5 addr=10.0.0.1:3 name=crossfade-probe cmd=get flags=N\n"
		 "id=6 addr=10.0.0.1:4 name= cmd=NULL flags=N\n",
		 peer(s.agent, at));
	list(&s, others);
	census_closed(s.census, known);
	close(far);
	list(&s, others);
	assert_int_equal(s.bypassed, 0);
	assert_int_equal(s.blind, 0);
	close(s.agent);
	scene_close(&s);
}

static void what_cannot_be_told_is_said_once(void **state)
{
	static const struct {
		const char *says, *why;
	} cases[] = {
		{ "-NOPERM this user has no permissions\r\n", "NOPERM this user" },
		{ "-NOAUTH Authentication required.\r\n-NOAUTH Authentication required.\r\n",
		  "NOAUTH" },
		{ "$55\r\nid=1 addr=172.17.0.1:9 name=crossfade-other cmd=x flags=N\n\r\n",
		  "other addresses" },
		{ "=0\r\n\r\n", "other addresses" },
		{ "-LOADING Redis is loading the dataset in memory\r\n", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct scene s;

		scene_open(&s, false);
		send(s.asker, cases[i].says, strlen(cases[i].says), MSG_NOSIGNAL);
		if (cases[i].why) {
			AWAIT(&s, s.blind);
			if (!strstr(s.why, cases[i].why))
				fail_msg("%s: %s", cases[i].why, s.why);
			census_ask(s.census); /* in vain */
			test_loop_turn(s.loop);
		} else {
			close(s.asker); /* and with the next one it begins anew */
			s.asker = accept_one(&s);
			await_question(&s);
		}
		assert_int_equal(s.blind, cases[i].why != NULL);
		assert_int_equal(s.bypassed, 0);
		scene_close(&s);
	}
}

static void lines_of_any_length_and_what_is_no_line_are_passed_over(void **state)
{
	static char text[20000];
	struct scene s;

	(void)state;
	memset(text, 'x', sizeof text - 200);
	memcpy(text, "id=7 addr=10.0.0.7:1 name=", 26);
	snprintf(text + sizeof text - 200, 200,
		 "\n\n=\nid=0 addr=\nid=9 addr=10.0.0.9:2 cmd=get\n");
	scene_open(&s, false);
	list(&s, text);
	assert_int_equal(s.bypassed, 2);
	assert_string_equal(s.first.addr, "10.0.0.7:1");
	scene_close(&s);
}

/* All have one address there: more than the tap has open, twice in a row, are somebody's. */
static void behind_a_unix_socket_a_surplus_is_told_when_it_stays(void **state)
{
	static const char two[] = "id=2 addr=/redis:0 name= cmd=get flags=U\n"
				  "id=3 addr=/redis:0 name= cmd=set flags=U\n";
	struct scene s;
	int seen, far;

	(void)state;
	scene_open(&s, true);
	far = upstream_connect(&s.redis, &seen);
	assert_true(far >= 0);
	s.agent = accept_one(&s);
	census_opened(s.census, seen);
	list(&s, two);
	assert_int_equal(s.told, 0);
	list(&s, two);
	assert_int_equal(s.bypassed, 1);
	assert_int_equal(s.first.id, 0);
	list(&s, two);
	assert_int_equal(s.told, 1);
	assert_int_equal(s.blind, 0);
	close(far);
	close(s.agent);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_who_it_is_before_it_asks),
		cmocka_unit_test(a_client_of_another_address_is_told_once),
		cmocka_unit_test(connections_of_the_tap_and_redis_s_own_kin_are_not_told),
		cmocka_unit_test(what_cannot_be_told_is_said_once),
		cmocka_unit_test(lines_of_any_length_and_what_is_no_line_are_passed_over),
		cmocka_unit_test(behind_a_unix_socket_a_surplus_is_told_when_it_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
