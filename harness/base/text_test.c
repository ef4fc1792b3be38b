#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/text.h"

/* What a caller or an agent may put into a text, and what is shown of it. */
static void texts_become_valid_utf8_without_control_characters(void **state)
{
	static const struct {
		const char *raw, *clean;
	} table[] = {
		{ "plain, with\ttab and\nline", "plain, with\ttab and\nline" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\x9e",
		  "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\x9e" },
		{ "\x1b[31m\x7f\x01", "?[31m??" },
		{ "csi \xc2\x9b"
		  "31m \xc2\xa0",
		  "csi ??31m \xc2\xa0" },
		{ "cut \xc3", "cut ?" },
		{ "cut \xe2\x82", "cut ??" },
		{ "overlong \xc0\xaf \xe0\x80\xaf", "overlong ?? ???" },
		{ "surrogate \xed\xa0\x80", "surrogate ???" },
		{ "too far \xf4\x90\x80\x80 \xff", "too far ???? ?" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char text[64];

		snprintf(text, sizeof(text), "%s", table[i].raw);
		text_scrub(text);
		assert_string_equal(text, table[i].clean);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_become_valid_utf8_without_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
