/*
 * A form body of the ELBv2 Query API: what was read, encoded and read again, is the same pairs; the
 * first value of a name is the one that is found.
 */
#include <stdio.h>
#include <stdlib.h>

#include "ci/fuzz/fuzz.h"
#include "fixtures/alb/query.h"

enum { ENCODED_MAX = 1 << 20, NAME_MAX_BYTES = 200 };

static void encode(struct buf *out, const char *text)
{
	for (; *text; text++)
		buf_printf(out, "%%%02x", (unsigned char)*text);
}

static void read_again(const struct query *q)
{
	struct buf body = buf_init(ENCODED_MAX);
	struct query again;

	for (int i = 0; i < q->count; i++) {
		buf_puts(&body, i ? "&" : "");
		encode(&body, q->pair[i].name);
		buf_puts(&body, "=");
		encode(&body, q->pair[i].value);
	}
	ASSERT_EQ(query_parse(&again, buf_text(&body), body.len), 0);
	ASSERT_EQ(again.count, q->count);
	for (int i = 0; i < q->count; i++) {
		ASSERT(!strcmp(q->pair[i].name, again.pair[i].name));
		ASSERT(!strcmp(q->pair[i].value, again.pair[i].value));
	}
	query_free(&again);
	buf_free(&body);
}

static void look_up(const struct query *q, int i)
{
	const char *name = q->pair[i].name, *found;
	char text[32];
	long number, same;
	int first = 0;

	if (strlen(name) >= NAME_MAX_BYTES)
		return;
	while (strcmp(q->pair[first].name, name))
		first++;
	found = query_get(q, "%s", name);
	ASSERT(found == q->pair[first].value);
	ASSERT(query_has(q, "%s", name));
	if (query_number(found, &number)) {
		snprintf(text, sizeof text, "%ld", number);
		ASSERT(query_number(text, &same) && same == number);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *body = fuzz_text(data, size);
	struct query q;

	if (query_parse(&q, body, size) == 0) {
		ASSERT(q.count <= QUERY_PAIRS_MAX);
		read_again(&q);
		for (int i = 0; i < q.count; i++)
			look_up(&q, i);
		query_free(&q);
	}
	free(body);
	return 0;
}
