/*
 * An address to dial: refused with a text, or parts that make the same address again and can be
 * written into a request line as they are.
 */
#include <stdlib.h>

#include "ci/fuzz/fuzz.h"
#include "net/resolve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *made;
	struct url url, again;
	struct err err = { .kind = ERR_NONE };
	uint32_t first, count;
	int result = url_parse(text, &url, &err);

	ASSERT_EQ(result < 0, err.kind != ERR_NONE && *err.text);
	if (result == 0) {
		ASSERT(*url.host && url.port && *url.path == '/');
		ASSERT_EQ(strcspn(url.path, " \r\n\t"), strlen(url.path));
		ASSERT_EQ(strcspn(url.authority, "/?#@ \r\n\t"), strlen(url.authority));
		made = xasprintf("%s://%s%s", url.tls ? "wss" : "ws", url.authority, url.path);
		ASSERT_EQ(url_parse(made, &again, &err), 0);
		ASSERT(!strcmp(url.host, again.host) && !strcmp(url.authority, again.authority));
		ASSERT(!strcmp(url.path, again.path));
		ASSERT_EQ(url.port, again.port);
		free(made);
	}
	if (ipv4_range(text, &first, &count, &err) == 0)
		ASSERT(count > 0 && (uint64_t)first + count <= 1ULL << 32);
	free(text);
	return 0;
}
