/*
 * How a call ended, judged by its script (planned hangup) and not by its close code; judgement I1.
 * The simulator's own opinion (call.end) decides only what cannot be seen from outside: that we
 * gave the call up ourselves.
 *
 * | admitted | hung up | leg lost, not back in time | silent too long | ended by us | outcome   |
 * |----------|---------|----------------------------|-----------------|-------------|-----------|
 * | no       | -       | -                          | -               | no          | refused   |
 * | yes      | -       | -                          | yes             | -           | muted     |
 * | yes      | -       | yes (bridge: any loss)     | no              | -           | dropped   |
 * | yes      | -       | same, closed 1000 or 1001  | no              | -           | truncated |
 * | yes      | yes     | no                         | no              | -           | completed |
 * | -        | no      | no                         | no              | yes         | abandoned |
 * | -        | no      | no                         | no              | no end yet  | live      |
 */
#ifndef CHECK_CORE_OUTCOME_H
#define CHECK_CORE_OUTCOME_H

#include "check/core/world.h"

enum { OUTCOME_LIVE = CALL_END_COUNT }; /* beside enum call_end */

unsigned outcome_of(const struct world *, const struct world_call *);
/* A bad end that proves nothing against the target: we had no descriptors or ports for it, or it
 * would have had its time had we not stood still meanwhile. To be asked once the call is done. */
bool outcome_is_ours(const struct world *, const struct world_call *, unsigned outcome);
/* Cut while we stood still, for no reason that can be seen: for our silence, or for the Redis that
 * it could not reach through us. As late as the one above. */
bool cut_is_ours(const struct world *, const struct leg_cut *);
const char *outcome_name(unsigned outcome);
/* Counts it: muted and truncated are dropped. */
void ledger_add(struct ledger *, unsigned outcome);
bool ledger_balances(const struct ledger *);

#endif
