/*
 * The only clock of the program. CLOCK_MONOTONIC nanoseconds in an int64_t: good for order and
 * durations within one boot of one host, not for dates. Pure code never calls this: it gets
 * `now_ns` as an argument. Loops must not hand their cached time to a stamp: each verdict-relevant
 * stamp is its own clock_now_ns().
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_US 1000LL
#define NS_PER_MS 1000000LL
#define NS_PER_S  1000000000LL

int64_t clock_now_ns(void);
int64_t clock_realtime_ns(void); /* for anchors, headers and run names only */
int64_t clock_cpu_ns(void);      /* CPU time of this process, all threads */

#endif
