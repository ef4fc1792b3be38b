/*
 * A check folds over the history and over nothing else, and says whether one invariant held.
 *
 *   history ──> judge ──> world (who is where, one entry per live call)
 *                           └──> each check that wants this kind ──> finding: pass | fail | ...
 *
 * One file per invariant, one const table `check_<file name>`. A check keeps its own state
 * (state_bytes, zeroed) and its own part of each call's entry (call_bytes, zeroed at call.start).
 * It has no clock, opens nothing, prints nothing. The world is updated BEFORE a check sees the
 * event, except that on leg.end/call.end the leg and the call are still there to be read. Cost
 * matters: all checks together may spend 50 ns an event.
 */
#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/event.h"
#include "record/history.h"
#include "record/verdict.h"
#include "scenario/scenario.h"

struct world;      /* check/core/world.h */
struct world_call; /* one live call */

#define KIND(NAME) (1ULL << EVENT_##NAME)

struct check {
	const char *name;  /* the word in result.json, the file's name */
	const char *about; /* one sentence: the invariant */
	/* Does the invariant speak about such a scenario? When not, no judgement of it mentions the
	 * check. NULL: about every one. */
	bool (*asked)(const struct scenario *);
	const char *why_not; /* said when it is left out for `asked` or `idle`: a clause */
	/* What one exposure is when each is a chance of a violation: "calls". The share of them that
	 * may be violated all the same is told then. NULL: they are no such chances. */
	const char *trials;
	uint64_t kinds;    /* KIND(...) | ...: which events it wants; 0 is allowed */
	size_t state_bytes, call_bytes;
	/* After the last event: nothing it speaks about happened, and nobody asked for it. The
	 * check is left out of the judgement then. NULL: never. */
	bool (*idle)(const void *state, const struct world *);
	/* Called once, before the first event. May be NULL. */
	void (*begin)(void *state, const struct world *);
	/* One event of a wanted kind. `call` is NULL when the event is of no known call. May add
	 * witnesses to `f`. */
	void (*event)(void *state, struct world_call *call, void *mine, const struct world *,
		      const struct event *, struct finding *f);
	/* A call's entry is about to be freed (its end plus the grace), or the history ended with
	 * it live. May be NULL. */
	void (*call_done)(void *state, struct world_call *, void *mine, const struct world *,
			  struct finding *f);
	/* After the last event: exposure, doubts. The judge then calls verdict_finish. */
	void (*finish)(void *state, const struct world *, struct finding *f);
	/* Frees what the state owns, not the state itself. May be NULL. */
	void (*release)(void *state);
};

/* The registry: every check, in the order of the build's listing. */
size_t check_count(void);
const struct check *check_at(size_t i);
const struct check *check_find(const char *name);

#endif
