/*
 * I11, storm: callers who are sent away do not all come back at once. Two budgets, each judged only
 * when the scenario declares it: dials a second that one color takes (target.dials_per_second), and
 * the time over which an instance that ends spreads its closes (timers.close_spread).
 *
 *   dials    counted in the last 100 hundredths of a second: what is counted is certain, the true
 *            peak may be a little higher. Our own ramp is not counted
 *   closes   1001 and 1012 of one instance, first to last. It convicts that they lie so close, if
 *            that is next to impossible (one in a million) for closes spread evenly over the
 *            declared time; too few of them to ever tell prove nothing
 */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "check/core/settings.h"
#include "check/core/witness.h"

enum { SLOTS = 100 };
static const int64_t slot_ns = NS_PER_S / SLOTS;
static const double next_to_impossible = 1e-6;

struct rate {
	int64_t slot, peak_ns;
	uint32_t counts[SLOTS], sum, peak;
};

struct closes {
	int64_t first_ns, last_ns;
	uint32_t count;
};

struct state {
	struct rate rates[COLOR_COUNT];
	struct closes closes[256]; /* by instance */
	uint64_t dials;
};

static void rate_add(struct rate *r, int64_t t_ns, int64_t zero_ns)
{
	int64_t slot = (t_ns - zero_ns) / slot_ns, gone = slot - r->slot;

	for (int64_t i = 0; i < gone && i < SLOTS; i++) {
		uint32_t *oldest = &r->counts[(slot - i) % SLOTS];

		r->sum -= *oldest;
		*oldest = 0;
	}
	r->slot = slot;
	r->counts[slot % SLOTS]++;
	if (++r->sum > r->peak) {
		r->peak = r->sum;
		r->peak_ns = t_ns;
	}
}

static void dialed(struct state *s, const struct world_call *c, const struct world *w,
		   const struct event *e)
{
	if (!world_placed(w, c) || e->t_ns < w->start_ns + w->scenario->calls.ramp_ns)
		return;
	s->dials++;
	rate_add(&s->rates[c->color], e->t_ns, w->start_ns);
}

static void closed(struct state *s, const struct event *e)
{
	struct closes *closes = &s->closes[e->instance];

	if (!e->instance || e->flags != SIDE_AGENT || e->n != LEG_CLOSE_FRAME ||
	    (e->code != 1001 && e->code != 1012))
		return;
	if (!closes->count++)
		closes->first_ns = e->t_ns;
	closes->last_ns = e->t_ns;
}

static void event(void *state, struct world_call *c, void *mine, const struct world *w,
		  const struct event *e, struct finding *f)
{
	(void)mine;
	(void)f;
	if (!c)
		return;
	if (e->kind == EVENT_LEG_END)
		closed(state, e);
	else
		dialed(state, c, w, e);
}

/* ---- the end ---- */

static void judge_dials(const struct rate *r, enum color color, uint32_t limit,
			const struct world *w, struct finding *f)
{
	struct witness wit = witness_of_moment(w, r->peak_ns);

	if (r->peak <= limit)
		return;
	if (load_stalled_ns(&w->load, r->peak_ns - NS_PER_S, r->peak_ns + HEARTBEAT_NS)) {
		verdict_doubt(f, REASON_LATE_GENERATOR,
			      "%u dials within a second on %s (limit %u): we had stood still, and "
			      "made up for it",
			      r->peak, color_name(color), limit);
		return;
	}
	wit.anomaly = ANOMALY_DIAL_STORM;
	wit.color = color;
	witness_say(&wit, "%u dials within a second on %s, the last of them at +%.3f s (limit %u)",
		    r->peak, color_name(color), world_s(w, r->peak_ns), limit);
	verdict_violation(f, &wit);
}

/* That n draws from an even spread all lie within this share of it. */
static double chance_within(uint32_t n, double share)
{
	return share >= 1 ? 1 : n * pow(share, n - 1) - (n - 1) * pow(share, n);
}

static void judge_closes(const struct closes *closes, uint8_t instance, int64_t spread_ns,
			 const struct world *w, struct finding *f)
{
	int64_t took_ns = closes->last_ns - closes->first_ns, stalled_ns;
	struct witness wit = witness_of_moment(w, closes->first_ns);

	stalled_ns = load_stalled_ns(&w->load, closes->first_ns - spread_ns,
				     closes->last_ns + spread_ns);
	if (chance_within(closes->count, (double)(took_ns + stalled_ns) / (double)spread_ns) <
	    next_to_impossible) {
		wit.anomaly = ANOMALY_CLOSE_STORM;
		wit.instance = instance;
		wit.color = w->instances[instance].color;
		witness_say(&wit,
			    "%s sent %u callers away within %.0f ms (declared spread %.0f ms)",
			    world_instance_name(w, instance), closes->count,
			    (double)took_ns / NS_PER_MS, (double)spread_ns / NS_PER_MS);
		verdict_violation(f, &wit);
	} else if (took_ns < spread_ns && chance_within(closes->count, 0.5) >= next_to_impossible) {
		verdict_doubt(
			f, REASON_RESOLUTION,
			"%s sent %u callers away within %.0f ms: too few to tell from a spread "
			"of %.0f ms",
			world_instance_name(w, instance), closes->count,
			(double)took_ns / NS_PER_MS, (double)spread_ns / NS_PER_MS);
	}
}

static bool asked(const struct scenario *scenario)
{
	return scenario->target.dials_per_second || scenario->timers.close_spread_ns;
}

static void say(const struct state *s, const struct world *w, uint64_t closes, int64_t longest_ns,
		struct finding *f)
{
	int64_t spread_ns = w->scenario->timers.close_spread_ns;
	char dials[40] = "not declared", spread[40] = "not declared", away[120] = "nobody";

	if (w->scenario->target.dials_per_second)
		snprintf(dials, sizeof(dials), "limit %d", w->scenario->target.dials_per_second);
	if (spread_ns)
		snprintf(spread, sizeof(spread), "declared %.0f ms", (double)spread_ns / NS_PER_MS);
	if (closes)
		snprintf(away, sizeof(away),
			 "%llu callers, of one instance within up to %.0f ms (%s)",
			 (unsigned long long)closes, (double)longest_ns / NS_PER_MS, spread);
	finding_say(f, "at most %u dials within a second on blue, %u on green (%s); sent away: %s",
		    s->rates[COLOR_BLUE].peak, s->rates[COLOR_GREEN].peak, dials, away);
}

static void finish(void *state, const struct world *w, struct finding *f)
{
	const struct state *s = state;
	int64_t spread_ns = w->scenario->timers.close_spread_ns, longest_ns = 0;
	int limit = w->scenario->target.dials_per_second;
	uint64_t closes = 0;

	for (unsigned color = COLOR_BLUE; limit && color < COLOR_COUNT; color++)
		judge_dials(&s->rates[color], color, (uint32_t)limit, w, f);
	for (unsigned i = 1; i < 256; i++) {
		const struct closes *of = &s->closes[i];

		closes += of->count;
		if (of->count && of->last_ns - of->first_ns > longest_ns)
			longest_ns = of->last_ns - of->first_ns;
		if (spread_ns && of->count)
			judge_closes(of, (uint8_t)i, spread_ns, w, f);
	}
	if (spread_ns && !closes)
		verdict_doubt(f, REASON_VACUOUS, "no instance sent a caller away (1001, 1012)");
	verdict_saw(f, limit ? s->dials : closes, 1);
	say(s, w, closes, longest_ns, f);
}

const struct check check_storm = {
	.name = "storm",
	.about =
		"callers who are sent away do not come all at once: dials a second, and the spread of closes, are as declared",
	.asked = asked,
	.why_not = "neither dials a second nor a spread of closes is declared",
	.kinds = KIND(DIAL_OK) | KIND(START_OK) | KIND(RESUME_OK) | KIND(LEG_END),
	.state_bytes = sizeof(struct state),
	.event = event,
	.finish = finish,
};
