/* The dialect `plain`: any frame is one meaning whose texts end, or an error that says why. */
#include <stdlib.h>

#include "ci/fuzz/fuzz.h"
#include "wire/wire.h"

static void hear(void *user, const struct meaning *m)
{
	int *heard = user;

	++*heard;
	ASSERT(memchr(m->text, '\0', sizeof m->text));
	ASSERT(memchr(m->instance, '\0', sizeof m->instance));
	ASSERT(m->color < COLOR_COUNT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct wire *wire = wire_find("plain");
	const struct wire_context context = { .call = "c-1", .conn = "c-1-0" };
	void *state = xcalloc(1, wire->state_bytes + 1);
	char *frame = fuzz_text(data, size);
	struct err err = { .kind = ERR_NONE };
	int heard = 0;
	int result = wire->receive(state, &context, frame, size, false, hear, &heard, &err);

	ASSERT_EQ(heard, result == 0);
	ASSERT_EQ(result < 0, err.kind != ERR_NONE && *err.text);
	free(frame);
	free(state);
	return 0;
}
