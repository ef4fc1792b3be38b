/*
 * One connection as the tap understands it: bytes of the agent and of Redis in turn, each piece
 * begun by a byte that says whose and how long. Whatever they are, every command that was told ends
 * once, and a blind inspector is blind for good.
 */
#include "ci/fuzz/fuzz.h"
#include "tap/inspector.h"

struct told {
	unsigned invs, ends, blind;
};

static void on_event(void *user, const struct event *e, const char *id)
{
	struct told *told = user;

	(void)id;
	ASSERT(!told->blind);
	told->invs += e->kind == EVENT_CMD_INV;
	told->ends += e->kind != EVENT_CMD_INV;
	ASSERT(told->ends <= told->invs);
}

static void on_blind(void *user, const char *why)
{
	struct told *told = user;

	ASSERT(*why);
	told->blind++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct inspector_listener listener = { .event = on_event, .blind = on_blind };
	struct told told = { .invs = 0 };
	struct key_pattern pattern;
	struct inspector inspector;

	ASSERT_EQ(key_pattern_init(&pattern, "call:${call}"), 0);
	inspector_init(&inspector, &listener, &told, &pattern);
	for (size_t at = 0; at < size;) {
		size_t piece = data[at] >> 1, left = size - at - 1;
		const char *bytes = (const char *)data + at + 1;

		piece = piece < left ? piece : left;
		if (data[at] & 1)
			inspector_replies(&inspector, bytes, piece, (int64_t)at);
		else
			inspector_commands(&inspector, bytes, piece, (int64_t)at);
		at += 1 + piece;
	}
	inspector_end(&inspector, (int64_t)size);
	ASSERT_EQ(told.invs, told.ends);
	ASSERT(told.blind <= 1);
	inspector_free(&inspector);
	key_pattern_free(&pattern);
	return 0;
}
