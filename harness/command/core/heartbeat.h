/*
 * The heartbeat of a process of ours: how late its loop was, what it has used. It lets the judge
 * tell a slow harness from a slow agent.
 */
#ifndef COMMAND_CORE_HEARTBEAT_H
#define COMMAND_CORE_HEARTBEAT_H

#include "record/lane.h"

/* lag_ns: how much later than asked for the loop came round. Stamped now. */
struct event heartbeat(enum lane_role role, uint32_t index, int64_t lag_ns);

#endif
