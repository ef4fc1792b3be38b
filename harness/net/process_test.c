#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "net/process.h"

static struct process spawn(const char *const *argv, bool control)
{
	struct process_spec spec = {
		.program = argv[0], .argv = argv, .control = control, .new_group = true
	};
	struct err err = { .kind = ERR_NONE };
	struct process p;

	if (process_spawn(&spec, &p, &err) < 0)
		fail_msg("%s", err.text);
	return p;
}

static void an_exit_status_is_reaped(void **state)
{
	struct process p = spawn((const char *const[]){ "/bin/sh", "-c", "exit 7", NULL }, false);
	int status;

	(void)state;
	assert_true(process_wait(&p, clock_now_ns() + 20 * NS_PER_S, &status));
	assert_int_equal(status, 7);
	assert_int_equal(process_signal(&p, SIGTERM), 0); /* gone: fine */
	process_close(&p);
}

static void a_signal_by_pidfd_ends_it_and_is_told_as_128_plus(void **state)
{
	struct process p = spawn((const char *const[]){ "/bin/sleep", "600", NULL }, false);
	int status;

	(void)state;
	assert_false(process_wait(&p, clock_now_ns(), &status));
	assert_int_equal(process_signal(&p, SIGKILL), 0);
	assert_true(process_wait(&p, clock_now_ns() + 20 * NS_PER_S, &status));
	assert_int_equal(status, 128 + SIGKILL);
	process_close(&p);
}

static void a_program_that_is_not_there_is_an_error_with_its_name(void **state)
{
	const char *const argv[] = { "/nowhere/at-all", NULL };
	struct process_spec spec = { .program = argv[0], .argv = argv };
	struct err err = { .kind = ERR_NONE };
	struct process p;

	(void)state;
	assert_int_equal(process_spawn(&spec, &p, &err), -1);
	assert_non_null(strstr(err.text, "/nowhere/at-all"));
	assert_non_null(strstr(err.text, "No such file"));
}

static void the_child_sees_the_channel_as_3_and_nothing_else_of_ours(void **state)
{
	int ours = open("/dev/null", O_RDONLY); /* not CLOEXEC on purpose */
	struct process p = spawn((const char *const[]){ "/bin/sh", "-c",
							"ls /proc/self/fd | tr '\\n' ' ' >&3",
							NULL },
				 true);
	char got[128] = "";
	struct pollfd f = { .fd = p.control, .events = POLLIN };
	int status;

	(void)state;
	assert_int_equal(poll(&f, 1, 20000), 1);
	assert_true(read(p.control, got, sizeof got - 1) > 0);
	/* ls itself holds one more for the directory it reads. */
	assert_non_null(strstr(got, "0 1 2 3"));
	assert_true(strlen(got) <= strlen("0 1 2 3 4 "));
	assert_true(process_wait(&p, clock_now_ns() + 20 * NS_PER_S, &status));
	process_close(&p);
	close(ours);
}

static void a_prompt_child_is_real_time_where_we_may_and_ordinary_where_not(void **state)
{
	const char *const argv[] = { "/bin/sleep", "600", NULL };
	struct process_spec spec = { .program = argv[0], .argv = argv, .prompt = true };
	struct sched_param lowest = { .sched_priority = 1 }, none = { .sched_priority = 0 };
	bool allowed = sched_setscheduler(0, SCHED_RR, &lowest) == 0;
	struct process p;
	int policy, status;

	(void)state;
	assert_int_equal(sched_setscheduler(0, SCHED_OTHER, &none), 0);
	assert_int_equal(process_spawn(&spec, &p, NULL), 0);
	policy = sched_getscheduler(p.pid) & ~SCHED_RESET_ON_FORK;
	assert_int_equal(policy, allowed ? SCHED_RR : SCHED_OTHER);
	assert_int_equal(process_signal(&p, SIGKILL), 0);
	assert_true(process_wait(&p, clock_now_ns() + 20 * NS_PER_S, &status));
	process_close(&p);
}

static void read_all(int fd, char *out, size_t size)
{
	size_t have = 0;
	ssize_t n = 1;

	while (n && have < size - 1) {
		struct pollfd f = { .fd = fd, .events = POLLIN };

		assert_int_equal(poll(&f, 1, 20000), 1);
		n = read(fd, out + have, size - 1 - have);
		assert_true(n >= 0);
		have += (size_t)n;
	}
	out[have] = '\0';
}

static void output_is_captured_and_the_environment_is_ours_with_the_additions(void **state)
{
	const char *const argv[] = { "/bin/sh", "-c", "echo $NEW $OLD $KEPT; echo loud >&2", NULL };
	const char *const more[] = { "NEW=1", "OLD=2", NULL };
	int output = -1, status;
	struct process_spec spec = {
		.program = argv[0], .argv = argv, .environment = more, .ret_output = &output
	};
	struct process p;
	char got[64];

	(void)state;
	setenv("OLD", "ours", 1);
	setenv("KEPT", "3", 1);
	assert_int_equal(process_spawn(&spec, &p, NULL), 0);
	read_all(output, got, sizeof got); /* its end says the writing end is nobody else's */
	assert_string_equal(got, "1 2 3\n");
	assert_true(process_wait(&p, clock_now_ns() + 20 * NS_PER_S, &status));
	assert_int_equal(status, 0);
	assert_string_equal(getenv("OLD"), "ours");
	close(output);
	process_close(&p);
}

/* The end of file says that nobody holds the writing end any more: not the leader, not what it
 * started. */
static void a_whole_group_goes_with_its_leader(void **state)
{
	static const struct {
		const char *script;
		int signo, status; /* 0: it ends by itself */
	} cases[] = {
		{ "sleep 600 & echo up", 0, 0 },
		{ "(trap '' TERM; sleep 600) & echo up; exit 3", 0, 3 },
		{ "sleep 600 & echo up; wait", SIGTERM, 128 + SIGTERM },
		{ "(trap '' TERM; sleep 600) & echo up; wait", SIGTERM, 128 + SIGTERM },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *const argv[] = { "/bin/sh", "-c", cases[i].script, NULL };
		int output = -1, status = -1;
		struct process_spec spec = {
			.program = argv[0], .argv = argv, .ret_output = &output, .whole_group = true
		};
		struct pollfd f;
		struct process p;
		char got[8] = "";

		assert_int_equal(process_spawn(&spec, &p, NULL), 0);
		f = (struct pollfd){ .fd = output, .events = POLLIN };
		assert_int_equal(poll(&f, 1, 20000), 1);
		assert_int_equal(read(output, got, sizeof got - 1), 3);
		if (cases[i].signo)
			assert_int_equal(process_signal_group(&p, cases[i].signo), 0);
		assert_true(process_wait(&p, clock_now_ns() + 20 * NS_PER_S, &status));
		assert_int_equal(status, cases[i].status);
		read_all(output, got, sizeof got);
		assert_string_equal(got, "");
		assert_int_equal(process_signal_group(&p, SIGTERM), 0); /* reaped: nobody is hit */
		close(output);
		process_close(&p);
	}
}

/* setsid: beyond the reach of a group. Its parent ends first, so that a subreaper inherits it. */
static void a_subreaper_ends_what_it_adopted(void **state)
{
	static const char *const scripts[] = {
		"sleep 600 & echo up", "setsid sh -c 'sleep 600 & sleep 600' & echo up",
		"trap '' TERM; echo up; sleep 600; true", /* not adopted, nor reaped */
	};

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
		const char *const argv[] = { "/bin/sh", "-c", scripts[i], NULL };
		int output = -1;
		struct process_spec spec = { .program = argv[0],
					     .argv = argv,
					     .ret_output = &output };
		struct pollfd f;
		struct process p;
		char got[8];

		assert_int_equal(process_spawn(&spec, &p, NULL), 0);
		f = (struct pollfd){ .fd = output, .events = POLLIN };
		assert_int_equal(poll(&f, 1, 20000), 1);
		assert_int_equal(read(output, got, 3), 3);
		assert_true(process_end_children(clock_now_ns() + 20 * NS_PER_S) > 0);
		read_all(output, got, sizeof got); /* the end of file: nobody holds it */
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
		assert_int_equal(errno, ECHILD);
		close(output);
		process_close(&p);
	}
	assert_int_equal(process_end_children(clock_now_ns()), 0); /* nobody left */
	assert_true(fcntl(0, F_GETFD) >= 0);			   /* our own descriptors stay */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

static void a_program_is_run_to_its_end_for_what_it_says(void **state)
{
	static const struct {
		const char *script;
		int64_t within_ns;
		int status;	  /* -1: the run fails, ... */
		const char *says; /* ... with this; else what it printed */
	} cases[] = {
		{ "echo one; exit 4", 20 * NS_PER_S, 4, "one\n" },
		{ "true", 20 * NS_PER_S, 0, "" },
		{ "echo one; sleep 600", 200 * NS_PER_MS, -1, "/bin/sh does not come to an end" },
		{ "sleep 600 & echo one", 200 * NS_PER_MS, -1, "/bin/sh does not come to an end" },
		{ "exec >&-; sleep 600", 200 * NS_PER_MS, -1, "/bin/sh does not come to an end" },
		{ "yes", 20 * NS_PER_S, -1, "/bin/sh says more than 100 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *const argv[] = { "/bin/sh", "-c", cases[i].script, NULL };
		struct process_spec spec = { .program = argv[0], .argv = argv };
		struct buf out = buf_init(100);
		struct err err = { .kind = ERR_NONE };
		int status = -1;

		assert_int_equal(process_capture(&spec, clock_now_ns() + cases[i].within_ns, &out,
						 &status, &err),
				 cases[i].status < 0 ? -1 : 0);
		assert_int_equal(status, cases[i].status);
		assert_string_equal(cases[i].status < 0 ? err.text : buf_text(&out), cases[i].says);
		buf_free(&out);
	}
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
	assert_int_equal(errno, ECHILD);
}

/* A middle process spawns a grandchild and is killed; the grandchild must go with it. */
static void a_child_dies_with_its_parent(void **state)
{
	int pipe_fd[2], grandchild_fd;
	pid_t middle, grandchild;
	struct pollfd f;

	(void)state;
	assert_int_equal(pipe(pipe_fd), 0);
	middle = fork();
	if (middle == 0) {
		struct process p = spawn((const char *const[]){ "/bin/sleep", "600", NULL }, false);

		if (write(pipe_fd[1], &p.pid, sizeof p.pid) != sizeof p.pid)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(pipe_fd[0], &grandchild, sizeof grandchild), sizeof grandchild);
	grandchild_fd = (int)syscall(SYS_pidfd_open, grandchild, 0);
	assert_true(grandchild_fd >= 0);
	assert_int_equal(kill(middle, SIGKILL), 0);
	assert_int_equal(waitpid(middle, NULL, 0), middle);
	f = (struct pollfd){ .fd = grandchild_fd, .events = POLLIN };
	assert_int_equal(poll(&f, 1, 20000), 1); /* readable: it has ended */
	close(grandchild_fd);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

/* The same with a script: its children, deaf to all that can be ignored, go with us as well. */
static void a_whole_group_dies_with_its_parent(void **state)
{
	static const char *const argv[] = { "/bin/sh", "-c",
					    "trap '' HUP INT TERM IO; sleep 600 & echo $!; wait",
					    NULL };
	int pipe_fd[2], child_fd;
	struct pollfd f;
	char text[32];
	pid_t middle;
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(pipe_fd), 0);
	middle = fork();
	if (middle == 0) {
		int output;
		struct process_spec spec = {
			.program = argv[0], .argv = argv, .ret_output = &output, .whole_group = true
		};
		struct process p;

		if (process_spawn(&spec, &p, NULL) < 0)
			_exit(1);
		fcntl(output, F_SETFL, 0);
		n = read(output, text, sizeof text);
		if (n <= 0 || write(pipe_fd[1], text, (size_t)n) != n)
			_exit(1);
		pause();
		_exit(0);
	}
	n = read(pipe_fd[0], text, sizeof text - 1);
	assert_true(n > 0);
	text[n] = '\0';
	child_fd = (int)syscall(SYS_pidfd_open, atoi(text), 0);
	assert_true(child_fd >= 0);
	assert_int_equal(kill(middle, SIGKILL), 0);
	assert_int_equal(waitpid(middle, NULL, 0), middle);
	f = (struct pollfd){ .fd = child_fd, .events = POLLIN };
	assert_int_equal(poll(&f, 1, 20000), 1); /* readable: it has ended */
	close(child_fd);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_exit_status_is_reaped),
		cmocka_unit_test(a_signal_by_pidfd_ends_it_and_is_told_as_128_plus),
		cmocka_unit_test(a_program_that_is_not_there_is_an_error_with_its_name),
		cmocka_unit_test(the_child_sees_the_channel_as_3_and_nothing_else_of_ours),
		cmocka_unit_test(a_prompt_child_is_real_time_where_we_may_and_ordinary_where_not),
		cmocka_unit_test(output_is_captured_and_the_environment_is_ours_with_the_additions),
		cmocka_unit_test(a_whole_group_goes_with_its_leader),
		cmocka_unit_test(a_subreaper_ends_what_it_adopted),
		cmocka_unit_test(a_program_is_run_to_its_end_for_what_it_says),
		cmocka_unit_test(a_child_dies_with_its_parent),
		cmocka_unit_test(a_whole_group_dies_with_its_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
