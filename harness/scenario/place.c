#include "scenario/place.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
	SHOWN_BYTES = 96,  /* of the offending line */
	BEFORE_BYTES = 60, /* of them in front of the column when the line is cut */
	PATH_BYTES = 120,
	MESSAGE_BYTES = 200,
	WORD_MAX = 40,
};

const char *place_line(const struct source *source, int line, size_t *ret_length)
{
	const char *p = source->text;

	for (int i = 1; i < line && p; i++) {
		p = strchr(p, '\n');
		if (p)
			p++;
	}
	if (!p)
		p = "";
	*ret_length = strcspn(p, "\r\n");
	return p;
}

static bool starts_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

/* Byte offset of a character column within the line. */
static size_t column_offset(const char *line, size_t length, int column)
{
	size_t at = 0;

	for (int i = 1; i < column && at < length; i++)
		do
			at++;
		while (at < length && !starts_character(line[at]));
	return at;
}

/* The excerpt and its caret line: tabs stay tabs in both, so that the caret stands right. */
static void excerpt(const struct source *source, struct mark mark, char *text, char *caret)
{
	size_t length, from = 0, n = 0, carets = 0;
	const char *line = place_line(source, mark.line, &length);
	size_t at = column_offset(line, length, mark.column);

	if (at > SHOWN_BYTES - 10)
		from = at - BEFORE_BYTES;
	while (from > 0 && !starts_character(line[from]))
		from--;
	for (size_t i = from; i < length && n < SHOWN_BYTES; i++, n++) {
		unsigned char c = (unsigned char)line[i];

		text[n] = c == '\t' || (c >= ' ' && c != 0x7f) ? line[i] : '?';
		if (i < at && starts_character(line[i]))
			caret[carets++] = c == '\t' ? '\t' : ' ';
	}
	while (n > 0 && from + n < length && !starts_character(line[from + n]))
		n--;
	text[n] = '\0';
	caret[carets++] = '^';
	caret[carets] = '\0';
}

int place_error(const struct source *source, struct mark mark, const char *hint, struct err *err,
		const char *fmt, ...)
{
	char message[MESSAGE_BYTES], text[SHOWN_BYTES + 1], caret[SHOWN_BYTES + 2];
	size_t path_length = strlen(source->path);
	bool cut = path_length > PATH_BYTES;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	excerpt(source, mark, text, caret);
	return err_set(err, ERR_INPUT, "%s%s:%d:%d: %s\n    %s\n    %s%s%s", cut ? "..." : "",
		       cut ? source->path + path_length - PATH_BYTES : source->path, mark.line,
		       mark.column, message, text, caret, hint && *hint ? "\n" : "",
		       hint ? hint : "");
}

/* Edits (insert, delete, replace, swap of neighbours) from one word to the other. */
static size_t distance(const char *a, const char *b)
{
	size_t a_length = strlen(a), b_length = strlen(b), row[3][WORD_MAX + 1];

	if (a_length > WORD_MAX || b_length > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= b_length; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t *now = row[i % 3], *last = row[(i + 2) % 3], *older = row[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    older[j - 2] + 1 < best)
				best = older[j - 2] + 1;
			now[j] = best;
		}
	}
	return row[a_length % 3][b_length];
}

const char *nearest_word(const char *word, const char *const *words, size_t count)
{
	size_t best = strlen(word) / 3 + 1; /* farther is another word, not a slip */
	const char *found = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t d = distance(word, words[i]);

		if (d <= best && d < strlen(words[i]) && (!found || d < best)) {
			best = d;
			found = words[i];
		}
	}
	return found;
}

void nearest_hint(const char *word, const char *const *words, size_t count, char *out, size_t size)
{
	const char *near = nearest_word(word, words, count);
	size_t length = 0;

	out[0] = '\0';
	if (near) {
		snprintf(out, size, "did you mean \"%s\"?", near);
		return;
	}
	for (size_t i = 0; i < count && length < size; i++)
		length += (size_t)snprintf(out + length, size - length, "%s%s",
					   i ? ", " : "one of: ", words[i]);
}
