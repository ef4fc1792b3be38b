/*
 * The JSON reader of the frame path, held against jansson: what jansson takes for an object (no
 * deeper than the reader goes) the reader takes as well, and its values are the same.
 */
#include <jansson.h>
#include <stdlib.h>

#include "ci/fuzz/fuzz.h"
#include "wire/core/scan.h"

static void compare(void *user, const struct scan_member *m)
{
	const json_t *value = json_object_get(user, m->key);

	if (!user)
		return;
	ASSERT(value);
	switch (m->type) {
	case SCAN_STRING:
		ASSERT(json_is_string(value) && m->text_size <= SCAN_TEXT_MAX);
		ASSERT(m->cut || m->text_size == json_string_length(value));
		ASSERT(!memcmp(m->text, json_string_value(value), m->text_size));
		break;
	case SCAN_INTEGER:
		ASSERT(json_is_integer(value));
		ASSERT_EQ(m->integer, json_integer_value(value));
		break;
	case SCAN_NUMBER:
		ASSERT(json_is_number(value));
		break;
	case SCAN_TRUE:
		ASSERT(json_is_true(value));
		break;
	case SCAN_FALSE:
		ASSERT(json_is_false(value));
		break;
	case SCAN_NULL:
		ASSERT(json_is_null(value));
		break;
	case SCAN_NESTED:
		ASSERT(json_is_array(value) || json_is_object(value));
		break;
	}
}

/* Brackets anywhere count: never less than the depth. */
static size_t depth_at_most(const uint8_t *data, size_t size)
{
	size_t depth = 0;

	for (size_t i = 0; i < size; i++)
		depth += data[i] == '{' || data[i] == '[';
	return depth;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	size_t at = 0;
	int result = scan_object(text, size, compare, json_is_object(json) ? json : NULL, &at);

	ASSERT(at <= size);
	/* jansson reads over a NUL between two words; we do not. */
	if (json_is_object(json) && strlen(text) == size &&
	    depth_at_most(data, size) <= SCAN_DEPTH_MAX)
		ASSERT_EQ(result, 0);
	json_decref(json);
	free(text);
	return 0;
}
