/* The local stack's redis-servers: real ones, on ports the kernel calls free. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "director/stage_parts.h"
#include "net/redis.h"

enum { REDIS_TRIES = 5 };
static const int64_t ready_within_ns = PART_READY_S * NS_PER_S;

/* redis-server cannot bind port 0: take a port the kernel calls free, and try again should somebody
 * be quicker. */
static int free_port(struct err *err)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof any;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = -1;

	if (fd >= 0 && !bind(fd, (struct sockaddr *)&any, sizeof any) &&
	    !getsockname(fd, (struct sockaddr *)&any, &size))
		port = ntohs(any.sin_port);
	if (port < 0)
		err_errno(err, ERR_HARNESS, errno, "no free port on 127.0.0.1 for redis-server");
	if (fd >= 0)
		close(fd);
	return port;
}

static bool redis_answers(const char *address)
{
	struct redis *redis;
	bool ok = false;

	if (!redis_open(address, 200 * NS_PER_MS, &redis, NULL)) {
		ok = !redis_ping(redis, NULL);
		redis_close(redis);
	}
	return ok;
}

static void tick(void *user)
{
	(void)user;
}

bool part_comes(struct member *m, bool (*is)(const void *about), const void *about)
{
	int64_t deadline_ns = clock_now_ns() + ready_within_ns;
	struct loop_timer *timer = loop_timer_new(m->stage->loop, tick, NULL);
	bool came = false;

	while (!m->ended && !m->stage->cancelled && clock_now_ns() < deadline_ns &&
	       !(came = is(about))) {
		loop_timer_at(timer, clock_now_ns() + 20 * NS_PER_MS);
		loop_run_once(m->stage->loop);
	}
	loop_timer_free(timer);
	return came && !m->ended;
}

/* redis-server has no channel to us: ready is when it answers a PING. */
static bool is_answering(const void *address)
{
	return redis_answers(address);
}

int part_redis_server(struct stage *stage, const char *name, part_words *words, const void *about,
		      struct redis_server *ret, struct err *err)
{
	char program[4096];

	if (process_on_path("redis-server", program, sizeof(program), err) < 0)
		return -1;
	for (int i = 0; i < REDIS_TRIES; i++) {
		struct arguments a = { .count = 0 };
		struct member *m;
		char again[32];
		int port = free_port(err);

		if (port < 0)
			return -1;
		snprintf(again, sizeof again, i ? "%s.%d" : "%s", name, i);
		argument(&a, "%s", program);
		if (words(stage, again, port, about, &a, err) < 0)
			return -1;
		if (part_start(stage,
			       (struct member_spec){
				       .kind = MEMBER_REDIS, .name = again, .prompt = true },
			       &a, &m, err) < 0)
			return err_context(err, "redis-server");
		snprintf(ret->address, sizeof ret->address, "127.0.0.1:%d", port);
		snprintf(m->address, sizeof m->address, "%s", ret->address);
		ret->member = m;
		if (part_comes(m, is_answering, ret->address))
			return 0;
		if (stage->cancelled)
			return err_set(err, ERR_HARNESS, "interrupted while starting %s", name);
		if (!m->ended)
			return err_set(err, ERR_HARNESS,
				       "%s at %s did not answer within %lld s; see %s/%s.log", name,
				       ret->address, (long long)(ready_within_ns / NS_PER_S),
				       stage->run_dir, m->name);
	}
	return err_set(err, ERR_HARNESS, "%s did not start in %d tries; see %s/%s.log", name,
		       REDIS_TRIES, stage->run_dir, name);
}

int part_redis_words(struct stage *stage, const char *name, int port, const void *about,
		     struct arguments *a, struct err *err)
{
	(void)name;
	(void)about;
	(void)err;
	argument_pair(a, "--port", "%d", port);
	argument_pair(a, "--bind", "127.0.0.1");
	argument_pair(a, "--save", "%s", "");
	argument_pair(a, "--appendonly", "no");
	argument_pair(a, "--dir", "%s", stage->run_dir);
	return 0;
}

int part_redis(struct stage *stage, const struct scenario *sc, struct redis_part *ret,
	       struct err *err)
{
	*ret = (struct redis_part){ .servers = 1 };
	if (sc->stack.redis == REDIS_SENTINEL)
		return part_sentinel(stage, ret, err);
	return part_redis_server(stage, "redis", part_redis_words, NULL, &ret->server[0], err);
}
