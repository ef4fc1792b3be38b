/*
 * Which phase it was, at any time up to now: the steps in the order they began, `before` first,
 * `after` last. The list becomes the judgement's phases. A step that is returned to (buffer back to
 * drain) is in it twice.
 */
#ifndef CHECK_CORE_PHASES_H
#define CHECK_CORE_PHASES_H

#include "check/judge.h"

struct phases {
	struct phase_result *list;
	size_t count, cap;
};

void phases_init(struct phases *);
void phases_free(struct phases *);
void phases_begin(struct phases *, enum phase, uint16_t step, int64_t t_ns);
/* flags and error of phase.end. */
void phases_end(struct phases *, uint16_t step, int64_t t_ns, uint8_t flags, const char *error);
/* The one that is under way; NULL before the first event. */
struct phase_result *phases_current(const struct phases *);
static inline enum phase phases_at(const struct phases *p, int64_t t_ns)
{
	size_t i = p->count;

	while (i > 1 && p->list[i - 1].start_ns > t_ns)
		i--;
	return p->list[i - 1].phase;
}
/* Some step of this kind began and was neither skipped nor given up. */
bool phases_reached(const struct phases *, enum phase);

/* flags of phase.end */
enum { PHASE_END_OK = 0, PHASE_END_FAILED = 1, PHASE_END_NOT_REACHED = 2 };

#endif
