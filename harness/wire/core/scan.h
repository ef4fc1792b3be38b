/*
 * A strict reader of one flat JSON object, for the path of every received frame: calls back once
 * per member with the key and a scalar value. Members whose value is an object or an array are
 * checked for form and passed over; dialects that need what is inside use a JSON library.
 * Complete JSON otherwise: escapes, surrogate pairs, number grammar, UTF-8 as it comes. Nesting
 * is limited to SCAN_DEPTH_MAX, a string value to SCAN_TEXT_MAX bytes (longer ones are cut, `cut`
 * set).
 */
#ifndef WIRE_CORE_SCAN_H
#define WIRE_CORE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCAN_DEPTH_MAX = 32, SCAN_TEXT_MAX = 127, SCAN_KEY_MAX = 31 };
enum scan_type {
	SCAN_STRING,
	SCAN_INTEGER,
	SCAN_NUMBER,
	SCAN_TRUE,
	SCAN_FALSE,
	SCAN_NULL,
	SCAN_NESTED
};

struct scan_member {
	char key[SCAN_KEY_MAX + 1]; /* cut when longer: matches no key of a dialect */
	enum scan_type type;
	char text[SCAN_TEXT_MAX + 1]; /* string, decoded */
	size_t text_size;
	bool cut;
	int64_t integer; /* SCAN_INTEGER: fits 64 bits */
};

/* 0, or -1 with the byte at which it is not JSON in *ret_at. A repeated key is reported each time
 * it comes. */
int scan_object(const char *data, size_t size,
		void (*member)(void *user, const struct scan_member *), void *user, size_t *ret_at);

#endif
