#include <string.h>

#include "command/command.h"

enum { WORD_MAX = 63, DISTANCE_MAX = 2 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edit distance that counts two swapped neighbours as one slip: "rnu" is one from "run". */
static size_t distance(const char *a, const char *b)
{
	size_t rows = strlen(a), columns = strlen(b);
	size_t d[3][WORD_MAX + 1];

	if (rows > WORD_MAX || columns > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= columns; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= rows; i++) {
		size_t *now = d[i % 3], *last = d[(i - 1) % 3], *before = d[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= columns; j++) {
			now[j] = least(least(last[j] + 1, now[j - 1] + 1),
				       last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
		}
	}
	return d[rows % 3][columns];
}

const char *command_nearest(const char *word, const char *const *words, size_t count)
{
	const char *nearest = NULL;
	size_t best = DISTANCE_MAX + 1, length = strlen(word);

	for (size_t i = 0; i < count; i++) {
		size_t d = distance(word, words[i]);

		/* A word of two letters is two edits from anything: half of it must be right. */
		if (d < best && 2 * d <= length + 1) {
			best = d;
			nearest = words[i];
		}
	}
	for (size_t i = 0; !nearest && length >= 2 && i < count; i++) {
		if (!strncmp(word, words[i], length))
			nearest = words[i];
	}
	return nearest;
}
