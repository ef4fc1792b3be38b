/* An XML answer of AWS made flat: refused with a text, or pairs that are found by their names. */
#include <stdlib.h>

#include "ci/fuzz/fuzz.h"
#include "driver/core/flat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *xml = fuzz_text(data, size);
	struct flat flat = { .count = 0 };
	struct err err = { .kind = ERR_NONE };
	int result = flat_parse(xml, size, &flat, &err);

	ASSERT_EQ(result < 0, err.kind != ERR_NONE && *err.text);
	for (size_t i = 0; result == 0 && i < flat.count; i++) {
		const char *value = flat_get(&flat, "%s", flat.pair[i].name);
		size_t first = 0;

		while (strcmp(flat.pair[first].name, flat.pair[i].name))
			first++;
		ASSERT(value == flat.pair[first].value);
		ASSERT(flat_has(&flat, "%s", flat.pair[i].name));
	}
	flat_free(&flat);
	free(xml);
	return 0;
}
