/*
 * A made-up clean cutover as events in memory: for tests, which then spoil it, and for the bench,
 * which counts. Every call keeps its script, every write precedes its reply, blue is torn down when
 * it is empty. Not a simulator: nothing in it is random, and nothing reacts.
 *
 *   +0 s steady   +8 smoke   +8.1 shift   +8.11 drain   +24 buffer   +27 teardown   +27.1 steady
 * +31 after   +43 end
 *
 * Calls start evenly over the first 31 s, hold 6.5 s, speak every second; every other one is
 * resumable and loses its leg twice: after 3.5 s (its cookie has expired) and 0.7 s after that (it
 * has not).
 */
#ifndef CHECK_CORE_STORY_H
#define CHECK_CORE_STORY_H

#include <stddef.h>

#include "record/event.h"
#include "scenario/scenario.h"

enum { STORY_BLUE_1 = 1, STORY_BLUE_2, STORY_GREEN_1, STORY_GREEN_2 }; /* instance numbers */
#define STORY_START_NS 10000000000LL

struct story {
	struct event *events;
	size_t count, cap;
};

/* The scenario it plays; steps and gates belong to the caller's struct and need no freeing. */
struct story_scenario {
	struct scenario scenario;
	struct step steps[7];
	struct gate gate;
};
/* Fills it in place; it must not be moved afterwards. */
void story_scenario(struct story_scenario *);

struct story story_make(size_t calls);
void story_free(struct story *);
/* The id hash of the i-th call, i from 0; even ones are bridges. */
uint64_t story_call(size_t i);
void story_add(struct story *, struct event); /* then story_sort */
void story_sort(struct story *);              /* by time; events of one time keep their order */
/* First event of this kind for the call (0: any) at or after t_ns, or NULL. */
struct event *story_find(struct story *, enum event_kind, uint64_t call, int64_t t_ns);
/* Takes out every event for which `drop` is true. */
void story_cut(struct story *, bool (*drop)(const struct event *, const void *), const void *with);
/* A time: seconds after run.start. */
int64_t story_at(double s);

#endif
