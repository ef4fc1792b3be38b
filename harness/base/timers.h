/*
 * A heap of deadlines: what libwebsockets' sorted list is not, cheap at 10,000 timers. Knows no
 * clock: the owner asks for the next deadline, arms one real timer for it, and pops what is due. A
 * timer is embedded in its owner; the heap holds pointers and never frees them.
 */
#ifndef BASE_TIMERS_H
#define BASE_TIMERS_H

#include <stddef.h>
#include <stdint.h>

struct timer {
	int64_t at_ns;
	size_t slot; /* 1-based place in the heap, 0 = not armed; zero-initialise */
};

struct timers {
	struct timer **heap;
	size_t count, cap;
};

void timers_free(struct timers *);
void timers_arm(struct timers *, struct timer *, int64_t at_ns); /* arms or moves */
void timers_cancel(struct timers *, struct timer *);             /* fine when not armed */
int64_t timers_next_ns(const struct timers *);                   /* INT64_MAX when empty */
struct timer *timers_pop_due(struct timers *, int64_t now_ns);   /* NULL when nothing is due */

#endif
