/* The sentences of findings. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "check/core/witness.h"

static void counts_get_commas_and_nothing_else_does(void **state)
{
	static const struct {
		const char *said, *summary;
	} rows[] = {
		{ "0 of 999 dropped", "0 of 999 dropped" },
		{ "1128 of 1234567 dropped", "1,128 of 1,234,567 dropped" },
		{ "live (1000 of them), 100000; 2000", "live (1,000 of them), 100,000; 2,000" },
		{ "p99 1234.5 ms after +1000.25 s", "p99 1234.5 ms after +1000.25 s" },
		{ "c-1a2b3c-1234 on 127.0.0.1:34567 5432x", "c-1a2b3c-1234 on 127.0.0.1:34567 5432x" },
		{ "(", "(" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct finding f = { 0 };

		finding_say(&f, "%s", rows[i].said);
		assert_string_equal(f.summary, rows[i].summary);
	}
}

static void a_sentence_that_is_too_long_is_cut(void **state)
{
	struct finding f = { 0 };

	(void)state;
	finding_say(&f, "%0*d", FINDING_TEXT_MAX - 1, 0);
	assert_true(strlen(f.summary) < sizeof(f.summary));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_get_commas_and_nothing_else_does),
		cmocka_unit_test(a_sentence_that_is_too_long_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
