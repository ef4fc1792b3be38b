#include "base/rng.h"

#include <math.h>

#include "base/err.h"

static uint64_t mix(uint64_t z) /* the output function of splitmix64 */
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static uint64_t splitmix(uint64_t *state)
{
	return mix(*state += 0x9e3779b97f4a7c15);
}

static uint64_t rotl(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

struct rng rng_split(uint64_t seed, uint64_t index, const char *purpose)
{
	uint64_t word = 0xcbf29ce484222325; /* FNV-1a */
	struct rng rng;

	for (const char *p = purpose; *p; p++)
		word = (word ^ (unsigned char)*p) * 0x100000001b3;
	/* One full mix per part: seed and index may differ in one bit, or be each other's. */
	uint64_t state = seed;
	state = splitmix(&state) ^ index;
	state = splitmix(&state) ^ word;
	for (int i = 0; i < 4; i++)
		rng.s[i] = splitmix(&state);
	return rng;
}

uint64_t rng_u64(struct rng *rng)
{
	uint64_t *s = rng->s;
	uint64_t ret = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return ret;
}

double rng_unit(struct rng *rng)
{
	return (double)(rng_u64(rng) >> 11) * 0x1p-53;
}

double rng_normal(struct rng *rng)
{
	double u = 1.0 - rng_unit(rng); /* (0, 1]: never log 0 */
	double v = rng_unit(rng);

	return sqrt(-2.0 * log(u)) * cos(2.0 * M_PI * v);
}

double rng_exponential(struct rng *rng, double mean)
{
	return -mean * log(1.0 - rng_unit(rng));
}

/* Lemire's multiplication; the few values that would favour some results are drawn again. */
uint64_t rng_below(struct rng *rng, uint64_t n)
{
	ASSERT(n > 0);
	uint64_t unfair = -n % n;

	for (;;) {
		unsigned __int128 product = (unsigned __int128)rng_u64(rng) * n;
		if ((uint64_t)product >= unfair)
			return (uint64_t)(product >> 64);
	}
}
