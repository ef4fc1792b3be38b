/*
 * What is at the other end of standard output. It wants colors when it is a terminal that can,
 * nobody said --no-color, and NO_COLOR is unset or empty.
 */
#ifndef COMMAND_CORE_TERMINAL_H
#define COMMAND_CORE_TERMINAL_H

#include <stdbool.h>

#include "command/command.h"

bool terminal_color(const struct flags *); /* asks for --no-color */
/* A pipe whose reader has closed it, as head does: nothing more arrives, and nobody misses it. */
bool terminal_reader_left(void);

#endif
