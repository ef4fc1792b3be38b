#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "record/names.h"

static void the_same_text_gets_the_same_number(void **state)
{
	struct names names = names_init(100);
	bool is_new;

	(void)state;
	assert_int_equal(names_intern(&names, "blue-1", 6, &is_new), 1);
	assert_true(is_new);
	assert_int_equal(names_intern(&names, "blue-2", 6, NULL), 2);
	assert_int_equal(names_intern(&names, "blue-1 and more", 6, &is_new), 1);
	assert_false(is_new);
	assert_int_equal(names_intern(&names, "blue-", 5, NULL), 3);
	assert_string_equal(names_text(&names, 2), "blue-2");
	assert_string_equal(names_text(&names, 0), "");
	assert_string_equal(names_text(&names, 4), "");
	names_free(&names);
}

static void thousands_of_texts_keep_their_numbers(void **state)
{
	struct names names = names_init(5000);
	char text[32];

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 1; i <= 5000; i++) {
			/* Downwards: a text comes after many that begin like it. */
			snprintf(text, sizeof(text), "note %u", 5001 - i);
			assert_int_equal(names_intern(&names, text, strlen(text), NULL), i);
		}
	}
	assert_int_equal(names_intern(&names, "one too many", 12, NULL), 0);
	assert_int_equal(names.count, 5000);
	assert_string_equal(names_text(&names, 4321), "note 680");
	names_free(&names);
	names_free(&names);
}

static void a_call_is_found_by_its_hash(void **state)
{
	struct call_names calls = { 0 };
	char id[32];

	(void)state;
	assert_string_equal(call_names_id(&calls, 7), "");
	for (uint64_t i = 1; i <= 3000; i++) {
		snprintf(id, sizeof(id), "c-%llu", (unsigned long long)i);
		call_names_add(&calls, i << 40 | i % 4, id, strlen(id)); /* many collide */
	}
	call_names_add(&calls, 5ULL << 40 | 1, "another", 7);
	call_names_add(&calls, 0, "nobody", 6);
	assert_int_equal(calls.count, 3000);
	assert_string_equal(call_names_id(&calls, 5ULL << 40 | 1), "c-5");
	assert_string_equal(call_names_id(&calls, 3000ULL << 40), "c-3000");
	assert_string_equal(call_names_id(&calls, 0), "");
	assert_string_equal(call_names_id(&calls, 12345), "");
	call_names_free(&calls);
	call_names_free(&calls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_text_gets_the_same_number),
		cmocka_unit_test(thousands_of_texts_keep_their_numbers),
		cmocka_unit_test(a_call_is_found_by_its_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
