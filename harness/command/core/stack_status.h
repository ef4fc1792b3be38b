/*
 * A look at a stack that runs by itself: its processes, its targets through the driver's read, the
 * calls its agents say they have. Blocking, a second or so for each that does not answer. Changes
 * nothing. The credentials it needs are those of DIR/env, put into this process's environment.
 */
#ifndef COMMAND_CORE_STACK_STATUS_H
#define COMMAND_CORE_STACK_STATUS_H

#include <stdbool.h>

#include "base/buf.h"
#include "command/core/stack_dir.h"
#include "driver/driver.h"

enum stack_state {
	STACK_ABSENT,	/* nothing is said in the folder */
	STACK_GONE,	/* what is said is of one that was killed */
	STACK_STARTING, /* not told everything yet */
	STACK_DEGRADED, /* some part does not do what it should */
	STACK_UP
};

struct stack_status {
	enum stack_state state;
	struct stack_facts facts;
	bool alive[STACK_MEMBERS_MAX];
	bool counted[STACK_MEMBERS_MAX]; /* active[i] is known */
	uint32_t active[STACK_MEMBERS_MAX];
	bool has_view;
	struct driver_view view;
	struct buf problems; /* a line each */
};

/* -1: the folder cannot be read. To be freed either way. */
int stack_look(const char *dir, struct stack_status *ret, struct err *);
void stack_status_free(struct stack_status *);
/* 0 up, 98 starting or degraded, 104 none. */
int stack_status_exit(const struct stack_status *);
void stack_status_text(const char *dir, const struct stack_status *, struct buf *out);
void stack_status_json(const char *dir, const struct stack_status *, struct buf *out);

#endif
