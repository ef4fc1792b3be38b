#include "command/core/dispatch.h"

static int run(int argc, char **argv);

const struct command command_help = {
	.name = "help",
	.usage = "[COMMAND]",
	.about = "this list, or one command in full",
	.help = "example: crossfade help run\n",
	.run = run,
};

static int run(int argc, char **argv)
{
	struct flags *flags;
	int parsed = flags_parse(&command_help, NULL, 0, argc, argv, &flags);

	if (parsed)
		return parsed < 0 ? EXIT_USAGE : EXIT_PASS;
	int code = EXIT_USAGE;
	if (flags_expect(&command_help, flags, 0, 1) == 0) {
		const char *word = flags_positional(flags, 0);
		const struct command *command = word ? command_find(word) : NULL;

		if (!word)
			help_overview(stdout);
		else if (command)
			help_command(command, stdout);
		code = word && !command ? help_unknown(word) : EXIT_PASS;
	}
	flags_free(flags);
	return code;
}
