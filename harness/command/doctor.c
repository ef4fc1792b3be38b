#include <stdio.h>
#include <stdlib.h>

#include "command/command.h"
#include "command/core/preflight.h"
#include "command/core/terminal.h"

static int run(int argc, char **argv);

const struct command command_doctor = {
	.name = "doctor",
	.usage = "[--calls N]",
	.about = "can this machine do it: each finding with its fix",
	.help = "  --calls N        concurrent calls it should hold (default 200)\n"
		"  --no-color       plain text on a terminal, too\n"
		"\n"
		"Exit code 0 when all is well, 98 when something should be fixed first.\n"
		"\n"
		"example: crossfade doctor --calls 5000\n",
	.run = run,
};

static const struct flag table[] = {
	{ .name = "--calls", .takes_value = true, .env = "CROSSFADE_CALLS" },
	{ .name = "--no-color", .env = "CROSSFADE_NO_COLOR" },
};

static int examine(int calls, bool color)
{
	struct preflight findings[PREFLIGHT_MAX];
	size_t count = preflight_machine(calls, findings), bad = 0;

	for (size_t i = 0; i < count; i++) {
		const struct preflight *f = &findings[i];

		printf("  %s%-4s%s %-16s %s\n",
		       !color ? "" :
		       f->ok  ? "\033[32m" :
				"\033[1;31m",
		       f->ok ? "ok" : "FIX", color ? "\033[0m" : "", f->name, f->found);
		if (!f->ok)
			printf("       %-16s %s\n", "", f->fix);
		bad += !f->ok;
	}
	printf("%zu of %zu well for %d calls\n", count - bad, count, calls);
	return bad ? EXIT_INCONCLUSIVE : EXIT_PASS;
}

static int run(int argc, char **argv)
{
	struct err err = { 0 };
	struct flags *flags;
	int code = EXIT_USAGE;
	int parsed = flags_parse(&command_doctor, table, sizeof(table) / sizeof(*table), argc, argv,
				 &flags);

	if (parsed)
		return parsed < 0 ? EXIT_USAGE : EXIT_PASS;
	if (flags_expect(&command_doctor, flags, 0, 0) < 0)
		goto out;
	const char *text = flags_get(flags, "--calls");
	char *end = NULL;
	long calls = text ? strtol(text, &end, 10) : 200;
	if (text && (*end || end == text || calls < 1 || calls > 1000000)) {
		err_set(&err, ERR_INPUT, "doctor: --calls %s: not a number from 1 to 1000000",
			text);
		code = command_fail(&err);
		goto out;
	}
	code = examine((int)calls, terminal_color(flags));
out:
	flags_free(flags);
	return code;
}
