#include "net/other_process.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"

int other_process_look(pid_t pid, struct other_process *ret)
{
	char path[64], line[1024], state, *name_end;
	uint64_t started;
	FILE *file;
	bool read;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	file = pid > 0 ? fopen(path, "re") : NULL;
	if (!file)
		return -1;
	read = fgets(line, sizeof line, file) != NULL;
	fclose(file);
	/* The name, in brackets, may hold anything: what follows its last one is fields 3 to 22. */
	name_end = read ? strrchr(line, ')') : NULL;
	if (!name_end || sscanf(name_end + 1,
				" %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
				"%*s %*s %*s %" SCNu64,
				&state, &started) != 2)
		return -1;
	if (state == 'Z' || state == 'X')
		return -1;
	*ret = (struct other_process){ .pid = pid, .started = started };
	return 0;
}

bool other_process_lives(const struct other_process *p)
{
	struct other_process now;

	return other_process_look(p->pid, &now) == 0 && now.started == p->started;
}

int other_process_open(const struct other_process *p)
{
	int pidfd = p->pid > 0 ? (int)syscall(SYS_pidfd_open, p->pid, 0) : -1;

	/* From here on the descriptor is of one process; was it ours? */
	if (pidfd >= 0 && !other_process_lives(p)) {
		close(pidfd);
		return -1;
	}
	return pidfd;
}

int other_process_signal(int pidfd, int signo)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0) == 0 || errno == ESRCH ? 0 :
											      -1;
}

bool other_process_wait(int pidfd, int64_t deadline_ns)
{
	struct pollfd f = { .fd = pidfd, .events = POLLIN };
	int64_t left_ns;
	int n;

	do {
		left_ns = deadline_ns - clock_now_ns();
		n = poll(&f, 1, left_ns > 0 ? (int)(left_ns / NS_PER_MS) + 1 : 0);
	} while (n <= 0 && left_ns > 0);
	return n > 0;
}
