/*
 * Who calls when, and what they will say: the plan of the traffic. Pure: a function of the scenario
 * and its seed, never of workers, clocks or sockets. Every random stream is keyed by (seed, call
 * number, purpose).
 *
 *   live |    ______________    the first `live` calls come spread over the ramp and stay for a
 *        |   /                  residual hold, as if met in the middle of their lives; from the
 *        |  /                   middle of the ramp on new calls come open loop (Poisson) at the
 *        +-/--------------> t   rate live / mean(hold), whatever becomes of those before
 *
 * All times count from the schedule's zero (run.start). A call's script is complete before its
 * first byte: turns are due at fixed times after the call's own due time; the hangup is due at
 * `hold`.
 */
#ifndef SIM_TRAFFIC_H
#define SIM_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "scenario/scenario.h"

struct call_plan {
	uint64_t number; /* from 0; the id is c-<run>-<number> */
	int64_t due_ns;
	int64_t hold_ns; /* due hangup, from due_ns */
	enum profile profile;
	uint32_t turns; /* that fall due before the hangup */
};

/* Calls in order of their due times, without end: take them until the arrivals stop. */
struct traffic {
	const struct scenario *scenario;
	int64_t gap_mean_ns;
	uint64_t next_initial, next_arrival; /* numbers */
	int64_t arrival_ns;		     /* due time of next_arrival */
};

struct traffic traffic_begin(const struct scenario *);
void traffic_next(struct traffic *, struct call_plan *ret);

/* The due times of a call's turns, one after the other, from the call's due time. */
struct pacing {
	const struct calls *calls;
	struct rng rng;
	int64_t next_ns;
};
struct pacing pacing_begin(const struct scenario *, uint64_t number);
int64_t pacing_next_ns(struct pacing *);

/* The planned losses of a call's legs: how long after it became ready leg 0, 1, 2... is lost by the
 * caller's own network. */
struct losses {
	const struct profile_plan *plan;
	struct rng rng;
};
struct losses losses_begin(const struct scenario *, uint64_t number, enum profile);
/* INT64_MAX: never. `ret_reset`: by RST (10 %) instead of FIN. */
int64_t losses_next_ns(struct losses *, bool *ret_reset);

#endif
