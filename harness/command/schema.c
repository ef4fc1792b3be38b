#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "report/report.h"
#include "scenario/scenario.h"

static int run(int argc, char **argv);

const struct command command_schema = {
	.name = "schema",
	.usage = "scenario|result",
	.about = "print the JSON Schema of the scenario file or of result.json",
	.help = "example: crossfade schema result > result.schema.json\n",
	.run = run,
};

static int print(const char *what)
{
	static const char *const words[] = { "scenario", "result" };
	struct err err = { 0 };

	if (!strcmp(what, "result")) {
		fputs(report_schema(), stdout);
		return EXIT_PASS;
	}
	if (!strcmp(what, "scenario")) {
		struct buf text = buf_init(1 << 20);

		scenario_schema(&text);
		fputs(buf_text(&text), stdout);
		buf_free(&text);
		return EXIT_PASS;
	}
	const char *nearest = command_nearest(what, words, sizeof(words) / sizeof(*words));
	err_set(&err, ERR_INPUT, "schema: no schema \"%s\"; %s \"%s\"%s", what,
		nearest ? "did you mean" : "there are",
		nearest ? nearest : "scenario\" and \"result", nearest ? "?" : "");
	return command_fail(&err);
}

static int run(int argc, char **argv)
{
	struct flags *flags;
	int code = EXIT_USAGE;
	int parsed = flags_parse(&command_schema, NULL, 0, argc, argv, &flags);

	if (parsed)
		return parsed < 0 ? EXIT_USAGE : EXIT_PASS;
	if (flags_expect(&command_schema, flags, 1, 1) == 0)
		code = print(flags_positional(flags, 0));
	flags_free(flags);
	return code;
}
