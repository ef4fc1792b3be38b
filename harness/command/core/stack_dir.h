/*
 * The folder of a local stack that runs by itself (`crossfade stack up`), and what it says of it:
 *
 *   DIR/stack.json   who runs, where everything is (0600; replaced as a whole)
 *   DIR/env          the environment of the stack as export lines (0600: it may hold a secret)
 *   DIR/lock         held while `stack up` lives: one stack a folder
 *   DIR/NAME.log     what each process says
 *
 * Whoever is in stack.json is known by pid and begin, so that nobody else is taken for it. What a
 * killed `stack up` leaves is stale and replaced. Errors: ERR_INPUT for a folder or a file that is
 * no such thing.
 */
#ifndef COMMAND_CORE_STACK_DIR_H
#define COMMAND_CORE_STACK_DIR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "net/other_process.h"
#include "record/words.h"

enum { STACK_MEMBERS_MAX = 64 };

struct stack_member {
	char name[32];
	enum color color;  /* of an agent, else COLOR_UNKNOWN */
	char address[128]; /* "" when it has none to tell */
	struct other_process process;
};

struct stack_facts {
	struct other_process up; /* `stack up` itself */
	char since[24];		 /* 2026-01-31T12:00:00Z */
	bool ready;		 /* what follows is known */
	char url[512];		 /* where callers dial, up to the call's id */
	char endpoint[256];	 /* of the control plane */
	char redis[128], rule[512], path[256];
	struct stack_member member[STACK_MEMBERS_MAX];
	size_t member_count;
};

struct stack_dir {
	char path[PATH_MAX - 64];
	int lock; /* -1 not held */
};

/* The file's facts: 1, or 0 when there is no stack.json. */
int stack_facts_read(const char *dir, struct stack_facts *ret, struct err *);
int stack_facts_write(const char *dir, const struct stack_facts *, struct err *);

/* Makes the folder when there is none and holds its lock. Who has it already is an ERR_INPUT that
 * says who. */
int stack_dir_take(const char *path, struct stack_dir *ret, struct err *);
/* NAME='value' lines with export, quoted for a shell. */
int stack_env_write(const char *dir, const char *const *lines, struct err *);
/* One value of the file; false when it has none. */
bool stack_env_value(const char *dir, const char *name, char *out, size_t size);
/* Removes what a stack says of itself; logs stay. */
void stack_dir_clear(const char *path);
/* Clears it, and lets go. */
void stack_dir_leave(struct stack_dir *);

#endif
