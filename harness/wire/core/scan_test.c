#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "wire/core/scan.h"

/* What was read, as text: key=value; pairs. */
struct seen {
	char text[512];
	size_t size;
};

static void note(void *user, const struct scan_member *m)
{
	static const char *const words[] = { "", "", "number", "true", "false", "null", "nested" };
	struct seen *s = user;
	size_t room = sizeof(s->text) - s->size;
	int n;

	if (m->type == SCAN_STRING)
		n = snprintf(s->text + s->size, room, "%s='%s'%s;", m->key, m->text,
			     m->cut ? "..." : "");
	else if (m->type == SCAN_INTEGER)
		n = snprintf(s->text + s->size, room, "%s=%lld;", m->key, (long long)m->integer);
	else
		n = snprintf(s->text + s->size, room, "%s=%s;", m->key, words[m->type]);
	s->size += (size_t)n < room ? (size_t)n : room - 1;
}

static const struct {
	const char *json, *want; /* want NULL: refused */
} rows[] = {
	{ "{}", "" },
	{ " { \"a\" : 1 , \"b\":\"x\" } ", "a=1;b='x';" },
	{ "{\"a\":-0,\"b\":9007199254740993}", "a=0;b=9007199254740993;" },
	{ "{\"a\":1.5,\"b\":1e3,\"c\":99999999999999999999}", "a=number;b=number;c=number;" },
	{ "{\"a\":true,\"b\":false,\"c\":null}", "a=true;b=false;c=null;" },
	{ "{\"a\":\"q\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "a='q\"\\/\b\f\n\r\t';" },
	{ "{\"a\":\"\\u0041\\u00e4\\u20ac\\ud83d\\ude00\"}",
	  "a='A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80';" },
	{ "{\"n\":{\"n\":[1,{\"x\":\"}\"},[]],\"m\":{}},\"z\":2}", "n=nested;z=2;" },
	{ "{\"a\":1,\"a\":2}", "a=1;a=2;" },
	{ "{\"this key is longer than any dialect has\":1,\"a\":2}", "a=2;" },
	{ "", NULL },
	{ "[]", NULL },
	{ "{", NULL },
	{ "{\"a\":1", NULL },
	{ "{\"a\":1,}", NULL },
	{ "{\"a\" 1}", NULL },
	{ "{a:1}", NULL },
	{ "{\"a\":01}", NULL },
	{ "{\"a\":1.}", NULL },
	{ "{\"a\":.5}", NULL },
	{ "{\"a\":+1}", NULL },
	{ "{\"a\":nul}", NULL },
	{ "{\"a\":\"\t\"}", NULL },
	{ "{\"a\":\"\\x\"}", NULL },
	{ "{\"a\":\"\\ud83d\"}", NULL },
	{ "{\"a\":\"\\ude00\"}", NULL },
	{ "{\"a\":\"", NULL },
	{ "{\"a\":1}{", NULL },
	{ "{\"a\":[1 2]}", NULL },
	{ "{\"a\":{\"b\"}}", NULL },
};

static void json_is_read_as_its_grammar_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct seen seen = { .size = 0 };
		size_t at = 0;
		int result = scan_object(rows[i].json, strlen(rows[i].json), note, &seen, &at);

		if ((result == 0) != (rows[i].want != NULL))
			fail_msg("%s: %s", rows[i].json, result ? "refused" : "taken");
		if (rows[i].want)
			assert_string_equal(seen.text, rows[i].want);
		assert_true(at <= strlen(rows[i].json));
	}
}

static void depth_and_length_are_bounded(void **state)
{
	char json[4096] = "{\"a\":";
	struct seen seen = { .size = 0 };
	size_t at;

	(void)state;
	memset(json + 5, '[', SCAN_DEPTH_MAX);
	memset(json + 5 + SCAN_DEPTH_MAX, ']', SCAN_DEPTH_MAX);
	strcpy(json + 5 + 2 * SCAN_DEPTH_MAX, "}");
	assert_int_equal(scan_object(json, strlen(json), note, &seen, &at), 0);
	memset(json + 5, '[', SCAN_DEPTH_MAX + 1);
	memset(json + 6 + SCAN_DEPTH_MAX, ']', SCAN_DEPTH_MAX + 1);
	strcpy(json + 7 + 2 * SCAN_DEPTH_MAX, "}");
	assert_int_equal(scan_object(json, strlen(json), note, &seen, &at), -1);
	seen.size = 0;
	memset(json + 5, '"', 1);
	memset(json + 6, 'x', SCAN_TEXT_MAX + 1);
	strcpy(json + 6 + SCAN_TEXT_MAX + 1, "\"}");
	assert_int_equal(scan_object(json, strlen(json), note, &seen, &at), 0);
	assert_non_null(strstr(seen.text, "x'...;"));
}

/* Bytes changed, cut and repeated at random: never a read out of bounds (ASan looks on), and what
 * is cut is refused. */
static void damaged_frames_never_harm(void **state)
{
	static const char frame[] =
		"{\"type\":\"reply\",\"n\":7,\"color\":\"blue\",\"x\":{\"y\":[1,\"\\u00e4\"]},\"digest\":"
		"\"0123456789abcdef\"}";
	struct rng rng = rng_split(11, 0, "scan");

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t size = 1 + rng_below(&rng, sizeof(frame) - 1), at = 0;
		char *copy = malloc(size);
		struct seen seen = { .size = 0 };
		bool whole = size == sizeof(frame) - 1;

		memcpy(copy, frame, size);
		for (uint64_t k = rng_below(&rng, 4); k > 0; k--) {
			copy[rng_below(&rng, size)] = (char)rng_u64(&rng);
			whole = true; /* may still be JSON */
		}
		if (scan_object(copy, size, note, &seen, &at) == 0)
			assert_true(whole);
		else
			assert_true(at <= size);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_read_as_its_grammar_says),
		cmocka_unit_test(depth_and_length_are_bounded),
		cmocka_unit_test(damaged_frames_never_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
