/*
 * The cookies of a caller, from Set-Cookie lines (one a line of the input): the header sent back is
 * within its bound and holds no more cookies than the jar may.
 */
#include <stdlib.h>

#include "ci/fuzz/fuzz.h"
#include "sim/jar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char path[] = "/realtime/c-1?x=/y";
	static const int64_t now_ns = 1700000000000000000;
	char *text = fuzz_text(data, size), *rest = text, *line, header[JAR_HEADER_MAX];
	struct jar jar = { .list = NULL };
	size_t length, kept = 0, given = 0;

	while ((line = strsep(&rest, "\n")) != NULL)
		kept += jar_set(&jar, line, path, now_ns);
	length = jar_header(&jar, path, true, now_ns, header);
	ASSERT(length < JAR_HEADER_MAX);
	if (length) {
		ASSERT_EQ(strlen(header), length);
		given = 1;
		for (const char *at = header; (at = strstr(at, "; ")) != NULL; at++)
			given++;
		ASSERT(given <= kept && given <= JAR_COOKIES_MAX);
	}
	ASSERT(jar_header(&jar, "/", false, now_ns, header) <= length);
	jar_free(&jar);
	free(text);
	return 0;
}
