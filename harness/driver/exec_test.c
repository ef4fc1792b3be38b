/* The operator's script, and the driver that watches it. */
#include "driver/test_stub.h"

#include <poll.h>
#include <signal.h>

#include "driver/driver.h"
#include "driver/test_balancer.h"
#include "net/process.h"

static struct driver_session *open_exec(const struct stub *stub, const char *const *command)
{
	struct driver_settings settings = { .endpoint = stub->endpoint,
					    .rule = RULE_ARN,
					    .call_within_ns = 60 * NS_PER_S,
					    .command = command };
	struct driver_session *s;
	struct err err = { .kind = ERR_NONE };

	if (driver_find("exec")->open(&settings, &s, &err) < 0)
		fail_msg("%s", err.text);
	return s;
}

/* To the end of the file: nobody holds the script's output any more. */
static void read_output(int fd, char *out, size_t size)
{
	size_t have = 0;
	ssize_t n = 1;

	while (n && have < size - 1) {
		struct pollfd f = { .fd = fd, .events = POLLIN };

		assert_int_equal(poll(&f, 1, 60000), 1);
		n = read(fd, out + have, size - 1 - have);
		assert_true(n >= 0);
		have += (size_t)n;
	}
	out[have] = '\0';
}

static void the_script_runs_without_a_shell_with_the_variables_it_is_given(void **state)
{
	static const char *const command[] = {
		"sh",  "-c",	   "echo \"$ENDPOINT|$0|$1\"; echo noise >&2; exit 5",
		"a b", "$HOME; *", NULL
	};
	static const char *const more[] = { "ENDPOINT=http://x/", NULL };
	struct driver_session *s = open_exec(*state, command);
	char path[] = "/tmp/exec_test_XXXXXX", out[256];
	struct process p;
	int output, status = -1, file = mkstemp(path);

	assert_int_equal(driver_find("exec")->launch(s, more, path, &p, &output, NULL), 0);
	read_output(output, out, sizeof out);
	assert_string_equal(out, "http://x/|a b|$HOME; *\n");
	assert_true(process_wait(&p, clock_now_ns() + 60 * NS_PER_S, &status));
	assert_int_equal(status, 5);
	out[read(file, out, sizeof out - 1)] = '\0';
	assert_string_equal(out, "noise\n");
	close(output);
	process_close(&p);
	driver_find("exec")->close(s);
	close(file);
	unlink(path);
}

static void nothing_the_script_started_outlives_it(void **state)
{
	static const char *const command[] = {
		"/bin/sh", "-c", "trap '' TERM; sleep 600 & sleep 600 & echo up; wait", NULL
	};
	struct driver_session *s = open_exec(*state, command);
	struct process p;
	struct pollfd f;
	char out[16] = "";
	int output, status = -1;

	assert_int_equal(driver_find("exec")->launch(s, NULL, NULL, &p, &output, NULL), 0);
	f = (struct pollfd){ .fd = output, .events = POLLIN };
	assert_int_equal(poll(&f, 1, 60000), 1);
	assert_int_equal(read(output, out, sizeof out - 1), 3);
	assert_int_equal(process_signal(&p, SIGKILL), 0); /* the script alone */
	assert_true(process_wait(&p, clock_now_ns() + 60 * NS_PER_S, &status));
	assert_int_equal(status, 128 + SIGKILL);
	read_output(output, out, sizeof out);
	close(output);
	process_close(&p);
	driver_find("exec")->close(s);
}

static void what_cannot_be_started_is_told_before_anything_is(void **state)
{
	static const struct {
		const char *const command[2];
		const char *says;
	} cases[] = {
		{ { "no-such-cutover" }, "exec driver: no-such-cutover is not in PATH" },
		{ { "/nowhere/cutover.sh" }, "exec driver: /nowhere/cutover.sh: No such file" },
		{ { "/" }, "exec driver: /: Is a directory" },
		{ { "/etc/passwd" }, "exec driver: /etc/passwd: Permission denied" },
	};
	struct stub *stub = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct driver_settings settings = { .endpoint = stub->endpoint,
						    .rule = RULE_ARN,
						    .command = cases[i].command };
		struct err err = { .kind = ERR_NONE };
		struct driver_session *s = NULL;

		assert_int_equal(driver_find("exec")->open(&settings, &s, &err), -1);
		assert_int_equal(err.kind, ERR_INPUT);
		assert_null(s);
		if (!strstr(err.text, cases[i].says))
			fail_msg("%s", err.text);
	}
}

static void a_command_and_a_driver_that_watches_are_needed(void **state)
{
	static const char *const none[] = { NULL }, *const some[] = { "true", NULL };
	struct stub *stub = *state;
	const struct {
		const char *const *command;
		const char *watch, *endpoint, *says;
	} cases[] = {
		{ NULL, NULL, stub->endpoint, "exec driver: no command is given" },
		{ none, NULL, stub->endpoint, "exec driver: no command is given" },
		{ some, "exec", stub->endpoint,
		  "exec driver: \"exec\" is not a driver that can watch" },
		{ some, "al", stub->endpoint,
		  "exec driver: \"al\" is not a driver that can watch" },
		{ some, NULL, "nonsense://", "exec driver: alb driver: " },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct driver_settings settings = { .endpoint = cases[i].endpoint,
						    .rule = RULE_ARN,
						    .command = cases[i].command,
						    .watch = cases[i].watch };
		struct err err = { .kind = ERR_NONE };
		struct driver_session *s = NULL;

		assert_int_equal(driver_find("exec")->open(&settings, &s, &err), -1);
		assert_null(s);
		if (strncmp(err.text, cases[i].says, strlen(cases[i].says)))
			fail_msg("%s", err.text);
	}
}

/* The script is another writer, by design: going back must not stumble over what it wrote. */
static void the_watching_driver_does_all_the_rest_and_expects_the_script_to_write(void **state)
{
	static const char *const command[] = { "true", NULL };
	static const struct stub_answer shifted = { .has = "RuleArns.member.1",
						    .status = 200,
						    .body = RULES(RULE("0", "100")) };
	struct stub *stub = *state;
	struct driver_session *s = open_exec(stub, command);
	const struct driver *exec = driver_find("exec");
	struct driver_view v;
	struct err err = { .kind = ERR_NONE };
	int64_t count = 77;

	assert_int_equal(exec->read(s, &v, NULL), 0);
	assert_int_equal(v.weight[COLOR_BLUE], 100);
	balancer_say(stub, &shifted, 1);
	if (exec->set_weights(s, 100, 0, &err) < 0)
		fail_msg("%s", err.text);
	assert_non_null(stub_asked(stub, "Action=ModifyRule"));
	assert_int_equal(exec->deregister(s, COLOR_BLUE, NULL), 0);
	assert_int_equal(exec->reregister(s, COLOR_BLUE, NULL), 0);
	assert_non_null(stub_asked(stub, "Action=RegisterTargets"));
	assert_int_equal(exec->connections(s, &count, &err), -1); /* an empty answer, passed on */
	assert_non_null(strstr(err.text, "alb driver: GetMetricData"));
	exec->close(s);
	exec->close(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, balancer_setup, balancer_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_script_runs_without_a_shell_with_the_variables_it_is_given),
		TEST(nothing_the_script_started_outlives_it),
		TEST(what_cannot_be_started_is_told_before_anything_is),
		TEST(a_command_and_a_driver_that_watches_are_needed),
		TEST(the_watching_driver_does_all_the_rest_and_expects_the_script_to_write),
	};
#undef TEST

	return cmocka_run_group_tests_name("driver/exec", tests, NULL, NULL);
}
