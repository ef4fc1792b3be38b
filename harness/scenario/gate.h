/*
 * A gate: a metric, perhaps of one phase and color, and an expression in k6 grammar.
 *
 *   turn_response{phase:drain,color:green}   p(95) < 800ms      statistics: avg min med max p(N)
 *   dropped_calls                            count == 0         statistics: count rate
 *
 * Latencies are compared with durations, counts and rates with plain numbers (a rate also with a
 * percentage).
 */
#ifndef SCENARIO_GATE_H
#define SCENARIO_GATE_H

#include "scenario/scenario.h"

struct gates {
	struct gate *items;
	size_t count;
};

/* On failure *ret_in_key says which of the two is wrong; the error does not name the place. */
int gate_parse(const char *key, const char *expression, struct gate *ret, bool *ret_in_key,
	       struct err *);
void gate_free(struct gate *);

/* Samples below which the statistic cannot give a verdict: a percentile needs its 99 % interval
 * bounded above (104 at p95, 528 at p99; none suffice at p(100)). */
double gate_samples_needed(const struct gate *);

#endif
