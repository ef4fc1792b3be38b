#include "check/core/load.h"

#include <stdlib.h>

#include "base/buf.h"
#include "check/core/settings.h"

static void stalled(struct load *l, int64_t t_ns, int64_t lag_ns)
{
	struct stall *last = l->stall_count ? &l->stalls[l->stall_count - 1] : NULL;
	int64_t from_ns = t_ns - HEARTBEAT_NS - lag_ns;

	if (lag_ns > l->longest_stall_ns)
		l->longest_stall_ns = lag_ns;
	if (last && from_ns <= last->to_ns) { /* the same one, or part of it, in another process */
		if (from_ns < last->from_ns)
			last->from_ns = from_ns;
		last->to_ns = t_ns;
		last->lost_ns += lag_ns;
	} else {
		l->stalls = xrealloc(l->stalls, (l->stall_count + 1) * sizeof(*l->stalls));
		last = &l->stalls[l->stall_count++];
		*last = (struct stall){ .from_ns = from_ns, .to_ns = t_ns, .lost_ns = lag_ns };
	}
}

int64_t load_stalled_ns(const struct load *l, int64_t from_ns, int64_t to_ns)
{
	int64_t sum_ns = 0;

	for (size_t i = 0; i < l->stall_count; i++) {
		const struct stall *s = &l->stalls[i];
		int64_t low_ns = s->from_ns > from_ns ? s->from_ns : from_ns;
		int64_t high_ns = s->to_ns < to_ns ? s->to_ns : to_ns;
		if (high_ns > low_ns)
			sum_ns += high_ns - low_ns < s->lost_ns ? high_ns - low_ns : s->lost_ns;
	}
	return sum_ns;
}

void load_free(struct load *l)
{
	free(l->stalls);
	*l = (struct load){ 0 };
}

void load_event(struct load *l, const struct event *e)
{
	struct load_worker *worker = &l->workers[e->leg % LOAD_WORKERS_MAX];

	if (e->code && e->code != ROLE_WORKER && e->code != ROLE_TAP)
		return;
	if (e->aux * NS_PER_US > LAG_MAX_NS)
		stalled(l, e->t_ns, e->aux * NS_PER_US);
	if (e->code == ROLE_TAP)
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
