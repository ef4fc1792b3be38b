#include "net/loop.h"

#include <ev.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

struct loop {
	struct ev_loop *ev;
};

struct loop_timer {
	ev_timer watcher;
	struct loop *loop;
	void (*fire)(void *user);
	void *user;
};

struct loop_fd {
	ev_io watcher;
	struct loop *loop;
	void (*ready)(void *user, int events);
	void *user;
};

struct loop_signal {
	ev_signal watcher;
	struct loop *loop;
	void (*fire)(void *user);
	void *user;
};

struct loop *loop_new(void)
{
	struct loop *loop = xcalloc(1, sizeof *loop);

	loop->ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	ASSERT(loop->ev != NULL);
	return loop;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	ev_loop_destroy(loop->ev);
	free(loop);
}

struct ev_loop *loop_ev(struct loop *loop)
{
	return loop->ev;
}

void loop_run(struct loop *loop)
{
	ev_run(loop->ev, 0);
}

void loop_run_once(struct loop *loop)
{
	ev_run(loop->ev, EVRUN_ONCE);
}

void loop_stop(struct loop *loop)
{
	ev_break(loop->ev, EVBREAK_ALL);
}

static void on_timer(struct ev_loop *ev, ev_timer *watcher, int events)
{
	struct loop_timer *t = watcher->data;

	(void)ev;
	(void)events;
	t->fire(t->user);
}

struct loop_timer *loop_timer_new(struct loop *loop, void (*fire)(void *user), void *user)
{
	struct loop_timer *t = xcalloc(1, sizeof *t);

	*t = (struct loop_timer){ .loop = loop, .fire = fire, .user = user };
	ev_init(&t->watcher, on_timer);
	t->watcher.data = t;
	return t;
}

void loop_timer_at(struct loop_timer *t, int64_t at_ns)
{
	double in_s;

	ev_timer_stop(t->loop->ev, &t->watcher);
	if (at_ns == INT64_MAX)
		return;
	/* libev counts from its cached time, which a long callback leaves behind. */
	ev_now_update(t->loop->ev);
	in_s = (double)(at_ns - clock_now_ns()) / (double)NS_PER_S;
	ev_timer_set(&t->watcher, in_s > 0 ? in_s : 0., 0.);
	ev_timer_start(t->loop->ev, &t->watcher);
}

void loop_timer_free(struct loop_timer *t)
{
	if (!t)
		return;
	ev_timer_stop(t->loop->ev, &t->watcher);
	free(t);
}

static void on_fd(struct ev_loop *ev, ev_io *watcher, int events)
{
	struct loop_fd *f = watcher->data;

	(void)ev;
	f->ready(f->user,
		 (events & EV_READ ? LOOP_READ : 0) | (events & EV_WRITE ? LOOP_WRITE : 0));
}

struct loop_fd *loop_fd_new(struct loop *loop, int fd, void (*ready)(void *user, int events),
			    void *user)
{
	struct loop_fd *f = xcalloc(1, sizeof *f);

	*f = (struct loop_fd){ .loop = loop, .ready = ready, .user = user };
	ev_io_init(&f->watcher, on_fd, fd, 0);
	f->watcher.data = f;
	return f;
}

void loop_fd_want(struct loop_fd *f, int events)
{
	int want = (events & LOOP_READ ? EV_READ : 0) | (events & LOOP_WRITE ? EV_WRITE : 0);

	if (ev_is_active(&f->watcher) && (f->watcher.events & (EV_READ | EV_WRITE)) == want)
		return;
	ev_io_stop(f->loop->ev, &f->watcher);
	if (!want)
		return;
	ev_io_set(&f->watcher, f->watcher.fd, want);
	ev_io_start(f->loop->ev, &f->watcher);
}

void loop_fd_free(struct loop_fd *f)
{
	if (!f)
		return;
	ev_io_stop(f->loop->ev, &f->watcher);
	free(f);
}

static void on_signal(struct ev_loop *ev, ev_signal *watcher, int events)
{
	struct loop_signal *s = watcher->data;

	(void)ev;
	(void)events;
	s->fire(s->user);
}

struct loop_signal *loop_signal_new(struct loop *loop, int signo, void (*fire)(void *user),
				    void *user)
{
	struct loop_signal *s = xcalloc(1, sizeof *s);

	*s = (struct loop_signal){ .loop = loop, .fire = fire, .user = user };
	ev_signal_init(&s->watcher, on_signal, signo);
	s->watcher.data = s;
	ev_signal_start(loop->ev, &s->watcher);
	return s;
}

void loop_signal_free(struct loop_signal *s)
{
	if (!s)
		return;
	ev_signal_stop(s->loop->ev, &s->watcher);
	free(s);
}
