/* The local stack: a real redis-server, the tap before it, agents of both colors, the edge before
 * them. */
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "director/stage.h"
#include "net/redis.h"

enum { ARGUMENTS_MAX = 96, REDIS_TRIES = 5 };
static const int64_t ready_within_ns = 20 * NS_PER_S;

/* An argv under construction; the strings live as long as it. */
struct arguments {
	char *word[ARGUMENTS_MAX + 1];
	size_t count;
};

static void argument(struct arguments *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void argument(struct arguments *a, const char *fmt, ...)
{
	va_list ap;

	ASSERT(a->count < ARGUMENTS_MAX);
	va_start(ap, fmt);
	if (vasprintf(&a->word[a->count], fmt, ap) < 0)
		a->word[a->count] = xstrdup("");
	va_end(ap);
	a->word[++a->count] = NULL;
}

static void arguments_free(struct arguments *a)
{
	while (a->count)
		free(a->word[--a->count]);
}

static int start(struct stage *stage, struct member_spec spec, struct arguments *a,
		 struct member **ret, struct err *err)
{
	int result;

	spec.argv = (const char *const *)a->word;
	spec.program = a->word[0];
	result = stage_start(stage, &spec, ret, err);
	arguments_free(a);
	return result;
}

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

static int start_redis(struct stage *stage, char *address, size_t size, struct err *err)
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
		argument(&a, "--port");
		argument(&a, "%d", port);
		argument(&a, "--bind");
		argument(&a, "127.0.0.1");
		argument(&a, "--save");
		argument(&a, "%s", "");
		argument(&a, "--appendonly");
		argument(&a, "no");
		argument(&a, "--dir");
		argument(&a, "%s", stage->run_dir);
		snprintf(name, sizeof name, i ? "redis-%d" : "redis", i);
		if (start(stage,
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

static void instance_name(char *out, size_t size, enum color color, int i)
{
	snprintf(out, size, "%s-%d", color_name(color), i + 1);
}

static int start_tap(struct stage *stage, const struct scenario *sc, const char *redis,
		     const char *bindings, struct member **ret, struct err *err)
{
	struct control_message bind = control_make(CONTROL_BIND, 0, 0);
	struct arguments a = { .count = 0 };
	struct buf text = buf_init(CONTROL_TEXT_MAX);
	char self[4096], name[32];
	int result = -1;

	if (process_beside("crossfade", self, sizeof self, err) < 0)
		return -1;
	argument(&a, "%s", self);
	argument(&a, "__tap");
	argument(&a, "--dir");
	argument(&a, "%s", stage->run_dir);
	buf_printf(&text, "%sredis=%s\ninstances=", bindings, redis);
	for (enum color c = COLOR_BLUE; c <= COLOR_GREEN; c++)
		for (int i = 0; i < sc->stack.instances; i++) {
			instance_name(name, sizeof name, c, i);
			buf_printf(&text, "%s%s:%s", c == COLOR_BLUE && i == 0 ? "" : ",", name,
				   color_name(c));
		}
	buf_puts(&text, "\n");
	control_text(&bind, "%s", buf_text(&text));
	if (!start(stage,
		   (struct member_spec){
			   .kind = MEMBER_TAP, .name = "tap", .control = true, .prompt = true },
		   &a, ret, err) &&
	    !stage_send(*ret, &bind) && !stage_await_ready(*ret, ready_within_ns, err))
		result = 0;
	buf_free(&text);
	return result;
}

static int start_agent(struct stage *stage, const struct scenario *sc, enum color color, int i,
		       const char *redis, struct member **ret, struct err *err)
{
	const char *defect = color == COLOR_GREEN && sc->stack.green_defect ?
				     sc->stack.green_defect :
				     sc->stack.agent_defect;
	struct arguments a = { .count = 0 };
	char program[4096], name[32];
	const char *brace = strchr(sc->state.key, '$');

	if (process_beside("fixtures/agent/main", program, sizeof program, err) < 0)
		return -1;
	instance_name(name, sizeof name, color, i);
	argument(&a, "%s", program);
	argument(&a, "--color");
	argument(&a, "%s", color_name(color));
	argument(&a, "--instance");
	argument(&a, "%s", name);
	argument(&a, "--listen");
	argument(&a, "127.0.0.1:0");
	argument(&a, "--redis");
	argument(&a, "%s", redis);
	argument(&a, "--key-prefix");
	argument(&a, "%.*s", brace ? (int)(brace - sc->state.key) : 5,
		 brace ? sc->state.key : "call:");
	argument(&a, "--ttl-s");
	argument(&a, "%lld", (long long)(sc->state.ttl_ns / NS_PER_S));
	argument(&a, "--think-ms");
	argument(&a, "%lld", (long long)(sc->stack.think_ns / NS_PER_MS));
	if (defect) {
		argument(&a, "--defect");
		argument(&a, "%s", defect);
	}
	return start(stage,
		     (struct member_spec){
			     .kind = MEMBER_AGENT, .name = name, .color = color, .control = true },
		     &a, ret, err);
}

/* What the part really does: the overlay's value, else what the timers declare. */
static long long seconds(int64_t really_ns, int64_t declared_ns)
{
	return (really_ns >= 0 ? really_ns : declared_ns) / NS_PER_S;
}

static int start_edge(struct stage *stage, const struct scenario *sc, const struct buf *targets,
		      struct member **ret, struct err *err)
{
	const struct stack *s = &sc->stack;
	struct arguments a = { .count = 0 };
	char program[4096];

	if (process_beside("fixtures/alb/main", program, sizeof program, err) < 0)
		return -1;
	argument(&a, "%s", program);
	argument(&a, "--listen");
	argument(&a, "127.0.0.1:0");
	argument(&a, "--control");
	argument(&a, "127.0.0.1:0");
	argument(&a, "--path");
	argument(&a, "%s", sc->balancer.path);
	for (const char *t = buf_text(targets); *t;) { /* one "color=address" a line */
		size_t length = strcspn(t, "\n");

		argument(&a, "--target");
		argument(&a, "%.*s", (int)length, t);
		t += length + (t[length] == '\n');
	}
	argument(&a, "--weights");
	argument(&a, "blue=100,green=0");
	argument(&a, "--group-stickiness-s");
	argument(&a, "%lld", seconds(s->stickiness_ns, sc->timers.stickiness_group_ns));
	argument(&a, "--target-stickiness-s");
	argument(&a, "%lld", seconds(s->stickiness_ns, sc->timers.stickiness_target_ns));
	argument(&a, "--deregistration-delay-s");
	argument(&a, "%lld",
		 seconds(s->deregistration_delay_ns, sc->timers.deregistration_delay_ns));
	argument(&a, "--idle-timeout-s");
	argument(&a, "%lld", seconds(s->idle_ns, sc->timers.idle_ns));
	argument(&a, "--health-path");
	argument(&a, "/healthz/realtime");
	argument(&a, "--health-interval-ms");
	argument(&a, "500");
	argument(&a, "--health-timeout-ms");
	argument(&a, "2000");
	argument(&a, "--healthy");
	argument(&a, "2");
	argument(&a, "--unhealthy");
	argument(&a, "2");
	argument(&a, "--seed");
	argument(&a, "%llu", (unsigned long long)sc->seed);
	if (start(stage,
		  (struct member_spec){ .kind = MEMBER_BALANCER, .name = "alb", .control = true },
		  &a, ret, err) < 0)
		return -1;
	return stage_await_ready(*ret, ready_within_ns, err);
}

int stage_local_up(struct stage *stage, const struct scenario *sc, struct buf *bindings,
		   struct err *err)
{
	struct member *tap = NULL, *edge, *agents[COLOR_COUNT][STAGE_INSTANCES_MAX];
	struct buf targets = buf_init(8192), instances = buf_init(CONTROL_TEXT_MAX);
	char redis[64], address[128], name[32];
	int result = -1;

	if (sc->stack.instances > STAGE_INSTANCES_MAX) {
		err_set(err, ERR_INPUT,
			"stack.instances is %d; the local stack runs at most %d per color",
			sc->stack.instances, STAGE_INSTANCES_MAX);
		goto out;
	}
	if (start_redis(stage, redis, sizeof redis, err) < 0)
		goto out;
	if (sc->state.tap && start_tap(stage, sc, redis, buf_text(bindings), &tap, err) < 0)
		goto out;
	for (enum color c = COLOR_BLUE; c <= COLOR_GREEN; c++)
		for (int i = 0; i < sc->stack.instances; i++) {
			instance_name(name, sizeof name, c, i);
			if (!tap)
				snprintf(address, sizeof address, "%s", redis);
			else if (!control_value(tap->greeting, name, address, sizeof address)) {
				err_set(err, ERR_HARNESS, "the tap has no port for %s", name);
				goto out;
			}
			if (start_agent(stage, sc, c, i, address, &agents[c][i], err) < 0)
				goto out;
		}
	for (enum color c = COLOR_BLUE; c <= COLOR_GREEN; c++)
		for (int i = 0; i < sc->stack.instances; i++) {
			struct member *m = agents[c][i];

			if (stage_await_ready(m, ready_within_ns, err) < 0)
				goto out;
			if (!control_value(m->greeting, "listen", address, sizeof address)) {
				err_set(err, ERR_HARNESS, "%s did not say where it listens",
					m->name);
				goto out;
			}
			buf_printf(&targets, "%s=%s\n", color_name(c), address);
			buf_printf(&instances, "%s%s:%s:%s", instances.len ? "," : "", m->name,
				   color_name(c), address);
		}
	if (start_edge(stage, sc, &targets, &edge, err) < 0)
		goto out;
	if (!control_value(edge->greeting, "listen", address, sizeof address)) {
		err_set(err, ERR_HARNESS, "the edge did not say where it listens");
		goto out;
	}
	buf_printf(bindings, "redis=%s\nalb=%s\n", redis, address);
	if (!control_value(edge->greeting, "control", address, sizeof address)) {
		err_set(err, ERR_HARNESS, "the edge did not say where its control port is");
		goto out;
	}
	buf_printf(bindings, "balancer=http://%s/\ninstances=%s\n", address, buf_text(&instances));
	result = 0;
out:
	buf_free(&targets);
	buf_free(&instances);
	return result;
}
