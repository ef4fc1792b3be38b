#include <limits.h>
#include <stdio.h>

#include "check/check.h"
#include "command/command.h"
#include "command/core/scenario_args.h"
#include "driver/driver.h"
#include "report/core/words.h"
#include "report/report.h"
#include "wire/wire.h"

static int run(int argc, char **argv);

const struct command command_list = {
	.name = "list",
	.usage = "",
	.about = "the drivers, dialects, checks, reports, anomalies, defects and controls there are",
	.help = "example: crossfade list\n",
	.run = run,
};

static void row(const char *name, const char *about)
{
	printf("  %-24s %s\n", name, about);
}

/* Overlays tell about themselves; one that cannot be read is listed with what is wrong with it. */
static void overlays(const char *folder, const char *title)
{
	char **names, path[PATH_MAX], about[512];
	size_t count = overlay_names(folder, &names);

	if (count)
		printf("%s\n", title);
	for (size_t i = 0; i < count; i++) {
		struct expectation expectation;
		struct err err = { 0 };

		if (overlay_find(names[i], path, sizeof(path), &err) < 0 ||
		    expectation_load(path, &expectation, &err) < 0) {
			row(names[i], err.text);
			continue;
		}
		snprintf(about, sizeof(about), "%s%s%s%s", expectation.about,
			 expectation.base ? " (over " : "", expectation.base ? expectation.base : "",
			 expectation.base ? ")" : "");
		row(names[i], about);
		expectation_free(&expectation);
	}
	overlay_names_free(names, count);
}

static void list_all(void)
{
	puts("drivers (balancer: driver)");
	for (size_t i = 0; i < driver_count(); i++)
		row(driver_at(i)->name, driver_at(i)->about);
	puts("dialects (target: wire)");
	for (size_t i = 0; i < wire_count(); i++)
		row(wire_at(i)->name, wire_at(i)->about);
	puts("checks (every run)");
	for (size_t i = 0; i < check_count(); i++)
		row(check_at(i)->name, check_at(i)->about);
	puts("reports (--out TYPE=FILE)");
	for (size_t i = 0; i < report_count(); i++)
		row(report_at(i)->name, report_at(i)->about);
	puts("anomalies and causes (in reports, result.json and `expect`)");
	for (unsigned i = ANOMALY_NONE + 1; i < ANOMALY_COUNT; i++)
		row(anomaly_name(i), anomaly_sentence((enum anomaly)i));
	overlays("defects", "defects (run --defect NAME; local stack)");
	overlays("controls", "controls (run --defect NAME; local stack, must pass)");
}

static int run(int argc, char **argv)
{
	struct flags *flags;
	int code = EXIT_USAGE;
	int parsed = flags_parse(&command_list, NULL, 0, argc, argv, &flags);

	if (parsed)
		return parsed < 0 ? EXIT_USAGE : EXIT_PASS;
	if (flags_expect(&command_list, flags, 0, 0) == 0) {
		list_all();
		code = EXIT_PASS;
	}
	flags_free(flags);
	return code;
}
