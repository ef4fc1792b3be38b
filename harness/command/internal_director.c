/* The director process, spawned by the supervisor. */
#include <stdio.h>

#include "command/command.h"
#include "director/director.h"
#include "net/process.h"

static int director_main(int argc, char **argv)
{
	static const struct flag table[] = { { .name = "--dir", .takes_value = true } };
	struct director_settings settings = { .control = PROCESS_CONTROL_FD };
	struct err err = { .kind = ERR_NONE };
	struct scenario *scenario = NULL;
	struct flags *flags;
	char path[4096];
	int result;

	if (flags_parse(command_find("__director"), table, 1, argc, argv, &flags))
		return EXIT_USAGE;
	settings.run_dir = flags_get(flags, "--dir");
	snprintf(path, sizeof path, "%s/scenario.yaml", settings.run_dir);
	result = scenario_load(&(struct scenario_source){ .path = path }, &scenario, NULL, &err);
	if (!result) {
		settings.scenario = scenario;
		result = direct(&settings, &err);
	}
	scenario_free(scenario);
	flags_free(flags);
	return result ? command_fail(&err) : EXIT_PASS;
}

const struct command command_internal_director = {
	.name = "__director",
	.usage = "--dir RUN",
	.about = "walks the cutover",
	.help = "",
	.run = director_main,
};
