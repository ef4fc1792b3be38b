/* A line of an NDJSON history: what was read and printed is, read and printed again, the same. */
#include <stdio.h>
#include <stdlib.h>

#include "ci/fuzz/fuzz.h"
#include "record/ndjson.h"

/* NULL when it is nothing; to be freed. */
static char *read_and_print(const char *text, struct history_names *names, struct err *err)
{
	struct event event;
	struct lane_status lane;
	int what = ndjson_parse(text, names, &event, &lane, err);
	char *printed = NULL;
	size_t size;
	FILE *out;

	ASSERT_EQ(what < 0, err->kind != ERR_NONE && *err->text);
	if (what <= NDJSON_NOTHING)
		return NULL;
	out = open_memstream(&printed, &size);
	ASSERT(out);
	if (what == NDJSON_EVENT)
		ndjson_print_event(names, &event, out);
	else
		ndjson_print_lane(&lane, out);
	fclose(out);
	return printed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct history_names names = { .instances = names_init(255), .notes = names_init(1000) };
	char *text = fuzz_text(data, size), *printed, *again = NULL;
	struct err err = { .kind = ERR_NONE };

	printed = read_and_print(text, &names, &err);
	if (printed) {
		again = read_and_print(printed, &names, &err);
		ASSERT(again && !strcmp(printed, again));
	}
	free(text);
	free(printed);
	free(again);
	names_free(&names.instances);
	names_free(&names.notes);
	call_names_free(&names.calls);
	return 0;
}
