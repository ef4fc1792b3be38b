#include "sim/redial.h"

int64_t redial_delay_ns(int64_t base_ns, int64_t cap_ns, unsigned attempt, struct rng *rng)
{
	int64_t most_ns = base_ns;

	while (attempt-- > 0 && most_ns < cap_ns)
		most_ns *= 2;
	if (most_ns > cap_ns)
		most_ns = cap_ns;
	return (int64_t)(rng_unit(rng) * (double)most_ns);
}
