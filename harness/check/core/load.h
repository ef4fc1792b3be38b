/*
 * What our own workers cost and how late their loops were, from their heartbeats. About us, not
 * about the target.
 */
#ifndef CHECK_CORE_LOAD_H
#define CHECK_CORE_LOAD_H

#include "check/judge.h"

enum { LOAD_WORKERS_MAX = 64 };

struct load {
	struct histogram loop_lag;
	struct load_worker {
		int64_t first_ns, last_ns;
		uint32_t first_cpu_ms, last_cpu_ms, peak_rss_kib, peak_descriptors;
	} workers[LOAD_WORKERS_MAX];
};

void load_event(struct load *, const struct event *heartbeat);
/* Everything but the schedule lag. */
void load_report(const struct load *, struct generator *ret);

#endif
