/*
 * What a script under `script:` says to whoever reads its standard output, one line each:
 *
 *   crossfade: phase NAME             smoke, shift, bake, drain, buffer, teardown, rollback or
 *                                     steady begins; the one before it is over
 *   crossfade: weights BLUE GREEN     about to ask the balancer for these weights (0 to 999)
 *   crossfade: weights-ok BLUE GREEN  it said yes
 *   crossfade: drained COLOR ACTIVE ASKED UNREACHABLE
 *                                     believes the color to be drained: so many active calls on
 *                                     so many instances asked, of which so many did not answer
 *   crossfade: failed TEXT            the phase under way failed
 *
 * Every other line is its own talk. Pure: lines out of bytes, meaning out of a line; a script is
 * another program, and whatever it says is bounded and harmless.
 */
#ifndef DIRECTOR_SCRIPT_SAYS_H
#define DIRECTOR_SCRIPT_SAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/words.h"

enum { SCRIPT_LINE_MAX = 1000, SCRIPT_WEIGHT_MAX = 999, SCRIPT_INSTANCES_MAX = 64 };

enum script_word {
	SCRIPT_TALK,	   /* nothing of ours */
	SCRIPT_PHASE,	   /* phase */
	SCRIPT_WEIGHTS,	   /* blue, green */
	SCRIPT_WEIGHTS_OK, /* blue, green */
	SCRIPT_DRAINED,	   /* color, active, asked, unreachable */
	SCRIPT_FAILED,	   /* text */
	SCRIPT_NONSENSE	   /* begins like an announcement and is none */
};

struct script_says {
	enum script_word word;
	enum phase phase;
	int blue, green;
	enum color color;
	int active, asked, unreachable;
	const char *text; /* within the line */
};

struct script_says script_says(const char *line);

/* Bytes as they come, lines as they are whole. A line is cut at SCRIPT_LINE_MAX and ends in "..."
 * then; control characters become '?', and so do bytes that are no ASCII. */
struct script_lines {
	char text[SCRIPT_LINE_MAX + 4];
	size_t length;
	bool cut;
};

/* Calls `line` for each whole line, without its end. */
void script_lines_take(struct script_lines *, const char *bytes, size_t size,
		       void (*line)(void *user, const char *text), void *user);
/* The output is over: what is left is a line as well. */
void script_lines_end(struct script_lines *, void (*line)(void *user, const char *text),
		      void *user);

#endif
