/*
 * I13, bite: a fault that took no effect tried nothing, and a pass beside it would be worth
 * nothing. Each fault of the scenario must have been begun, and show, by other evidence than its
 * own word: the tap's record of a command it took, the kernel's of a process that stands still or
 * is gone. Without that the run is inconclusive (no_bite), never failed: it is our own drill that
 * did not work, not the target.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "check/core/witness.h"

enum { LEVERS = FAULT_NUMBERS_FROM + 1 };

struct planned {
	bool asked, begun;
	uint64_t bites;
	char error[120];
};

struct state {
	struct planned *of;	/* each fault of the scenario, as it has them */
	uint16_t lever[LEVERS]; /* the tap's number -> the fault's, from 1; 0: none of ours */
};

static bool asked(const struct scenario *scenario)
{
	return scenario->fault_count > 0;
}

static void begin(void *state, const struct world *w)
{
	struct state *s = state;

	s->of = xcalloc(w->scenario->fault_count, sizeof(*s->of));
}

/* The tap's lever that a fault is has the fault's number in its name. */
static unsigned named(const char *note)
{
	const char *at = strstr(note, " as " FAULT_LEVER_NAME);

	return at ? (unsigned)strtoul(at + sizeof(" as " FAULT_LEVER_NAME) - 1, NULL, 10) : 0;
}

static struct planned *planned(struct state *s, const struct world *w, const struct event *e)
{
	unsigned number = e->n > FAULT_NUMBERS_FROM ? e->n - (unsigned)FAULT_NUMBERS_FROM :
						      s->lever[e->n];

	return number && number <= w->scenario->fault_count ? &s->of[number - 1] : NULL;
}

static void event(void *state, struct world_call *c, void *mine, const struct world *w,
		  const struct event *e, struct finding *f)
{
	struct state *s = state;
	struct planned *p;

	(void)c;
	(void)mine;
	(void)f;
	if (e->kind == EVENT_FAULT_INV && e->n <= FAULT_NUMBERS_FROM)
		s->lever[e->n] = (uint16_t)named(world_note(w, e->conn));
	p = planned(s, w, e);
	if (!p)
		return;
	p->asked |= e->kind == EVENT_FAULT_INV;
	p->begun |= e->kind == EVENT_FAULT_OK;
	p->bites += e->kind == EVENT_BITE;
	if (e->kind == EVENT_FAULT_FAIL)
		snprintf(p->error, sizeof(p->error), "%s", world_note(w, e->conn));
}

static void finish(void *state, const struct world *w, struct finding *f)
{
	struct state *s = state;
	uint64_t begun = 0, bit = 0, bites = 0, count = w->scenario->fault_count;

	for (size_t i = 0; i < count; i++) {
		const struct planned *p = &s->of[i];
		const char *word = fault_kind_name(w->scenario->faults[i].kind);

		begun += p->begun;
		bit += p->begun && p->bites;
		bites += p->bites;
		if (*p->error)
			verdict_doubt(f, REASON_NO_BITE, "fault %zu: %s", i + 1, p->error);
		else if (!p->begun)
			verdict_doubt(f, REASON_NO_BITE, "fault %zu, %s, was %s", i + 1, word,
				      p->asked ? "asked for, and never confirmed" : "never begun");
		else if (!p->bites)
			verdict_doubt(f, REASON_NO_BITE,
				      "fault %zu, %s, was begun, and nothing shows it", i + 1,
				      word);
	}
	verdict_saw(f, bit, count);
	finding_say(f,
		    "%llu of %llu faults begun, %llu of them took effect, %llu times (needs all)",
		    (unsigned long long)begun, (unsigned long long)count, (unsigned long long)bit,
		    (unsigned long long)bites);
}

static void release(void *state)
{
	struct state *s = state;

	free(s->of);
}

const struct check check_bite = {
	.name = "bite",
	.about = "every fault of the scenario took effect, by evidence of others",
	.why_not = "no fault is planned",
	.kinds = KIND(FAULT_INV) | KIND(FAULT_OK) | KIND(FAULT_FAIL) | KIND(BITE),
	.state_bytes = sizeof(struct state),
	.asked = asked,
	.begin = begin,
	.event = event,
	.finish = finish,
	.release = release,
};
