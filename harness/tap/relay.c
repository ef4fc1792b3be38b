#include "tap/relay.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"

struct end {
	struct relay *relay;
	int fd;
	struct loop_fd *watch;
	struct buf queue; /* to be written to fd */
	bool connecting;
	bool finished;     /* it sent its end of stream */
	bool told_the_end; /* we sent it ours */
};

struct relay {
	const struct relay_owner *owner;
	void *user;
	struct end end[RELAY_SIDES];
};

static struct end *other(struct end *e)
{
	return &e->relay->end[e == &e->relay->end[RELAY_NEAR] ? RELAY_FAR : RELAY_NEAR];
}

static void want(struct end *e)
{
	struct end *to = other(e);
	int events = 0;

	if (!e->finished && !e->connecting && !to->connecting &&
	    to->queue.len + RELAY_CHUNK_BYTES <= RELAY_QUEUE_BYTES_MAX)
		events |= LOOP_READ;
	if (e->connecting || e->queue.len)
		events |= LOOP_WRITE;
	loop_fd_want(e->watch, events);
}

static void end_all(struct relay *r)
{
	const struct relay_owner *owner = r->owner;
	void *user = r->user;

	relay_free(r);
	owner->ended(user);
}

/* One side broke: the other one shall see the same, not an orderly end. */
static void broke(struct end *e)
{
	struct linger reset = { .l_onoff = 1 };

	setsockopt(other(e)->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	end_all(e->relay);
}

static bool try_again(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* 0, or -1 when the side is broken. */
static int flush(struct end *e)
{
	while (e->queue.len) {
		ssize_t n = send(e->fd, e->queue.data, e->queue.len, MSG_NOSIGNAL);

		if (n < 0)
			return try_again() ? 0 : -1;
		buf_consume(&e->queue, (size_t)n);
	}
	return 0;
}

static int pass_on(struct end *to, const char *data, size_t size)
{
	ssize_t n = 0;

	if (!to->queue.len) {
		n = send(to->fd, data, size, MSG_NOSIGNAL);
		if (n < 0 && !try_again())
			return -1;
		if (n < 0)
			n = 0;
	}
	/* There is room: no more is read than fits. */
	return buf_append(&to->queue, data + n, size - (size_t)n);
}

/* 0 to go on, -1 when e is broken, -2 when the other one is. */
static int take(struct end *e)
{
	struct relay *r = e->relay;
	char chunk[RELAY_CHUNK_BYTES];
	ssize_t n = recv(e->fd, chunk, sizeof chunk, 0);

	if (n < 0)
		return try_again() ? 0 : -1;
	if (n == 0) {
		e->finished = true;
		return 0;
	}
	r->owner->pass(r->user, e == &r->end[RELAY_NEAR] ? RELAY_NEAR : RELAY_FAR, chunk,
		       (size_t)n);
	return pass_on(other(e), chunk, (size_t)n) < 0 ? -2 : 0;
}

static int connected(struct end *e)
{
	int why = 0;
	socklen_t size = sizeof why;

	if (getsockopt(e->fd, SOL_SOCKET, SO_ERROR, &why, &size) < 0 || why)
		return -1;
	e->connecting = false;
	return 0;
}

static void on_ready(void *user, int events)
{
	struct end *e = user, *to = other(e);
	struct relay *r = e->relay;
	int result = 0;

	if (events & LOOP_WRITE)
		result = e->connecting ? connected(e) : flush(e);
	if (!result && events & LOOP_READ)
		result = take(e);
	if (result) {
		broke(result == -2 ? to : e);
		return;
	}
	for (int s = 0; s < RELAY_SIDES; s++) {
		struct end *to_tell = &r->end[s];

		if (other(to_tell)->finished && !to_tell->queue.len && !to_tell->told_the_end) {
			shutdown(to_tell->fd, SHUT_WR);
			to_tell->told_the_end = true;
		}
	}
	if (e->told_the_end && to->told_the_end) {
		end_all(r);
		return;
	}
	want(e);
	want(to);
}

struct relay *relay_new(struct loop *loop, int near, int far, const struct relay_owner *owner,
			void *user)
{
	struct relay *r = xcalloc(1, sizeof *r);
	int fds[] = { [RELAY_NEAR] = near, [RELAY_FAR] = far };

	r->owner = owner;
	r->user = user;
	for (int s = 0; s < RELAY_SIDES; s++) {
		r->end[s] = (struct end){ .relay = r,
					  .fd = fds[s],
					  .queue = buf_init(RELAY_QUEUE_BYTES_MAX),
					  .connecting = s == RELAY_FAR };
		r->end[s].watch = loop_fd_new(loop, fds[s], on_ready, &r->end[s]);
	}
	for (int s = 0; s < RELAY_SIDES; s++)
		want(&r->end[s]);
	return r;
}

void relay_free(struct relay *r)
{
	if (!r)
		return;
	for (int s = 0; s < RELAY_SIDES; s++) {
		loop_fd_free(r->end[s].watch);
		close(r->end[s].fd);
		buf_free(&r->end[s].queue);
	}
	free(r);
}
