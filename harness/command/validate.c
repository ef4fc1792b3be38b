#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "command/core/scenario_args.h"

static int run(int argc, char **argv);

const struct command command_validate = {
	.name = "validate",
	.usage = "SCENARIO [-e KEY=VALUE]...",
	.about = "read a scenario and say what is wrong with it",
	.help = SCENARIO_FLAGS_HELP
	"\n"
	"Warnings are printed and do not fail: what they doubt can still pass. Opens no socket.\n"
	"\n"
	"example: crossfade validate scenarios/blue_green.yaml -e REDIS_P99=5ms\n",
	.run = run,
};

static const struct flag table[] = { SCENARIO_FLAGS };

static void print_warnings(const char *lines)
{
	while (*lines) {
		size_t length = strcspn(lines, "\n");

		printf("warning: %.*s\n", (int)length, lines);
		lines += length + (lines[length] == '\n');
	}
}

static int run(int argc, char **argv)
{
	struct buf warnings = buf_init(1 << 16);
	struct scenario *scenario = NULL;
	struct err err = { 0 };
	struct flags *flags;
	int code = EXIT_USAGE;
	int parsed = flags_parse(&command_validate, table, sizeof(table) / sizeof(*table), argc,
				 argv, &flags);

	if (parsed)
		return parsed < 0 ? EXIT_USAGE : EXIT_PASS;
	if (flags_expect(&command_validate, flags, 1, 1) < 0)
		goto out;
	if (scenario_args_load(flags, &scenario, &warnings, &err) < 0) {
		code = command_fail(&err);
		goto out;
	}
	print_warnings(buf_text(&warnings));
	printf("ok  %s: %s, seed %llu, %zu steps, %zu gates\n", scenario->path, scenario->name,
	       (unsigned long long)scenario->seed, scenario->step_count, scenario->gate_count);
	code = EXIT_PASS;
out:
	scenario_free(scenario);
	buf_free(&warnings);
	flags_free(flags);
	return code;
}
