/*
 * Warnings: the scenario is sound, but what it plans cannot give the evidence its gates ask for,
 * or leaves calls on a color it is about to tear down. Estimates are on the generous side: a
 * warning means it cannot work, not that it may not.
 */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "scenario/dist.h"
#include "scenario/duration.h"
#include "scenario/gate.h"
#include "scenario/validate.h"

enum {
	COMMANDS_PER_TURN = 2, /* one read, one write */
	CONTROLS_PER_SECOND = 10
};

static double seconds(int64_t ns)
{
	return (double)ns / (double)NS_PER_S;
}

/* How long a step lasts at most when all goes well. */
static double step_seconds(const struct scenario *sc, const struct step *s)
{
	int64_t last_call_ns = sc->timers.longest_call_ns + s->quiet_ns;

	if (s->skip)
		return 0;
	switch (s->phase) {
	case PHASE_STEADY:
	case PHASE_BAKE:
	case PHASE_BUFFER:
		return seconds(s->for_ns);
	case PHASE_DRAIN:
		return seconds(s->deadline_ns < last_call_ns ? s->deadline_ns : last_call_ns);
	case PHASE_TEARDOWN:
		return seconds(s->grace_ns);
	case PHASE_SHIFT:
	case PHASE_ROLLBACK:
		return seconds(sc->timers.propagation_ns);
	case PHASE_SCRIPT:
		return seconds(s->deadline_ns);
	case PHASE_SMOKE:
		return seconds(sc->timers.setup_within_ns);
	case PHASE_BEFORE:
	case PHASE_AFTER:
	case PHASE_COUNT:
		break;
	}
	return 0;
}

/* Seconds of the gate's phase; -1: the cutover has no such step. */
static double phase_seconds(const struct scenario *sc, int phase)
{
	bool found = phase == GATE_PHASE_ANY, inside = false;
	double sum = 0;

	for (size_t i = 0; i < sc->step_count; i++) {
		const struct step *s = &sc->steps[i];

		inside = inside || s->phase == PHASE_SHIFT;
		/* What a script walks through is its own affair. */
		if (phase == GATE_PHASE_ANY || s->phase == (enum phase)phase ||
		    s->phase == PHASE_SCRIPT ||
		    (phase == GATE_PHASE_CUTOVER && inside)) {
			found = true;
			sum += step_seconds(sc, s);
		}
		inside = inside && s->phase != PHASE_TEARDOWN;
	}
	return found ? sum : -1;
}

static double resumes_per_second(const struct calls *c)
{
	const struct profile_plan *p = &c->profile[PROFILE_RESUMABLE];

	return p->loses_legs ? c->live * p->share / seconds(dist_mean_ns(&p->lose_leg)) : 0;
}

static double samples(const struct scenario *sc, const struct gate *gate, double length_s)
{
	const struct calls *c = &sc->calls;
	double turn_s = seconds(c->turn_every_ns) + c->silence_share * seconds(c->silence_ns);
	double turns = c->live / turn_s * length_s;

	if (!strcmp(gate->metric, "redis_command"))
		return sc->state.tap ? COMMANDS_PER_TURN * turns : 0;
	if (!strcmp(gate->metric, "redis_turn") || !strcmp(gate->metric, "redis_service"))
		return sc->state.tap ? turns : 0;
	if (!strcmp(gate->metric, "redis_control")) /* the observer's, beside a stack of ours */
		return sc->stack.kind == STACK_LOCAL ? CONTROLS_PER_SECOND * length_s : 0;
	if (!strcmp(gate->metric, "resume_gap"))
		return resumes_per_second(c) * length_s;
	if (!strcmp(gate->metric, "dial"))
		return (gate->phase == GATE_PHASE_ANY ? c->live : 0) +
		       (c->live / seconds(dist_mean_ns(&c->hold)) + resumes_per_second(c)) *
			       length_s;
	return turns;
}

static void warn_gate(const struct scenario *sc, const struct gate *gate, struct buf *out)
{
	double length_s = phase_seconds(sc, gate->phase), need = gate_samples_needed(gate), have;

	if (length_s < 0) {
		buf_printf(
			out,
			"%s:%d: warning: %s: the cutover has no such step; the gate will be inconclusive\n",
			sc->path, gate->line, gate->key);
		return;
	}
	if (isinf(need)) {
		buf_printf(out,
			   "%s:%d: warning: %s %s: no number of samples settles p(100); use max\n",
			   sc->path, gate->line, gate->key, gate->expression);
		return;
	}
	have = gate->duration ? samples(sc, gate, length_s) : need;
	if (have < need)
		buf_printf(
			out,
			"%s:%d: warning: %s %s needs about %.0f samples; the plan yields about %.0f: it will be"
			" inconclusive\n",
			sc->path, gate->line, gate->key, gate->expression, need, have);
}

static void warn_drain(const struct scenario *sc, const struct step *s, struct buf *out)
{
	char deadline[DURATION_TEXT_MAX], longest[DURATION_TEXT_MAX], delay[DURATION_TEXT_MAX];

	duration_format(s->deadline_ns, deadline);
	duration_format(sc->timers.longest_call_ns, longest);
	duration_format(sc->timers.deregistration_delay_ns, delay);
	if (s->deadline_ns < sc->timers.longest_call_ns)
		buf_printf(
			out,
			"%s:%d: warning: the drain's deadline %s is shorter than timers.longest_call %s\n",
			sc->path, s->line, deadline, longest);
	if (s->begin == BEGIN_DEREGISTER &&
	    sc->timers.deregistration_delay_ns < sc->timers.longest_call_ns)
		buf_printf(
			out,
			"%s:%d: warning: the drain begins with deregister, and timers.deregistration_delay %s is shorter"
			" than timers.longest_call %s: longer calls are cut\n",
			sc->path, s->line, delay, longest);
}

void validate_warnings(const struct scenario *sc, struct buf *out)
{
	const struct calls *c = &sc->calls;
	int64_t silent_ns = c->turn_every_ns + (c->silence_share > 0 ? c->silence_ns : 0);

	for (size_t i = 0; i < sc->step_count; i++)
		if (sc->steps[i].phase == PHASE_DRAIN && !sc->steps[i].skip)
			warn_drain(sc, &sc->steps[i], out);
	if (silent_ns >= sc->timers.idle_ns) {
		char silent[DURATION_TEXT_MAX], idle[DURATION_TEXT_MAX];

		duration_format(silent_ns, silent);
		duration_format(sc->timers.idle_ns, idle);
		buf_printf(out,
			   "%s: warning: callers are silent for %s; timers.idle %s cuts them\n",
			   sc->path, silent, idle);
	}
	for (size_t i = 0; i < sc->gate_count; i++)
		warn_gate(sc, &sc->gates[i], out);
}
