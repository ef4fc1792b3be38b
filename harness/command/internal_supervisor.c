/* The supervisor process, spawned by `run`. */
#include <stdlib.h>

#include "command/core/child.h"
#include "director/supervisor.h"
#include "net/process.h"

static int work(const struct child *child, struct err *err)
{
	struct supervisor_settings settings = {
		.scenario = child->scenario,
		.run_dir = child->dir,
		.run_id = flags_get(child->flags, "--run-id"),
		.run6 = flags_get(child->flags, "--run6"),
		.workers = atoi(flags_get(child->flags, "--workers")),
		.local_ips = flags_get(child->flags, "--local-ips"),
		.control = PROCESS_CONTROL_FD,
	};

	return supervise(&settings, err);
}

static int supervisor_main(int argc, char **argv)
{
	static const struct flag table[] = {
		{ .name = "--dir", .takes_value = true },
		{ .name = "--run-id", .takes_value = true },
		{ .name = "--run6", .takes_value = true },
		{ .name = "--workers", .takes_value = true },
		{ .name = "--local-ips", .takes_value = true, .optional = true },
	};

	return child_main("__supervisor", table, sizeof(table) / sizeof(*table), argc, argv, work);
}

const struct command command_internal_supervisor = {
	.name = "__supervisor",
	.usage = "--dir RUN --run-id ID --run6 ID --workers N",
	.about = "parent of all processes of a run",
	.help = "",
	.run = supervisor_main,
};
