/*
 * Log-linear histogram of durations: 1 us to 1 hour, 32 sub-buckets per power of two (at most 3.2 %
 * error), values in nanoseconds. Mergeable by addition. Quantiles are order statistics, never
 * interpolated between samples, and are the upper end of their bucket (within min and max): a
 * budget never passes by rounding. Censored samples (unanswered) go in with their age like any
 * other and are counted beside.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

/* 2^10 ns to 2^42 ns; the first and the last bucket take what is outside. */
enum {
	HISTOGRAM_FIRST_BIT = 10, /* below 2^10 ns everything is "about a microsecond" */
	HISTOGRAM_SUB_BITS = 5,
	HISTOGRAM_SUB_BUCKETS = 1 << HISTOGRAM_SUB_BITS,
	HISTOGRAM_BUCKETS = 32 * HISTOGRAM_SUB_BUCKETS
};

struct histogram {
	uint64_t count, censored;
	int64_t min_ns, max_ns;
	double sum_ns;
	uint32_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_add_censored(struct histogram *, int64_t age_ns);
void histogram_merge(struct histogram *, const struct histogram *);
int64_t histogram_quantile_ns(const struct histogram *, double q); /* q in [0,1]; 0 when empty */
/* 99 % binomial confidence interval of the quantile by ranks. Returns 0, or -1 when count is too
 * small to bound it above (then *ret_high_ns is INT64_MAX and only the low end is evidence): below
 * 528 samples at p99, 104 at p95. */
int histogram_interval_ns(const struct histogram *, double q, int64_t *ret_low_ns,
			  int64_t *ret_high_ns);

static inline unsigned histogram_bucket(int64_t ns)
{
	if (ns < 1LL << HISTOGRAM_FIRST_BIT)
		return 0;
	unsigned bit = 63 - (unsigned)__builtin_clzll((unsigned long long)ns);
	unsigned sub = (unsigned)(ns >> (bit - HISTOGRAM_SUB_BITS)) & (HISTOGRAM_SUB_BUCKETS - 1);
	unsigned bucket = (bit - HISTOGRAM_FIRST_BIT) * HISTOGRAM_SUB_BUCKETS + sub;
	return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* In place: a judged event adds one or two samples. */
static inline void histogram_add(struct histogram *h, int64_t ns)
{
	if (ns < 0)
		ns = 0;
	if (!h->count || ns < h->min_ns)
		h->min_ns = ns;
	if (!h->count || ns > h->max_ns)
		h->max_ns = ns;
	h->count++;
	h->sum_ns += (double)ns;
	h->bucket[histogram_bucket(ns)]++;
}

#endif
