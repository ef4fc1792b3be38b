#include "base/timers.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"

/* A binary heap; slot s (1-based) has parent s / 2 and children 2s, 2s + 1. */
static void put(struct timers *timers, struct timer *timer, size_t slot)
{
	timers->heap[slot - 1] = timer;
	timer->slot = slot;
}

static void sift_up(struct timers *timers, struct timer *timer, size_t slot)
{
	for (; slot > 1; slot /= 2) {
		struct timer *parent = timers->heap[slot / 2 - 1];
		if (parent->at_ns <= timer->at_ns)
			break;
		put(timers, parent, slot);
	}
	put(timers, timer, slot);
}

static void sift_down(struct timers *timers, struct timer *timer, size_t slot)
{
	for (;;) {
		size_t child = 2 * slot;
		if (child > timers->count)
			break;
		if (child < timers->count &&
		    timers->heap[child]->at_ns < timers->heap[child - 1]->at_ns)
			child++;
		if (timers->heap[child - 1]->at_ns >= timer->at_ns)
			break;
		put(timers, timers->heap[child - 1], slot);
		slot = child;
	}
	put(timers, timer, slot);
}

static void settle(struct timers *timers, struct timer *timer, size_t slot)
{
	if (slot > 1 && timers->heap[slot / 2 - 1]->at_ns > timer->at_ns)
		sift_up(timers, timer, slot);
	else
		sift_down(timers, timer, slot);
}

void timers_free(struct timers *timers)
{
	for (size_t i = 0; i < timers->count; i++)
		timers->heap[i]->slot = 0;
	free(timers->heap);
	*timers = (struct timers){ 0 };
}

void timers_arm(struct timers *timers, struct timer *timer, int64_t at_ns)
{
	timer->at_ns = at_ns;
	if (timer->slot) {
		ASSERT(timer->slot <= timers->count && timers->heap[timer->slot - 1] == timer);
		settle(timers, timer, timer->slot);
		return;
	}
	if (timers->count == timers->cap) {
		timers->cap = timers->cap ? 2 * timers->cap : 64;
		timers->heap = xrealloc(timers->heap, timers->cap * sizeof(*timers->heap));
	}
	sift_up(timers, timer, ++timers->count);
}

void timers_cancel(struct timers *timers, struct timer *timer)
{
	size_t slot = timer->slot;

	if (!slot)
		return;
	ASSERT(slot <= timers->count && timers->heap[slot - 1] == timer);
	struct timer *last = timers->heap[--timers->count];
	timer->slot = 0;
	if (last != timer)
		settle(timers, last, slot);
}

int64_t timers_next_ns(const struct timers *timers)
{
	return timers->count ? timers->heap[0]->at_ns : INT64_MAX;
}

struct timer *timers_pop_due(struct timers *timers, int64_t now_ns)
{
	if (timers_next_ns(timers) > now_ns || !timers->count)
		return NULL;
	struct timer *due = timers->heap[0];
	timers_cancel(timers, due);
	return due;
}
