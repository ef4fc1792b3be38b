#include "tap/census.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

enum { LINE_BYTES_MAX = 8192, PORTS = 65536, TOLD_MAX = 256 };
static const int64_t ask_every_ns = NS_PER_S;
/* Redis closes a connection when it reads its end: at once, unless a script keeps it busy. */
static const int64_t known_after_close_ns = 10 * NS_PER_S;

struct census {
	struct loop *loop;
	const struct upstream *redis;
	const struct census_listener *listener;
	void *user;
	struct loop_timer *timer;
	int fd; /* -1: none */
	struct loop_fd *watch;
	uint16_t port; /* of that connection, as in known_until_ns */
	bool asking, is_blind;
	struct buf line;
	uint64_t list_left; /* of CLIENT LIST under way */
	/* our side: by port, until when it is known; behind a unix socket only how many */
	int64_t *known_until_ns;
	char host[ADDRESS_TEXT_MAX];
	int64_t open, closed_ns; /* closed: the last time */
	/* of the list under way */
	unsigned found, unix_clients, surplus, surplus_told;
	struct client_line first;
	char own[128];
	bool own_seen;
	uint64_t told[TOLD_MAX];
	size_t told_count;
};

static void blind(struct census *c, const char *why)
{
	if (!c->is_blind)
		c->listener->blind(c->user, why);
	c->is_blind = true;
}

static void hang_up(struct census *c)
{
	if (c->fd < 0)
		return;
	loop_fd_free(c->watch);
	close(c->fd);
	c->fd = -1;
	c->known_until_ns[c->port] = clock_now_ns() + known_after_close_ns;
	c->asking = false;
	c->list_left = 0;
	c->told_count = 0; /* another Redis counts its clients anew */
	buf_clear(&c->line);
}

/* --- our own connections --- */

/* The port it speaks from; 0 behind a unix socket. */
static uint16_t port_of(struct census *c, int fd)
{
	struct address at = { .size = sizeof at.at };
	char text[ADDRESS_TEXT_MAX], *colon;

	if (getsockname(fd, (struct sockaddr *)&at.at, &at.size) < 0 || at.at.ss_family != AF_INET)
		return 0;
	address_text(&at, text);
	colon = strrchr(text, ':');
	*colon = '\0';
	snprintf(c->host, sizeof c->host, "%s", text);
	return (uint16_t)atoi(colon + 1);
}

uint16_t census_opened(struct census *c, int fd)
{
	uint16_t port = port_of(c, fd);

	c->open++;
	c->known_until_ns[port] = INT64_MAX;
	return port;
}

void census_closed(struct census *c, uint16_t port)
{
	c->open--;
	c->closed_ns = clock_now_ns();
	c->known_until_ns[port] = c->closed_ns + known_after_close_ns;
}

static bool is_ours(const struct census *c, const char *addr)
{
	const char *colon = strrchr(addr, ':');
	size_t host = colon ? (size_t)(colon - addr) : 0;
	long port = colon ? strtol(colon + 1, NULL, 10) : 0;

	return port > 0 && port < PORTS && strlen(c->host) == host &&
	       !memcmp(addr, c->host, host) && c->known_until_ns[port] > clock_now_ns();
}

/* --- the list --- */

static bool was_told(struct census *c, uint64_t id)
{
	for (size_t i = 0; i < c->told_count; i++)
		if (c->told[i] == id)
			return true;
	if (c->told_count == TOLD_MAX)
		return true; /* more is not worth telling */
	c->told[c->told_count++] = id;
	return false;
}

static void on_client(struct census *c, const char *text)
{
	struct client_line client;

	if (!client_line_parse(text, &client))
		return;
	if (!strcmp(client.name, c->own)) {
		/* Behind a unix socket the client has no address of its own. */
		c->own_seen = c->redis->at.at.ss_family != AF_INET || is_ours(c, client.addr);
		return;
	}
	if (client_line_is_known(&client))
		return;
	if (c->redis->at.at.ss_family != AF_INET && strchr(client.flags, 'U')) {
		c->unix_clients++;
		return;
	}
	if (is_ours(c, client.addr) || was_told(c, client.id))
		return;
	if (!c->found++)
		c->first = client;
}

static void on_list_over(struct census *c)
{
	unsigned surplus = 0;

	c->asking = false;
	if (!c->own_seen) {
		blind(c, "Redis sees the tap's connections come from other addresses");
		return;
	}
	if (c->found)
		c->listener->bypassed(c->user, c->found, &c->first);
	if (c->unix_clients > c->open && clock_now_ns() - c->closed_ns > known_after_close_ns)
		surplus = c->unix_clients - (unsigned)c->open;
	if (surplus > c->surplus_told && c->surplus == surplus) {
		c->listener->bypassed(c->user, surplus - c->surplus_told, NULL);
		c->surplus_told = surplus;
	}
	c->surplus = surplus;
}

static void on_line(struct census *c, const char *line)
{
	if (c->list_left) {
		on_client(c, line);
	} else if (*line == '$' || *line == '=') {
		c->list_left = strtoull(line + 1, NULL, 10);
		c->found = c->unix_clients = 0;
		c->own_seen = false;
		if (!c->list_left)
			on_list_over(c); /* not even we are in it */
	} else if (*line == '-' && strncmp(line, "-LOADING", 8) != 0) {
		blind(c, line + 1);
		c->asking = false;
	}
}

static void on_byte(struct census *c, char byte)
{
	bool in_list = c->list_left > 0;

	if (byte != '\n') {
		buf_append(&c->line, &byte, 1); /* a longer line is cut: its fields come first */
	} else {
		if (c->line.len && c->line.data[c->line.len - 1] == '\r')
			c->line.data[--c->line.len] = '\0';
		on_line(c, buf_text(&c->line));
		buf_clear(&c->line);
	}
	if (in_list && --c->list_left == 0)
		on_list_over(c);
}

static void on_ready(void *user, int events)
{
	static const char hello[] = "CLIENT SETNAME %s\r\nCLIENT LIST\r\n";
	struct census *c = user;
	char chunk[16384];
	ssize_t n;

	if (events & LOOP_WRITE) {
		int size = snprintf(chunk, sizeof chunk, hello, c->own);

		loop_fd_want(c->watch, LOOP_READ);
		c->asking = send(c->fd, chunk, (size_t)size, MSG_NOSIGNAL) == size;
		if (!c->asking)
			hang_up(c);
		return;
	}
	n = recv(c->fd, chunk, sizeof chunk, 0);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		hang_up(c);
		return;
	}
	for (ssize_t i = 0; i < n && !c->is_blind; i++)
		on_byte(c, chunk[i]);
	if (c->is_blind)
		hang_up(c);
}

void census_ask(struct census *c)
{
	int seen;

	if (c->is_blind || c->asking)
		return;
	if (c->fd >= 0) {
		c->asking = send(c->fd, "CLIENT LIST\r\n", 13, MSG_NOSIGNAL) == 13;
		if (!c->asking)
			hang_up(c);
		return;
	}
	c->fd = upstream_connect(c->redis, &seen);
	if (c->fd < 0)
		return; /* the next time, then */
	c->port = port_of(c, seen);
	c->known_until_ns[c->port] = INT64_MAX;
	c->watch = loop_fd_new(c->loop, c->fd, on_ready, c);
	loop_fd_want(c->watch, LOOP_WRITE);
	c->asking = true;
}

static void on_time(void *user)
{
	struct census *c = user;

	census_ask(c);
	loop_timer_at(c->timer, clock_now_ns() + ask_every_ns);
}

struct census *census_new(struct loop *loop, const struct upstream *redis,
			  const struct census_listener *listener, void *user)
{
	struct census *c = xcalloc(1, sizeof *c);

	*c = (struct census){ .loop = loop,
			      .redis = redis,
			      .listener = listener,
			      .user = user,
			      .fd = -1,
			      .line = buf_init(LINE_BYTES_MAX) };
	c->known_until_ns = xcalloc(PORTS, sizeof *c->known_until_ns);
	snprintf(c->own, sizeof c->own, "crossfade-tap-%d", (int)getpid());
	c->timer = loop_timer_new(loop, on_time, c);
	on_time(c);
	return c;
}

void census_free(struct census *c)
{
	if (!c)
		return;
	hang_up(c);
	loop_timer_free(c->timer);
	buf_free(&c->line);
	free(c->known_until_ns);
	free(c);
}
