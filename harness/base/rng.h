/*
 * Split random streams. A stream is keyed by (seed, call, purpose) and by nothing else, so that a
 * plan is the same whoever draws it: never share a stream between calls or workers. xoshiro256**
 * seeded by splitmix64. Not for secrets.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

struct rng {
	uint64_t s[4];
};

/* `purpose` is a short constant word ("hold", "arrival", "legs"). */
struct rng rng_split(uint64_t seed, uint64_t index, const char *purpose);
uint64_t rng_u64(struct rng *);
double rng_unit(struct rng *);   /* [0, 1) */
double rng_normal(struct rng *); /* mean 0, sigma 1; consumes two draws, keeps no spare */
double rng_exponential(struct rng *, double mean);
uint64_t rng_below(struct rng *, uint64_t n); /* [0, n), n > 0, unbiased */

#endif
