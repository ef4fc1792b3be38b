#include "command/core/judge_run.h"
#include "command/core/terminal.h"

static int run(int argc, char **argv);

const struct command command_check = {
	.name = "check",
	.usage = "RUN [--out TYPE=FILE]...",
	.about = "judge a recorded run again",
	.help = "  --out TYPE=FILE  also write a report (crossfade list names the types; FILE - is standard output)\n"
		"  -q, --quiet      only the first line\n"
		"  --no-color       plain text on a terminal, too\n"
		"\n"
		"Judges what is in RUN with the rules of this program and changes nothing in it. The exit code is the verdict's.\n"
		"\n"
		"example: crossfade check runs/blue_green/latest --out json=result.json\n",
	.run = run,
};

static const struct flag table[] = {
	{ .name = "--out", .takes_value = true, .repeats = true, .env = "CROSSFADE_OUT" },
	{ .name = "--quiet", .letter = 'q', .env = "CROSSFADE_QUIET" },
	{ .name = "--no-color", .env = "CROSSFADE_NO_COLOR" },
};

static int run(int argc, char **argv)
{
	struct judge_request request = { 0 };
	struct err err = { 0 };
	struct flags *flags;
	int code = EXIT_USAGE;
	int parsed = flags_parse(&command_check, table, sizeof(table) / sizeof(*table), argc, argv,
				 &flags);

	if (parsed)
		return parsed < 0 ? EXIT_USAGE : EXIT_PASS;
	if (flags_expect(&command_check, flags, 1, 1) == 0) {
		request.run_dir = flags_positional(flags, 0);
		request.out_count = flags_all(flags, "--out", &request.outs);
		request.quiet = flags_get(flags, "--quiet") != NULL;
		request.color = terminal_color(flags);
		if (judge_outs_check(request.outs, request.out_count, &err) < 0 ||
		    judge_and_report(&request, &code, &err) < 0)
			code = command_fail(&err);
	}
	flags_free(flags);
	return code;
}
