/*
 * The claim that Redis costs a turn 1 to 2 ms, held against what the tap measured: by the 99 %
 * interval of the p99, as a gate of the scenario would be, over all phases and colors. Told beside
 * the agents' own number and our own commands; not a check, and no part of the verdict.
 */
#ifndef CHECK_CORE_CLAIM_H
#define CHECK_CORE_CLAIM_H

#include "check/core/metrics.h"

/* Fills redis_claim out of the metrics and the judgement's latency rows. */
void claim_judge(const struct metrics *, struct judgement *);

#endif
