/*
 * The control plane's half of the world: weights, configuration, phases, signals, exits. Only
 * world.c calls it.
 */
#ifndef CHECK_CORE_CONTROL_H
#define CHECK_CORE_CONTROL_H

#include "check/core/world.h"

void world_control(struct world *, const struct event *);

#endif
