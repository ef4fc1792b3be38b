/*
 * From the words typed to the command that answers them, and the help that lists the commands.
 * Internal commands ("__worker") are found but never listed or suggested.
 */
#ifndef COMMAND_CORE_DISPATCH_H
#define COMMAND_CORE_DISPATCH_H

#include <stdio.h>

#include "command/command.h"

int dispatch(int argc, char **argv); /* the exit code */
void help_overview(FILE *);
void help_command(const struct command *, FILE *);
/* Prints `no command "rnu"; did you mean "run"?` and returns EXIT_USAGE. */
int help_unknown(const char *word);

#endif
