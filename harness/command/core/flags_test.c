#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"

static const struct command command = {
	.name = "try", .usage = "WORD", .about = "a test", .help = "example: none\n"
};
static const struct flag table[] = {
	{ .name = "--seed", .takes_value = true, .env = "CROSSFADE_TEST_SEED" },
	{ .name = "--env", .letter = 'e', .takes_value = true, .repeats = true },
	{ .name = "--quiet", .letter = 'q', .env = "CROSSFADE_TEST_QUIET" },
};

enum { WORDS_MAX = 8 };

static int parse(const char *const *words, struct flags **ret)
{
	char *argv[WORDS_MAX + 1] = { (char *)"try" };
	int argc = 1;

	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)words[argc - 1];
	return flags_parse(&command, table, sizeof(table) / sizeof(*table), argc, argv, ret);
}

/* What parsing prints on standard error, into text. */
static int parse_refused(const char *const *words, char *text, size_t size)
{
	FILE *file = tmpfile();
	struct flags *flags = NULL;
	int saved = dup(STDERR_FILENO), result;

	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	result = parse(words, &flags);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	text[fread(text, 1, size - 1, file)] = '\0';
	fclose(file);
	flags_free(flags);
	return result;
}

static void every_way_to_write_a_flag_is_read(void **state)
{
	const char *const words[] = { "file",  "--seed=7", "-e", "A=1", "-eB=2",
				      "--env", "C=3",	   "-q", NULL };
	const char *const *values = NULL;
	struct flags *flags;

	(void)state;
	assert_int_equal(parse(words, &flags), 0);
	assert_string_equal(flags_get(flags, "--seed"), "7");
	assert_int_equal(flags_all(flags, "--env", &values), 3);
	assert_string_equal(values[0], "A=1");
	assert_string_equal(values[1], "B=2");
	assert_string_equal(values[2], "C=3");
	assert_non_null(flags_get(flags, "--quiet"));
	assert_string_equal(flags_positional(flags, 0), "file");
	assert_null(flags_positional(flags, 1));
	flags_free(flags);
}

static void two_dashes_end_the_flags_and_one_dash_is_a_word(void **state)
{
	const char *const words[] = { "-", "--", "--seed", NULL };
	struct flags *flags;

	(void)state;
	assert_int_equal(parse(words, &flags), 0);
	assert_null(flags_get(flags, "--seed"));
	assert_string_equal(flags_positional(flags, 0), "-");
	assert_string_equal(flags_positional(flags, 1), "--seed");
	flags_free(flags);
}

static void wrong_words_are_refused_with_a_sentence(void **state)
{
	static const struct {
		const char *words[WORDS_MAX], *sentence;
	} cases[] = {
		{ { "--sede", "7" },
		  "crossfade: try: no flag \"--sede\"; did you mean \"--seed\"?\n" },
		{ { "--sede=7" },
		  "crossfade: try: no flag \"--sede\"; did you mean \"--seed\"?\n" },
		{ { "--nothing-like-it" },
		  "crossfade: try: no flag \"--nothing-like-it\"; crossfade try --help lists them\n" },
		{ { "--seed" }, "crossfade: try: --seed needs a value\n" },
		{ { "--quiet=yes" }, "crossfade: try: --quiet takes no value, got \"yes\"\n" },
		{ { "--seed", "1", "--seed", "2" },
		  "crossfade: try: --seed is given twice: \"1\" and \"2\"\n" },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(parse_refused(cases[i].words, text, sizeof(text)), -1);
		assert_string_equal(text, cases[i].sentence);
	}
}

static void the_command_line_wins_over_the_environment(void **state)
{
	const char *const none[] = { NULL }, *const seed[] = { "--seed", "7", NULL };
	struct flags *flags;

	(void)state;
	setenv("CROSSFADE_TEST_SEED", "5", 1);
	setenv("CROSSFADE_TEST_QUIET", "0", 1);
	assert_int_equal(parse(none, &flags), 0);
	assert_string_equal(flags_get(flags, "--seed"), "5");
	assert_null(flags_get(flags, "--quiet"));
	flags_free(flags);
	setenv("CROSSFADE_TEST_QUIET", "1", 1);
	assert_int_equal(parse(seed, &flags), 0);
	assert_string_equal(flags_get(flags, "--seed"), "7");
	assert_non_null(flags_get(flags, "--quiet"));
	flags_free(flags);
	unsetenv("CROSSFADE_TEST_SEED");
	unsetenv("CROSSFADE_TEST_QUIET");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_to_write_a_flag_is_read),
		cmocka_unit_test(two_dashes_end_the_flags_and_one_dash_is_a_word),
		cmocka_unit_test(wrong_words_are_refused_with_a_sentence),
		cmocka_unit_test(the_command_line_wins_over_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
