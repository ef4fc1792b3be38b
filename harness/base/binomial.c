#include "base/binomial.h"

#include <math.h>

/* Counts that are as likely as the one seen must count as such, whatever the rounding. */
static const double equally_likely = 1e-7;
static const double z_99 = 2.5758293035489;

static double log_share(uint64_t n, uint64_t k, double p)
{
	double a = (double)k, b = (double)(n - k), log_yes = k ? a * log(p) : 0,
	       log_no = n - k ? b * log1p(-p) : 0;

	return lgamma(a + b + 1) - lgamma(a + 1) - lgamma(b + 1) + log_yes + log_no;
}

double binomial_two_sided(uint64_t n, uint64_t k, double p)
{
	double seen, sum = 0;

	if (!n)
		return 1;
	seen = log_share(n, k, p);
	if (isinf(seen))
		return 0;
	for (uint64_t i = 0; i <= n; i++) {
		double one = log_share(n, i, p);

		if (one <= seen + equally_likely)
			sum += exp(one);
	}
	return sum < 1 ? sum : 1;
}

double binomial_half_width_99(uint64_t n, uint64_t k)
{
	double count = (double)n, share, z2 = z_99 * z_99;

	if (!n)
		return 0.5;
	share = (double)k / count;
	return z_99 / (1 + z2 / count) *
	       sqrt(share * (1 - share) / count + z2 / (4 * count * count));
}
