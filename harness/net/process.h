/*
 * Child processes: spawn a program (never a shell, never fork-and-continue), with a parent-death
 * signal so that nothing outlives us even after SIGKILL, its pidfd, and an optional control
 * channel (SEQPACKET) as descriptor 3. stdin is /dev/null, stdout and stderr go to a file, or
 * stdout to a pipe. Every other descriptor is closed in the child.
 *
 * A script has children of its own, which the parent-death signal does not reach: spawn it with
 * `whole_group`, and its process group goes as one. Reaping the leader kills what is left of the
 * group, before the leader's pid, which is the group's id, can become another's. Should we die
 * without reaping, the kernel kills the group: its leader holds the reading end of a pipe, the
 * leash, set to send SIGKILL to the group when the writing end, which we hold, is closed (fcntl(2),
 * F_SETOWN and F_SETSIG). Out of reach is only who makes a session or group of his own: he falls to
 * the next subreaper above, which calls process_end_children.
 */
#ifndef NET_PROCESS_H
#define NET_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

enum { PROCESS_CONTROL_FD = 3 };

struct process {
	pid_t pid;
	int pidfd;
	int control; /* our end of the channel, or -1 */
	int leash;   /* our end of a whole_group's, or -1 */
	bool whole_group;
};

struct process_spec {
	const char *program;		/* absolute path */
	const char *const *argv;	/* argv[0] first, NULL-terminated */
	const char *const *environment; /* "NAME=value" over ours, NULL-terminated, or NULL */
	const char *output_path;	/* appended; NULL: /dev/null */
	/* Not NULL: stdout is a pipe instead, and its readable end (non-blocking) is put here; the
	 * caller closes it. */
	int *ret_output;
	bool keep_output; /* inherit our stdout and stderr instead */
	bool control;	  /* make the channel */
	bool new_group;	  /* own process group: Ctrl-C of the terminal does not reach it */
	bool whole_group; /* new_group, and whoever is in it is killed when it is reaped */
	/* Real-time round robin at the lowest priority, where the system lets us: for what stamps
	 * other processes' latencies and must not wait behind them. */
	bool prompt;
	/* no parent-death signal: the supervisor, which heals before it goes */
	bool survives_parent;
};

int process_spawn(const struct process_spec *, struct process *ret, struct err *);
/* Signals by pidfd: never hits a recycled pid. 0, also when it is gone already. */
int process_signal(const struct process *, int signo);
/* Signals everybody in a whole_group. 0, also when nobody is left or the leader was reaped. */
int process_signal_group(const struct process *, int signo);
/* Reaps without waiting: true and status (exit status, or 128 + signal) when it has ended. */
bool process_reap(struct process *, int *ret_status);
/* Waits for the end to a deadline (monotonic); false when still running. */
bool process_wait(struct process *, int64_t deadline_ns, int *ret_status);
void process_close(struct process *); /* closes pidfd, control and leash */
/* The last thing a subreaper does: kills and reaps every child it has left, those it adopted, and
 * theirs. How many had not ended by themselves, or -1 when some are there still at the deadline
 * (monotonic). */
int process_end_children(int64_t deadline_ns);
/* Runs a program to its end and takes its standard output, at most out->max bytes. -1: not
 * started, not over by the deadline (monotonic; it is killed then), or more output than that. */
int process_capture(const struct process_spec *, int64_t deadline_ns, struct buf *out,
		    int *ret_status, struct err *);
/* Absolute path of a program, looked for in PATH. */
int process_on_path(const char *name, char *out, size_t size, struct err *);
/* Absolute path of a file beside our own binary ("fixtures/alb/main"), for programs of the local
 * stack. */
int process_beside(const char *relative, char *out, size_t size, struct err *);

#endif
