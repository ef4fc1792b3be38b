/* The kill matrix: clean runs must pass, every planted defect must be named and nothing else. Each
 * case is a run of our own binary, exactly as a user would start it; the record it leaves is judged
 * again here and held against the overlay. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/core/expect.h"
#include "command/core/judge_run.h"
#include "command/core/scenario_args.h"
#include "net/process.h"

enum { JOBS_MAX = 16, VARIABLES_MAX = 16 };
static const int64_t case_within_ns = 600 * NS_PER_S;

struct matrix {
	const char *scenario, *dir, *self;
	const char *const *variables; /* -e words */
	size_t variable_count;
	unsigned passed, failed;
};

struct job {
	char overlay[64]; /* "" clean */
	uint64_t seed;
	char dir[3072];
	struct process process;
	int64_t deadline_ns;
	bool running;
};

/* What the case is played over: its overlay's base, else the scenario given. An overlay that cannot
 * be read is told by the run itself. */
static const char *scenario_of(const struct matrix *m, const struct job *j, char *out, size_t size)
{
	struct expectation expect;
	const char *scenario = m->scenario;
	char overlay[3072];

	if (!j->overlay[0] || overlay_find(j->overlay, overlay, sizeof overlay, NULL) < 0 ||
	    expectation_load(overlay, &expect, NULL) < 0)
		return scenario;
	if (expect.base) {
		*strrchr(overlay, '/') = '\0';
		snprintf(out, size, "%s/../%s", overlay, expect.base);
		scenario = out;
	}
	expectation_free(&expect);
	return scenario;
}

static int job_start(const struct matrix *m, struct job *j, struct err *err)
{
	char seed[32], log[3200], base[3200];
	const char *argv[16 + 2 * VARIABLES_MAX];
	struct process_spec spec = {
		.program = m->self, .argv = argv, .output_path = log, .new_group = true
	};
	size_t n = 0;

	snprintf(seed, sizeof seed, "%" PRIu64, j->seed);
	snprintf(j->dir, sizeof j->dir, "%s/%s-%s", m->dir, j->overlay[0] ? j->overlay : "clean",
		 seed);
	snprintf(log, sizeof log, "%s.log", j->dir);
	argv[n++] = m->self;
	argv[n++] = "run";
	argv[n++] = scenario_of(m, j, base, sizeof base);
	argv[n++] = "--quiet";
	argv[n++] = "--seed";
	argv[n++] = seed;
	argv[n++] = "--dir";
	argv[n++] = j->dir;
	if (j->overlay[0]) {
		argv[n++] = "--defect";
		argv[n++] = j->overlay;
	}
	for (size_t i = 0; i < m->variable_count && i < VARIABLES_MAX; i++) {
		argv[n++] = "-e";
		argv[n++] = m->variables[i];
	}
	argv[n] = NULL;
	if (process_spawn(&spec, &j->process, err) < 0)
		return -1;
	j->deadline_ns = clock_now_ns() + case_within_ns;
	j->running = true;
	return 0;
}

static void job_weigh(struct matrix *m, const struct job *j, int status)
{
	struct expectation expect = { .required_count = 0 };
	struct judged_run run = { .scenario = NULL };
	struct buf told = buf_init(1 << 15);
	struct err err = { .kind = ERR_NONE };
	char path[3200];
	bool ok = false;

	if ((j->overlay[0] && (overlay_find(j->overlay, path, sizeof path, &err) < 0 ||
			       expectation_load(path, &expect, &err) < 0)) ||
	    judged_run_open(j->dir, &run, &err) < 0)
		buf_printf(&told, "exit %d: %s", status, err.text);
	else
		ok = expect_judge(&expect, run.judgement, status, &told);
	if (ok)
		m->passed++;
	else
		m->failed++;
	printf("%-7s %-14s seed %-4" PRIu64 " exit %-3d %s%s%s\n", ok ? "ok" : "NOT OK",
	       j->overlay[0] ? j->overlay : "clean", j->seed, status, buf_text(&told),
	       ok ? "" : "   record: ", ok ? "" : j->dir);
	fflush(stdout);
	judged_run_free(&run);
	expectation_free(&expect);
	buf_free(&told);
}

/* Waits until one of the running jobs has ended, and weighs it. */
static void one_ends(struct matrix *m, struct job *jobs, size_t slots)
{
	for (;;) {
		struct pollfd fds[JOBS_MAX];
		int status;

		for (size_t i = 0; i < slots; i++) {
			if (jobs[i].running && process_reap(&jobs[i].process, &status)) {
				jobs[i].running = false;
				process_close(&jobs[i].process);
				job_weigh(m, &jobs[i], status);
				return;
			}
			if (jobs[i].running && clock_now_ns() > jobs[i].deadline_ns)
				process_signal(&jobs[i].process, SIGKILL);
			fds[i] = (struct pollfd){ .fd = jobs[i].running ? jobs[i].process.pidfd :
									  -1,
						  .events = POLLIN };
		}
		poll(fds, slots, 1000);
	}
}

static bool any_running(const struct job *jobs, size_t slots)
{
	for (size_t i = 0; i < slots; i++)
		if (jobs[i].running)
			return true;
	return false;
}

/* Plays all cases, at most `slots` at a time. */
static int play(struct matrix *m, const struct job *cases, size_t count, size_t slots,
		struct err *err)
{
	struct job jobs[JOBS_MAX] = { { .seed = 0 } };
	size_t next = 0;

	while (next < count || any_running(jobs, slots)) {
		size_t free_slot = 0;

		while (free_slot < slots && jobs[free_slot].running)
			free_slot++;
		if (next == count || free_slot == slots) {
			one_ends(m, jobs, slots);
			continue;
		}
		jobs[free_slot] = cases[next++];
		if (job_start(m, &jobs[free_slot], err) < 0)
			return -1;
	}
	return 0;
}

static size_t add_cases(struct job *cases, size_t n, const char *overlay, uint64_t seeds)
{
	for (uint64_t seed = 1; seed <= seeds; seed++) {
		snprintf(cases[n].overlay, sizeof cases[n].overlay, "%s", overlay);
		cases[n++].seed = seed;
	}
	return n;
}

static int number(const struct flags *flags, const char *name, long low, long high, long usual,
		  long *ret, struct err *err)
{
	const char *text = flags_get(flags, name);
	char *end;

	*ret = usual;
	if (!text)
		return 0;
	*ret = strtol(text, &end, 10);
	if (!*text || *end || *ret < low || *ret > high)
		return err_set(err, ERR_INPUT, "%s %s: a number from %ld to %ld", name, text, low,
			       high);
	return 0;
}

/* `only`: names with commas between them; NULL lists everything. */
static bool is_listed(const char *only, const char *name)
{
	size_t size = strlen(name);

	for (const char *at = only; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (!strncmp(at, name, size) && (!at[size] || at[size] == ','))
			return true;
	}
	return !only;
}

/* The first of the names that no case has; NULL: each has one. */
static const char *unknown_name(char *only, const struct job *cases, size_t count)
{
	for (char *name = strtok(only, ","); name; name = strtok(NULL, ",")) {
		bool found = false;

		for (size_t i = 0; !found && i < count; i++)
			found = !strcmp(*cases[i].overlay ? cases[i].overlay : "clean", name);
		if (!found)
			return name;
	}
	return NULL;
}

/* All cases: the clean scenario, every control, every defect, or only the named ones. */
static size_t list_cases(const char *only, long clean_seeds, long seeds, struct job **ret)
{
	static const char *const folders[] = { "controls", "defects" };
	struct job *cases = xcalloc((size_t)clean_seeds, sizeof *cases);
	size_t n = 0;

	if (is_listed(only, "clean"))
		n = add_cases(cases, n, "", (uint64_t)clean_seeds);
	for (size_t f = 0; f < 2; f++) {
		char **names;
		size_t count = overlay_names(folders[f], &names);

		for (size_t i = 0; i < count; i++) {
			if (!is_listed(only, names[i]))
				continue;
			cases = xrealloc(cases, (n + (size_t)seeds) * sizeof *cases);
			memset(cases + n, 0, (size_t)seeds * sizeof *cases);
			n = add_cases(cases, n, names[i], (uint64_t)seeds);
		}
		overlay_names_free(names, count);
	}
	*ret = cases;
	return n;
}

static int matrix_main(int argc, char **argv)
{
	static const struct flag table[] = {
		{ .name = "--env", .letter = 'e', .takes_value = true, .repeats = true },
		{ .name = "--clean-seeds", .takes_value = true },
		{ .name = "--seeds", .takes_value = true },
		{ .name = "--only", .takes_value = true },
		{ .name = "--jobs", .takes_value = true },
		{ .name = "--dir", .takes_value = true },
	};
	char self[4096], dir[2048] = "runs/matrix-XXXXXX";
	struct matrix m = { .self = self };
	struct err err = { .kind = ERR_NONE };
	struct job *cases = NULL;
	char *only = NULL;
	const char *unknown = NULL;
	struct flags *flags;
	struct buf warnings = buf_init(1 << 16);
	struct scenario *scenario = NULL;
	long clean_seeds, seeds, jobs;
	size_t count;
	int parsed = flags_parse(command_find("matrix"), table, sizeof table / sizeof *table, argc,
				 argv, &flags);

	if (parsed)
		return parsed < 0 ? EXIT_USAGE : EXIT_PASS;
	if (flags_expect(command_find("matrix"), flags, 1, 1) < 0) {
		flags_free(flags);
		return EXIT_USAGE;
	}
	m.scenario = flags_positional(flags, 0);
	m.variable_count = flags_all(flags, "--env", &m.variables);
	m.dir = flags_get(flags, "--dir");
	if (m.variable_count > VARIABLES_MAX) {
		err_set(&err, ERR_INPUT, "matrix: %zu variables, at most %d", m.variable_count,
			VARIABLES_MAX);
		goto out;
	}
	/* What every run would refuse is refused once. */
	if (scenario_args_load(flags, &scenario, &warnings, &err) < 0)
		goto out;
	scenario_free(scenario);
	if (number(flags, "--clean-seeds", 1, 1000, 20, &clean_seeds, &err) < 0 ||
	    number(flags, "--seeds", 1, 1000, 5, &seeds, &err) < 0 ||
	    number(flags, "--jobs", 1, JOBS_MAX, 4, &jobs, &err) < 0 ||
	    process_beside("crossfade", self, sizeof self, &err) < 0)
		goto out;
	if (!m.dir) {
		if (access("runs", W_OK) < 0 && mkdir("runs", 0755) < 0)
			err_errno(&err, ERR_INPUT, errno, "directory runs");
		else if (!mkdtemp(dir))
			err_errno(&err, ERR_INPUT, errno, "directory %s", dir);
		m.dir = dir;
	} else if (mkdir(m.dir, 0755) < 0 && errno != EEXIST) {
		err_errno(&err, ERR_INPUT, errno, "directory %s", m.dir);
	}
	if (err.kind)
		goto out;
	count = list_cases(flags_get(flags, "--only"), clean_seeds, seeds, &cases);
	if (flags_get(flags, "--only")) {
		only = xstrdup(flags_get(flags, "--only"));
		unknown = unknown_name(only, cases, count);
	}
	if (unknown || !count)
		err_set(&err, ERR_INPUT, "matrix: nothing is called \"%s\"",
			unknown ? unknown : "");
	else if (!play(&m, cases, count, (size_t)jobs, &err))
		printf("%u passed, %u failed\n", m.passed, m.failed);
out:
	buf_free(&warnings);
	free(cases);
	free(only);
	flags_free(flags);
	if (err.kind)
		return command_fail(&err);
	return m.failed ? EXIT_FAIL : EXIT_PASS;
}

const struct command command_matrix = {
	.name = "matrix",
	.usage =
		"SCENARIO [--clean-seeds N] [--seeds N] [--only NAME,...] [--jobs N] [--dir DIR] [-e KEY=VALUE]",
	.about = "every seeded defect must be named, clean runs must pass",
	.help = "  --clean-seeds N  runs of the clean scenario (20)\n"
		"  --seeds N        runs of each control and each defect (5)\n"
		"  --only NAME,...  these only: clean, D21, ...\n"
		"  --jobs N         runs at the same time (4)\n"
		"  --dir DIR        keep the records here\n"
		"  -e KEY=VALUE     variable of the scenario\n"
		"\n"
		"An overlay that names a base is played over that scenario instead.\n"
		"\n"
		"Example: crossfade matrix scenarios/blue_green.yaml --only D21 --seeds 1\n",
	.run = matrix_main,
};
