/*
 * What all processes of ours have in common: spawned with a hidden word and --dir RUN, the
 * resolved scenario in RUN, the channel to the supervisor as descriptor 3, no ear for the
 * terminal's Ctrl-C, and one sentence up the channel when something goes wrong.
 */
#ifndef COMMAND_CORE_CHILD_H
#define COMMAND_CORE_CHILD_H

#include "command/command.h"
#include "net/control.h"
#include "scenario/scenario.h"

struct child {
	const char *dir;
	const struct scenario *scenario;
	const struct flags *flags; /* of the words after --dir */
};

/* Parses the words (all required but the optional ones), loads the
 * scenario and works. work: the exit code, or -1 with the reason, which is sent up as FAILED and
 * printed. */
int child_main(const char *word, const struct flag *table, size_t count, int argc, char **argv,
	       int (*work)(const struct child *, struct err *));

/* Waits for BIND. 1; 0 when the run is over before it began; -1 with err. */
int child_await_bind(const char *word, struct control_message *ret, struct err *);

#endif
