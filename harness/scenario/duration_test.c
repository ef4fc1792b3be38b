#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "scenario/duration.h"

static void durations_of_every_unit_are_exact_nanoseconds(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} good[] = {
		{ "0", 0 },
		{ "0s", 0 },
		{ "1ns", 1 },
		{ "1us", 1000 },
		{ "800ms", 800000000 },
		{ "2s", 2000000000 },
		{ "1m", 60000000000 },
		{ "1h", 3600000000000 },
		{ "1m30s", 90000000000 },
		{ "1.5s", 1500000000 },
		{ "0.000000001s", 1 },
		{ ".5ms", 500000 },
		{ "2h3m4s5ms6us7ns", 7384005006007 },
		{ "8760h", DURATION_MAX_NS },
		{ "0.1us", 100 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		int64_t ns = -1;

		assert_int_equal(duration_parse(good[i].text, &ns, NULL), 0);
		assert_int_equal(ns, good[i].ns);
	}
}

static void what_is_no_duration_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "is not a duration" },
		{ "s", "is not a duration" },
		{ "800", "has no unit" },
		{ "5sec", "unknown unit \"sec\"" },
		{ "5 s", "has no unit" },
		{ "-1s", "is not a duration" },
		{ "1s1m", "larger units come first" },
		{ "1s1s", "larger units come first" },
		{ "8761h", "longer than 8760h" },
		{ "8760h1s", "longer than 8760h" },
		{ "99999999999999999999s", "is not a duration" },
		{ "0.1ns", "not a whole number of nanoseconds" },
		{ "1..2s", "has no unit" },
		{ "1d", "unknown unit \"d\"" },
		{ "1S", "unknown unit \"S\"" },
		{ "1e3s", "unknown unit \"e\"" },
		{ "1s ", "is not a duration" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err err = { .kind = ERR_NONE };
		int64_t ns = 77;

		assert_int_equal(duration_parse(bad[i].text, &ns, &err), -1);
		assert_int_equal(ns, 77);
		assert_int_equal(err.kind, ERR_INPUT);
		if (!strstr(err.text, bad[i].why))
			fail_msg("\"%s\": %s", bad[i].text, err.text);
	}
}

static void a_formatted_duration_parses_back_to_itself(void **state)
{
	struct rng rng = rng_split(1, 0, "duration");

	(void)state;
	for (int i = 0; i < 20000; i++) {
		int64_t ns = (int64_t)rng_below(&rng, (uint64_t)1 << rng_below(&rng, 54)),
			back = -1;
		char text[DURATION_TEXT_MAX];

		duration_format(ns, text);
		assert_int_equal(duration_parse(text, &back, NULL), 0);
		assert_int_equal(back, ns);
	}
}

static void a_duration_is_formatted_in_the_largest_unit_that_divides_it(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {
		{ 0, "0s" },
		{ 90000000000, "90s" },
		{ 120000000000, "2m" },
		{ 1500000000, "1500ms" },
		{ 1, "1ns" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[DURATION_TEXT_MAX];

		duration_format(rows[i].ns, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void shares_are_percentages_or_fractions_and_the_same_number_either_way(void **state)
{
	static const struct {
		const char *text;
		double v;
	} good[] = {
		{ "50%", 0.5 }, { "0.5", 0.5 }, { "5%", 0.05 }, { "0", 0 },
		{ "100%", 1 },	{ "1", 1 },	{ "0%", 0 },	{ "12.5%", 0.125 },
	};
	static const char *const bad[] = { "",	  "%",	 "50",	"101%", "-1%",	 "half",
					   "0x1", "inf", "nan", "5 %",	"1.0.0", "5%%" };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		double v = -1;

		assert_int_equal(share_parse(good[i].text, &v, NULL), 0);
		assert_true(v == good[i].v);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err err = { .kind = ERR_NONE };
		double v = -1;

		assert_int_equal(share_parse(bad[i], &v, &err), -1);
		assert_true(v == -1);
		assert_int_equal(err.kind, ERR_INPUT);
	}
}

static void a_formatted_number_parses_back_to_the_same_double(void **state)
{
	struct rng rng = rng_split(2, 0, "number");

	(void)state;
	for (int i = 0; i < 5000; i++) {
		double v = rng_unit(&rng), back = -1;
		char text[DURATION_TEXT_MAX];

		number_format(v, text);
		assert_int_equal(number_parse(text, &back, NULL), 0);
		assert_true(back == v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_of_every_unit_are_exact_nanoseconds),
		cmocka_unit_test(what_is_no_duration_is_refused_with_the_reason),
		cmocka_unit_test(a_formatted_duration_parses_back_to_itself),
		cmocka_unit_test(a_duration_is_formatted_in_the_largest_unit_that_divides_it),
		cmocka_unit_test(
			shares_are_percentages_or_fractions_and_the_same_number_either_way),
		cmocka_unit_test(a_formatted_number_parses_back_to_the_same_double),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
