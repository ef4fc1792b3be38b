/*
 * A place in a source file and an error that shows it:
 *
 *   scenarios/a.yaml:14:5: calls has no key "rmap"
 *       rmap: 2s
 *       ^
 *   did you mean "ramp"?
 *
 * Always ERR_INPUT. Long lines are cut round the column, control characters are shown as '?'.
 */
#ifndef SCENARIO_PLACE_H
#define SCENARIO_PLACE_H

#include <stddef.h>

#include "base/err.h"

struct mark {
	int line, column; /* from 1; a column is a character, not a byte */
};

struct source {
	const char *path, *text; /* text: whole file, NUL-terminated */
};

/* hint: a last line, or NULL. Returns -1. */
int place_error(const struct source *, struct mark, const char *hint, struct err *, const char *fmt,
		...) __attribute__((format(printf, 5, 6)));

/* Start of a line (from 1) and its length in bytes; "" past the end. */
const char *place_line(const struct source *, int line, size_t *ret_length);

/* The word most like `word`, or NULL when none is near enough to have been meant. */
const char *nearest_word(const char *word, const char *const *words, size_t count);
/* `did you mean "x"?`, or `one of: a, b, c` when none is near. Empty for no words. */
void nearest_hint(const char *word, const char *const *words, size_t count, char *out, size_t size);

#endif
