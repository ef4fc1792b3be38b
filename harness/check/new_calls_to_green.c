/*
 * I3, new calls go where the weights say: every fresh dial (no affinity cookie) that begins later
 * than the shift's answer plus the declared propagation ends on green. Either color is fine while
 * the shift is under way. The observed propagation, the last fresh dial on blue, is always told. No
 * 5xx for fresh dials while weights move, or while they give nobody a share.
 *
 * Between 0 and 100 fresh dials are draws: green's share is held against its weight by an exact
 * two-sided binomial test, which convicts at one in a million; a share known less well than the
 * step's tolerance is no proof. Draws by source address (client_ip) are not independent: told, not
 * tested.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/binomial.h"
#include "check/core/witness.h"

static const double convicts_below = 1e-6;
static const double tolerance_otherwise = 0.15; /* of weights no step of ours has set */

/* Weights that stand, both above 0. */
struct split {
	int64_t from_ns; /* propagated; 0: no such weights now */
	int64_t set_ns;
	uint32_t blue, green;
	double tolerance;
	uint64_t fresh, on_green;
};

struct state {
	uint64_t fresh, green, splits, split_fresh;
	struct split split;
	char told[FINDING_TEXT_MAX / 2]; /* the splits seen */
	/* Weights are under way, or give nobody a share: from and until; 0: never yet. */
	int64_t moving_ns, moved_ns;
};

static bool is_fresh(const struct world_call *c)
{
	return !(c->dial_flags & DIAL_HAS_COOKIE);
}

static void placed(struct state *s, const struct world_call *c, const struct world *w,
		   const struct event *e, struct finding *f)
{
	int64_t after_ns = world_green_only_after_ns(w, c->dial_ns);
	struct witness wit;

	if (!is_fresh(c) || !after_ns || c->dial_ns <= after_ns)
		return;
	s->fresh++;
	if (c->color == COLOR_GREEN) {
		s->green++;
		return;
	}
	wit = witness_of_call(w, c, e->t_ns);
	wit.anomaly = ANOMALY_NOT_SHIFTED;
	wit.cause = w->config.t_ns > w->shift.ok_ns && w->config.blue ? ANOMALY_CONFIG_DRIFT :
									ANOMALY_UNKNOWN;
	witness_say(
		&wit,
		"fresh dial %.3f s after blue was set to weight 0 (propagation limit %.3f s) was given to %s",
		(double)(c->dial_ns - w->shift.ok_ns) / NS_PER_S,
		(double)w->scenario->timers.propagation_ns / NS_PER_S,
		world_instance_name(w, c->instance));
	verdict_violation(f, &wit);
}

/* M5: weights changed one after the other leave a moment in which nobody is chosen. */
static void failed(const struct state *s, const struct world_call *c, const struct world *w,
		   const struct event *e, struct finding *f)
{
	struct witness wit;

	if (!is_fresh(c) || e->n != DIAL_HTTP_STATUS || e->code < 500)
		return;
	if (!world_serving(w, COLOR_BLUE)) /* then it is not the weights that leave nobody */
		return;
	if (!s->moving_ns || c->dial_ns < s->moving_ns || c->dial_ns > s->moved_ns)
		return;
	wit = witness_of_call(w, c, e->t_ns);
	wit.anomaly = ANOMALY_BLACK_WINDOW;
	wit.cause = ANOMALY_UNKNOWN;
	witness_say(&wit, "fresh dial answered %u while the weights were being moved", e->code);
	verdict_violation(f, &wit);
}

/* ---- weights between 0 and 100 ---- */

static double share_of_green(const struct split *split)
{
	return (double)split->green / (split->blue + split->green);
}

static void judge_split(const struct split *split, const struct world *w, struct finding *f)
{
	double share = share_of_green(split), n = (double)split->fresh,
	       seen = split->fresh ? (double)split->on_green / n : 0,
	       p = binomial_two_sided(split->fresh, split->on_green, share),
	       known = binomial_half_width_99(split->fresh, split->on_green);
	struct witness wit = witness_of_moment(w, split->set_ns);

	wit.anomaly = ANOMALY_SPLIT_OFF;
	wit.cause = ANOMALY_UNKNOWN;
	witness_say(
		&wit,
		"%llu of %llu fresh dials went to green (%.1f %%) at weights %u/%u (%.1f %%): p = %.2g (limit %.0e)",
		(unsigned long long)split->on_green, (unsigned long long)split->fresh, 100 * seen,
		split->blue, split->green, 100 * share, p, convicts_below);
	if (p < convicts_below)
		verdict_violation(f, &wit);
	else if (known > split->tolerance)
		verdict_doubt(
			f, REASON_RESOLUTION,
			"green's share at weights %u/%u is known to +-%.0f %% only (tolerance %.0f %%): %llu fresh dials",
			split->blue, split->green, 100 * known, 100 * split->tolerance,
			(unsigned long long)split->fresh);
	else if (fabs(seen - share) > split->tolerance)
		verdict_doubt(f, REASON_RESOLUTION, "%s; tolerance %.0f %%, and chance may do it",
			      wit.text, 100 * split->tolerance);
}

/* Weights that did not stand long enough to propagate were a passage: nothing was drawn by them. */
static void close_split(struct state *s, const struct world *w, int64_t t_ns, struct finding *f)
{
	struct split *split = &s->split;
	size_t told = strlen(s->told);

	if (!split->from_ns || t_ns <= split->from_ns) {
		split->from_ns = 0;
		return;
	}
	s->splits++;
	s->split_fresh += split->fresh;
	snprintf(s->told + told, sizeof(s->told) - told, "%s%llu of %llu at %u/%u",
		 told ? ", " : "", (unsigned long long)split->on_green,
		 (unsigned long long)split->fresh, split->blue, split->green);
	if (w->scenario->stack.affinity == AFFINITY_COOKIE)
		judge_split(split, w, f);
	*split = (struct split){ .from_ns = 0 };
}

static double tolerance_now(const struct world *w)
{
	unsigned number = phases_current(&w->phases)->step;
	const struct step *step = number < w->scenario->step_count ? &w->scenario->steps[number] :
								     NULL;

	return step && step->phase == PHASE_SHIFT && step->tolerance > 0 ? step->tolerance :
									   tolerance_otherwise;
}

/* Where a rollback's dials end, served or not, is that check's. */
static bool rolling_back(const struct world *w)
{
	return phases_current(&w->phases)->phase == PHASE_ROLLBACK;
}

static void weights_asked(struct state *s, const struct world *w, const struct event *e,
			  struct finding *f)
{
	close_split(s, w, e->t_ns, f);
	if (rolling_back(w)) {
		s->moving_ns = s->moved_ns = 0;
		return;
	}
	if (e->t_ns > s->moved_ns) /* else nobody had a share until now */
		s->moving_ns = e->t_ns;
	s->moved_ns = INT64_MAX;
}

static void weights_stand(struct state *s, const struct world *w, const struct event *e)
{
	int64_t from_ns = e->t_ns + w->scenario->timers.propagation_ns;

	if (rolling_back(w))
		s->moving_ns = 0;
	if (e->ver || e->epoch)
		s->moved_ns = from_ns;
	if (e->ver && e->epoch)
		s->split = (struct split){ .from_ns = from_ns,
					   .set_ns = e->t_ns,
					   .blue = e->ver,
					   .green = e->epoch,
					   .tolerance = tolerance_now(w) };
}

static void drawn(struct state *s, const struct world_call *c)
{
	if (!s->split.from_ns || c->dial_ns <= s->split.from_ns || !is_fresh(c))
		return;
	s->split.fresh++;
	s->split.on_green += c->color == COLOR_GREEN;
}

static void event(void *state, struct world_call *c, void *mine, const struct world *w,
		  const struct event *e, struct finding *f)
{
	(void)mine;
	if (e->kind == EVENT_WEIGHT_INV) {
		weights_asked(state, w, e, f);
	} else if (e->kind == EVENT_WEIGHT_OK) {
		weights_stand(state, w, e);
	} else if (c && e->kind == EVENT_DIAL_FAIL) {
		failed(state, c, w, e, f);
	} else if (c && world_placed(w, c)) {
		placed(state, c, w, e, f);
		drawn(state, c);
	}
}

static void finish(void *state, const struct world *w, struct finding *f)
{
	struct state *s = state;
	int64_t after_ns = w->shift.ok_ns + w->scenario->timers.propagation_ns;
	double propagation_ms = w->fresh_blue_ns > w->shift.ok_ns ?
					(double)(w->fresh_blue_ns - w->shift.ok_ns) / NS_PER_MS :
					0;

	close_split(s, w, w->last_ns, f);
	finding_trust(f, w, ROLE_DIRECTOR);
	verdict_saw(f, s->fresh + s->split_fresh, 1);
	finding_colors(f, w);
	if (!w->shift.ok_ns && s->splits) {
		finding_say(f, "fresh dials on green: %s; the weights were never all green's",
			    s->told);
		return;
	}
	if (!w->shift.ok_ns) {
		verdict_doubt(f, REASON_NO_PHASE, "the weights were never shifted to green");
		finding_say(f, "the weights were never shifted to green");
		return;
	}
	if (!s->fresh) /* what the splits saw says nothing of it */
		verdict_doubt(f, REASON_VACUOUS, "no fresh dial once green had all the weight");
	finding_say(
		f,
		"%llu fresh dials after %+.2f s, %llu green (propagation %.0f ms, limit %.0f ms)%s%s",
		(unsigned long long)s->fresh, world_s(w, after_ns), (unsigned long long)s->green,
		propagation_ms, (double)w->scenario->timers.propagation_ns / NS_PER_MS,
		s->splits ? "; on green before: " : "", s->told);
}

const struct check check_new_calls_to_green = {
	.name = "new_calls_to_green",
	.about = "fresh dials go where the weights say; once the shift has propagated, to green",
	.trials = "fresh dials",
	.kinds = KIND(DIAL_OK) | KIND(DIAL_FAIL) | KIND(START_OK) | KIND(RESUME_OK) |
		 KIND(WEIGHT_INV) | KIND(WEIGHT_OK),
	.state_bytes = sizeof(struct state),
	.event = event,
	.finish = finish,
};
