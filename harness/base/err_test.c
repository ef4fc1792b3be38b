#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"

static void an_error_carries_kind_and_text_and_returns_minus_one(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(err_set(&err, ERR_INPUT, "key %s of %d", "hold", 3), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_string_equal(err.text, "key hold of 3");
}

static void what_others_sent_is_made_fit_to_be_shown(void **state)
{
	struct err err = { 0 };

	(void)state;
	err_set(&err, ERR_WORLD, "the agent said %s", "\x1b[2J\n\xff");
	assert_string_equal(err.text, "the agent said ?[2J\n?");
}

static void the_reason_of_errno_is_appended(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(err_errno(&err, ERR_WORLD, ENOENT, "open %s", "x.yaml"), -1);
	assert_int_equal(err.kind, ERR_WORLD);
	assert_string_equal(err.text, "open x.yaml: No such file or directory");
}

static void context_is_prepended_and_the_kind_kept(void **state)
{
	struct err err = { 0 };

	(void)state;
	err_set(&err, ERR_WORLD, "connect: refused");
	assert_int_equal(err_context(&err, "set weights %d/%d", 0, 100), -1);
	err_context(&err, "alb driver");
	assert_string_equal(err.text, "alb driver: set weights 0/100: connect: refused");
	assert_int_equal(err.kind, ERR_WORLD);
}

static void an_error_may_quote_itself(void **state)
{
	struct err err = { 0 };

	(void)state;
	err_set(&err, ERR_WORLD, "refused");
	err_set(&err, ERR_HARNESS, "gave up: %s", err.text);
	assert_string_equal(err.text, "gave up: refused");
}

static void long_texts_are_cut_not_overrun(void **state)
{
	char text[2 * ERR_TEXT_MAX];
	struct {
		struct err err;
		char guard;
	} at = { .guard = 'g' };

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&at.err, ERR_INPUT, "%s", text);
	assert_int_equal(strlen(at.err.text), ERR_TEXT_MAX - 1);
	err_context(&at.err, "%s", "abc");
	assert_int_equal(strlen(at.err.text), ERR_TEXT_MAX - 1);
	assert_memory_equal(at.err.text, "abc: xxx", 8);
	err_errno(&at.err, ERR_INPUT, EIO, "%s", text);
	assert_int_equal(strlen(at.err.text), ERR_TEXT_MAX - 1);
	assert_int_equal(at.guard, 'g');
}

static void who_wants_no_error_passes_null(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_INPUT, "x"), -1);
	assert_int_equal(err_errno(NULL, ERR_INPUT, EIO, "x"), -1);
	assert_int_equal(err_context(NULL, "x"), -1);
}

static void a_failed_assertion_prints_both_values_and_aborts(void **state)
{
	char text[256] = "";
	int ends[2], status;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		signal(SIGABRT, SIG_DFL);
		dup2(ends[1], STDERR_FILENO);
		ASSERT_EQ(1 + 1, 3);
		_exit(0);
	}
	close(ends[1]);
	for (ssize_t n, at = 0; (n = read(ends[0], text + at, sizeof(text) - 1 - (size_t)at)) > 0;)
		at += n;
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_non_null(strstr(text, "err_test.c"));
	assert_non_null(strstr(text, "1 + 1 == 3 does not hold: 2 and 3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_carries_kind_and_text_and_returns_minus_one),
		cmocka_unit_test(what_others_sent_is_made_fit_to_be_shown),
		cmocka_unit_test(the_reason_of_errno_is_appended),
		cmocka_unit_test(context_is_prepended_and_the_kind_kept),
		cmocka_unit_test(an_error_may_quote_itself),
		cmocka_unit_test(long_texts_are_cut_not_overrun),
		cmocka_unit_test(who_wants_no_error_passes_null),
		cmocka_unit_test(a_failed_assertion_prints_both_values_and_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
