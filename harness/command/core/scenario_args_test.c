#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/core/scenario_args.h"

static const struct command command = {
	.name = "try", .usage = "SCENARIO", .about = "a test", .help = ""
};
static const struct flag table[] = { SCENARIO_FLAGS };

static const char scenario_text[] =
	"name: tiny\n"
	"about: \"${ABOUT:-nothing}\"\n"
	"seed: 7\n"
	"timers: { stickiness: 1s, deregistration_delay: 20s, idle: 10s, longest_call: 4s, propagation: 1s,\n"
	"          dead_after: 5s, setup_within: 5s }\n"
	"calls:\n"
	"  live: 2\n"
	"  hold: 3s\n"
	"  turn: { every: 1s }\n"
	"  profiles: { bridge: { share: 100% } }\n"
	"cutover:\n"
	"  - steady: { for: 2s }\n";

static int setup(void **state)
{
	char *path = strdup("/tmp/scenario-args-XXXXXX.yaml");
	int fd = mkstemps(path, 5);

	*state = path;
	if (fd < 0 ||
	    write(fd, scenario_text, strlen(scenario_text)) != (ssize_t)strlen(scenario_text))
		return -1;
	return close(fd);
}

static int teardown(void **state)
{
	unlink(*state);
	free(*state);
	return 0;
}

static struct flags *flags_of(const char *const *words)
{
	char *argv[12] = { (char *)"try" };
	struct flags *flags = NULL;
	int argc = 1;

	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)words[argc - 1];
	assert_int_equal(
		flags_parse(&command, table, sizeof(table) / sizeof(*table), argc, argv, &flags),
		0);
	return flags;
}

static struct scenario *load(const char *const *words)
{
	struct flags *flags = flags_of(words);
	struct scenario *scenario = NULL;
	struct buf warnings = buf_init(1 << 16);
	struct err err = { 0 };

	if (scenario_args_load(flags, &scenario, &warnings, &err) < 0)
		fail_msg("%s", err.text);
	buf_free(&warnings);
	flags_free(flags);
	return scenario;
}

static void the_words_of_the_command_line_win(void **state)
{
	const char *const plain[] = { *state, NULL };
	const char *const given[] = {
		*state, "-e", "ABOUT=said here", "--seed", "18446744073709551615", NULL
	};
	struct scenario *scenario = load(plain);

	assert_string_equal(scenario->about, "nothing");
	assert_int_equal(scenario->seed, 7);
	scenario_free(scenario);
	setenv("ABOUT", "from around", 1);
	scenario = load(plain);
	assert_string_equal(scenario->about, "from around");
	scenario_free(scenario);
	scenario = load(given);
	assert_string_equal(scenario->about, "said here");
	assert_true(scenario->seed == UINT64_MAX);
	scenario_free(scenario);
	unsetenv("ABOUT");
}

static void wrong_words_are_refused(void **state)
{
	static const struct {
		const char *flag, *value, *sentence;
	} cases[] = {
		{ "--seed", "12x", "--seed 12x: not a number from 0 to 18446744073709551615" },
		{ "--seed", "-1", "--seed -1: not a number from 0 to 18446744073709551615" },
		{ "--seed", "18446744073709551616",
		  "--seed 18446744073709551616: not a number from 0 to 18446744073709551615" },
		{ "-e", "ABOUT", "-e ABOUT: write KEY=VALUE" },
		{ "-e", "=x", "-e =x: write KEY=VALUE" },
		{ "--defect", "no-such-overlay-at-all",
		  "no defect or control \"no-such-overlay-at-all\"; crossfade list names them" },
		{ "--defect", "../../etc/passwd",
		  "no defect or control \"../../etc/passwd\"; crossfade list names them" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *const words[] = { *state, cases[i].flag, cases[i].value, NULL };
		struct flags *flags = flags_of(words);
		struct scenario *scenario = NULL;
		struct buf warnings = buf_init(1 << 16);
		struct err err = { 0 };

		assert_int_equal(scenario_args_load(flags, &scenario, &warnings, &err), -1);
		assert_int_equal(err.kind, ERR_INPUT);
		assert_string_equal(err.text, cases[i].sentence);
		assert_null(scenario);
		buf_free(&warnings);
		flags_free(flags);
	}
}

static void the_command_that_repeats_a_run_survives_a_shell(void **state)
{
	const char *const words[] = { "a b.yaml", "-e", "X=it's $HOME", "--env=Y=1ms", "--defect",
				      "D30",	  NULL };
	struct flags *flags = flags_of(words);
	struct buf again = buf_init(4096);

	(void)state;
	scenario_args_again(flags, 42, &again);
	assert_string_equal(buf_text(&again), "crossfade run 'a b.yaml' --seed 42 --defect D30"
					      " -e 'X=it'\\''s $HOME' -e Y=1ms");
	buf_free(&again);
	flags_free(flags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_words_of_the_command_line_win, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_words_are_refused, setup, teardown),
		cmocka_unit_test(the_command_that_repeats_a_run_survives_a_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
