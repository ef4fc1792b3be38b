#include "tap/redis_tap.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "record/names.h"
#include "tap/census.h"
#include "tap/passage.h"

enum { BACKLOG = 512, ACCEPT_AT_ONCE = 16, SPARE_DESCRIPTORS = 64 };

/* One Redis behind the tap. */
struct server {
	struct upstream upstream;
	struct census *census;
};

struct door {
	struct redis_tap *tap;
	struct server *server;
	char *name;
	uint8_t instance, color;
	struct address at;
	int fd;
	struct loop_fd *watch;
};

struct connection {
	struct redis_tap *tap;
	struct server *server;
	struct connection *next, **link;
	uint16_t known; /* to the census */
	struct passage passage;
};

/* What a lever has done: beside it, because a lever is pure. */
struct lever_record {
	int64_t inv_ns;
	uint32_t note, bites;
	bool over;
};

struct redis_tap {
	struct loop *loop;
	struct lane *lane;
	struct key_pattern pattern;
	struct server server[REDIS_TAP_SERVERS_MAX];
	size_t server_count;
	struct levers levers;
	struct lever_record lever_records[LEVERS_MAX];
	struct loop_timer *heal;
	struct door *doors[REDIS_TAP_DOORS_MAX];
	size_t door_count;
	struct connection *connections;
	size_t connection_count, connections_max;
	uint32_t last_conn;
	uint64_t commands, bypassing;
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
	e.instance = c->passage.inspector.instance;
	e.color = c->passage.inspector.color;
	lane_event(c->tap->lane, e);
}

static void connection_event(struct connection *c, enum event_kind kind, size_t unanswered)
{
	struct event e = event_make(kind, clock_now_ns());

	e.conn = c->passage.inspector.conn;
	e.instance = c->passage.inspector.instance;
	e.color = c->passage.inspector.color;
	e.aux = (uint32_t)(c->server - c->tap->server);
	e.n = unanswered > UINT16_MAX ? UINT16_MAX : (uint16_t)unanswered;
	lane_event(c->tap->lane, e);
}

static void limit(struct redis_tap *t, uint32_t note, size_t value)
{
	struct event e = event_make(EVENT_LIMIT, clock_now_ns());

	e.conn = note;
	e.aux = (uint32_t)value;
	lane_event(t->lane, e);
}

static void on_bypassed(void *user, unsigned count, const struct client_line *first)
{
	struct redis_tap *t = user;
	struct event e = event_make(EVENT_BYPASS, clock_now_ns());

	e.n = count > UINT16_MAX ? UINT16_MAX : (uint16_t)count;
	e.aux = (uint32_t)t->connection_count;
	e.conn = first ? lane_note(t->lane, "%s, name \"%s\", last command %s", first->addr,
				   first->name, first->command) :
			 lane_note(t->lane, "more clients at the unix socket than the tap's");
	t->bypassing += count;
	lane_event(t->lane, e);
}

static void on_census_blind(void *user, const char *why)
{
	struct redis_tap *t = user;

	limit(t, lane_note(t->lane, "tap: clients past the tap cannot be told: %s", why), 0);
}

/* --- levers --- */

static void fault_event(struct redis_tap *t, const struct lever *l, enum event_kind kind)
{
	struct lever_record *record = &t->lever_records[l->number - 1];
	struct event e = event_make(kind, clock_now_ns());

	e.n = (uint16_t)l->number;
	e.conn = record->note;
	e.color = (uint8_t)l->color;
	if (kind == EVENT_FAULT_INV)
		record->inv_ns = e.t_ns;
	else
		e.due_ns = record->inv_ns;
	e.aux = record->bites;
	lane_event(t->lane, e);
}

static void over(struct redis_tap *t, const struct lever *l)
{
	struct lever_record *record = &t->lever_records[l->number - 1];

	if (!record->over)
		fault_event(t, l, EVENT_FAULT_HEAL);
	record->over = true;
}

static void on_bite(void *user, const struct event *inv, const struct lever *l)
{
	struct connection *c = user;
	struct redis_tap *t = c->tap;
	struct event e = event_make(EVENT_BITE, clock_now_ns());

	e.due_ns = inv->t_ns;
	e.n = (uint16_t)l->number;
	e.conn = inv->conn;
	e.instance = inv->instance;
	e.color = inv->color;
	e.call = inv->call;
	e.code = inv->code;
	lane_event(t->lane, e);
	t->lever_records[l->number - 1].bites++;
	if (l->action == LEVER_HOLD && l->for_ns)
		loop_timer_at(t->heal, l->hold_until_ns);
	else if (l->action != LEVER_HOLD && !l->armed &&
		 l->taken == t->lever_records[l->number - 1].bites)
		over(t, l);
}

static void disarm(struct redis_tap *t, struct lever *l)
{
	levers_disarm(&t->levers, l);
	for (struct connection *c = t->connections, *next; c; c = next) {
		next = c->next;
		passage_release(&c->passage, l);
	}
	over(t, l);
}

/* Holds with a time end by themselves. */
static void on_heal(void *user)
{
	struct redis_tap *t = user;
	int64_t now_ns = clock_now_ns(), next_ns = INT64_MAX;

	for (size_t i = 0; i < t->levers.count; i++) {
		struct lever *l = &t->levers.list[i];

		if (!l->hold_until_ns || t->lever_records[i].over)
			continue;
		if (l->hold_until_ns <= now_ns)
			disarm(t, l);
		else if (l->hold_until_ns < next_ns)
			next_ns = l->hold_until_ns;
	}
	loop_timer_at(t->heal, next_ns);
}

static int arm(struct redis_tap *t, const char *text, struct err *err)
{
	struct lever *l;

	if (levers_arm(&t->levers, text, &l, err) < 0)
		return err_context(err, "tap");
	t->lever_records[l->number - 1].note = lane_note(t->lane, "tap: %s", l->text);
	fault_event(t, l, EVENT_FAULT_INV);
	fault_event(t, l, EVENT_FAULT_OK);
	return 0;
}

int redis_tap_lever(struct redis_tap *t, const char *text, struct err *err)
{
	char name[LEVER_WORD_MAX];
	bool any = false;

	if (!lever_disarms(text, name))
		return arm(t, text, err);
	for (size_t i = 0; i < t->levers.count; i++) {
		struct lever *l = &t->levers.list[i];

		if (*name && strcmp(name, l->name) != 0)
			continue;
		any = true;
		if (!t->lever_records[i].over)
			disarm(t, l);
	}
	if (*name && !any)
		return err_set(err, ERR_INPUT, "tap: disarm %s: no lever has that name", name);
	return 0;
}

/* --- connections --- */

static void connection_free(struct connection *c)
{
	struct redis_tap *t = c->tap;
	size_t unanswered = passage_free(&c->passage);

	connection_event(c, EVENT_TAP_CLOSE, unanswered);
	if (c->server->census)
		census_closed(c->server->census, c->known);
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

static void welcome(struct door *d, int near)
{
	static const struct passage_listener listener = {
		.event = on_event, .blind = on_blind, .bite = on_bite, .ended = on_ended
	};
	struct redis_tap *t = d->tap;
	struct connection *c;
	int far, seen, on = 1;

	if (t->connection_count == t->connections_max) {
		limit(t, lane_note(t->lane, "tap: no more connections"), t->connections_max);
		close(near);
		return;
	}
	far = upstream_connect(&d->server->upstream, &seen);
	if (far < 0) {
		close(near); /* as if Redis had refused it */
		return;
	}
	if (d->at.at.ss_family == AF_INET)
		setsockopt(near, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	c = xcalloc(1, sizeof *c);
	c->tap = t;
	c->server = d->server;
	passage_init(&c->passage, t->loop, &listener, c, &t->pattern, &t->levers, d->name);
	c->passage.inspector.conn = ++t->last_conn;
	c->passage.inspector.instance = d->instance;
	c->passage.inspector.color = d->color;
	c->next = t->connections;
	if (c->next)
		c->next->link = &c->next;
	c->link = &t->connections;
	t->connections = c;
	t->connection_count++;
	connection_event(c, EVENT_TAP_OPEN, 0);
	if (c->server->census)
		c->known = census_opened(c->server->census, seen);
	passage_open(&c->passage, near, far);
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
	size_t most = REDIS_TAP_CONNECTIONS_MAX;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= 2 * most + SPARE_DESCRIPTORS)
		return most;
	return limit.rlim_cur > SPARE_DESCRIPTORS ? (limit.rlim_cur - SPARE_DESCRIPTORS) / 2 : 1;
}

int redis_tap_new(struct loop *loop, struct lane *lane, const char *key,
		  const struct address *redis, struct redis_tap **ret, struct err *err)
{
	struct redis_tap *t = xcalloc(1, sizeof *t);

	*t = (struct redis_tap){ .loop = loop,
				 .lane = lane,
				 .connections_max = connections_possible() };
	redis_tap_behind(t, redis);
	if (key_pattern_init(&t->pattern, key) < 0) {
		free(t);
		return err_set(err, ERR_INPUT, "state.key %s: has no ${call}", key);
	}
	t->heal = loop_timer_new(loop, on_heal, t);
	*ret = t;
	return 0;
}

void redis_tap_watch(struct redis_tap *t)
{
	static const struct census_listener listener = { .bypassed = on_bypassed,
							 .blind = on_census_blind };

	for (size_t i = 0; i < t->server_count; i++) {
		struct server *s = &t->server[i];

		ASSERT(s->census || !t->connections);
		if (!s->census)
			s->census = census_new(t->loop, &s->upstream, &listener, t);
		else
			census_ask(s->census);
	}
}

void redis_tap_behind(struct redis_tap *t, const struct address *redis)
{
	ASSERT(t->server_count < REDIS_TAP_SERVERS_MAX);
	t->server[t->server_count++].upstream.at = *redis;
}

void redis_tap_through(struct redis_tap *t, struct tls_tunnels *tls)
{
	t->server[0].upstream.tls = tls;
}

int redis_tap_listen(struct redis_tap *t, size_t server, const char *instance, enum color color,
		     struct address *at, struct err *err)
{
	struct door *d;
	int fd;

	ASSERT(server < t->server_count);
	if (t->door_count == REDIS_TAP_DOORS_MAX)
		return err_set(err, ERR_INPUT, "tap: more than %d instances", REDIS_TAP_DOORS_MAX);
	fd = address_listen(at, BACKLOG, err);
	if (fd < 0)
		return err_context(err, "tap: for %s", instance);
	d = xcalloc(1, sizeof *d);
	*d = (struct door){ .tap = t,
			    .server = &t->server[server],
			    .fd = fd,
			    .at = *at,
			    .name = xstrdup(instance),
			    .color = (uint8_t)color,
			    .instance = lane_instance(t->lane, instance) };
	d->watch = loop_fd_new(t->loop, fd, on_knock, d);
	loop_fd_want(d->watch, LOOP_READ);
	t->doors[t->door_count++] = d;
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

uint64_t redis_tap_bypassing(const struct redis_tap *t)
{
	return t->bypassing;
}

static void close_door(struct door *d)
{
	char text[ADDRESS_TEXT_MAX];

	loop_fd_free(d->watch);
	close(d->fd);
	address_text(&d->at, text);
	if (d->at.at.ss_family == AF_UNIX)
		unlink(text + strlen("unix:"));
	free(d->name);
	free(d);
}

void redis_tap_free(struct redis_tap *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->door_count; i++)
		close_door(t->doors[i]);
	while (t->connections)
		connection_free(t->connections);
	for (size_t i = 0; i < t->server_count; i++)
		census_free(t->server[i].census);
	for (size_t i = 0; i < t->levers.count; i++)
		over(t, &t->levers.list[i]);
	loop_timer_free(t->heal);
	key_pattern_free(&t->pattern);
	call_names_free(&t->calls);
	free(t);
}
