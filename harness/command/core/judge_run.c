#include "command/core/judge_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "command/core/terminal.h"
#include "report/core/text.h"

enum { SCENARIO_BYTES_MAX = 4 << 20 };

/* Its lanes name the scenario they were recorded with: a limit changed since then would be another
 * verdict. Nothing is said of lanes that do not name it. */
static int same_scenario(const char *path, const struct history *history, struct err *err)
{
	const struct lane_header *header = history_header(history);
	char *text = xcalloc(1, SCENARIO_BYTES_MAX), digest[65];
	FILE *file = fopen(path, "re");
	size_t size = file ? fread(text, 1, SCENARIO_BYTES_MAX, file) : 0;
	int result = 0;

	hash_sha256_hex(text, size, digest);
	if (!file || ferror(file))
		result = err_errno(err, ERR_INPUT, errno, "%s", path);
	else if (header && header->scenario_digest[0] &&
		 strcmp(digest, header->scenario_digest) != 0)
		result = err_set(
			err, ERR_INPUT,
			"%s: not what the run was recorded with: its SHA-256 is %.12s..., its lanes say %.12s...",
			path, digest, header->scenario_digest);
	if (file)
		fclose(file);
	free(text);
	return result;
}

int judged_run_load(const char *run_dir, struct judged_run *ret, struct err *err)
{
	char *path = xasprintf("%s/scenario.yaml", run_dir);
	struct scenario_source source = { .path = path };
	struct buf warnings = buf_init(1 << 16);
	struct judged_run run = { 0 };
	struct stat status;
	int result = -1;

	if (stat(run_dir, &status) < 0)
		err_errno(err, ERR_INPUT, errno, "run directory %s", run_dir);
	else if (!S_ISDIR(status.st_mode))
		err_set(err, ERR_INPUT, "%s is not a run directory", run_dir);
	else if (access(path, R_OK) < 0)
		err_errno(err, ERR_INPUT, errno, "%s is not a run directory: %s", run_dir, path);
	/* Its warnings were told when it ran. */
	else if (scenario_load(&source, &run.scenario, &warnings, err) == 0)
		result = history_open(run_dir, &run.history, err);
	if (!result)
		result = same_scenario(path, run.history, err);
	buf_free(&warnings);
	free(path);
	if (result < 0)
		judged_run_free(&run);
	else
		*ret = run;
	return result;
}

int judged_run_open(const char *run_dir, struct judged_run *ret, struct err *err)
{
	int result = judged_run_load(run_dir, ret, err);

	return result < 0 ? result : judge(ret->scenario, ret->history, &ret->judgement, err);
}

void judged_run_free(struct judged_run *run)
{
	judgement_free(run->judgement);
	history_free(run->history);
	scenario_free(run->scenario);
	*run = (struct judged_run){ 0 };
}

/* Splits "json=build/r.json"; the type is copied, the file is the rest of the word. */
static int split_out(const char *word, const struct report **ret_report, const char **ret_file,
		     struct err *err)
{
	const char *equals = strchr(word, '='), **names;
	char type[32];

	snprintf(type, sizeof(type), "%.*s",
		 (int)(equals ? equals - word : (ptrdiff_t)strlen(word)), word);
	if (!equals || !equals[1])
		return err_set(err, ERR_INPUT,
			       "--out %s: write TYPE=FILE, for example json=result.json", word);
	*ret_report = report_find(type);
	*ret_file = equals + 1;
	if (*ret_report)
		return 0;
	names = xcalloc(report_count(), sizeof(*names));
	for (size_t i = 0; i < report_count(); i++)
		names[i] = report_at(i)->name;
	const char *nearest = command_nearest(type, names, report_count());
	if (nearest)
		err_set(err, ERR_INPUT, "--out %s: no report \"%s\"; did you mean \"%s\"?", word,
			type, nearest);
	else
		err_set(err, ERR_INPUT, "--out %s: no report \"%s\"; crossfade list names them",
			word, type);
	free(names);
	return -1;
}

/* The folder of the file must take a new file, and the file must not be a folder itself. */
static int check_place(const char *file, struct err *err)
{
	const char *slash = strrchr(file, '/');
	char *folder = slash ? strndup(file, (size_t)(slash - file) + (slash == file)) :
			       strdup(".");
	struct stat status;
	int result = 0;

	if (!folder)
		result = err_errno(err, ERR_HARNESS, errno, "report %s", file);
	else if (stat(folder, &status) < 0)
		result = err_errno(err, ERR_INPUT, errno, "--out: folder %s of %s", folder, file);
	else if (!S_ISDIR(status.st_mode))
		result = err_set(err, ERR_INPUT, "--out: %s of %s is not a folder", folder, file);
	else if (stat(file, &status) == 0 ? S_ISDIR(status.st_mode) || access(file, W_OK) < 0 :
					    access(folder, W_OK) < 0)
		result = err_set(err, ERR_INPUT, "--out: %s cannot be written", file);
	free(folder);
	return result;
}

int judge_outs_check(const char *const *outs, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct report *report;
		const char *file;

		if (split_out(outs[i], &report, &file, err) < 0 ||
		    (strcmp(file, "-") != 0 && check_place(file, err) < 0))
			return -1;
	}
	return 0;
}

/* Whole or not at all: a reader never meets half a file. Devices and pipes are written in place. */
static int write_file(const struct report *report, const struct report_input *input,
		      const char *file, struct err *err)
{
	struct stat status;
	bool in_place = stat(file, &status) == 0 && !S_ISREG(status.st_mode);
	char *path = in_place ? xstrdup(file) : xasprintf("%s.new", file);
	FILE *out = fopen(path, "we");
	int result = -1;

	if (!out) {
		err_errno(err, ERR_HARNESS, errno, "report %s", file);
		goto out;
	}
	result = report->write(input, out, err);
	if (fclose(out) != 0 && result == 0)
		result = err_errno(err, ERR_HARNESS, errno, "report %s", file);
	if (result == 0 && !in_place && rename(path, file) < 0)
		result = err_errno(err, ERR_HARNESS, errno, "report %s", file);
	if (result < 0 && !in_place)
		unlink(path);
out:
	free(path);
	return result;
}

/* A reader that has seen enough is no reason for another exit code. */
static int write_stdout(const struct report *report, const struct report_input *input,
			struct err *err)
{
	if (report->write(input, stdout, err) == 0)
		return 0;
	if (!terminal_reader_left())
		return -1;
	if (err)
		*err = (struct err){ .kind = ERR_NONE };
	return 0;
}

/* Every report that can be written is written; the first trouble is the one told. */
static int write_reports(const struct judge_request *request, const struct report_input *input,
			 struct err *err)
{
	int result = 0;
	bool stdout_taken = false;

	if (request->keep) {
		char *path = xasprintf("%s/result.json", request->run_dir);

		result = write_file(report_find("json"), input, path, err);
		free(path);
	}
	for (size_t i = 0; i < request->out_count; i++) {
		const struct report *report;
		const char *file;
		struct err *told = result == 0 ? err : NULL;

		if (split_out(request->outs[i], &report, &file, told) < 0) {
			result = -1;
		} else if (!strcmp(file, "-")) {
			stdout_taken = true;
			result |= write_stdout(report, input, told);
		} else {
			result |= write_file(report, input, file, told);
		}
	}
	if (request->silent || stdout_taken)
		return result;
	struct report_input shown = *input;
	shown.color = request->color;
	if (request->quiet)
		text_headline(&shown, stdout);
	else
		result |= write_stdout(report_find("text"), &shown, result == 0 ? err : NULL);
	return result;
}

int judge_and_report(const struct judge_request *request, int *ret_exit, struct err *err)
{
	struct judged_run run = { 0 };
	struct run_facts facts = { 0 };
	/* One name for it wherever one stands, so that check prints what run has printed. */
	char *place = realpath(request->run_dir, NULL);
	int result;

	if (judged_run_open(request->run_dir, &run, err) < 0) {
		free(place);
		return -1;
	}
	run_facts_read(request->run_dir, &facts);
	if (!facts.again)
		facts.again = xasprintf("crossfade run %s/scenario.yaml", request->run_dir);
	struct report_input input = {
		.scenario = run.scenario,
		.judgement = run.judgement,
		.history = run.history,
		.run_dir = place ? place : request->run_dir,
		.again = facts.again,
		.environment = (const char *const *)facts.environment,
	};
	result = write_reports(request, &input, err);
	if (result == 0)
		*ret_exit = judgement_exit_code(run.judgement);
	run_facts_free(&facts);
	judged_run_free(&run);
	free(place);
	return result;
}
