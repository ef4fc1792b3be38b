/*
 * RESP as the tap reads it: however the stream is cut, it is the same messages, and broken or not;
 * what is kept of a message lies inside what was kept.
 */
#include "ci/fuzz/fuzz.h"
#include "tap/resp.h"

enum { TOLD_MAX = 1 << 24 };

static void tell(const struct resp *r, struct buf *out)
{
	buf_printf(out, "%c null %d arguments %u", r->type, r->null, r->arg_count);
	for (uint32_t i = 0; i < r->arg_count && i < RESP_ARGS_MAX; i++) {
		size_t size;
		const char *text = resp_arg(r, i, &size);

		ASSERT(r->arg[i].at + r->arg[i].kept <= r->kept.len);
		buf_printf(out, " %zu of %zu:", r->arg[i].kept, r->arg[i].size);
		if (text)
			buf_append(out, text, size);
	}
	buf_puts(out, "\n");
}

static struct buf messages(enum resp_side side, const uint8_t *data, size_t size, bool in_pieces)
{
	struct buf told = buf_init(TOLD_MAX);
	enum resp_status status = RESP_MORE;
	struct resp r;
	size_t at = 0, used;

	resp_init(&r, side);
	while (at < size && status != RESP_BROKEN) {
		size_t piece = in_pieces ? fuzz_piece(data, size, at) : size - at;

		status = resp_feed(&r, (const char *)data + at, piece, &used);
		ASSERT(used > 0 && used <= piece);
		ASSERT(status != RESP_MORE || used == piece);
		at += used;
		if (status == RESP_MESSAGE)
			tell(&r, &told);
	}
	buf_puts(&told, status == RESP_BROKEN ? "broken" : "");
	resp_free(&r);
	return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int side = RESP_COMMANDS; side <= RESP_REPLIES; side++) {
		struct buf whole = messages((enum resp_side)side, data, size, false);
		struct buf cut = messages((enum resp_side)side, data, size, true);

		ASSERT_EQ(whole.len, cut.len);
		ASSERT(!whole.overflow && !memcmp(buf_text(&whole), buf_text(&cut), whole.len));
		buf_free(&whole);
		buf_free(&cut);
	}
	return 0;
}
