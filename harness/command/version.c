#include <stdio.h>

#include "command/command.h"
#include "command/core/version.h"

static int run(int argc, char **argv);

const struct command command_version = {
	.name = "version",
	.usage = "",
	.about = "the version of this program and of what it writes",
	.help = "example: crossfade version\n",
	.run = run,
};

static int run(int argc, char **argv)
{
	struct flags *flags;
	int parsed = flags_parse(&command_version, NULL, 0, argc, argv, &flags);

	if (parsed)
		return parsed < 0 ? EXIT_USAGE : EXIT_PASS;
	int code = EXIT_USAGE;
	if (flags_expect(&command_version, flags, 0, 0) == 0) {
		printf("crossfade %s\nlane format %d, %s\ngcc %s\n", VERSION_TEXT, LANE_VERSION,
		       RESULT_SCHEMA_NAME, __VERSION__);
		code = EXIT_PASS;
	}
	flags_free(flags);
	return code;
}
