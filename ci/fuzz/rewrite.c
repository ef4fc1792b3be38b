/*
 * A head as the edge passes it on: the next reader finds one head again, the same line, every field
 * that was to be kept, no field nobody sent, and the same bytes behind it.
 */
#include <strings.h>

#include "ci/fuzz/fuzz.h"
#include "fixtures/alb/head.h"
#include "fixtures/alb/rewrite.h"

enum { OURS_MAX = 8 }; /* fields an edge may add */

/* Fields an edge writes itself, or that are between two neighbours only. */
static bool may_change(const struct head *h, int i)
{
	static const char *const names[] = { "Connection", "Keep-Alive", "Upgrade", "Set-Cookie",
					     "X-Amzn-Trace-Id" };
	static const char forwarded[] = "X-Forwarded-";

	for (size_t k = 0; k < sizeof names / sizeof *names; k++)
		if (head_field_is(h, i, names[k]))
			return true;
	return h->field[i].name.length >= strlen(forwarded) &&
	       !strncasecmp(head_at(h, h->field[i].name), forwarded, strlen(forwarded));
}

static bool equal(const struct head *a, struct span of_a, const struct head *b, struct span of_b)
{
	return of_a.length == of_b.length &&
	       !memcmp(head_at(a, of_a), head_at(b, of_b), of_a.length);
}

static int next_kept(const struct head *h, int i)
{
	while (i < h->field_count && may_change(h, i))
		i++;
	return i;
}

static void compare(const struct head *in, const struct head *out)
{
	size_t in_size, out_size;
	const char *in_rest = head_rest(in, &in_size), *out_rest = head_rest(out, &out_size);
	int i = next_kept(in, 0), o = next_kept(out, 0);

	ASSERT(equal(in, in->line, out, out->line));
	ASSERT_EQ(in->parser.method, out->parser.method);
	ASSERT_EQ(in->parser.status_code, out->parser.status_code);
	for (; i < in->field_count && o < out->field_count;
	     i = next_kept(in, i + 1), o = next_kept(out, o + 1)) {
		ASSERT(equal(in, in->field[i].name, out, out->field[o].name));
		ASSERT(equal(in, in->field[i].value, out, out->field[o].value));
	}
	ASSERT_EQ(i, in->field_count);
	ASSERT_EQ(o, out->field_count);
	ASSERT(out->field_count <= in->field_count + OURS_MAX);
	ASSERT_EQ(in_size, out_size);
	ASSERT(!in_size || !memcmp(in_rest, out_rest, in_size));
}

static void pass_on(enum http_parser_type type, const uint8_t *data, size_t size)
{
	static const struct forwarded forwarded = {
		.client_ip = "192.0.2.1",
		.trace_id = "1-67891233-abcdef012345678912345678",
		.listen_port = 8080,
	};
	struct head *in = head_new(type), *out = head_new(type);
	struct buf bytes = buf_init(2 * HEAD_BYTES_MAX);
	int result;

	if (head_feed(in, (const char *)data, size) == HEAD_DONE &&
	    in->field_count + OURS_MAX <= HEAD_FIELDS_MAX) {
		result = type == HTTP_REQUEST ?
				 rewrite_request(in, &forwarded, &bytes) :
				 rewrite_answer(in, "Set-Cookie: AWSALB=x\r\n", &bytes);
		ASSERT_EQ(result, 0);
		ASSERT_EQ(head_feed(out, bytes.data, bytes.len), HEAD_DONE);
		compare(in, out);
	}
	buf_free(&bytes);
	head_free(in);
	head_free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pass_on(HTTP_REQUEST, data, size);
	pass_on(HTTP_RESPONSE, data, size);
	return 0;
}
