/*
 * I12, residue: when all is over nothing is left of it. The supervisor looks, last of all, and puts
 * on record what it finds: processes that had to be killed, descriptors that instances without
 * calls still hold, states that outlive their calls for longer than declared, a Redis that still
 * holds its clients back. Faults are known by their own events: what was armed must have been
 * healed, and must not bite after that.
 *
 * A record of a deployed system has none of this, and is not judged.
 */
#include <stdio.h>

#include "check/core/witness.h"

enum { FAULTS_MAX = 256 };

struct state {
	bool looked;
	uint64_t processes, keys, faults;
	struct fault {
		int64_t armed_ns, healed_ns;
		const char *words;
		bool told;
	} of[FAULTS_MAX];
};

static void convict(const struct world *w, int64_t t_ns, enum anomaly anomaly, uint64_t count,
		    struct finding *f, const char *text)
{
	struct witness wit = witness_of_moment(w, t_ns);

	wit.anomaly = anomaly;
	witness_say(&wit, "%s", text);
	verdict_violation(f, &wit);
	f->violations += count - 1;
	f->anomalies[anomaly] += count - 1;
}

static void looked(struct state *s, const struct world *w, const struct event *e, struct finding *f)
{
	static const struct {
		enum anomaly anomaly;
		const char *are;
	} left[RESIDUE_COUNT] = {
		[RESIDUE_PROCESSES] = { ANOMALY_PROCESS_LEFT,
					"processes did not end by themselves" },
		[RESIDUE_KEYS] = { ANOMALY_KEY_LEFT,
				   "states never expire, or later than declared" },
		[RESIDUE_CLIENTS] = { ANOMALY_CLIENTS_PAUSED, "writes of ours was held back" },
		[RESIDUE_DESCRIPTORS] = { ANOMALY_DESCRIPTORS_LEFT,
					  "instances hold more descriptors than at first" },
	};
	char text[FINDING_TEXT_MAX];

	s->looked = true;
	if (e->code >= RESIDUE_COUNT)
		return;
	if (e->flags & RESIDUE_UNSEEN) {
		verdict_doubt(f, REASON_UNREACHABLE, "nobody could look for %s: %s",
			      residue_name(e->code), world_note(w, e->conn));
		return;
	}
	s->processes += e->code == RESIDUE_PROCESSES ? e->aux : 0;
	s->keys += e->code == RESIDUE_KEYS ? e->aux : 0;
	if (!e->n)
		return;
	snprintf(text, sizeof(text), "%u of %u %s: %s", e->n, e->aux, left[e->code].are,
		 world_note(w, e->conn));
	convict(w, e->t_ns, left[e->code].anomaly, e->n, f, text);
}

static void fault(struct state *s, const struct world *w, const struct event *e, struct finding *f)
{
	struct fault *of = &s->of[e->n % FAULTS_MAX];
	char text[FINDING_TEXT_MAX];

	if (e->kind == EVENT_FAULT_OK) {
		s->faults++;
		*of = (struct fault){ .armed_ns = e->t_ns, .words = world_note(w, e->conn) };
	} else if (e->kind == EVENT_FAULT_HEAL) {
		of->healed_ns = e->t_ns;
	} else if (of->healed_ns && e->t_ns > of->healed_ns && !of->told) {
		of->told = true;
		snprintf(text, sizeof(text), "fault %u (%s) bit %.3f ms after it was healed", e->n,
			 of->words, (double)(e->t_ns - of->healed_ns) / NS_PER_MS);
		convict(w, e->t_ns, ANOMALY_FAULT_LEFT, 1, f, text);
	}
}

static void event(void *state, struct world_call *c, void *mine, const struct world *w,
		  const struct event *e, struct finding *f)
{
	(void)c;
	(void)mine;
	if (e->kind == EVENT_RESIDUE)
		looked(state, w, e, f);
	else
		fault(state, w, e, f);
}

static bool idle(const void *state, const struct world *w)
{
	const struct state *s = state;

	(void)w;
	return !s->looked && !s->faults;
}

static void finish(void *state, const struct world *w, struct finding *f)
{
	const struct state *s = state;
	char text[FINDING_TEXT_MAX];
	uint64_t saw;

	for (unsigned n = 0; n < FAULTS_MAX; n++) {
		if (!s->of[n].armed_ns || s->of[n].healed_ns)
			continue;
		snprintf(text, sizeof(text), "fault %u (%s), armed at +%.3f s, was never healed", n,
			 s->of[n].words, world_s(w, s->of[n].armed_ns));
		convict(w, w->last_ns, ANOMALY_FAULT_LEFT, 1, f, text);
	}
	saw = s->processes + s->keys + s->faults;
	verdict_saw(f, saw > f->violations ? saw : f->violations, 1);
	if (!s->looked)
		verdict_doubt(f, REASON_SOURCE_LOST, "nobody looked when all was over");
	finding_say(f, "%llu processes, %llu states, %llu faults: %llu are left (limit 0)",
		    (unsigned long long)s->processes, (unsigned long long)s->keys,
		    (unsigned long long)s->faults, (unsigned long long)f->violations);
}

const struct check check_residue = {
	.name = "residue",
	.about =
		"when all is over nothing is left: no process, no state beyond its time, no client held back, no fault",
	.why_not = "nobody looked for what was left, and there was no fault",
	.trials = "things looked at",
	.kinds = KIND(RESIDUE) | KIND(FAULT_OK) | KIND(FAULT_HEAL) | KIND(BITE),
	.state_bytes = sizeof(struct state),
	.idle = idle,
	.event = event,
	.finish = finish,
};
