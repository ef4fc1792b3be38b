/*
 * Whether standard output wants colors: it is a terminal that can, nobody said --no-color, and
 * NO_COLOR is unset or empty.
 */
#ifndef COMMAND_CORE_TERMINAL_H
#define COMMAND_CORE_TERMINAL_H

#include <stdbool.h>

#include "command/command.h"

bool terminal_color(const struct flags *); /* asks for --no-color */

#endif
