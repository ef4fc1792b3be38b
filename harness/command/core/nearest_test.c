#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "command/command.h"

static void the_nearest_word_is_suggested_and_a_far_one_is_not(void **state)
{
	static const char *const words[] = { "run",  "report", "check", "explain",
					     "list", "--seed", "--env" };
	static const struct {
		const char *typed, *nearest;
	} table[] = {
		{ "rnu", "run" },    { "runn", "run" },	    { "reprot", "report" },
		{ "chek", "check" }, { "expl", "explain" }, { "--sede", "--seed" },
		{ "xyz", NULL },     { "a", NULL },	    { "", NULL },
		{ "qq", NULL },	     { "run", "run" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const char *nearest = command_nearest(table[i].typed, words,
						      sizeof(words) / sizeof(*words));

		if (!table[i].nearest)
			assert_null(nearest);
		else
			assert_string_equal(nearest, table[i].nearest);
	}
}

static void a_word_of_any_length_is_harmless(void **state)
{
	static const char *const words[] = { "run" };
	char monster[300];

	(void)state;
	memset(monster, 'r', sizeof(monster) - 1);
	monster[sizeof(monster) - 1] = '\0';
	assert_null(command_nearest(monster, words, 1));
	assert_null(command_nearest("run", NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_nearest_word_is_suggested_and_a_far_one_is_not),
		cmocka_unit_test(a_word_of_any_length_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
