/* Small helpers for checks: a witness filled from a call, sentences cut to their room. They decide
 * nothing. */
#ifndef CHECK_CORE_WITNESS_H
#define CHECK_CORE_WITNESS_H

#include "check/core/world.h"

/* Call, its leg and color, the phase at t; anomaly and cause are the check's. */
struct witness witness_of_call(const struct world *, const struct world_call *, int64_t t_ns);
/* A moment without a call. */
struct witness witness_of_moment(const struct world *, int64_t t_ns);
void witness_say(struct witness *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* This phase.end says that a drain did not come to an end in its time. */
bool phase_is_stuck_drain(const struct world *, const struct event *phase_end);
/* The last stamp of the role's lanes that were cut off, the earliest; INT64_MAX: none was. Final
 * only when the history has been read. */
int64_t known_until_ns(const struct world *, enum lane_role);
/* What such a lane would have said is known up to its last word (weights by the director's, ends
 * of legs by the workers'). Where it was cut off, what came later convicts nobody: it is taken
 * back, and a doubt. To be called when all violations are in. */
void finding_trust(struct finding *, const struct world *, enum lane_role);
/* Violations of calls whose events came out of order are taken back, and a doubt. */
void finding_pardon(struct finding *, const struct world *);
/* A doubt when legs did not say their color: to which one they were given nobody knows. */
void finding_colors(struct finding *, const struct world *);
/* The finding's summary. */
void finding_say(struct finding *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
