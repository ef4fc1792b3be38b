/*
 * The directory of one run: RUNS/<scenario>/<utc>-<seed>/, or the one the user named, with the
 * resolved scenario in it. `latest` beside it is a symbolic link to the newest. A directory that
 * already holds a run is refused, never reused.
 */
#ifndef COMMAND_CORE_RUN_DIR_H
#define COMMAND_CORE_RUN_DIR_H

#include "base/err.h"
#include "scenario/scenario.h"

/* The folder and those above it, as far as they are not there. */
int folder_make(const char *path, struct err *);

struct run_dir {
	char path[3072];
	char run_id[80];
	char run6[8]; /* in call ids: no run meets a key of another */
};

/* `chosen` is the user's --dir, or NULL. */
int run_dir_create(const struct scenario *, const char *chosen, struct run_dir *ret, struct err *);

#endif
