/*
 * Runs the local stack by itself until somebody ends it: a signal, or `stack down`. The parent of
 * its processes, which die with it. Says on standard output where everything is, then whatever
 * happens to a process; ends none of them on its own. Judges nothing, records nothing.
 */
#ifndef COMMAND_CORE_STACK_UP_H
#define COMMAND_CORE_STACK_UP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "command/core/stack_dir.h"
#include "scenario/scenario.h"

struct stack_wish {
	const struct scenario *scenario;
	const struct stack_dir *dir;
	bool verify;		     /* signatures of the control port, by a fresh key */
	uint16_t port, control_port; /* 0: any free one */
};

/* 0 when it was up and has been ended; -1 when it did not come up. */
int stack_up(const struct stack_wish *, struct err *);

#endif
