/* The local stack's redis-server: a real one, on a port the kernel calls free. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
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

/* redis-server has no channel to us: ready is when it answers a PING. */
static bool redis_comes_up(struct member *m, const char *address)
{
	int64_t deadline_ns = clock_now_ns() + ready_within_ns;
	struct loop_timer *timer = loop_timer_new(m->stage->loop, tick, NULL);
	bool up = false;

	while (!m->ended && !m->stage->cancelled && clock_now_ns() < deadline_ns &&
	       !(up = redis_answers(address))) {
		loop_timer_at(timer, clock_now_ns() + 20 * NS_PER_MS);
		loop_run_once(m->stage->loop);
	}
	loop_timer_free(timer);
	return up;
}

int part_redis(struct stage *stage, char *address, size_t size, struct err *err)
{
	char program[4096];

	if (process_on_path("redis-server", program, sizeof(program), err) < 0)
		return -1;
	for (int i = 0; i < REDIS_TRIES; i++) {
		struct arguments a = { .count = 0 };
		struct member *m;
		char name[32];
		int port = free_port(err);

		if (port < 0)
			return -1;
		argument(&a, "%s", program);
		argument_pair(&a, "--port", "%d", port);
		argument_pair(&a, "--bind", "127.0.0.1");
		argument_pair(&a, "--save", "%s", "");
		argument_pair(&a, "--appendonly", "no");
		argument_pair(&a, "--dir", "%s", stage->run_dir);
		snprintf(name, sizeof name, i ? "redis-%d" : "redis", i);
		if (part_start(stage,
			       (struct member_spec){
				       .kind = MEMBER_REDIS, .name = name, .prompt = true },
			       &a, &m, err) < 0)
			return err_context(err, "redis-server");
		snprintf(address, size, "127.0.0.1:%d", port);
		if (redis_comes_up(m, address) && !m->ended)
			return 0;
		if (stage->cancelled)
			return err_set(err, ERR_HARNESS, "interrupted while starting redis-server");
		if (!m->ended)
			return err_set(
				err, ERR_HARNESS,
				"redis-server at %s did not answer within %lld s; see %s/%s.log",
				address, (long long)(ready_within_ns / NS_PER_S), stage->run_dir,
				m->name);
	}
	return err_set(err, ERR_HARNESS, "redis-server did not start in %d tries; see %s/redis.log",
		       REDIS_TRIES, stage->run_dir);
}
