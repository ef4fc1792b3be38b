#include <stdio.h>

#include "command/command.h"

int command_fail(const struct err *err)
{
	fprintf(stderr, "crossfade: %s\n", err->text);
	switch (err->kind) {
	case ERR_INPUT:
		return EXIT_USAGE;
	case ERR_NONE:
	case ERR_WORLD:
	case ERR_HARNESS:
		break;
	}
	return EXIT_HARNESS;
}
