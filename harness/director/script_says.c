#include "director/script_says.h"

#include <string.h>

static const char mark[] = "crossfade: ";

/* The next word of the line; false at its end. */
static bool next_word(const char **at, char *out, size_t size)
{
	size_t length;

	*at += strspn(*at, " ");
	length = strcspn(*at, " ");
	if (!length || length >= size)
		return false;
	memcpy(out, *at, length);
	out[length] = '\0';
	*at += length;
	return true;
}

static bool next_number(const char **at, int max, int *ret)
{
	char word[8];
	int n = 0;

	if (!next_word(at, word, sizeof word))
		return false;
	for (const char *c = word; *c; c++) {
		if (*c < '0' || *c > '9')
			return false;
		n = 10 * n + *c - '0'; /* seven digits at most */
	}
	if (n > max)
		return false;
	*ret = n;
	return true;
}

static bool over(const char *at)
{
	return !at[strspn(at, " ")];
}

static bool read_phase(const char *at, struct script_says *s)
{
	char word[16];
	int phase;

	if (!next_word(&at, word, sizeof word) || !over(at))
		return false;
	phase = phase_parse(word);
	if (phase < 0 || phase == PHASE_BEFORE || phase == PHASE_AFTER || phase == PHASE_SCRIPT)
		return false;
	s->phase = (enum phase)phase;
	return true;
}

static bool read_weights(const char *at, struct script_says *s)
{
	return next_number(&at, SCRIPT_WEIGHT_MAX, &s->blue) &&
	       next_number(&at, SCRIPT_WEIGHT_MAX, &s->green) && over(at);
}

static bool read_drained(const char *at, struct script_says *s)
{
	char word[16];

	if (!next_word(&at, word, sizeof word) || color_parse(word) <= 0)
		return false;
	s->color = (enum color)color_parse(word);
	return next_number(&at, UINT16_MAX, &s->active) &&
	       next_number(&at, SCRIPT_INSTANCES_MAX, &s->asked) &&
	       next_number(&at, s->asked, &s->unreachable) && over(at);
}

static bool read_failed(const char *at, struct script_says *s)
{
	s->text = at + strspn(at, " ");
	return true;
}

struct script_says script_says(const char *line)
{
	static const struct {
		const char *name;
		enum script_word word;
		bool (*read)(const char *at, struct script_says *);
	} words[] = {
		{ "phase", SCRIPT_PHASE, read_phase },
		{ "weights", SCRIPT_WEIGHTS, read_weights },
		{ "weights-ok", SCRIPT_WEIGHTS_OK, read_weights },
		{ "drained", SCRIPT_DRAINED, read_drained },
		{ "failed", SCRIPT_FAILED, read_failed },
	};
	const char *at = line;
	char word[16];

	if (strncmp(line, mark, sizeof mark - 1) != 0)
		return (struct script_says){ .word = SCRIPT_TALK };
	at += sizeof mark - 1;
	if (next_word(&at, word, sizeof word))
		for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
			struct script_says s = { .word = words[i].word };

			if (!strcmp(word, words[i].name) && words[i].read(at, &s))
				return s;
		}
	return (struct script_says){ .word = SCRIPT_NONSENSE };
}

static void whole(struct script_lines *l, void (*line)(void *user, const char *text), void *user)
{
	if (l->cut)
		memcpy(l->text + l->length, "...", 4);
	else
		l->text[l->length] = '\0';
	l->length = 0;
	l->cut = false;
	line(user, l->text);
}

void script_lines_take(struct script_lines *l, const char *bytes, size_t size,
		       void (*line)(void *user, const char *text), void *user)
{
	for (size_t i = 0; i < size; i++) {
		char c = bytes[i];

		if (c == '\n')
			whole(l, line, user);
		else if (l->length == SCRIPT_LINE_MAX)
			l->cut = true;
		else if (c != '\r')
			l->text[l->length++] = c == '\t' ? ' ' : c < ' ' || c > '~' ? '?' : c;
	}
}

void script_lines_end(struct script_lines *l, void (*line)(void *user, const char *text),
		      void *user)
{
	if (l->length)
		whole(l, line, user);
}
