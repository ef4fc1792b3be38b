#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static void an_empty_buffer_has_a_text(void **state)
{
	struct buf buf = buf_init(10);

	(void)state;
	assert_string_equal(buf_text(&buf), "");
	assert_null(buf.data);
	assert_int_equal(buf_append(&buf, NULL, 0), 0);
	assert_string_equal(buf_text(&buf), "");
	buf_free(&buf);
}

static void appended_bytes_stay_in_order_and_end_in_nul(void **state)
{
	struct buf buf = buf_init(1000);

	(void)state;
	assert_int_equal(buf_puts(&buf, "GET "), 0);
	assert_int_equal(buf_append(&buf, "a\0b", 3), 0);
	assert_int_equal(buf_printf(&buf, " %d%s", 7, "!"), 0);
	assert_int_equal(buf.len, 10);
	assert_memory_equal(buf.data, "GET a\0b 7!", 11);
	buf_free(&buf);
}

static void the_limit_is_exact_and_loud(void **state)
{
	static const struct {
		size_t max, first, second;
		int status;
	} cases[] = {
		{ 10, 4, 6, 0 },       { 10, 4, 7, -1 },          { 10, 10, 0, 0 },
		{ 10, 10, 1, -1 },     { 0, 0, 1, -1 },           { 300, 200, 100, 0 },
		{ 300, 200, 101, -1 }, { 10, 1, (size_t)-1, -1 },
	};
	char bytes[400];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf buf = buf_init(cases[i].max);
		assert_int_equal(buf_append(&buf, bytes, cases[i].first), 0);
		assert_int_equal(buf_append(&buf, bytes, cases[i].second), cases[i].status);
		assert_int_equal(buf.overflow, cases[i].status < 0);
		assert_int_equal(buf.len,
				 cases[i].first + (cases[i].status < 0 ? 0 : cases[i].second));
		buf_free(&buf);
	}
}

static void a_print_past_the_limit_leaves_the_text_alone(void **state)
{
	struct buf buf = buf_init(8);

	(void)state;
	assert_int_equal(buf_puts(&buf, "abc"), 0);
	assert_int_equal(buf_printf(&buf, "%06d", 1), -1);
	assert_true(buf.overflow);
	assert_string_equal(buf_text(&buf), "abc");
	assert_int_equal(buf_printf(&buf, "%05d", 1), 0);
	assert_string_equal(buf_text(&buf), "abc00001");
	buf_free(&buf);
}

static void consumed_bytes_make_room_again(void **state)
{
	struct buf buf = buf_init(6);

	(void)state;
	buf_puts(&buf, "abcdef");
	buf_consume(&buf, 4);
	assert_string_equal(buf_text(&buf), "ef");
	assert_int_equal(buf_puts(&buf, "ghij"), 0);
	assert_string_equal(buf_text(&buf), "efghij");
	buf_consume(&buf, 6);
	assert_string_equal(buf_text(&buf), "");
	buf_consume(&buf, 0);
	buf_free(&buf);
}

static void clearing_forgets_the_bytes_and_the_overflow(void **state)
{
	struct buf buf = buf_init(3);

	(void)state;
	buf_puts(&buf, "abc");
	buf_puts(&buf, "d");
	buf_clear(&buf);
	assert_false(buf.overflow);
	assert_string_equal(buf_text(&buf), "");
	assert_int_equal(buf_puts(&buf, "xyz"), 0);
	buf_free(&buf);
	buf_free(&buf);
	assert_string_equal(buf_text(&buf), "");
}

static void memory_comes_zeroed_and_texts_are_copies(void **state)
{
	unsigned char *bytes = xcalloc(3, 5);
	char text[] = "green", *copy = xstrdup(text), *printed = xasprintf("%s-%d", text, 2);

	(void)state;
	for (int i = 0; i < 15; i++)
		assert_int_equal(bytes[i], 0);
	text[0] = 'G';
	assert_string_equal(copy, "green");
	assert_string_equal(printed, "green-2");
	bytes = xrealloc(bytes, 100);
	bytes[99] = 1;
	free(bytes);
	free(copy);
	free(printed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buffer_has_a_text),
		cmocka_unit_test(appended_bytes_stay_in_order_and_end_in_nul),
		cmocka_unit_test(the_limit_is_exact_and_loud),
		cmocka_unit_test(a_print_past_the_limit_leaves_the_text_alone),
		cmocka_unit_test(consumed_bytes_make_room_again),
		cmocka_unit_test(clearing_forgets_the_bytes_and_the_overflow),
		cmocka_unit_test(memory_comes_zeroed_and_texts_are_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
