#include "net/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

/* What the child gets, made before the fork. */
struct inheritance {
	char **environment;
	pid_t parent;
	int control, input, output, errors, report, leash;
};

/* Of the leash in the child: out of the way of what scripts number their own by. */
enum { LEASH_FD_MIN = 100 };

/* When the other end closes, our death included, the kernel kills our group. */
static int put_on_leash(int fd)
{
	int leash = fcntl(fd, F_DUPFD, LEASH_FD_MIN);

	if (leash < 0 || fcntl(leash, F_SETOWN, -getpid()) < 0 ||
	    fcntl(leash, F_SETSIG, SIGKILL) < 0 || fcntl(leash, F_SETFL, O_ASYNC) < 0)
		return -1;
	return leash;
}

/* Between fork and exec: async-signal-safe calls only. */
static _Noreturn void child(const struct process_spec *spec, const struct inheritance *from)
{
	int control = from->control, report = from->report, leash = -1;
	sigset_t none;
	int code;

	/* Death of the parent between fork and prctl would go unnoticed without the second look. */
	if (!spec->survives_parent &&
	    (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != from->parent))
		goto fail;
	if ((spec->new_group || spec->whole_group) && setpgid(0, 0) < 0)
		goto fail;
	if (spec->whole_group && (leash = put_on_leash(from->leash)) < 0)
		goto fail;
	/* A wish: without the right to it the process is an ordinary one. */
	if (spec->prompt)
		sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK,
				   &(struct sched_param){ .sched_priority = 1 });
	if (dup2(from->input, 0) < 0)
		goto fail;
	if (!spec->keep_output && (dup2(from->output, 1) < 0 || dup2(from->errors, 2) < 0))
		goto fail;
	/* The report pipe moves to 4 so that 3 is free for the channel; both ends are above 4 or
	 * harmless by now. */
	if (report != 4) {
		if (control == 4 && (control = fcntl(control, F_DUPFD, 5)) < 0)
			goto fail;
		if (dup3(report, 4, O_CLOEXEC) < 0)
			goto fail;
		report = 4;
	}
	if (control >= 0) {
		if (control == PROCESS_CONTROL_FD ? fcntl(control, F_SETFD, 0) < 0 :
						    dup2(control, PROCESS_CONTROL_FD) < 0)
			goto fail;
	} else {
		close(PROCESS_CONTROL_FD);
	}
	if (leash >= 0 && syscall(SYS_close_range, (unsigned)leash + 1, ~0u, 0u) < 0)
		goto fail;
	if (syscall(SYS_close_range, 5u, (unsigned)leash - 1, 0u) < 0) /* without one: all */
		goto fail;
	/* Defaults first: a signal that waits must not meet a handler of the parent's. */
	for (int signo = 1; signo < 32; signo++)
		signal(signo, SIG_DFL); /* SIGKILL and SIGSTOP refuse, rightly */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(spec->program, (char *const *)spec->argv, from->environment);
fail:
	code = errno;
	if (write(report, &code, sizeof code) != sizeof code)
		_exit(126);
	_exit(127);
}

static size_t name_length(const char *variable)
{
	return strcspn(variable, "=");
}

/* Ours with `added` over it; the strings stay whose they are. */
static char **merge_environment(const char *const *added)
{
	size_t ours = 0, more = 0, count = 0;
	char **merged;

	while (environ[ours])
		ours++;
	while (added && added[more])
		more++;
	merged = xcalloc(ours + more + 1, sizeof *merged);
	for (size_t i = 0; i < ours; i++) {
		bool replaced = false;

		for (size_t j = 0; j < more && !replaced; j++)
			replaced = name_length(environ[i]) == name_length(added[j]) &&
				   !strncmp(environ[i], added[j], name_length(added[j]));
		if (!replaced)
			merged[count++] = environ[i];
	}
	for (size_t j = 0; j < more; j++)
		merged[count++] = (char *)added[j];
	return merged;
}

static void close_pair(int pair[2])
{
	for (int i = 0; i < 2; i++)
		if (pair[i] >= 0)
			close(pair[i]);
}

/* The descriptors of the child: /dev/null, the output file, and the pipe in its place. */
static int open_files(const struct process_spec *spec, int captured, struct inheritance *from,
		      struct err *err)
{
	from->input = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (from->input < 0)
		return err_errno(err, ERR_HARNESS, errno, "spawn %s", spec->program);
	from->errors = open(spec->output_path ? spec->output_path : "/dev/null",
			    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (from->errors < 0)
		return err_errno(err, ERR_HARNESS, errno, "output file %s", spec->output_path);
	from->output = captured >= 0 ? captured : from->errors;
	return 0;
}

/* Waits for exec to go through or to be refused. */
static int start(const struct process_spec *spec, const struct inheritance *from, int report[2],
		 pid_t *ret_pid, struct err *err)
{
	pid_t pid = fork();
	int code = 0;
	ssize_t n;

	if (pid < 0)
		return err_errno(err, ERR_HARNESS, errno, "fork for %s", spec->program);
	if (pid == 0)
		child(spec, from);
	close(report[1]);
	report[1] = -1;
	do
		n = read(report[0], &code, sizeof code);
	while (n < 0 && errno == EINTR);
	if (n == sizeof code) { /* exec refused; EOF means it went through */
		waitpid(pid, NULL, 0);
		return err_errno(err, ERR_HARNESS, code, "start %s", spec->program);
	}
	*ret_pid = pid;
	return 0;
}

int process_spawn(const struct process_spec *spec, struct process *ret, struct err *err)
{
	int pair[2] = { -1, -1 }, report[2] = { -1, -1 }, captured[2] = { -1, -1 };
	int leash[2] = { -1, -1 }, result = -1;
	struct inheritance from = { .parent = getpid(), .input = -1, .errors = -1 };
	pid_t pid = -1;

	from.environment = merge_environment(spec->environment);
	if (spec->control && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		err_errno(err, ERR_HARNESS, errno, "control channel for %s", spec->program);
		goto out;
	}
	if (pipe2(report, O_CLOEXEC) < 0 || (spec->ret_output && pipe2(captured, O_CLOEXEC) < 0) ||
	    (spec->whole_group && pipe2(leash, O_CLOEXEC) < 0)) {
		err_errno(err, ERR_HARNESS, errno, "spawn %s", spec->program);
		goto out;
	}
	if (open_files(spec, captured[1], &from, err) < 0)
		goto out;
	from.control = pair[1];
	from.report = report[1];
	from.leash = leash[0];
	if (start(spec, &from, report, &pid, err) < 0)
		goto out;
	*ret = (struct process){ .pid = pid,
				 .pidfd = (int)syscall(SYS_pidfd_open, pid, 0),
				 .control = pair[0],
				 .leash = leash[1],
				 .whole_group = spec->whole_group };
	if (ret->pidfd < 0) {
		err_errno(err, ERR_HARNESS, errno, "pidfd of %s", spec->program);
		kill(pid, SIGKILL); /* our own unreaped child: the pid cannot have been recycled */
		waitpid(pid, NULL, 0);
		goto out;
	}
	fcntl(ret->pidfd, F_SETFD, FD_CLOEXEC);
	pair[0] = leash[1] = -1;
	if (spec->ret_output) {
		fcntl(captured[0], F_SETFL, O_NONBLOCK); /* of our end alone */
		*spec->ret_output = captured[0];
		captured[0] = -1;
	}
	result = 0;
out:
	close_pair(pair);
	close_pair(report);
	close_pair(captured);
	close_pair(leash);
	close_pair((int[2]){ from.input, from.errors });
	free(from.environment);
	return result;
}

int process_signal(const struct process *p, int signo)
{
	if (p->pidfd < 0 || syscall(SYS_pidfd_send_signal, p->pidfd, signo, NULL, 0) == 0 ||
	    errno == ESRCH)
		return 0;
	return -1;
}

int process_signal_group(const struct process *p, int signo)
{
	ASSERT(p->whole_group);
	/* Unreaped, so that the group's id is still its own. */
	if (p->pid <= 0 || kill(-p->pid, signo) == 0 || errno == ESRCH)
		return 0;
	return -1;
}

/* Ended, and not yet reaped. */
static bool is_over(const struct process *p)
{
	siginfo_t info = { .si_pid = 0 };

	return p->pid > 0 && waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid;
}

bool process_reap(struct process *p, int *ret_status)
{
	int status;

	if (!is_over(p))
		return false;
	if (p->whole_group)
		process_signal_group(p, SIGKILL);
	if (waitpid(p->pid, &status, 0) != p->pid)
		return false;
	*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	p->pid = 0;
	return true;
}

bool process_wait(struct process *p, int64_t deadline_ns, int *ret_status)
{
	for (;;) {
		int64_t left_ms = (deadline_ns - clock_now_ns()) / NS_PER_MS;
		struct pollfd f = { .fd = p->pidfd, .events = POLLIN };

		if (process_reap(p, ret_status))
			return true;
		if (left_ms < 0)
			return false;
		/* +1: a wait shorter than a millisecond must not spin. */
		poll(&f, 1, left_ms > 1000 ? 1000 : (int)left_ms + 1);
	}
}

void process_close(struct process *p)
{
	if (p->pidfd >= 0)
		close(p->pidfd);
	if (p->control >= 0)
		close(p->control);
	if (p->leash >= 0)
		close(p->leash);
	p->pidfd = p->control = p->leash = -1;
}

/* Kills all there are; the first one's pid, 0 when there is none. A child not yet reaped keeps its
 * pid, so nobody else is hit. */
static pid_t kill_children(void)
{
	FILE *children = fopen("/proc/thread-self/children", "re");
	pid_t first = 0, pid;

	while (children && fscanf(children, "%d", &pid) == 1) {
		kill(pid, SIGKILL);
		if (!first)
			first = pid;
	}
	if (children)
		fclose(children);
	return first;
}

int process_end_children(int64_t deadline_ns)
{
	int ended = 0;
	pid_t pid;

	while (waitpid(-1, NULL, WNOHANG) > 0)
		; /* ended by themselves: nobody had asked after them */
	/* The children of one that ends become ours: look again until nobody is left. */
	while ((pid = kill_children())) {
		struct process child = { .pid = pid,
					 .pidfd = (int)syscall(SYS_pidfd_open, pid, 0),
					 .control = -1,
					 .leash = -1 };
		int status;
		bool over = process_wait(&child, deadline_ns, &status);

		process_close(&child);
		if (!over)
			return -1;
		ended++;
	}
	return ended;
}

/* To the end of the file. */
static int drain(int fd, const char *program, int64_t deadline_ns, struct buf *out, struct err *err)
{
	for (;;) {
		int64_t left_ms = (deadline_ns - clock_now_ns()) / NS_PER_MS;
		struct pollfd f = { .fd = fd, .events = POLLIN };
		char chunk[4096];
		ssize_t n;

		if (left_ms < 0)
			return err_set(err, ERR_WORLD, "%s does not come to an end", program);
		if (poll(&f, 1, left_ms > 1000 ? 1000 : (int)left_ms + 1) <= 0)
			continue;
		n = read(fd, chunk, sizeof chunk);
		if (n == 0)
			return 0;
		if (n > 0 && buf_append(out, chunk, (size_t)n) < 0)
			return err_set(err, ERR_WORLD, "%s says more than %zu bytes", program,
				       out->max);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return err_errno(err, ERR_HARNESS, errno, "output of %s", program);
	}
}

int process_capture(const struct process_spec *spec, int64_t deadline_ns, struct buf *out,
		    int *ret_status, struct err *err)
{
	struct process_spec captured = *spec;
	struct process p;
	int output, status, result;

	captured.ret_output = &output;
	captured.whole_group = true;
	if (process_spawn(&captured, &p, err) < 0)
		return -1;
	result = drain(output, spec->program, deadline_ns, out, err);
	if (!result && !process_wait(&p, deadline_ns, &status))
		result = err_set(err, ERR_WORLD, "%s does not come to an end", spec->program);
	if (result) {
		process_signal_group(&p, SIGKILL);
		process_wait(&p, clock_now_ns() + NS_PER_S, &status);
	} else {
		*ret_status = status;
	}
	close(output);
	process_close(&p);
	return result;
}

int process_beside(const char *relative, char *out, size_t size, struct err *err)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	if (n < 0)
		return err_errno(err, ERR_HARNESS, errno,
				 "where is our own binary: /proc/self/exe");
	self[n] = '\0';
	slash = strrchr(self, '/');
	*slash = '\0';
	if ((size_t)snprintf(out, size, "%s/%s", self, relative) >= size)
		return err_set(err, ERR_HARNESS, "path of %s beside %s is longer than %zu bytes",
			       relative, self, size);
	return 0;
}

int process_on_path(const char *name, char *out, size_t size, struct err *err)
{
	const char *path = getenv("PATH");

	for (const char *at = path ? path : ""; *at;) {
		size_t length = strcspn(at, ":");

		if (length && *at == '/' &&
		    (size_t)snprintf(out, size, "%.*s/%s", (int)length, at, name) < size &&
		    access(out, X_OK) == 0)
			return 0;
		at += length + (at[length] == ':');
	}
	return err_set(err, ERR_HARNESS, "%s is not in PATH (%s)", name, path ? path : "unset");
}
