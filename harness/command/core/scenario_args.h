/*
 * The words that choose a scenario, the same for run, plan and validate:
 *
 *   SCENARIO [-e KEY=VALUE]... [--seed N] [--defect NAME]
 *
 * Variables come from -e first, then from the environment of the process. NAME is a file of
 * scenarios/defects or scenarios/controls beside the program, without ".yaml".
 */
#ifndef COMMAND_CORE_SCENARIO_ARGS_H
#define COMMAND_CORE_SCENARIO_ARGS_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "command/command.h"
#include "scenario/scenario.h"

/* Rows for a command's flag table. */
#define SCENARIO_FLAGS \
	{ .name = "--env", .letter = 'e', .takes_value = true, .repeats = true }, \
	{ .name = "--seed", .takes_value = true, .env = "CROSSFADE_SEED" }, \
	{ .name = "--defect", .takes_value = true, .env = "CROSSFADE_DEFECT" }
/* Their lines for a command's help. */
#define SCENARIO_FLAGS_HELP \
	"  -e KEY=VALUE     value of ${KEY} in the scenario, before the environment's\n" \
	"  --seed N         another seed than the scenario's\n" \
	"  --defect NAME    plant a defect (D01 ...) or run a control; crossfade list names them\n"

/* Loads the scenario of the first word. Warnings are whole lines, printed by the caller. */
int scenario_args_load(const struct flags *, struct scenario **ret, struct buf *warnings,
		       struct err *);
/* The same of a file that nobody typed: -e, --seed and --defect hold for it, too. */
int scenario_args_load_file(const struct flags *, const char *path, struct scenario **ret,
			    struct buf *warnings, struct err *);
/* "crossfade run FILE --seed N ..." with the same words, quoted for a shell; appended to `out`. */
void scenario_args_again(const struct flags *, uint64_t seed, struct buf *out);
/* Path of the overlay called NAME; an unknown name is ERR_INPUT with the nearest one. */
int overlay_find(const char *name, char *out, size_t size, struct err *);
/* Names of all overlays of "defects" or "controls", sorted; none when there is no such folder. */
size_t overlay_names(const char *folder, char ***ret);
void overlay_names_free(char **names, size_t count);

#endif
