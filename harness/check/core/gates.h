/*
 * Gates: metric, statistic, limit. Percentiles are decided by the 99 % binomial interval of the
 * quantile, not by its point: wholly inside the budget passes, wholly outside fails, straddling is
 * inconclusive (resolution). Samples never answered are above every budget; those that we cut short
 * ourselves are so when passing is asked, and as old as they got when failing is. What is over its
 * budget by no more than the longest standstill of our own is inconclusive. A gate without samples,
 * or on a word nobody measures, is not a pass.
 */
#ifndef CHECK_CORE_GATES_H
#define CHECK_CORE_GATES_H

#include "check/core/world.h"

/* The metric's number, or -1 when the gate counts calls or violations instead. */
int gate_metric(const struct gate *);
/* A gate on a latency metric. */
void gate_latency(const struct gate *, const struct metrics *, struct gate_result *ret);
/* A gate on a number: `count` of `of` (for rates); known false: nobody counts that word. */
void gate_number(const struct gate *, bool known, uint64_t count, uint64_t of,
		 struct gate_result *ret);

#endif
