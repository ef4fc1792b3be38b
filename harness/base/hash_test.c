#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/hash.h"

static void an_id_is_the_first_eight_bytes_of_its_sha256(void **state)
{
	(void)state;
	assert_int_equal(hash_id("c-1a2b3c-000114", 15), 0xe202495936758e39);
	assert_int_equal(hash_id("", 0), 0xe3b0c44298fc1c14);
}

/* The digests of interface.md, dialect plain, worked out with another program. */
static void the_chain_is_the_dialects(void **state)
{
	uint64_t none = hash_chain_start("c-1a2b3c-000114", 15);
	uint64_t one = hash_chain_next(none, 1, 0xdeadbeef);

	(void)state;
	assert_int_equal(none, 0x382cc4b94bbc2706);
	assert_int_equal(one, 0x1cad8f2b750fb9af);
	assert_int_equal(hash_chain_next(none, 10, 0), 0xe547e1632e0b5433);
	assert_int_equal(hash_chain_next(one, UINT32_MAX, UINT64_MAX), 0xa95b7cf5dcbad027);
}

static void hex_has_sixteen_digits_and_reads_back(void **state)
{
	static const uint64_t values[] = { 0, 1, 0xdeadbeef, 0x0123456789abcdef, UINT64_MAX };
	char text[17];
	uint64_t back;

	(void)state;
	hash_hex16(0xdeadbeef, text);
	assert_string_equal(text, "00000000deadbeef");
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		back = ~values[i];
		hash_hex16(values[i], text);
		assert_int_equal(strlen(text), 16);
		assert_int_equal(hash_parse_hex16(text, 16, &back), 0);
		assert_int_equal(back, values[i]);
	}
}

static void what_is_not_sixteen_lower_case_digits_is_refused(void **state)
{
	static const char *const texts[] = { "",
					     "0",
					     "00000000deadbee",
					     "00000000deadbeef0",
					     "00000000DEADBEEF",
					     "00000000deadbeeg",
					     " 0000000deadbeef",
					     "0x000000deadbeef" };
	uint64_t v = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(hash_parse_hex16(texts[i], strlen(texts[i]), &v), -1);
	assert_int_equal(hash_parse_hex16("00000000deadbee\0", 16, &v), -1);
	assert_int_equal(v, 77);
}

static void a_whole_digest_is_64_digits(void **state)
{
	char text[65];

	(void)state;
	hash_sha256_hex("abc", 3, text);
	assert_string_equal(text,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_is_the_first_eight_bytes_of_its_sha256),
		cmocka_unit_test(the_chain_is_the_dialects),
		cmocka_unit_test(hex_has_sixteen_digits_and_reads_back),
		cmocka_unit_test(what_is_not_sixteen_lower_case_digits_is_refused),
		cmocka_unit_test(a_whole_digest_is_64_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
