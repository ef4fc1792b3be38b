/*
 * A subcommand: the only room that prints and chooses exit codes. One file per word, one const
 * table `command_<file name>`; a file whose name begins with `internal_` is a process of ours
 * (worker, tap, ...), spawned with the hidden word "__worker" and not listed in the help.
 */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "record/verdict.h"

struct command {
	const char *name;    /* "run"; "__worker" for internal ones */
	const char *usage;   /* "SCENARIO [--seed N] ..." */
	const char *about;   /* one line for the list */
	const char *help;    /* flags, one per line, and one example */
	int (*run)(int argc, char **argv); /* argv[0] is the word itself; returns the exit code */
};

size_t command_count(void);
const struct command *command_at(size_t i);
const struct command *command_find(const char *name);
/* The nearest valid word (edit distance <= 2, or a prefix), or NULL. */
const char *command_nearest(const char *word, const char *const *words, size_t count);

/* Flags of a command, a table: "--name VALUE", "--name=VALUE", "-n VALUE", "-nVALUE". The environment
 * speaks for a flag that the command line does not give. */
struct flag {
	const char *name;    /* "--seed" */
	char letter;         /* 'q', or 0 */
	bool takes_value, repeats;
	bool optional;       /* internal commands: may be left out */
	const char *env;     /* "CROSSFADE_SEED", or NULL */
};
struct flags;            /* parsed */
/* On error prints the sentence with the nearest word and returns -1 (the caller exits 104); --help
 * prints and returns 1. `table` and `argv` must outlive the flags. */
int flags_parse(const struct command *, const struct flag *table, size_t count, int argc,
		char **argv, struct flags **ret);
const char *flags_get(const struct flags *, const char *name);            /* NULL when absent */
size_t flags_all(const struct flags *, const char *name, const char *const **ret); /* repeated */
const char *flags_positional(const struct flags *, size_t i);             /* NULL past the end */
/* 0 when the count of words is within least..most; else prints the usage and returns -1. */
int flags_expect(const struct command *, const struct flags *, size_t least, size_t most);
void flags_free(struct flags *);

/* Prints "crossfade: text" to stderr, and returns the exit code of the error's kind. */
int command_fail(const struct err *);

#endif
