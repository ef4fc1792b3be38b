/*
 * What is due when, as far as it can be known in advance: pure functions of the scenario. The
 * director walks the steps and asks the drain gate; `plan` prints the bounds. No clock in here:
 * time is an argument.
 */
#ifndef DIRECTOR_TIMELINE_H
#define DIRECTOR_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scenario/scenario.h"

/* When a step begins, counted from run.start: a step whose length is not fixed (smoke, drain,
 * teardown) widens the bounds. */
struct timeline_entry {
	const struct step *step;
	int64_t earliest_ns, latest_ns;
};

/* Fills up to max entries, one per step, and the end of the whole run (last call gone); returns how
 * many steps there are. */
size_t timeline_plan(const struct scenario *, struct timeline_entry *, size_t max,
		     struct timeline_entry *ret_end);

/* How long the run waits after the last step for live calls: longest_call + the longest
 * resume_within. */
int64_t timeline_afterwards_ns(const struct scenario *);

/* How long weights stand before a destructive step: as said, or 120 s on a deployed system. */
int64_t timeline_settle_ns(const struct scenario *);

/* Room for the balancer's and the agents' own slowness in a control action. */
enum { TIMELINE_ACTION_S = 10 };

/*
 * The drain gate. The color is drained when the sum over all its instances has been 0 for `quiet`
 * without a break: a call may be between two legs. An unreachable instance is unknown, never 0:
 * it breaks the quiet stretch like a live call does.
 */
struct drain_gate {
	int64_t quiet_ns, deadline_ns; /* deadline: absolute */
	int64_t zero_since_ns;	       /* -1: not at zero */
};
enum drain_state { DRAIN_WAITING, DRAIN_OVER, DRAIN_STUCK };

struct drain_gate drain_gate_open(int64_t now_ns, int64_t quiet_ns, int64_t deadline_in_ns);
/* One look at the color. `known` is false when any instance did not answer. */
enum drain_state drain_gate_look(struct drain_gate *, int64_t now_ns, bool known, uint32_t active);

#endif
