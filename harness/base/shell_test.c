#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/shell.h"

static void words_that_mean_something_to_a_shell_are_quoted(void **state)
{
	static const struct {
		const char *word, *said;
	} cases[] = {
		{ "runs/a-1/20261123T06:00", "runs/a-1/20261123T06:00" },
		{ "", "''" },
		{ "a b", "'a b'" },
		{ "it's $HOME", "'it'\\''s $HOME'" },
		{ "~", "'~'" },
		{ "a;b|c&d<e>f`g\"h\\i*j?k[l]m{n}o#p!q\nr",
		  "'a;b|c&d<e>f`g\"h\\i*j?k[l]m{n}o#p!q\nr'" },
		{ "\xc3\xa4", "'\xc3\xa4'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf out = buf_init(200);

		shell_word(&out, cases[i].word);
		assert_string_equal(buf_text(&out), cases[i].said);
		buf_free(&out);
	}
}

static void a_value_is_quoted_whatever_it_is(void **state)
{
	struct buf out = buf_init(200);

	(void)state;
	shell_quote(&out, "plain");
	shell_quote(&out, "'");
	assert_string_equal(buf_text(&out), "'plain'''\\'''");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_that_mean_something_to_a_shell_are_quoted),
		cmocka_unit_test(a_value_is_quoted_whatever_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
