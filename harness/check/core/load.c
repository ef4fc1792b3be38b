#include "check/core/load.h"

#include "base/clock.h"

void load_event(struct load *l, const struct event *e)
{
	struct load_worker *worker = &l->workers[e->leg % LOAD_WORKERS_MAX];

	if (e->code && e->code != ROLE_WORKER)
		return;
	histogram_add(&l->loop_lag, e->aux * NS_PER_US);
	if (!worker->first_ns) {
		worker->first_ns = e->t_ns;
		worker->first_cpu_ms = e->ver;
	}
	worker->last_ns = e->t_ns;
	worker->last_cpu_ms = e->ver;
	if (e->epoch > worker->peak_rss_kib)
		worker->peak_rss_kib = e->epoch;
	if (e->n > worker->peak_descriptors)
		worker->peak_descriptors = e->n;
}

void load_report(const struct load *l, struct generator *ret)
{
	ret->loop_lag_p99_ns = histogram_quantile_ns(&l->loop_lag, 0.99);
	for (unsigned i = 0; i < LOAD_WORKERS_MAX; i++) {
		const struct load_worker *worker = &l->workers[i];
		int64_t span_ns = worker->last_ns - worker->first_ns;
		if (!worker->first_ns)
			continue;
		ret->workers++;
		ret->rss_bytes += worker->peak_rss_kib * 1024ULL;
		if (worker->peak_descriptors > ret->descriptors)
			ret->descriptors = worker->peak_descriptors;
		if (span_ns > 0)
			ret->cpu_percent += 100.0 * (worker->last_cpu_ms - worker->first_cpu_ms) *
					    NS_PER_MS / (double)span_ns;
	}
}
