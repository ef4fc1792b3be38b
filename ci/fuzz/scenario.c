/*
 * A scenario file: refused with a text that says why, or a scenario whose canonical text is one
 * again, and the same.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ci/fuzz/fuzz.h"
#include "scenario/scenario.h"

enum { CANONICAL_MAX = 1 << 22 };

static struct scenario *load(const void *data, size_t size, struct err *err)
{
	struct scenario *scenario = NULL;
	int fd = memfd_create("scenario", MFD_CLOEXEC);
	char path[64];
	struct scenario_source source = { .path = path };
	ssize_t written;
	int result;

	ASSERT(fd >= 0);
	written = write(fd, data, size);
	ASSERT_EQ(written, size);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	result = scenario_load(&source, &scenario, NULL, err);
	ASSERT_EQ(result < 0, err->kind != ERR_NONE && *err->text);
	ASSERT_EQ(result == 0, scenario != NULL);
	close(fd);
	return scenario;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf first = buf_init(CANONICAL_MAX), second = buf_init(CANONICAL_MAX);
	struct err err = { .kind = ERR_NONE };
	struct scenario *scenario = load(data, size, &err), *again = NULL;

	if (scenario) {
		scenario_write(scenario, &first);
		again = load(buf_text(&first), first.len, &err);
		ASSERT(again);
		scenario_write(again, &second);
		ASSERT(!strcmp(buf_text(&first), buf_text(&second)));
	}
	scenario_free(scenario);
	scenario_free(again);
	buf_free(&first);
	buf_free(&second);
	return 0;
}
