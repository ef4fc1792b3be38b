/*
 * Beside dist_draw and dist_mean_ns (scenario.h): how much of a distribution lies within its own
 * min..max.
 */
#ifndef SCENARIO_DIST_H
#define SCENARIO_DIST_H

#include "scenario/scenario.h"

/* Fraction of draws that need no second try; 0..1. Below a hundredth a scenario is refused. */
double dist_mass(const struct dist *);

#endif
