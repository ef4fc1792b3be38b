#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/core/format.h"

static void counts_have_thousands(void **state)
{
	static const struct {
		uint64_t n;
		const char *text;
	} table[] = {
		{ 0, "0" },
		{ 999, "999" },
		{ 1000, "1,000" },
		{ 1234567, "1,234,567" },
		{ UINT64_MAX, "18,446,744,073,709,551,615" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		assert_string_equal(format_count(table[i].n).s, table[i].text);
}

static void durations_are_said_in_the_unit_that_fits(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} table[] = {
		{ 0, "0 us" },
		{ 840000, "840 us" },
		{ 1840000, "1.84 ms" },
		{ 250000000, "250 ms" },
		{ 800000000, "800 ms" },
		{ 999990000, "1,000 ms" },
		{ 1000000000, "1 s" },
		{ 12400000000, "12.4 s" },
		{ 59700000000, "1 min 0 s" },
		{ 100000000000, "1 min 40 s" },
		{ 3720000000000, "1 h 2 min" },
		{ -20000000, "-20 ms" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		assert_string_equal(format_duration(table[i].ns).s, table[i].text);
}

static void other_numbers_are_short_and_exact_enough(void **state)
{
	(void)state;
	assert_string_equal(format_ms(1234567890).s, "1,234.6");
	assert_string_equal(format_ms(1840000).s, "1.84");
	assert_string_equal(format_at(41203000000, 0).s, "+41.203 s");
	assert_string_equal(format_at(0, 500000000).s, "-0.500 s");
	assert_string_equal(format_bytes(61000000).s, "61 MB");
	assert_string_equal(format_bytes(12).s, "12 B");
	assert_string_equal(format_number(2000).s, "2,000");
	assert_string_equal(format_number(-3).s, "-3");
	assert_string_equal(format_number(0.25).s, "0.25");
	assert_string_equal(format_utc(1767225600000000000).s, "2026-01-01T00:00:00Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_have_thousands),
		cmocka_unit_test(durations_are_said_in_the_unit_that_fits),
		cmocka_unit_test(other_numbers_are_short_and_exact_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
