#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/other_process.h"

static pid_t child(void)
{
	pid_t pid = fork();

	if (!pid) {
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	return pid;
}

static void a_process_is_known_by_pid_and_begin(void **state)
{
	struct other_process self, other;

	(void)state;
	assert_int_equal(other_process_look(getpid(), &self), 0);
	assert_int_equal(self.pid, getpid());
	assert_true(other_process_lives(&self));
	other = self;
	other.started++; /* somebody who has its pid now */
	assert_false(other_process_lives(&other));
	assert_int_equal(other_process_open(&other), -1);
	assert_int_equal(other_process_look(0, &other), -1);
	assert_int_equal(other_process_look(-1, &other), -1);
}

static void it_is_signalled_and_waited_for(void **state)
{
	pid_t pid = child();
	struct other_process p;
	int pidfd, status;

	(void)state;
	assert_int_equal(other_process_look(pid, &p), 0);
	pidfd = other_process_open(&p);
	assert_true(pidfd >= 0);
	assert_false(other_process_wait(pidfd, clock_now_ns()));
	assert_int_equal(other_process_signal(pidfd, SIGTERM), 0);
	assert_true(other_process_wait(pidfd, clock_now_ns() + 20 * NS_PER_S));
	/* A zombie until it is reaped: it does not live. */
	assert_false(other_process_lives(&p));
	assert_int_equal(other_process_look(pid, &p), -1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(other_process_open(&p), -1);
	assert_int_equal(other_process_signal(pidfd, SIGTERM), 0);
	close(pidfd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_is_known_by_pid_and_begin),
		cmocka_unit_test(it_is_signalled_and_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
