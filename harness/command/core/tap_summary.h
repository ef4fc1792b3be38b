/*
 * What a tap saw, from its lane alone: commands by verb with their outcomes and service times, what
 * was never answered, clients past the tap, bites of levers. For people; not a verdict. Times are
 * from the first byte of a command to the last of its answer, as the tap saw them pass.
 */
#ifndef COMMAND_CORE_TAP_SUMMARY_H
#define COMMAND_CORE_TAP_SUMMARY_H

#include <stdio.h>

#include "base/err.h"

/* dir: where the lane is. */
int tap_summary_print(const char *dir, FILE *out, struct err *);

#endif
