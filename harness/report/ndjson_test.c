#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/sample_test.h"

static size_t count_lines(const char *text, const char *holds)
{
	size_t count = 0;

	for (const char *at = text; (at = strstr(at, holds)); at++)
		count++;
	return count;
}

/* The history is read once forwards; a report may come after the judge, or after another report. */
static void the_whole_history_is_written_however_often_it_was_read(void **state)
{
	struct sample *s = sample_new();
	const struct event *e;

	(void)state;
	assert_true(history_next(s->history, &e));
	for (int i = 0; i < 2; i++) {
		char *text = sample_render(s, "ndjson");

		assert_non_null(text);
		assert_int_equal(count_lines(text, "\"dial.ok\""), 6);
		assert_int_equal(count_lines(text, "\"c-7f3a2b-6\""), 1);
		free(text);
	}
	sample_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_whole_history_is_written_however_often_it_was_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
