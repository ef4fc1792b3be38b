#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "command/core/stack_dir.h"

struct fixture {
	char dir[64];
};

static int open_folder(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	snprintf(f->dir, sizeof f->dir, "/tmp/crossfade-stack-XXXXXX");
	*state = f;
	return mkdtemp(f->dir) ? 0 : -1;
}

static int close_folder(void **state)
{
	static const char *const files[] = { "stack.json", "env", "lock", "stack.json.new" };
	struct fixture *f = *state;
	char path[128];

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "%s/%s", f->dir, files[i]);
		unlink(path);
	}
	rmdir(f->dir);
	free(f);
	return 0;
}

static mode_t mode_of(const struct fixture *f, const char *name)
{
	struct stat status;
	char path[128];

	snprintf(path, sizeof path, "%s/%s", f->dir, name);
	assert_int_equal(stat(path, &status), 0);
	return status.st_mode & 07777;
}

static void facts_come_back_as_they_were_written(void **state)
{
	const struct stack_facts facts = {
		.up = { .pid = 42, .started = UINT64_C(1) << 40 },
		.since = "2026-01-31T12:00:00Z",
		.ready = true,
		.url = "ws://127.0.0.1:1/realtime/",
		.endpoint = "http://127.0.0.1:2/",
		.redis = "127.0.0.1:3",
		.rule = "arn:aws:rule",
		.path = "/realtime/*",
		.member = { { "redis", COLOR_UNKNOWN, "127.0.0.1:3", { 43, 7 } },
			    { "green-1", COLOR_GREEN, "", { 44, 8 } } },
		.member_count = 2,
	};
	struct fixture *f = *state;
	struct err err = { .kind = ERR_NONE };
	struct stack_facts back;

	assert_int_equal(stack_facts_read(f->dir, &back, &err), 0);
	assert_int_equal(stack_facts_write(f->dir, &facts, &err), 0);
	assert_int_equal(mode_of(f, "stack.json"), 0600);
	assert_int_equal(stack_facts_read(f->dir, &back, &err), 1);
	assert_int_equal(back.up.pid, 42);
	assert_true(back.up.started == UINT64_C(1) << 40);
	assert_true(back.ready);
	assert_string_equal(back.since, facts.since);
	assert_string_equal(back.url, facts.url);
	assert_string_equal(back.endpoint, facts.endpoint);
	assert_string_equal(back.redis, facts.redis);
	assert_string_equal(back.rule, facts.rule);
	assert_string_equal(back.path, facts.path);
	assert_int_equal(back.member_count, 2);
	assert_string_equal(back.member[0].name, "redis");
	assert_int_equal(back.member[0].color, COLOR_UNKNOWN);
	assert_int_equal(back.member[1].color, COLOR_GREEN);
	assert_int_equal(back.member[1].process.pid, 44);
	assert_int_equal(back.member[1].process.started, 8);
	stack_dir_clear(f->dir);
	assert_int_equal(stack_facts_read(f->dir, &back, &err), 0);
}

static void a_file_that_is_no_such_thing_is_told_and_left(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{\"schema\": \"crossfade.stack/1\"}",
		"{\"schema\": \"crossfade.stack/1\", \"up\": {\"pid\": -1, \"started\": 1}}",
		"{\"schema\": \"crossfade.stack/1\", \"schema\": \"crossfade.stack/1\"}",
	};
	struct fixture *f = *state;
	struct stack_facts facts = { .since = "untouched" };
	char path[128];

	snprintf(path, sizeof path, "%s/stack.json", f->dir);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct err err = { .kind = ERR_NONE };
		FILE *file = fopen(path, "we");

		assert_non_null(file);
		fputs(texts[i], file);
		fclose(file);
		assert_int_equal(stack_facts_read(f->dir, &facts, &err), -1);
		assert_int_equal(err.kind, ERR_INPUT);
		assert_string_equal(facts.since, "untouched");
	}
}

static void a_shell_reads_the_values_as_they_are(void **state)
{
	static const char *const lines[] = { "PLAIN=a",		 "SPACES=a b  c", "EMPTY=",
					     "QUOTE=it's $HOME", "EQUALS=a=b",	  NULL };
	struct fixture *f = *state;
	struct err err = { .kind = ERR_NONE };
	char command[256], value[64], said[128] = "";
	FILE *shell;

	assert_int_equal(stack_env_write(f->dir, lines, &err), 0);
	assert_int_equal(mode_of(f, "env"), 0600);
	snprintf(command, sizeof command,
		 ". %s/env; printf '%%s|' \"$PLAIN\" \"$SPACES\" \"$EMPTY\" \"$QUOTE\" \"$EQUALS\"",
		 f->dir);
	shell = popen(command, "r");
	assert_non_null(shell);
	assert_non_null(fgets(said, sizeof said, shell));
	pclose(shell);
	assert_string_equal(said, "a|a b  c||it's $HOME|a=b|");
	assert_true(stack_env_value(f->dir, "SPACES", value, sizeof value));
	assert_string_equal(value, "a b  c");
	assert_true(stack_env_value(f->dir, "EMPTY", value, sizeof value));
	assert_string_equal(value, "");
	assert_true(stack_env_value(f->dir, "EQUALS", value, sizeof value));
	assert_string_equal(value, "a=b");
	assert_false(stack_env_value(f->dir, "PLAI", value, sizeof value));
	assert_false(stack_env_value(f->dir, "OTHER", value, sizeof value));
}

static void a_folder_is_taken_once(void **state)
{
	struct fixture *f = *state;
	struct stack_facts facts = { .up = { 4711, 1 }, .since = "2026-01-31T12:00:00Z" };
	struct err err = { .kind = ERR_NONE };
	struct stack_dir first, second;

	assert_int_equal(stack_dir_take(f->dir, &first, &err), 0);
	assert_int_equal(stack_dir_take(f->dir, &second, &err), -1);
	assert_non_null(strstr(err.text, "just starting"));
	assert_int_equal(stack_facts_write(f->dir, &facts, &err), 0);
	assert_int_equal(stack_dir_take(f->dir, &second, &err), -1);
	assert_non_null(strstr(err.text, "pid 4711, since 2026-01-31T12:00:00Z"));
	assert_int_equal(err.kind, ERR_INPUT);
	stack_dir_leave(&first);
	assert_int_equal(stack_facts_read(f->dir, &facts, &err), 0);
	assert_int_equal(stack_dir_take(f->dir, &second, &err), 0);
	stack_dir_leave(&second);
	stack_dir_leave(&second);
}

int main(void)
{
#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, open_folder, close_folder)
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(facts_come_back_as_they_were_written),
		IN_A_FOLDER(a_file_that_is_no_such_thing_is_told_and_left),
		IN_A_FOLDER(a_shell_reads_the_values_as_they_are),
		IN_A_FOLDER(a_folder_is_taken_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
