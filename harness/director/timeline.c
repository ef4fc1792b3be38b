#include "director/timeline.h"

#include "base/clock.h"

static const int64_t settle_deployed_ns = 120 * NS_PER_S;

int64_t timeline_settle_ns(const struct scenario *sc)
{
	if (sc->balancer.settle_ns >= 0)
		return sc->balancer.settle_ns;
	return sc->stack.kind == STACK_LOCAL ? 0 : settle_deployed_ns;
}

/* Shortest and longest time a step may take. */
static void step_bounds(const struct scenario *sc, const struct step *s, int64_t *ret_short_ns,
			int64_t *ret_long_ns)
{
	const int64_t action_ns = TIMELINE_ACTION_S * NS_PER_S;

	*ret_short_ns = 0;
	*ret_long_ns = 0;
	if (s->skip)
		return;
	switch (s->phase) {
	case PHASE_STEADY:
	case PHASE_BAKE:
	case PHASE_BUFFER:
		*ret_short_ns = *ret_long_ns = s->for_ns;
		break;
	case PHASE_DRAIN:
		*ret_short_ns = s->quiet_ns;
		*ret_long_ns = s->deadline_ns +
			       (s->begin == BEGIN_NONE ? 0 : timeline_settle_ns(sc));
		break;
	case PHASE_TEARDOWN:
		*ret_long_ns = s->grace_ns + 2 * action_ns + timeline_settle_ns(sc);
		break;
	case PHASE_SCRIPT:
	case PHASE_ROLLBACK:
		*ret_long_ns = s->deadline_ns;
		break;
	case PHASE_SHIFT:
		*ret_long_ns = action_ns + sc->timers.propagation_ns;
		break;
	case PHASE_SMOKE:
		*ret_long_ns = action_ns;
		break;
	case PHASE_BEFORE:
	case PHASE_AFTER:
	case PHASE_COUNT:
		break;
	}
}

size_t timeline_plan(const struct scenario *sc, struct timeline_entry *entries, size_t max,
		     struct timeline_entry *ret_end)
{
	int64_t earliest_ns = 0, latest_ns = 0;

	for (size_t i = 0; i < sc->step_count; i++) {
		int64_t short_ns, long_ns;

		if (i < max)
			entries[i] = (struct timeline_entry){ &sc->steps[i], earliest_ns,
							      latest_ns };
		step_bounds(sc, &sc->steps[i], &short_ns, &long_ns);
		earliest_ns += short_ns;
		latest_ns += long_ns;
	}
	*ret_end = (struct timeline_entry){ NULL, earliest_ns,
					    latest_ns + timeline_afterwards_ns(sc) };
	return sc->step_count;
}

int64_t timeline_afterwards_ns(const struct scenario *sc)
{
	int64_t resume_ns = 0;

	for (size_t p = 0; p < PROFILE_COUNT; p++)
		if (sc->calls.profile[p].share > 0 &&
		    sc->calls.profile[p].resume_within_ns > resume_ns)
			resume_ns = sc->calls.profile[p].resume_within_ns;
	return sc->timers.longest_call_ns + resume_ns;
}

struct drain_gate drain_gate_open(int64_t now_ns, int64_t quiet_ns, int64_t deadline_in_ns)
{
	return (struct drain_gate){ .quiet_ns = quiet_ns,
				    .deadline_ns = now_ns + deadline_in_ns,
				    .zero_since_ns = -1 };
}

enum drain_state drain_gate_look(struct drain_gate *gate, int64_t now_ns, bool known,
				 uint32_t active)
{
	if (!known || active > 0)
		gate->zero_since_ns = -1;
	else if (gate->zero_since_ns < 0)
		gate->zero_since_ns = now_ns;
	if (gate->zero_since_ns >= 0 && now_ns - gate->zero_since_ns >= gate->quiet_ns)
		return DRAIN_OVER;
	return now_ns >= gate->deadline_ns ? DRAIN_STUCK : DRAIN_WAITING;
}
