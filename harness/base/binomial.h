/*
 * The binomial distribution, as far as counts of yes and no are judged by it: an exact test, and
 * how well a share is known. Pure arithmetic in log space; n up to 2^53, the cost is linear in n.
 */
#ifndef BASE_BINOMIAL_H
#define BASE_BINOMIAL_H

#include <stdint.h>

/* Two-sided exact p-value of k of n when each is a yes with probability p: the chance of any count
 * that is no likelier than k. 1 for n = 0. */
double binomial_two_sided(uint64_t n, uint64_t k, double p);
/* Half the width of the 99 % interval of a share that was seen as k of n (Wilson's). 0.5 for
 * n = 0: nothing is known. */
double binomial_half_width_99(uint64_t n, uint64_t k);

#endif
