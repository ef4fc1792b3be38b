/*
 * The control channel between the supervisor and each process of ours: SEQPACKET, one message a
 * datagram, fixed struct. Everything here is advice and progress; the verdict reads lanes only.
 * EOF of a channel means the other side is gone: a child then stops at once, the supervisor heals
 * and kills.
 *
 *   run <──> supervisor <──> director, worker × N, tap, observer
 */
#ifndef NET_CONTROL_H
#define NET_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/words.h"

enum { CONTROL_TEXT_MAX = 4096 };

enum control_type {
	CONTROL_NONE = 0,
	/* downwards */
	/* text: "name=value\n"... late variables and addresses of the stack; the child answers
	 * READY */
	CONTROL_BIND,
	CONTROL_START, /* a: t0, the schedule's zero, monotonic ns */
	CONTROL_PHASE, /* a: enum phase, b: step number; for display and recording */
	/* no new calls; a: until when live ones may finish (monotonic ns); then FINISHED */
	CONTROL_STOP,
	CONTROL_ABORT,	/* stop now, close lanes, exit */
	CONTROL_EXITED, /* to the director: instance text ended, a: status */
	/* to the director: instance text, a: active calls, b: 1 unreachable, c: t of the answer
	 * */
	CONTROL_COUNTS,
	/* upwards */
	CONTROL_READY,	  /* text: "name=value\n" (ports), may be empty */
	CONTROL_COUNTERS, /* struct control_counters: every 250 ms, the heartbeat */
	CONTROL_FINISHED, /* nothing left to do; exits after lanes are closed */
	CONTROL_FAILED,	  /* text: one sentence; a: enum err_kind */
	/* from the director: send signal a to instance text; answered by SIGNALED */
	CONTROL_SIGNAL,
	CONTROL_SIGNALED,
	CONTROL_NOTE, /* text: one line for the terminal */
	/* to the tap: text: a lever, or `disarm [NAME]`; answered by LEVERED: a: 1 refused, text:
	 * why */
	CONTROL_LEVER,
	CONTROL_LEVERED,
};

struct control_counters {
	uint32_t live, live_blue, live_green, started, completed, dropped, refused, abandoned;
	uint64_t turns, resumes;
};

struct control_message {
	uint32_t type;
	uint32_t index; /* worker number */
	int64_t a, b, c;
	struct control_counters counters;
	uint32_t text_size; /* without NUL */
	char text[CONTROL_TEXT_MAX];
};

/* 0, or -1 with errno (EAGAIN when the peer does not read: counters may be skipped, others must be
 * retried). */
int control_send(int fd, const struct control_message *);
/* 1 message, 0 EOF, -1 errno (EAGAIN on a non-blocking descriptor). A malformed message is EPROTO.
 * */
int control_receive(int fd, struct control_message *ret);
/* Waits to a deadline; 1, 0 EOF, -1 (ETIMEDOUT). */
int control_wait(int fd, int64_t deadline_ns, struct control_message *ret);
struct control_message control_make(enum control_type, int64_t a, int64_t b);
void control_text(struct control_message *, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Value of "name=" in the message's text into out; false when absent or too long. */
bool control_value(const struct control_message *, const char *name, char *out, size_t size);

#endif
