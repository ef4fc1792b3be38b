#include "tap/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"

struct end {
	struct relay *relay;
	int fd;
	struct loop_fd *watch;
	struct buf queue; /* to be written to fd */
	struct buf kept;  /* came from fd, kept back by the owner */
	bool connecting, broken;
	bool finished;	   /* it sent its end of stream */
	bool told_the_end; /* we sent it ours */
};

struct relay {
	const struct relay_owner *owner;
	void *user;
	struct end end[RELAY_SIDES];
	bool cut, secret;
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
	    to->queue.len + RELAY_CHUNK_BYTES <= RELAY_QUEUE_BYTES_MAX &&
	    e->kept.len + RELAY_CHUNK_BYTES <= RELAY_QUEUE_BYTES_MAX)
		events |= LOOP_READ;
	if (e->connecting || e->queue.len)
		events |= LOOP_WRITE;
	loop_fd_want(e->watch, events);
}

/* So that the peer sees a reset, not an orderly end. */
static void reset(struct end *e)
{
	struct linger now = { .l_onoff = 1 };

	setsockopt(e->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void end_all(struct relay *r)
{
	const struct relay_owner *owner = r->owner;
	void *user = r->user;

	relay_free(r);
	owner->ended(user);
}

static bool try_again(void)
{
	return errno == EAGAIN || errno == EINTR;
}

static void flush(struct end *e)
{
	while (e->queue.len) {
		ssize_t n = send(e->fd, e->queue.data, e->queue.len, MSG_NOSIGNAL);

		if (n < 0) {
			e->broken |= !try_again();
			return;
		}
		buf_consume(&e->queue, (size_t)n);
	}
}

void relay_send(struct relay *r, enum relay_side side, const char *data, size_t size)
{
	struct end *to = &r->end[side];
	ssize_t n = 0;
	int result;

	if (to->broken || !size)
		return;
	if (!to->queue.len && !to->connecting) {
		n = send(to->fd, data, size, MSG_NOSIGNAL);
		if (n < 0 && !try_again()) {
			to->broken = true;
			return;
		}
		if (n < 0)
			n = 0;
	}
	if ((size_t)n == size)
		return;
	/* There is room: no more is read than fits. */
	result = buf_append(&to->queue, data + n, size - (size_t)n);
	ASSERT_EQ(result, 0);
}

void relay_forget(struct relay *r)
{
	r->secret = true;
}

void relay_cut(struct relay *r)
{
	r->cut = true;
}

/* Offers what came, all of it: kept is either empty or ends with these bytes. */
static void offer(struct end *e, const char *data, size_t size)
{
	struct relay *r = e->relay;
	enum relay_side side = e == &r->end[RELAY_NEAR] ? RELAY_NEAR : RELAY_FAR;
	size_t done;

	if (!e->kept.len) {
		done = size ? r->owner->came(r->user, side, data, size, e->finished) : 0;
		if (!r->cut && done < size && buf_append(&e->kept, data + done, size - done) < 0)
			e->broken = true;
		return;
	}
	if (size && buf_append(&e->kept, data, size) < 0) {
		e->broken = true;
		return;
	}
	done = r->owner->came(r->user, side, e->kept.data, e->kept.len, e->finished);
	buf_consume(&e->kept, done);
}

static void take(struct end *e)
{
	char chunk[RELAY_CHUNK_BYTES];
	ssize_t n = recv(e->fd, chunk, sizeof chunk, 0);

	if (n < 0) {
		e->broken |= !try_again();
		return;
	}
	e->finished |= n == 0;
	offer(e, chunk, (size_t)n);
	if (e->relay->secret)
		explicit_bzero(chunk, (size_t)n);
}

static void connected(struct end *e)
{
	int why = 0;
	socklen_t size = sizeof why;

	e->broken = getsockopt(e->fd, SOL_SOCKET, SO_ERROR, &why, &size) < 0 || why;
	e->connecting = false;
}

static void overwrite_secrets(struct relay *r)
{
	struct buf *all[] = { &r->end[0].queue, &r->end[0].kept, &r->end[1].queue,
			      &r->end[1].kept };

	r->secret = false;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (all[i]->len)
			r->secret = true;
		else if (all[i]->data)
			explicit_bzero(all[i]->data, all[i]->cap);
	}
}

/* Whatever the step was: both sides are what they are now. */
static void settle(struct relay *r)
{
	struct end *near = &r->end[RELAY_NEAR], *far = &r->end[RELAY_FAR];

	if (r->cut || near->broken || far->broken) {
		/* One side broke: the other one shall see the same. */
		if (r->cut || far->broken)
			reset(near);
		if (r->cut || near->broken)
			reset(far);
		end_all(r);
		return;
	}
	for (int s = 0; s < RELAY_SIDES; s++) {
		struct end *to_tell = &r->end[s], *from = other(to_tell);

		if (from->finished && !from->kept.len && !to_tell->queue.len &&
		    !to_tell->told_the_end) {
			shutdown(to_tell->fd, SHUT_WR);
			to_tell->told_the_end = true;
		}
	}
	if (near->told_the_end && far->told_the_end) {
		end_all(r);
		return;
	}
	if (r->secret)
		overwrite_secrets(r);
	want(near);
	want(far);
}

static void on_ready(void *user, int events)
{
	struct end *e = user;

	if (events & LOOP_WRITE && e->connecting)
		connected(e);
	else if (events & LOOP_WRITE)
		flush(e);
	if (!e->broken && events & LOOP_READ)
		take(e);
	settle(e->relay);
}

void relay_go_on(struct relay *r, enum relay_side from)
{
	struct end *e = &r->end[from];

	if (e->kept.len)
		offer(e, NULL, 0);
	settle(r);
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
					  .queue = buf_init(3 * RELAY_QUEUE_BYTES_MAX),
					  .kept = buf_init(RELAY_QUEUE_BYTES_MAX),
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
		buf_free(&r->end[s].kept);
	}
	free(r);
}
