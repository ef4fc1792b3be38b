/*
 * For the tests of this room only: a small sound scenario, one edit of its text, and loading text
 * as a file.
 */
#ifndef SCENARIO_TESTING_H
#define SCENARIO_TESTING_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scenario/scenario.h"

/* clang-format off */
#define TESTING_BASE                                                                              \
	/*  1 */ "name: small\n"                                                                  \
	/*  2 */ "stack: local\n"                                                                 \
	/*  3 */ "timers:\n"                                                                      \
	/*  4 */ "  stickiness: 2s\n"                                                             \
	/*  5 */ "  deregistration_delay: 20s\n"                                                  \
	/*  6 */ "  idle: 10s\n"                                                                  \
	/*  7 */ "  longest_call: 12s\n"                                                          \
	/*  8 */ "calls:\n"                                                                       \
	/*  9 */ "  live: 60\n"                                                                   \
	/* 10 */ "  ramp: 2s\n"                                                                   \
	/* 11 */ "  hold: { lognormal: { mean: 6s, sigma: 0.6 }, min: 3s, max: 12s }\n"           \
	/* 12 */ "  turn: { every: 1s }\n"                                                        \
	/* 13 */ "  profiles:\n"                                                                  \
	/* 14 */ "    bridge: { share: 50% }\n"                                                   \
	/* 15 */ "    resumable: { share: 50%, lose_leg: { exponential: 4s }, resume_within: 5s }\n"\
	/* 16 */ "cutover:\n"                                                                     \
	/* 17 */ "  - steady: { for: 8s }\n"                                                      \
	/* 18 */ "  - shift: { blue: 0, green: 100 }\n"                                           \
	/* 19 */ "  - drain: { color: blue, deadline: 25s }\n"                                    \
	/* 20 */ "  - teardown: { color: blue, grace: 1s }\n"                                     \
	/* 21 */ "gates:\n"                                                                       \
	/* 22 */ "  dropped_calls: [ \"count == 0\" ]\n"
/* clang-format on */

struct testing_file {
	char path[64];
};

static inline struct testing_file testing_write(const char *text, size_t size)
{
	struct testing_file file;
	int fd;

	strcpy(file.path, "/tmp/crossfade-scenario-XXXXXX");
	fd = mkstemp(file.path);
	if (fd < 0 || write(fd, text, size) != (ssize_t)size)
		abort();
	close(fd);
	return file;
}

/* `text` with the first `from` replaced; the caller frees. */
static inline char *testing_edit(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	struct buf out = buf_init(1 << 20);

	if (!at)
		abort();
	buf_append(&out, text, (size_t)(at - text));
	buf_puts(&out, to);
	buf_puts(&out, at + strlen(from));
	return out.data;
}

static inline int testing_load(const char *text, size_t size, const struct variable *variables,
			       size_t count, const char *overlay, struct scenario **ret,
			       struct buf *warnings, struct err *err)
{
	struct testing_file file = testing_write(text, size);
	const struct scenario_source source = {
		.path = file.path,
		.variables = variables,
		.variable_count = count,
		.overlay_path = overlay,
	};
	int result = scenario_load(&source, ret, warnings, err);

	unlink(file.path);
	return result;
}

static inline int testing_load_text(const char *text, struct scenario **ret, struct err *err)
{
	return testing_load(text, strlen(text), NULL, 0, NULL, ret, NULL, err);
}

#endif
