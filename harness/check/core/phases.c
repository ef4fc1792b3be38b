#include "check/core/phases.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

void phases_init(struct phases *p)
{
	*p = (struct phases){ 0 };
	phases_begin(p, PHASE_BEFORE, 0, 0);
}

void phases_free(struct phases *p)
{
	free(p->list);
	*p = (struct phases){ 0 };
}

struct phase_result *phases_current(const struct phases *p)
{
	return p->count ? &p->list[p->count - 1] : NULL;
}

void phases_begin(struct phases *p, enum phase phase, uint16_t step, int64_t t_ns)
{
	struct phase_result *last = phases_current(p);

	if (last && !last->end_ns)
		last->end_ns = t_ns;
	if (p->count == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 16;
		p->list = xrealloc(p->list, p->cap * sizeof(*p->list));
	}
	p->list[p->count++] =
		(struct phase_result){ .phase = phase, .step = step, .start_ns = t_ns };
}

void phases_end(struct phases *p, uint16_t step, int64_t t_ns, uint8_t flags, const char *error)
{
	struct phase_result *last = phases_current(p);

	if (!last || last->step != step || last->phase == PHASE_BEFORE)
		return;
	last->end_ns = t_ns;
	last->verdict = flags == PHASE_END_FAILED        ? VERDICT_FAIL
			: flags == PHASE_END_NOT_REACHED ? VERDICT_INCONCLUSIVE
							 : VERDICT_PASS;
	snprintf(last->error, sizeof(last->error), "%s", error);
}

bool phases_reached(const struct phases *p, enum phase phase)
{
	for (size_t i = 0; i < p->count; i++) {
		if (p->list[i].phase == phase && p->list[i].verdict != VERDICT_INCONCLUSIVE)
			return true;
	}
	return false;
}
