#include "command/core/judge_run.h"

static int run(int argc, char **argv);

const struct command command_report = {
	.name = "report",
	.usage = "RUN --out TYPE=FILE...",
	.about = "write reports of a recorded run",
	.help = "  --out TYPE=FILE  a report to write (crossfade list names the types; FILE - is standard output)\n"
		"\n"
		"The exit code says whether the reports were written; for the verdict's code, use check.\n"
		"\n"
		"example: crossfade report runs/blue_green/latest --out junit=junit.xml --out text=-\n",
	.run = run,
};

static const struct flag table[] = {
	{ .name = "--out", .takes_value = true, .repeats = true, .env = "CROSSFADE_OUT" },
};

static int run(int argc, char **argv)
{
	struct judge_request request = { .silent = true };
	struct err err = { 0 };
	struct flags *flags;
	int code = EXIT_USAGE, verdict;
	int parsed = flags_parse(&command_report, table, sizeof(table) / sizeof(*table), argc, argv,
				 &flags);

	if (parsed)
		return parsed < 0 ? EXIT_USAGE : EXIT_PASS;
	if (flags_expect(&command_report, flags, 1, 1) < 0)
		goto out;
	request.run_dir = flags_positional(flags, 0);
	request.out_count = flags_all(flags, "--out", &request.outs);
	if (!request.out_count)
		err_set(&err, ERR_INPUT,
			"report: nothing to write; add --out TYPE=FILE, for example --out text=-");
	else if (judge_outs_check(request.outs, request.out_count, &err) == 0 &&
		 judge_and_report(&request, &verdict, &err) == 0)
		code = EXIT_PASS;
	if (err.kind)
		code = command_fail(&err);
out:
	flags_free(flags);
	return code;
}
