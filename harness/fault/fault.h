/*
 * A fault breaks something on purpose: one file per fault, one const table `fault_<file name>`.
 * begin and end block to a deadline on the director, end also heals a fault that was begun in vain.
 * bite looks for evidence that it took effect, independent of begin's own word: 1 it has, 0 not
 * yet, -1 nobody could look; it blocks for half a second at most and is asked again until it says
 * 1 or the fault is over.
 *
 * A fault judges nothing and records nothing: director/faults.c does, and heals on every exit; what
 * outlives a killed director dies with the stack. Rules: shared/drills.md 3.1.
 */
#ifndef FAULT_FAULT_H
#define FAULT_FAULT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "scenario/scenario.h"

/* What a fault can reach of the run. */
struct fault_hands {
	void *user;
	int (*lever)(void *user, const char *text, struct err *); /* at the tap: tap/lever.h */
	int (*signal)(void *user, const char *instance, int signo, struct err *);
	pid_t (*pid)(void *user, const char *instance);	     /* 0: not known */
	bool (*has_ended)(void *user, const char *instance); /* its exit was seen */
};

struct fault_job {
	const struct fault_plan *plan;
	unsigned number; /* in the scenario, from 1 */
	const struct fault_hands *hands;
};

struct fault {
	enum fault_kind kind; /* what it is called and about: the scenario's schema */
	/* What the scenario's table cannot see wrong with it; NULL: nothing. */
	int (*check)(const struct fault_plan *, struct err *);
	int (*begin)(struct fault_job *, struct err *);
	int (*end)(struct fault_job *, struct err *);
	int (*bite)(struct fault_job *);
};

/* An end where there is nothing to heal; a bite that others record. */
int fault_stays(struct fault_job *, struct err *);
int fault_shows_elsewhere(struct fault_job *);

/* Every kind of a scenario has one. */
const struct fault *fault_find(enum fault_kind);

#endif
