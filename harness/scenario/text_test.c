#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scenario/text.h"

static void text_is_utf8_without_control_characters(void **state)
{
	static const struct {
		const char *text;
		bool clean;
	} rows[] = {
		{ "", true },
		{ "plain ~", true },
		{ "tab\tline\n", true },
		{ "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x8e\xb5", true },
		{ "\x1b[31m", false },
		{ "\r", false },
		{ "\x7f", false },
		{ "\xc2\x85", false },
		{ "\xc2\xa0", true },
		{ "\xff", false },
		{ "\x80", false },
		{ "\xc3", false },
		{ "\xe2\x82", false },
		{ "\xc0\x80", false },
		{ "\xe0\x80\xaf", false },
		{ "\xed\xa0\x80", false },
		{ "\xf4\x90\x80\x80", false },
		{ "\xf8\x88\x80\x80", false },
		{ "\xe2\x80\xa8", false },
		{ "\xe2\x80\xa9", false },
		{ "\xef\xbb\xbf", false },
		{ "\xef\xbf\xbf", false },
		{ "\xf0\x9f\x8e", false },
		{ "\xc3\xc3\xa4", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (text_is_clean(rows[i].text) != rows[i].clean)
			fail_msg("row %zu", i);
}

static void quoting_escapes_what_would_end_or_change_the_text(void **state)
{
	struct buf out = buf_init(64);

	(void)state;
	text_quote("a\"b\\c\nd\te", &out);
	assert_string_equal(buf_text(&out), "\"a\\\"b\\\\c\\nd\\te\"");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_utf8_without_control_characters),
		cmocka_unit_test(quoting_escapes_what_would_end_or_change_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
