/*
 * The numbers of judgement that are rules and not the user's choice, in one place. What a scenario
 * declares (cookie duration, propagation, budgets) is never here.
 */
#ifndef CHECK_CORE_SETTINGS_H
#define CHECK_CORE_SETTINGS_H

#include "base/clock.h"

/* Cookie clocks tick in seconds: a resume within W +- this is no evidence (judgement I4). */
#define COOKIE_TICK_NS (1 * NS_PER_S)
/* Times to live are set in seconds: shorter by up to this is as declared (I2 h). */
#define TTL_TICK_NS (1 * NS_PER_S)
/* A leg that the caller ends within this of a signal was a race, not a cut (2.6). */
#define SIGNAL_RACE_NS (1 * NS_PER_MS)
/* Our own lateness, p99, past which a run proves nothing (2.6). */
#define LAG_MAX_NS (250 * NS_PER_MS)
/* A heartbeat tells the greatest lateness since the one before it. */
#define HEARTBEAT_NS (250 * NS_PER_MS)

/* How long after an event of an instance a leg's end still carries its signature (2.4). */
#define SIGTERM_WINDOW_NS (2 * NS_PER_S)
#define SIGKILL_WINDOW_NS (1 * NS_PER_S)
/* Legs of one instance that end with no more than this between two were ended by one deed. */
#define BURST_NS (100 * NS_PER_MS)
/* What an instance does by this after a SIGTERM answers the SIGTERM, not a call's end. */
#define SIGNAL_ANSWER_NS (10 * NS_PER_MS)
/* How long after another call's hangup legs that end carry its signature. */
#define GOODBYE_WINDOW_NS (250 * NS_PER_MS)
/* Around the end of an instance that nobody had asked for it, as a process and as a leg see it. */
#define EXIT_WINDOW_NS (1 * NS_PER_S)
/* An agent that hangs up for what Redis told it does so within this. */
#define REFUSAL_WINDOW_NS (2 * NS_PER_S)
/* An agent that finds the state of a call gone, or another's, lets it go within this. */
#define FENCE_WINDOW_NS (250 * NS_PER_MS)
/* When a frozen instance goes on, it takes this for what has piled up. */
#define THAW_NS (1 * NS_PER_S)
/* Around deregistration + delay, and around last byte + idle timeout: balancers round and are late,
 * hardly early. */
#define BALANCER_EARLY_NS (500 * NS_PER_MS)
#define BALANCER_LATE_NS (2 * NS_PER_S)

/* A finished call's entry stays this long at most, for writes that arrive after the hangup. */
#define GRACE_MAX_NS (30 * NS_PER_S)

#endif
