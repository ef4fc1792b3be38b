/*
 * From a run directory to the verdict: loads RUN/scenario.yaml (as resolved when it ran), judges
 * the record and hands the judgement to the reports. Used by run (on what it has just recorded),
 * check and report. It judges the record and nothing else: what a live view saw is not asked.
 *
 *   RUN/scenario.yaml   the resolved scenario, by the SHA-256 that the lanes carry
 *   RUN/<lane>.lane     the record
 *   RUN/again           the command that repeats the run, one line
 *   RUN/environment     key=value lines: kernel, cores, versions
 */
#ifndef COMMAND_CORE_JUDGE_RUN_H
#define COMMAND_CORE_JUDGE_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "check/judge.h"
#include "command/command.h"
#include "command/core/run_facts.h"
#include "report/report.h"

struct judge_request {
	const char *run_dir;
	/* "TYPE=FILE", as given to --out; FILE "-" is standard output, and then no text */
	const char *const *outs;
	size_t out_count;
	bool quiet;              /* print the first line of the text only */
	bool silent;             /* print nothing on standard output */
	bool color;
	bool keep;               /* write RUN/result.json */
};

/* 0 and the exit code of the verdict in *ret_exit. -1: nothing could be judged, or a report could
 * not be written; what could be written is written, and the error names the first that was not. */
int judge_and_report(const struct judge_request *, int *ret_exit, struct err *);

/* Checks "TYPE=FILE" words before a run begins: a misspelt type or a folder that is not there must
 * not cost a run. */
int judge_outs_check(const char *const *outs, size_t count, struct err *);

/* The pieces, for commands that want the judgement itself. */
struct judged_run {
	struct scenario *scenario;
	struct history *history;
	struct judgement *judgement;
};
/* Opens and judges; the caller gives back a zeroed struct to judged_run_free in any case. */
/* Without the judgement, which stays NULL. */
int judged_run_load(const char *run_dir, struct judged_run *ret, struct err *);
int judged_run_open(const char *run_dir, struct judged_run *ret, struct err *);
void judged_run_free(struct judged_run *);

#endif
