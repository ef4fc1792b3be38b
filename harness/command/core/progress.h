/*
 * The live view of a run on stderr: one line that rewrites itself on a terminal, plain lines
 * elsewhere. It shows counters, which are advice; the verdict is made from the record afterwards.
 */
#ifndef COMMAND_CORE_PROGRESS_H
#define COMMAND_CORE_PROGRESS_H

#include <stdbool.h>

#include "net/control.h"

struct progress {
	bool terminal, quiet;
	int64_t start_ns; /* 0 until the schedule began */
	enum phase phase;
	int64_t turns_ns; /* when turns was last looked at */
	uint64_t turns;
	double turns_per_s;
	int64_t printed_ns;
	bool open_line; /* the terminal line has no newline yet */
};

struct progress progress_init(bool quiet);
void progress_message(struct progress *, const struct control_message *, int64_t now_ns);
/* A sentence of its own line. */
void progress_say(struct progress *, const char *text);
void progress_end(struct progress *);

#endif
