#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "scenario/place.h"

static void an_error_shows_place_line_caret_and_hint(void **state)
{
	static const struct {
		const char *text;
		struct mark mark;
		const char *hint, *want;
	} rows[] = {
		{ "a: 1\nbee: 2\n",
		  { 2, 1 },
		  "did you mean \"be\"?",
		  "f.yaml:2:1: wrong\n    bee: 2\n    ^\ndid you mean \"be\"?" },
		{ "a: 1\n  b: 2", { 2, 6 }, NULL, "f.yaml:2:6: wrong\n      b: 2\n         ^" },
		{ "\tx: 1\r\n", { 1, 2 }, NULL, "f.yaml:1:2: wrong\n    \tx: 1\n    \t^" },
		{ "\xc3\xa4\xc3\xb6: 1",
		  { 1, 3 },
		  NULL,
		  "f.yaml:1:3: wrong\n    \xc3\xa4\xc3\xb6: 1\n      ^" },
		{ "a\x01z", { 1, 3 }, NULL, "f.yaml:1:3: wrong\n    a?z\n      ^" },
		{ "a", { 9, 9 }, NULL, "f.yaml:9:9: wrong\n    \n    ^" },
		{ "a", { 1, 9 }, "", "f.yaml:1:9: wrong\n    a\n     ^" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct source source = { "f.yaml", rows[i].text };
		struct err err = { .kind = ERR_NONE };

		assert_int_equal(
			place_error(&source, rows[i].mark, rows[i].hint, &err, "%s", "wrong"), -1);
		assert_int_equal(err.kind, ERR_INPUT);
		assert_string_equal(err.text, rows[i].want);
	}
}

static void a_long_line_is_cut_round_the_column_and_a_long_path_in_front(void **state)
{
	char text[2001], path[1001];
	const struct source source = { path, text };
	struct err err = { .kind = ERR_NONE };

	(void)state;
	memset(text, 'x', 2000);
	text[2000] = '\0';
	text[1500] = '!';
	memset(path, 'p', 1000);
	path[1000] = '\0';
	place_error(&source, (struct mark){ 1, 1501 }, "the hint", &err, "wrong");
	assert_non_null(strstr(err.text, "!"));
	assert_non_null(strstr(err.text, ":1:1501: wrong"));
	assert_non_null(strstr(err.text, "the hint"));
	assert_true(!strncmp(err.text, "...p", 4));
	const char *excerpt = strchr(err.text, '\n') + 1, *caret = strchr(excerpt, '\n') + 1;
	assert_int_equal(strcspn(excerpt, "!"), strcspn(caret, "^")); /* one under the other */
}

static void the_nearest_word_is_the_one_that_was_meant(void **state)
{
	static const char *const words[] = { "weight", "share", "stickiness", "for", "live" };
	static const struct {
		const char *word, *want;
	} rows[] = {
		{ "wieght", "weight" },
		{ "weigth", "weight" },
		{ "wait", NULL },
		{ "shares", "share" },
		{ "stickyness", "stickiness" },
		{ "fro", "for" },
		{ "x", NULL },
		{ "", NULL },
		{ "lives", "live" },
		{ "balancer", NULL },
		{ "WEIGHT", NULL },
		{ "a-word-that-is-far-longer-than-any-of-the-words-above", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *near = nearest_word(rows[i].word, words, 5);

		if (!rows[i].want)
			assert_null(near);
		else
			assert_string_equal(near, rows[i].want);
	}
}

static void a_word_near_to_none_is_answered_with_all(void **state)
{
	static const char *const words[] = { "blue", "green" };
	char hint[64], small[12];

	(void)state;
	nearest_hint("purple", words, 2, hint, sizeof hint);
	assert_string_equal(hint, "one of: blue, green");
	nearest_hint("bleu", words, 2, hint, sizeof hint);
	assert_string_equal(hint, "did you mean \"blue\"?");
	nearest_hint("purple", words, 0, hint, sizeof hint);
	assert_string_equal(hint, "");
	nearest_hint("purple", words, 2, small, sizeof small);
	assert_true(strlen(small) < sizeof small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_shows_place_line_caret_and_hint),
		cmocka_unit_test(a_long_line_is_cut_round_the_column_and_a_long_path_in_front),
		cmocka_unit_test(the_nearest_word_is_the_one_that_was_meant),
		cmocka_unit_test(a_word_near_to_none_is_answered_with_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
