/*
 * What our own workers cost and how late their loops were, from their heartbeats; and when we stood
 * still: a worker, or the tap that every command goes through. About us, not about the target.
 */
#ifndef CHECK_CORE_LOAD_H
#define CHECK_CORE_LOAD_H

#include "check/judge.h"

enum { LOAD_WORKERS_MAX = 64 };

/* For `lost_ns` of this time somebody between the callers and Redis did nothing. */
struct stall {
	int64_t from_ns, to_ns, lost_ns;
};

struct load {
	struct histogram loop_lag;
	struct load_worker {
		int64_t first_ns, last_ns;
		uint32_t first_cpu_ms, last_cpu_ms, peak_rss_kib, peak_descriptors;
	} workers[LOAD_WORKERS_MAX];
	struct stall *stalls; /* in order, apart */
	size_t stall_count;
	int64_t longest_stall_ns;
};

void load_event(struct load *, const struct event *heartbeat);
void load_free(struct load *);
/* How much of that time was lost to us. A heartbeat may come HEARTBEAT_NS after the loss. */
int64_t load_stalled_ns(const struct load *, int64_t from_ns, int64_t to_ns);
/* Everything but the schedule lag. */
void load_report(const struct load *, struct generator *ret);

#endif
