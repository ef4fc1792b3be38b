#include "sim/traffic.h"

/* One planned loss in ten is a reset (interface.md, "lose_leg"). */
static const double reset_share = 0.1;
/* A caller is heard out before it speaks: the first turn is never due with the dial itself. */
static const double first_turn_least = 0.25;
enum { RESIDUAL_DRAWS_MAX = 1000 };

struct traffic traffic_begin(const struct scenario *sc)
{
	struct traffic t = { .scenario = sc, .next_arrival = (uint64_t)sc->calls.live };
	struct rng rng = rng_split(sc->seed, t.next_arrival, "arrival");

	t.gap_mean_ns = dist_mean_ns(&sc->calls.hold) / sc->calls.live;
	t.arrival_ns = sc->calls.ramp_ns / 2 +
		       (int64_t)rng_exponential(&rng, (double)t.gap_mean_ns);
	return t;
}

/* What is left of a call met at a random moment: calls are met in proportion to their length,
 * anywhere in it. */
static int64_t residual_hold(const struct dist *hold, struct rng *rng)
{
	int64_t longest_ns = hold->max_ns < INT64_MAX ? hold->max_ns : 10 * dist_mean_ns(hold);
	int64_t whole_ns = 0;

	for (int i = 0; i < RESIDUAL_DRAWS_MAX; i++) {
		whole_ns = dist_draw(hold, rng);
		if (rng_unit(rng) * (double)longest_ns < (double)whole_ns)
			break;
	}
	return (int64_t)(rng_unit(rng) * (double)whole_ns);
}

static void fill(const struct scenario *sc, uint64_t number, int64_t due_ns, struct call_plan *ret)
{
	struct rng hold = rng_split(sc->seed, number, "hold"),
		   profile = rng_split(sc->seed, number, "profile");
	bool initial = number < (uint64_t)sc->calls.live;
	struct pacing turns = pacing_begin(sc, number);
	struct call_plan p = { .number = number, .due_ns = due_ns };

	p.hold_ns = initial ? residual_hold(&sc->calls.hold, &hold) :
			      dist_draw(&sc->calls.hold, &hold);
	p.profile = rng_unit(&profile) < sc->calls.profile[PROFILE_BRIDGE].share ?
			    PROFILE_BRIDGE :
			    PROFILE_RESUMABLE;
	while (pacing_next_ns(&turns) < p.hold_ns)
		p.turns++;
	*ret = p;
}

void traffic_next(struct traffic *t, struct call_plan *ret)
{
	const struct scenario *sc = t->scenario;
	int64_t initial_ns = INT64_MAX;

	if (t->next_initial < (uint64_t)sc->calls.live) {
		struct rng jitter = rng_split(sc->seed, t->next_initial, "ramp");

		initial_ns = (int64_t)((double)sc->calls.ramp_ns *
				       ((double)t->next_initial + rng_unit(&jitter)) /
				       sc->calls.live);
	}
	if (initial_ns <= t->arrival_ns) {
		fill(sc, t->next_initial++, initial_ns, ret);
	} else {
		struct rng gap;

		fill(sc, t->next_arrival++, t->arrival_ns, ret);
		gap = rng_split(sc->seed, t->next_arrival, "arrival");
		t->arrival_ns += (int64_t)rng_exponential(&gap, (double)t->gap_mean_ns);
	}
}

struct pacing pacing_begin(const struct scenario *sc, uint64_t number)
{
	struct pacing p = { .calls = &sc->calls, .rng = rng_split(sc->seed, number, "turns") };

	p.next_ns = (int64_t)((double)sc->calls.turn_every_ns *
			      (first_turn_least + (1 - first_turn_least) * rng_unit(&p.rng)));
	return p;
}

int64_t pacing_next_ns(struct pacing *p)
{
	int64_t due_ns = p->next_ns;
	bool silent = p->calls->silence_share > 0 && rng_unit(&p->rng) < p->calls->silence_share;

	p->next_ns += silent ? p->calls->silence_ns : p->calls->turn_every_ns;
	return due_ns;
}

struct losses losses_begin(const struct scenario *sc, uint64_t number, enum profile profile)
{
	return (struct losses){ .plan = &sc->calls.profile[profile],
				.rng = rng_split(sc->seed, number, "legs") };
}

int64_t losses_next_ns(struct losses *l, bool *ret_reset)
{
	int64_t after_ns = INT64_MAX;

	*ret_reset = false;
	if (l->plan->loses_legs) {
		after_ns = dist_draw(&l->plan->lose_leg, &l->rng);
		*ret_reset = rng_unit(&l->rng) < reset_share;
	}
	return after_ns;
}
