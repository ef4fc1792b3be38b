#include "base/histogram.h"

#include <math.h>

static int64_t bucket_low(unsigned bucket)
{
	unsigned bit = HISTOGRAM_FIRST_BIT + bucket / HISTOGRAM_SUB_BUCKETS;

	return (int64_t)(HISTOGRAM_SUB_BUCKETS + bucket % HISTOGRAM_SUB_BUCKETS)
	       << (bit - HISTOGRAM_SUB_BITS);
}

void histogram_add_censored(struct histogram *h, int64_t age_ns)
{
	histogram_add(h, age_ns);
	h->censored++;
}

void histogram_merge(struct histogram *h, const struct histogram *other)
{
	if (!other->count)
		return;
	if (!h->count || other->min_ns < h->min_ns)
		h->min_ns = other->min_ns;
	if (!h->count || other->max_ns > h->max_ns)
		h->max_ns = other->max_ns;
	h->count += other->count;
	h->censored += other->censored;
	h->sum_ns += other->sum_ns;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		h->bucket[i] += other->bucket[i];
}

static int64_t within(const struct histogram *h, int64_t ns)
{
	return ns < h->min_ns ? h->min_ns : ns > h->max_ns ? h->max_ns : ns;
}

/* The bucket that holds the sample of this rank, 1..count. */
static unsigned bucket_at_rank(const struct histogram *h, uint64_t rank)
{
	uint64_t below = 0;
	unsigned bucket = 0;

	while (bucket < HISTOGRAM_BUCKETS - 1 && below + h->bucket[bucket] < rank)
		below += h->bucket[bucket++];
	return bucket;
}

static int64_t high_at_rank(const struct histogram *h, uint64_t rank)
{
	unsigned bucket = bucket_at_rank(h, rank);

	if (bucket == HISTOGRAM_BUCKETS - 1)
		return h->max_ns; /* it is open above */
	return within(h, bucket_low(bucket + 1) - 1);
}

static int64_t low_at_rank(const struct histogram *h, uint64_t rank)
{
	unsigned bucket = bucket_at_rank(h, rank);

	return bucket ? within(h, bucket_low(bucket)) : h->min_ns;
}

int64_t histogram_quantile_ns(const struct histogram *h, double q)
{
	if (!h->count)
		return 0;
	/* The slack keeps 0.95 * 100 at rank 95, whatever the last bit of 0.95 is. */
	double rank = ceil(q * (double)h->count * (1 - 1e-12));
	if (rank <= 1)
		return q <= 0 ? h->min_ns : high_at_rank(h, 1);
	return rank >= (double)h->count ? h->max_ns : high_at_rank(h, (uint64_t)rank);
}

/* P(B = k) for B binomial(n, q), 0 < q < 1. */
static double binomial(double n, double q, double k)
{
	int sign;
	double ways = lgamma_r(n + 1, &sign) - lgamma_r(k + 1, &sign) - lgamma_r(n - k + 1, &sign);

	return exp(ways + k * log(q) + (n - k) * log1p(-q));
}

/*
 * B, the number of samples below the true quantile, is binomial(n, q); the interval runs from the
 * last rank `low` with P(B < low) at most 0.5 % to the first rank `high` with P(B >= high) at most
 * 0.5 %. Both tails are summed exactly, term by term, from where they weigh nothing. Rank 0 and
 * rank n + 1 mean: no bound on that side.
 */
static void rank_interval(uint64_t count, double q, uint64_t *ret_low, uint64_t *ret_high)
{
	const double tail = 0.005;
	double n = (double)count;
	double reach = 10 * sqrt(n * q * (1 - q)) + 20;
	double k = fmax(0, floor(n * q - reach)), p = binomial(n, q, k), sum = p;

	for (; sum <= tail && k < n; sum += p) {
		p *= (n - k) / (k + 1) * q / (1 - q);
		k++;
	}
	*ret_low = (uint64_t)k;

	k = fmin(n, ceil(n * q + reach));
	p = binomial(n, q, k);
	for (sum = p; sum <= tail && k > 0; sum += p) {
		p *= k / (n - k + 1) * (1 - q) / q;
		k--;
	}
	*ret_high = (uint64_t)k + 1;
}

int histogram_interval_ns(const struct histogram *h, double q, int64_t *ret_low_ns,
			  int64_t *ret_high_ns)
{
	uint64_t low = 0, high = h->count + 1;

	if (h->count && q > 0 && q < 1)
		rank_interval(h->count, q, &low, &high);
	else if (h->count) /* min and max: one sided */
		low = q <= 0 ? 1 : h->count, high = q <= 0 ? 1 : h->count + 1;
	*ret_low_ns = low ? low_at_rank(h, low) : 0;
	if (high > h->count) {
		*ret_high_ns = INT64_MAX;
		return -1;
	}
	*ret_high_ns = high_at_rank(h, high);
	return 0;
}
