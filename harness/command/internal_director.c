/* The director process, spawned by the supervisor. */
#include "command/core/child.h"
#include "director/director.h"
#include "net/process.h"

static int work(const struct child *child, struct err *err)
{
	struct director_settings settings = {
		.scenario = child->scenario,
		.run_dir = child->dir,
		.control = PROCESS_CONTROL_FD,
	};

	return direct(&settings, err);
}

static int director_main(int argc, char **argv)
{
	static const struct flag table[] = { { .name = "--dir", .takes_value = true } };

	return child_main("__director", table, 1, argc, argv, work);
}

const struct command command_internal_director = {
	.name = "__director",
	.usage = "--dir RUN",
	.about = "walks the cutover",
	.help = "",
	.run = director_main,
};
