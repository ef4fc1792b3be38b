#include "command/core/dispatch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "command/core/terminal.h"

static bool listed(const struct command *command)
{
	return strncmp(command->name, "__", 2) != 0;
}

void help_overview(FILE *out)
{
	fputs("crossfade proves that a blue/green cutover of WebSocket voice agents drops no call.\n\n"
	      "usage:  crossfade COMMAND [ARGUMENTS]\n"
	      "start:  crossfade run scenarios/blue_green.yaml\n\n",
	      out);
	for (size_t i = 0; i < command_count(); i++) {
		const struct command *command = command_at(i);

		if (listed(command))
			fprintf(out, "  %-10s %s\n", command->name, command->about);
	}
	fputs("\ncrossfade COMMAND --help says more, with an example.\n"
	      "exit:   0 pass, 99 fail, 98 inconclusive, 97 our own fault, 104 bad input, 105 interrupted\n",
	      out);
}

void help_command(const struct command *command, FILE *out)
{
	fprintf(out, "crossfade %s: %s\n\nusage:  crossfade %s%s%s\n", command->name,
		command->about, command->name, *command->usage ? " " : "", command->usage);
	if (*command->help)
		fprintf(out, "\n%s%s", command->help,
			command->help[strlen(command->help) - 1] == '\n' ? "" : "\n");
}

int help_unknown(const char *word)
{
	const char **words = xcalloc(command_count(), sizeof(*words));
	size_t count = 0;

	for (size_t i = 0; i < command_count(); i++) {
		if (listed(command_at(i)))
			words[count++] = command_at(i)->name;
	}
	const char *nearest = command_nearest(word, words, count);
	struct err err = { 0 };
	if (nearest)
		err_set(&err, ERR_INPUT, "no command \"%s\"; did you mean \"%s\"?", word, nearest);
	else
		err_set(&err, ERR_INPUT, "no command \"%s\"; crossfade help lists them", word);
	free(words);
	return command_fail(&err);
}

int dispatch(int argc, char **argv)
{
	if (argc < 2) {
		help_overview(stderr);
		return EXIT_USAGE;
	}
	const char *word = argv[1];
	if (!strcmp(word, "--help") || !strcmp(word, "-h"))
		word = "help";
	else if (!strcmp(word, "--version"))
		word = "version";
	const struct command *command = command_find(word);
	if (!command)
		return help_unknown(word);
	int code = command->run(argc - 1, argv + 1);
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	if (terminal_reader_left())
		return code;
	/* A report that did not reach its reader must not end as a pass. */
	struct err err = { 0 };
	err_errno(&err, ERR_HARNESS, errno, "standard output");
	int failed = command_fail(&err);
	return code == EXIT_PASS ? failed : code;
}
