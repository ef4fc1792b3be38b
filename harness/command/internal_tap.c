/* The Redis tap as a process, spawned by the supervisor. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/core/child.h"
#include "command/core/heartbeat.h"
#include "net/process.h"
#include "tap/redis_tap.h"

static const int64_t lane_every_ns = 50 * NS_PER_MS;
static const int64_t heartbeat_every_ns = 250 * NS_PER_MS;

struct tap_process {
	struct loop *loop;
	struct lane *lane;
	struct redis_tap *tap;
	struct loop_timer *ticker;
	int64_t tick_due_ns, heartbeat_due_ns, lag_ns;
	bool stopping, orphaned;
	int status;
};

static void on_tick(void *user)
{
	struct tap_process *p = user;
	struct control_message m = control_make(CONTROL_COUNTERS, 0, 0);
	int64_t now_ns = clock_now_ns();

	if (now_ns - p->tick_due_ns > p->lag_ns)
		p->lag_ns = now_ns - p->tick_due_ns;
	if (now_ns >= p->heartbeat_due_ns) {
		lane_event(p->lane, heartbeat(ROLE_TAP, 0, p->lag_ns));
		p->lag_ns = 0;
		p->heartbeat_due_ns = now_ns + heartbeat_every_ns;
		control_send(PROCESS_CONTROL_FD, &m);
	}
	lane_tick(p->lane, now_ns);
	if (lane_broken(p->lane)) {
		p->status = EXIT_HARNESS;
		loop_stop(p->loop);
	}
	if (p->stopping && !redis_tap_connections(p->tap))
		loop_stop(p->loop);
	p->tick_due_ns = now_ns + lane_every_ns;
	loop_timer_at(p->ticker, p->tick_due_ns);
}

static void pull(struct tap_process *p, const char *lever)
{
	struct control_message answer = control_make(CONTROL_LEVERED, 0, 0);
	struct err err = { .kind = ERR_NONE };

	if (redis_tap_lever(p->tap, lever, &err) < 0) {
		answer.a = 1;
		control_text(&answer, "%s", err.text);
	}
	control_send(PROCESS_CONTROL_FD, &answer);
}

static void on_control(void *user, int events)
{
	struct tap_process *p = user;
	struct control_message m;
	int n = control_receive(PROCESS_CONTROL_FD, &m);

	(void)events;
	if (n <= 0) {
		p->orphaned = true;
		loop_stop(p->loop);
	} else if (m.type == CONTROL_ABORT) {
		loop_stop(p->loop);
	} else if (m.type == CONTROL_STOP) {
		p->stopping = true;
	} else if (m.type == CONTROL_LEVER) {
		pull(p, m.text);
	}
}

/* "NAME=HOST:PORT,HOST:PORT\n": the doors of one instance, one a server. */
static int open_doors_of(struct redis_tap *tap, size_t servers, const char *name, enum color color,
			 struct buf *told, struct err *err)
{
	char text[ADDRESS_TEXT_MAX];
	struct address at;

	buf_printf(told, "%s=", name);
	for (size_t i = 0; i < servers; i++) {
		if (address_parse("127.0.0.1:0", true, &at, err) < 0 ||
		    redis_tap_listen(tap, i, name, color, &at, err) < 0)
			return -1;
		address_text(&at, text);
		buf_printf(told, "%s%s", i ? "," : "", text);
	}
	buf_puts(told, "\n");
	return 0;
}

/* "blue-1:blue,green-1:green" -> doors for each, told in the greeting. */
static int open_doors(struct redis_tap *tap, size_t servers, const char *instances,
		      struct control_message *greeting, struct err *err)
{
	struct buf text = buf_init(CONTROL_TEXT_MAX - 1);
	int result = 0;

	while (*instances && !result) {
		char name[32], color[16];
		int parsed, used = 0;

		if (sscanf(instances, "%31[^:,]:%15[^:,]%n", name, color, &used) != 2) {
			result = err_set(err, ERR_HARNESS, "tap: instances=%s: not NAME:COLOR,...",
					 instances);
			break;
		}
		parsed = color_parse(color);
		result = open_doors_of(tap, servers, name,
				       parsed > 0 ? (enum color)parsed : COLOR_UNKNOWN, &text, err);
		if (!result && text.overflow)
			result = err_set(err, ERR_HARNESS, "tap: more addresses than %d bytes",
					 CONTROL_TEXT_MAX);
		instances += used;
		instances += *instances == ',';
	}
	control_text(greeting, "%s", buf_text(&text));
	buf_free(&text);
	return result;
}

/* "HOST:PORT,...", the first is what the tap is made with; how many. */
static int stand_before(struct tap_process *p, const char *key, char *redis, size_t *ret_servers,
			struct err *err)
{
	char *rest = redis, *text;
	struct address at;
	int result = 0;

	*ret_servers = 0;
	while (!result && (text = strsep(&rest, ","))) {
		if (address_parse(text, false, &at, err) < 0)
			result = err_context(err, "tap: redis");
		else if (!p->tap)
			result = redis_tap_new(p->loop, p->lane, key, &at, &p->tap, err);
		else if (*ret_servers < REDIS_TAP_SERVERS_MAX)
			redis_tap_behind(p->tap, &at);
		else
			result = err_set(err, ERR_HARNESS, "tap: more than %d servers of Redis",
					 REDIS_TAP_SERVERS_MAX);
		++*ret_servers;
	}
	return result;
}

/* "levers=LEVER; LEVER": armed before the first connection. */
static int pull_first(struct tap_process *p, const struct control_message *bind, struct err *err)
{
	char levers[CONTROL_TEXT_MAX], *rest = NULL;

	if (!control_value(bind, "levers", levers, sizeof levers))
		return 0;
	for (char *l = strtok_r(levers, ";", &rest); l; l = strtok_r(NULL, ";", &rest))
		if (redis_tap_lever(p->tap, l, err) < 0)
			return -1;
	return 0;
}

static int bind_tap(struct tap_process *p, const char *dir, const struct scenario *scenario,
		    const struct control_message *bind, struct control_message *greeting,
		    struct err *err)
{
	struct lane_identity identity = { .seed = scenario->seed, .role = ROLE_TAP };
	char redis[300], instances[CONTROL_TEXT_MAX];
	size_t servers;

	if (!control_value(bind, "run_id", identity.run, sizeof identity.run) ||
	    !control_value(bind, "redis", redis, sizeof redis) ||
	    !control_value(bind, "instances", instances, sizeof instances))
		return err_set(err, ERR_HARNESS,
			       "tap: run_id, redis and instances are needed to begin");
	scenario_digest(scenario, identity.scenario_digest);
	if (lane_open(dir, &identity, &p->lane, err) < 0)
		return -1;
	if (stand_before(p, scenario->state.key, redis, &servers, err) < 0 ||
	    pull_first(p, bind, err) < 0)
		return -1;
	redis_tap_watch(p->tap);
	return open_doors(p->tap, servers, instances, greeting, err);
}

static void serve(struct tap_process *p)
{
	struct loop_fd *control = loop_fd_new(p->loop, PROCESS_CONTROL_FD, on_control, p);

	p->ticker = loop_timer_new(p->loop, on_tick, p);
	p->tick_due_ns = clock_now_ns();
	loop_fd_want(control, LOOP_READ);
	on_tick(p);
	loop_run(p->loop);
	loop_timer_free(p->ticker);
	loop_fd_free(control);
}

static int tap_process(const struct child *child, struct err *err)
{
	struct tap_process p = { .loop = NULL };
	struct control_message bind, greeting = control_make(CONTROL_READY, 0, 0);
	int result = child_await_bind("tap", &bind, err);

	if (result <= 0)
		return result;
	p.loop = loop_new();
	result = bind_tap(&p, child->dir, child->scenario, &bind, &greeting, err);
	if (!result && control_send(PROCESS_CONTROL_FD, &greeting) < 0)
		result = err_errno(err, ERR_HARNESS, errno, "tap: say ready");
	if (!result)
		serve(&p);
	redis_tap_free(p.tap);
	if (p.orphaned) { /* the run was killed: what was seen is kept, and the lane has no end */
		lane_flush(p.lane);
		_exit(EXIT_HARNESS);
	}
	if (lane_close(p.lane, err) < 0)
		result = -1;
	loop_free(p.loop);
	return result ? -1 : p.status;
}

static int tap_main(int argc, char **argv)
{
	static const struct flag table[] = { { .name = "--dir", .takes_value = true } };

	return child_main("__tap", table, 1, argc, argv, tap_process);
}

const struct command command_internal_tap = {
	.name = "__tap",
	.usage = "--dir RUN",
	.about = "passes Redis commands on and records them",
	.help = "",
	.run = tap_main,
};
