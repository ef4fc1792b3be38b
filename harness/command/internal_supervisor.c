/* The supervisor process, spawned by `run`. */
#include <stdio.h>
#include <stdlib.h>

#include "command/command.h"
#include "director/supervisor.h"
#include "net/process.h"

static int supervisor_main(int argc, char **argv)
{
	static const struct flag table[] = {
		{ .name = "--dir", .takes_value = true },
		{ .name = "--run-id", .takes_value = true },
		{ .name = "--run6", .takes_value = true },
		{ .name = "--workers", .takes_value = true },
		{ .name = "--local-ips", .takes_value = true },
	};
	struct supervisor_settings settings = { .control = PROCESS_CONTROL_FD };
	struct err err = { .kind = ERR_NONE };
	struct scenario *scenario = NULL;
	struct flags *flags;
	char path[4096];
	int result;

	if (flags_parse(command_find("__supervisor"), table, sizeof table / sizeof *table, argc,
			argv, &flags))
		return EXIT_USAGE;
	settings.run_dir = flags_get(flags, "--dir");
	settings.run_id = flags_get(flags, "--run-id");
	settings.run6 = flags_get(flags, "--run6");
	settings.workers = atoi(flags_get(flags, "--workers"));
	settings.local_ips = flags_get(flags, "--local-ips");
	snprintf(path, sizeof path, "%s/scenario.yaml", settings.run_dir);
	result = scenario_load(&(struct scenario_source){ .path = path }, &scenario, NULL, &err);
	if (!result) {
		settings.scenario = scenario;
		result = supervise(&settings, &err);
	}
	scenario_free(scenario);
	flags_free(flags);
	return result ? command_fail(&err) : EXIT_PASS;
}

const struct command command_internal_supervisor = {
	.name = "__supervisor",
	.usage = "--dir RUN --run-id ID --run6 ID --workers N",
	.about = "parent of all processes of a run",
	.help = "",
	.run = supervisor_main,
};
