#include "command/core/terminal.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool terminal_color(const struct flags *flags)
{
	const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");

	if (flags_get(flags, "--no-color") || (none && *none))
		return false;
	return isatty(STDOUT_FILENO) == 1 && terminal && strcmp(terminal, "dumb") != 0;
}

bool terminal_reader_left(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}
