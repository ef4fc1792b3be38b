#include "scenario/dist.h"

#include <math.h>

#include "base/rng.h"

enum { DRAWS_MAX = 10000 };

/* Cumulative normal distribution. */
static double phi(double x)
{
	return 0.5 * erfc(-x / M_SQRT2);
}

/* mu of the logarithm, so that the values themselves have the mean. */
static double log_mu(const struct dist *d)
{
	return log((double)d->mean_ns) - d->sigma * d->sigma / 2;
}

static double upper(const struct dist *d)
{
	return d->max_ns == INT64_MAX ? INFINITY : (double)d->max_ns;
}

/* Of a lognormal below x, with the normal shifted by `shift` sigmas (1 for the mean's integral). */
static double lognormal_below(const struct dist *d, double x, double shift)
{
	return x <= 0 ? 0 : isinf(x) ? 1 : phi((log(x) - log_mu(d)) / d->sigma - shift * d->sigma);
}

double dist_mass(const struct dist *d)
{
	double mean = (double)d->mean_ns, low = (double)d->min_ns;

	switch (d->kind) {
	case DIST_FIXED:
		return d->mean_ns >= d->min_ns && d->mean_ns <= d->max_ns;
	case DIST_UNIFORM:
		return d->min_ns <= d->max_ns;
	case DIST_EXPONENTIAL:
		return fmax(0, exp(-low / mean) - exp(-upper(d) / mean));
	case DIST_LOGNORMAL:
		return fmax(0, lognormal_below(d, upper(d), 0) - lognormal_below(d, low, 0));
	}
	return 0;
}

static double truncated_mean(const struct dist *d, double mass)
{
	double mean = (double)d->mean_ns, low = (double)d->min_ns, high = upper(d);

	switch (d->kind) {
	case DIST_FIXED:
		break;
	case DIST_UNIFORM:
		return low + (high - low) / 2;
	case DIST_EXPONENTIAL:
		return mean +
		       (low * exp(-low / mean) - (isinf(high) ? 0 : high * exp(-high / mean))) /
			       mass;
	case DIST_LOGNORMAL:
		return mean * (lognormal_below(d, high, 1) - lognormal_below(d, low, 1)) / mass;
	}
	return mean;
}

int64_t dist_mean_ns(const struct dist *d)
{
	double mass = dist_mass(d), mean = mass > 0 ? truncated_mean(d, mass) : (double)d->mean_ns;

	/* Rounding, or a window hardly met: the mean of what is drawn still lies inside. */
	if (!(mean > (double)d->min_ns))
		return d->min_ns;
	return mean < upper(d) ? llround(mean) : d->max_ns;
}

static double draw(const struct dist *d, struct rng *rng)
{
	switch (d->kind) {
	case DIST_FIXED:
		break;
	case DIST_UNIFORM:
		return (double)d->min_ns +
		       (double)rng_below(rng, (uint64_t)(d->max_ns - d->min_ns) + 1);
	case DIST_EXPONENTIAL:
		return rng_exponential(rng, (double)d->mean_ns);
	case DIST_LOGNORMAL:
		return exp(log_mu(d) + d->sigma * rng_normal(rng));
	}
	return (double)d->mean_ns;
}

int64_t dist_draw(const struct dist *d, struct rng *rng)
{
	for (int i = 0; i < DRAWS_MAX; i++) {
		double v = draw(d, rng);

		if (v >= (double)d->min_ns && v <= (double)d->max_ns && v < (double)INT64_MAX)
			return (int64_t)v;
	}
	/* Once in 10^43 for the thinnest window accepted: some value must come; this is inside. */
	return dist_mean_ns(d);
}
