#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "scenario/variables.h"

static const struct variable some[] = {
	{ "A", "1" },	       { "EMPTY", "" },
	{ "REF", "${A}" },     { "DOLLAR", "$" },
	{ "BRACE", "{call}" }, { "A", "later" },
	{ "call", "mine" },    { "YAML", "x, share: 7 }\n  other: [" },
};
enum { SOME = sizeof some / sizeof *some };

static void variables_are_replaced_late_names_stay_and_the_first_value_wins(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "plain", "plain" },
		{ "${A}", "1" },
		{ "x${A}y${A}z", "x1y1z" },
		{ "${B:-5s}", "5s" },
		{ "${A:-5s}", "1" },
		{ "${B:-}", "" },
		{ "${EMPTY:-5s}", "" },
		{ "${B:-a:-b}", "a:-b" },
		{ "${call}", "${call}" },
		{ "ws://${alb}/r/${call}?${A}", "ws://${alb}/r/${call}?1" },
		{ "$A $ {A} $$", "$A $ {A} $$" },
		{ "${redis}${run}${color}${instance}", "${redis}${run}${color}${instance}" },
		{ "${YAML}", "x, share: 7 }\n  other: [" },
		{ "", "" },
	};
	const struct source source = { "f", "" };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf out = buf_init(256);

		assert_int_equal(variables_replace(&source, (struct mark){ 1, 1 }, rows[i].text,
						   some, SOME, &out, NULL),
				 0);
		assert_string_equal(buf_text(&out), rows[i].want);
		buf_free(&out);
	}
}

static void what_cannot_be_replaced_is_an_error_at_its_place(void **state)
{
	static const struct {
		const char *text, *why;
		int column;
	} rows[] = {
		{ "ab${NOPE}", "f:1:6: ${NOPE} is not defined", 4 },
		{ "${A}${NOPE}", "f:1:8: ${NOPE} is not defined", 4 },
		{ "${A", "without its \"}\"", 4 },
		{ "${}", "is not a variable", 4 },
		{ "${1A}", "is not a variable", 4 },
		{ "${A-5}", "is not a variable", 4 },
		{ "${A b}", "is not a variable", 4 },
		{ "${B:-${A}}", "the default of ${B} holds another variable", 4 },
		{ "${call:-x}", "takes no default", 4 },
		{ "${REF}", "variables are not replaced twice", 4 },
		{ "${DOLLAR}{call}", "once its variables are replaced", 4 },
		{ "$${BRACE}", "once its variables are replaced", 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf line = buf_init(256), out = buf_init(256);
		struct err err = { .kind = ERR_NONE };

		buf_printf(&line, "k: %s", rows[i].text);
		const struct source source = { "f", buf_text(&line) };
		assert_int_equal(variables_replace(&source, (struct mark){ 1, rows[i].column },
						   rows[i].text, some, SOME, &out, &err),
				 -1);
		assert_int_equal(err.kind, ERR_INPUT);
		if (!strstr(err.text, rows[i].why))
			fail_msg("%s: %s", rows[i].text, err.text);
		buf_free(&line);
		buf_free(&out);
	}
}

static void a_value_that_grows_past_the_limit_is_an_error(void **state)
{
	const struct source source = { "f", "k: ${A}${A}${A}" };
	struct buf out = buf_init(2);
	struct err err = { .kind = ERR_NONE };

	(void)state;
	assert_int_equal(variables_replace(&source, (struct mark){ 1, 4 }, "${A}${A}${A}", some,
					   SOME, &out, &err),
			 -1);
	assert_non_null(strstr(err.text, "longer than 2 bytes"));
	buf_free(&out);
}

static void late_names_are_bound_and_a_missing_one_is_an_error(void **state)
{
	const struct variable bound[] = { { "alb", "127.0.0.1:80" }, { "call", "c-1" } };
	struct buf out = buf_init(64), small = buf_init(8);
	struct err err = { .kind = ERR_NONE };

	(void)state;
	assert_int_equal(scenario_bind("ws://${alb}/realtime/${call}", bound, 2, &out, &err), 0);
	assert_string_equal(buf_text(&out), "ws://127.0.0.1:80/realtime/c-1");
	assert_int_equal(scenario_bind("${redis}", bound, 2, &out, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_non_null(strstr(err.text, "${redis} has no value here"));
	assert_int_equal(scenario_bind("${alb}", bound, 2, &small, &err), -1);
	assert_non_null(strstr(err.text, "longer than 8 bytes"));
	assert_int_equal(scenario_bind("${alb", bound, 2, &out, &err), -1);
	buf_free(&out);
	buf_free(&small);
}

static void a_text_mentions_the_names_in_it_and_no_others(void **state)
{
	(void)state;
	assert_true(variables_mention("ws://${alb}/${call}", "call"));
	assert_false(variables_mention("ws://${alb}/${call}", "run"));
	assert_false(variables_mention("call ${calls}", "call"));
	assert_false(variables_mention("${call", "call"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables_are_replaced_late_names_stay_and_the_first_value_wins),
		cmocka_unit_test(what_cannot_be_replaced_is_an_error_at_its_place),
		cmocka_unit_test(a_value_that_grows_past_the_limit_is_an_error),
		cmocka_unit_test(late_names_are_bound_and_a_missing_one_is_an_error),
		cmocka_unit_test(a_text_mentions_the_names_in_it_and_no_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
