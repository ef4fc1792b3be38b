#include "tap/redis_tap.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "record/names.h"
#include "tap/inspector.h"
#include "tap/relay.h"

enum { BACKLOG = 512, ACCEPT_AT_ONCE = 16, SPARE_DESCRIPTORS = 64 };

struct door {
	struct redis_tap *tap;
	uint8_t instance, color;
	int fd;
	struct loop_fd *watch;
};

struct connection {
	struct redis_tap *tap;
	struct connection *next, **link;
	struct relay *relay;
	struct inspector inspector;
};

struct redis_tap {
	struct loop *loop;
	struct lane *lane;
	struct key_pattern pattern;
	struct sockaddr_in redis;
	struct door *doors[REDIS_TAP_DOORS_MAX];
	size_t door_count;
	struct connection *connections;
	size_t connection_count, connections_max;
	uint32_t last_conn;
	uint64_t commands;
	struct call_names calls; /* told to the lane already */
};

/* --- the record --- */

static void on_event(void *user, const struct event *e, const char *id)
{
	struct connection *c = user;
	struct redis_tap *t = c->tap;

	if (id && !*call_names_id(&t->calls, e->call)) {
		call_names_add(&t->calls, e->call, id, strlen(id));
		lane_call(t->lane, e->call, id);
	}
	t->commands += e->kind == EVENT_CMD_INV;
	lane_event(t->lane, *e);
}

static void on_blind(void *user, const char *why)
{
	struct connection *c = user;
	struct event e = event_make(EVENT_LIMIT, clock_now_ns());

	e.conn = lane_note(c->tap->lane, "tap: a connection is passed on unread: %s", why);
	e.instance = c->inspector.instance;
	e.color = c->inspector.color;
	lane_event(c->tap->lane, e);
}

static void connection_event(struct connection *c, enum event_kind kind, size_t unanswered)
{
	struct event e = event_make(kind, clock_now_ns());

	e.conn = c->inspector.conn;
	e.instance = c->inspector.instance;
	e.color = c->inspector.color;
	e.n = unanswered > UINT16_MAX ? UINT16_MAX : (uint16_t)unanswered;
	lane_event(c->tap->lane, e);
}

static void full(struct redis_tap *t)
{
	struct event e = event_make(EVENT_LIMIT, clock_now_ns());

	e.conn = lane_note(t->lane, "tap: no more connections");
	e.aux = (uint32_t)t->connections_max;
	lane_event(t->lane, e);
}

/* --- connections --- */

static void on_pass(void *user, enum relay_side from, const char *data, size_t size)
{
	struct connection *c = user;
	int64_t now_ns = clock_now_ns();

	if (from == RELAY_NEAR)
		inspector_commands(&c->inspector, data, size, now_ns);
	else
		inspector_replies(&c->inspector, data, size, now_ns);
}

static void connection_free(struct connection *c)
{
	struct redis_tap *t = c->tap;

	connection_event(c, EVENT_TAP_CLOSE, inspector_end(&c->inspector, clock_now_ns()));
	inspector_free(&c->inspector);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	t->connection_count--;
	free(c);
}

static void on_ended(void *user)
{
	connection_free(user);
}

static int connect_redis(const struct redis_tap *t)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(fd, (const struct sockaddr *)&t->redis, sizeof t->redis) < 0 &&
	    errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

static void welcome(struct door *d, int near)
{
	static const struct inspector_listener listener = { .event = on_event, .blind = on_blind };
	static const struct relay_owner owner = { .pass = on_pass, .ended = on_ended };
	struct redis_tap *t = d->tap;
	struct connection *c;
	int far, on = 1;

	if (t->connection_count == t->connections_max) {
		full(t);
		close(near);
		return;
	}
	far = connect_redis(t);
	if (far < 0) {
		close(near); /* as if Redis had refused it */
		return;
	}
	setsockopt(near, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	c = xcalloc(1, sizeof *c);
	c->tap = t;
	inspector_init(&c->inspector, &listener, c, &t->pattern);
	c->inspector.conn = ++t->last_conn;
	c->inspector.instance = d->instance;
	c->inspector.color = d->color;
	c->next = t->connections;
	if (c->next)
		c->next->link = &c->next;
	c->link = &t->connections;
	t->connections = c;
	t->connection_count++;
	connection_event(c, EVENT_TAP_OPEN, 0);
	c->relay = relay_new(t->loop, near, far, &owner, c);
}

static void on_knock(void *user, int events)
{
	struct door *d = user;

	(void)events;
	for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
		int near = accept4(d->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (near < 0)
			break;
		welcome(d, near);
	}
}

/* --- the tap --- */

static size_t connections_possible(void)
{
	struct rlimit limit;
	size_t most = REDIS_TAP_CONNECTIONS_MAX;

	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < 2 * most + SPARE_DESCRIPTORS)
		most = limit.rlim_cur > SPARE_DESCRIPTORS ?
			       (limit.rlim_cur - SPARE_DESCRIPTORS) / 2 :
			       1;
	return most;
}

int redis_tap_new(struct loop *loop, struct lane *lane, const char *key,
		  const struct sockaddr_in *redis, struct redis_tap **ret, struct err *err)
{
	struct redis_tap *t = xcalloc(1, sizeof *t);

	t->loop = loop;
	t->lane = lane;
	t->redis = *redis;
	t->connections_max = connections_possible();
	if (key_pattern_init(&t->pattern, key) < 0) {
		free(t);
		return err_set(err, ERR_INPUT, "state.key %s: has no ${call}", key);
	}
	*ret = t;
	return 0;
}

int redis_tap_listen(struct redis_tap *t, const char *instance, enum color color,
		     uint16_t *ret_port, struct err *err)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof at;
	struct door *d;
	int fd;

	if (t->door_count == REDIS_TAP_DOORS_MAX)
		return err_set(err, ERR_HARNESS, "tap: more than %d instances",
			       REDIS_TAP_DOORS_MAX);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, size) < 0 || listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &size) < 0) {
		err_errno(err, ERR_HARNESS, errno, "tap: listen on 127.0.0.1 for %s", instance);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	d = xcalloc(1, sizeof *d);
	*d = (struct door){ .tap = t,
			    .fd = fd,
			    .color = (uint8_t)color,
			    .instance = lane_instance(t->lane, instance) };
	d->watch = loop_fd_new(t->loop, fd, on_knock, d);
	loop_fd_want(d->watch, LOOP_READ);
	t->doors[t->door_count++] = d;
	*ret_port = ntohs(at.sin_port);
	return 0;
}

size_t redis_tap_connections(const struct redis_tap *t)
{
	return t->connection_count;
}

uint64_t redis_tap_commands(const struct redis_tap *t)
{
	return t->commands;
}

void redis_tap_free(struct redis_tap *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->door_count; i++) {
		loop_fd_free(t->doors[i]->watch);
		close(t->doors[i]->fd);
		free(t->doors[i]);
	}
	while (t->connections) {
		relay_free(t->connections->relay);
		connection_free(t->connections);
	}
	key_pattern_free(&t->pattern);
	call_names_free(&t->calls);
	free(t);
}
