/*
 * The head of a request, and of an answer, as the edge reads it: however the bytes are cut, it is
 * the same head or no head; what it holds is inside the bytes it counted.
 */
#include "ci/fuzz/fuzz.h"
#include "fixtures/alb/head.h"
#include "fixtures/alb/rewrite.h"

static enum head_result feed(struct head *h, const uint8_t *data, size_t size, bool in_pieces)
{
	enum head_result result = HEAD_MORE;
	size_t at = 0, piece;

	for (; at < size && result == HEAD_MORE; at += piece) {
		piece = in_pieces ? fuzz_piece(data, size, at) : size;
		result = head_feed(h, (const char *)data + at, piece);
	}
	return result;
}

static bool inside(const struct head *h, struct span span)
{
	return !span.length || span.at + span.length <= h->parsed;
}

static bool equal(const struct head *a, struct span of_a, const struct head *b, struct span of_b)
{
	return of_a.length == of_b.length &&
	       !memcmp(head_at(a, of_a), head_at(b, of_b), of_a.length);
}

static void compare(const struct head *a, const struct head *b)
{
	const char *path;
	size_t size;

	ASSERT_EQ(a->parsed, b->parsed);
	ASSERT_EQ(a->field_count, b->field_count);
	ASSERT(a->parsed <= HEAD_BYTES_MAX && a->field_count <= HEAD_FIELDS_MAX);
	ASSERT(inside(a, a->line) && equal(a, a->line, b, b->line));
	for (int i = 0; i < a->field_count; i++) {
		ASSERT(inside(a, a->field[i].name) && inside(a, a->field[i].value));
		ASSERT(equal(a, a->field[i].name, b, b->field[i].name));
		ASSERT(equal(a, a->field[i].value, b, b->field[i].value));
		ASSERT(!memchr(head_at(a, a->field[i].value), '\n', a->field[i].value.length));
	}
	if (a->parser.type == HTTP_REQUEST && request_path(a, &path, &size))
		ASSERT(path >= head_at(a, a->line) &&
		       path + size <= head_at(a, a->line) + a->line.length);
}

static void read_both_ways(enum http_parser_type type, const uint8_t *data, size_t size)
{
	struct head *whole = head_new(type), *cut = head_new(type);
	enum head_result a = feed(whole, data, size, false), b = feed(cut, data, size, true);

	/* Which of its two faults a head is refused for may depend on what came with it. */
	ASSERT_EQ(a == HEAD_MORE, b == HEAD_MORE);
	ASSERT_EQ(a == HEAD_DONE, b == HEAD_DONE);
	if (a == HEAD_DONE)
		compare(whole, cut);
	head_free(whole);
	head_free(cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_both_ways(HTTP_REQUEST, data, size);
	read_both_ways(HTTP_RESPONSE, data, size);
	return 0;
}
