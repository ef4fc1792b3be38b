/*
 * Findings about this machine: can it hold the callers and the local stack. Each says what was
 * found, what is needed and what to do about it. Looks, changes nothing.
 */
#ifndef COMMAND_CORE_PREFLIGHT_H
#define COMMAND_CORE_PREFLIGHT_H

#include <stdbool.h>
#include <stddef.h>

struct preflight {
	const char *name;
	bool ok;
	char found[160];
	char fix[200]; /* "" when ok */
};

enum { PREFLIGHT_MAX = 8 };

/* `calls`: concurrent calls it must hold. Returns how many findings were filled. */
size_t preflight_machine(int calls, struct preflight ret[PREFLIGHT_MAX]);

#endif
