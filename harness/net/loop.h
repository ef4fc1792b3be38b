/*
 * One libev loop per process. The loop is created by its owner and passed down; nobody uses
 * ev_default_loop, so there is no hidden state. Signals come through signalfd-like watchers of the
 * loop's owner. Callbacks never block.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdint.h>

struct ev_loop;
struct loop;
struct loop_timer;
struct loop_fd;

struct loop *loop_new(void); /* aborts when the kernel gives no epoll */
void loop_free(struct loop *);
struct ev_loop *loop_ev(
	struct
	/* for libraries that plug into libev (libwebsockets, hiredis); net/ and fixtures only */
	loop *);
void loop_run(struct loop *);	   /* until loop_stop */
void loop_run_once(struct loop *); /* one iteration, blocking until something happens */
void loop_stop(struct loop *);

/* One-shot timer at an absolute monotonic time; re-arming moves it. */
struct loop_timer *loop_timer_new(struct loop *, void (*fire)(void *user), void *user);
void loop_timer_at(struct loop_timer *, int64_t at_ns); /* INT64_MAX disarms */
void loop_timer_free(struct loop_timer *);

enum { LOOP_READ = 1, LOOP_WRITE = 2 };
struct loop_fd *loop_fd_new(struct loop *, int fd, void (*ready)(void *user, int events),
			    void *user);
void loop_fd_want(struct loop_fd *, int events); /* 0 pauses */
void loop_fd_free(struct loop_fd *);		 /* does not close the fd */
/* A signal delivered as a callback of the loop (SIGINT, SIGTERM, SIGCHLD). */
struct loop_signal;
struct loop_signal *loop_signal_new(struct loop *, int signo, void (*fire)(void *user), void *user);
void loop_signal_free(struct loop_signal *);

#endif
