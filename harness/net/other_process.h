/*
 * Processes that are not our children: known by pid and by when they began, so that a recycled pid
 * is never taken for them. A child of ours is net/process.h's. Reads /proc; nothing here waits but
 * other_process_wait.
 */
#ifndef NET_OTHER_PROCESS_H
#define NET_OTHER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct other_process {
	pid_t pid;
	uint64_t started; /* clock ticks after boot */
};

/* Who has this pid now; -1 nobody, or a zombie. */
int other_process_look(pid_t pid, struct other_process *ret);
bool other_process_lives(const struct other_process *);
/* A pidfd of it, the caller's to close; -1 when it is gone. */
int other_process_open(const struct other_process *);
/* 0, also when it is gone by now; -1 when it may not be signalled. */
int other_process_signal(int pidfd, int signo);
/* True when it has ended by the deadline (monotonic). */
bool other_process_wait(int pidfd, int64_t deadline_ns);

#endif
