#include "check/core/fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "check/core/claim.h"
#include "check/core/gates.h"
#include "check/core/outcome.h"
#include "check/core/witness.h"
#include "check/core/world.h"

enum { CHECKS_MAX = 32 };

struct listener {
	const struct check *check;
	void *state;
	struct finding *finding;
	size_t call_offset;
	bool idle; /* left out of the judgement */
};

/* What it takes to tell one check of one event. */
struct ear {
	void (*event)(void *state, struct world_call *call, void *mine, const struct world *,
		      const struct event *, struct finding *f);
	void *state;
	struct finding *finding;
	size_t call_offset;
};

struct books {
	struct ledger all, by_phase[PHASE_COUNT], by_color[COLOR_COUNT];
};

struct fold {
	struct world world;
	size_t count;
	struct listener all[CHECKS_MAX];
	struct finding *findings;
	/* Who wants kind k: ears[first_ear[k]] to before ears[first_ear[k + 1]]. An event costs as
	 * many calls as it has listeners, not as there are checks. */
	struct ear *ears;
	uint16_t first_ear[EVENT_KIND_COUNT + 1];
	uint64_t deaf;	 /* kinds that nobody wants: a third of all events */
	uint64_t passed; /* of them: how many, and when the last */
	int64_t passed_ns;
	struct books books, ours; /* all calls; of them those whose end proves nothing */
};

static void give_ears(struct fold *f)
{
	uint16_t count = 0;

	f->ears = xcalloc(f->count * EVENT_KIND_COUNT + 1, sizeof(*f->ears));
	for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		f->first_ear[kind] = count;
		for (size_t i = 0; i < f->count; i++) {
			const struct listener *l = &f->all[i];

			if (l->check->kinds >> kind & 1)
				f->ears[count++] = (struct ear){ .event = l->check->event,
								 .state = l->state,
								 .finding = l->finding,
								 .call_offset = l->call_offset };
		}
		if (count == f->first_ear[kind])
			f->deaf |= 1ULL << kind & WORLD_DEAF;
	}
	f->first_ear[EVENT_KIND_COUNT] = count;
}

struct fold *fold_new(const struct scenario *scenario, const struct history *names)
{
	struct fold *f = xcalloc(1, sizeof(*f));
	size_t entry_bytes = sizeof(struct world_call);

	ASSERT(check_count() <= CHECKS_MAX);
	f->findings = xcalloc(check_count() ? check_count() : 1, sizeof(*f->findings));
	for (size_t n = 0; n < check_count(); n++) {
		const struct check *check = check_at(n);
		size_t i = f->count;

		if (check->asked && !check->asked(scenario))
			continue;
		f->count++;
		f->all[i] = (struct listener){ .check = check,
					       .finding = &f->findings[i],
					       .call_offset = entry_bytes,
					       .state = check->state_bytes ?
								xcalloc(1, check->state_bytes) :
								NULL };
		f->findings[i].name = check->name;
		entry_bytes += (check->call_bytes + 7) & ~(size_t)7;
	}
	give_ears(f);
	world_init(&f->world, scenario, names, entry_bytes);
	for (size_t i = 0; i < f->count; i++) {
		if (f->all[i].check->begin)
			f->all[i].check->begin(f->all[i].state, &f->world);
	}
	return f;
}

void fold_focus(struct fold *f, uint64_t call)
{
	for (size_t i = 0; i < f->count; i++)
		f->findings[i].focus = call;
}

void fold_free(struct fold *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->count; i++) {
		if (f->all[i].check->release)
			f->all[i].check->release(f->all[i].state);
		free(f->all[i].state);
		finding_free(&f->findings[i]);
	}
	world_free(&f->world);
	free(f->findings);
	free(f->ears);
	free(f);
}

static void *part_of(struct world_call *c, const struct listener *listener)
{
	return c ? (char *)c + listener->call_offset : NULL;
}

static void enter(struct books *b, const struct world_call *c, unsigned outcome)
{
	struct ledger *pages[] = { &b->all, &b->by_phase[c->start_phase],
				   &b->by_color[c->first_color] };

	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
		pages[i]->started++;
		ledger_add(pages[i], outcome);
	}
}

static void call_done(struct fold *f, struct world_call *c)
{
	unsigned outcome = outcome_of(&f->world, c);

	for (size_t i = 0; i < f->count; i++) {
		const struct listener *l = &f->all[i];
		if (l->check->call_done)
			l->check->call_done(l->state, c, part_of(c, l), &f->world, l->finding);
	}
	metrics_call_done(&f->world, c);
	enter(&f->books, c, outcome);
	if (outcome_is_ours(&f->world, c, outcome))
		enter(&f->ours, c, outcome);
}

static void reap(struct fold *f, int64_t now_ns)
{
	struct world_call *c;

	while ((c = world_pop_done(&f->world, now_ns))) {
		call_done(f, c);
		world_forget(&f->world, c);
	}
}

void fold_event(struct fold *f, const struct event *e)
{
	struct world_call *c;

	if (e->kind >= EVENT_KIND_COUNT)
		return;
	c = world_event(&f->world, e);
	for (const struct ear *ear = &f->ears[f->first_ear[e->kind]],
			      *end = &f->ears[f->first_ear[e->kind + 1]];
	     ear < end; ear++)
		ear->event(ear->state, c, c ? (char *)c + ear->call_offset : NULL, &f->world, e,
			   ear->finding);
	if (c && (world_placed(&f->world, c) || WORLD_SETTLES >> e->kind & 1))
		world_settle(&f->world, c, e);
	if (f->world.done_first && f->world.done_first->end_ns + f->world.grace_ns <= e->t_ns)
		reap(f, e->t_ns);
}

bool fold_passes_by(struct fold *f, const struct event *e)
{
	if (!(f->deaf >> e->kind % 64 & 1))
		return false;
	f->passed++;
	f->passed_ns = e->t_ns;
	return true;
}

void fold_events(struct fold *f, const struct event *events, size_t count)
{
	enum { SLOT_AHEAD = 12, ENTRY_AHEAD = 3 };
	const struct table *calls = &f->world.calls;
	bool ahead = table_is_far(calls);

	for (size_t i = 0; i < count; i++) {
		if (ahead && i + SLOT_AHEAD < count && events[i + SLOT_AHEAD].call)
			table_prefetch(calls, events[i + SLOT_AHEAD].call);
		if (ahead && i + ENTRY_AHEAD < count && events[i + ENTRY_AHEAD].call)
			table_prefetch_entry(calls, events[i + ENTRY_AHEAD].call);
		fold_event(f, &events[i]);
	}
}

/* ---- the judgement ---- */

/* The ledger of the calls the gate's filter lets through; they are told apart by phase of their
 * start or color of their first leg. */
static struct ledger filtered_ledger(const struct books *b, const struct gate *gate)
{
	struct ledger sum = { 0 };

	if (gate->phase == GATE_PHASE_ANY)
		return gate->color == COLOR_UNKNOWN ? b->all : b->by_color[gate->color];
	for (unsigned phase = 0; phase < PHASE_COUNT; phase++) {
		const struct ledger *l = &b->by_phase[phase];
		if (gate->phase == GATE_PHASE_CUTOVER ? !phase_of_cutover(phase) :
							gate->phase != (int)phase)
			continue;
		sum.started += l->started;
		sum.completed += l->completed;
		sum.dropped += l->dropped;
		sum.refused += l->refused;
		sum.live += l->live;
		sum.abandoned += l->abandoned;
	}
	return sum;
}

/* `ours` of the calls prove nothing: what holds without them cannot fail for them. */
static void gate_calls(const struct gate *gate, uint64_t count, uint64_t ours, uint64_t started,
		       struct gate_result *ret)
{
	struct gate_result without;

	gate_number(gate, true, count, started, ret);
	if (ret->verdict != VERDICT_FAIL || !ours)
		return;
	gate_number(gate, true, count - ours, started, &without);
	if (without.verdict != VERDICT_PASS)
		return;
	ret->verdict = VERDICT_INCONCLUSIVE;
	snprintf(ret->note, sizeof(ret->note),
		 "%llu of them lacked descriptors of ours or fell into a standstill of ours",
		 (unsigned long long)ours);
}

/* A gate on calls (ledger words) or on a check's violations. */
static void count_gate(const struct fold *f, const struct gate *gate, struct gate_result *ret)
{
	const struct ledger l = filtered_ledger(&f->books, gate),
			    ours = filtered_ledger(&f->ours, gate);
	const struct {
		const char *word;
		uint64_t count, ours;
	} words[] = {
		{ "started", l.started, 0 },
		{ "completed", l.completed, 0 },
		{ "abandoned", l.abandoned, 0 },
		{ "live", l.live, 0 },
		{ "refused", l.refused, ours.refused },
		{ "dropped_calls", l.dropped, ours.dropped },
	};
	bool by_phase = gate->phase != GATE_PHASE_ANY, by_color = gate->color != COLOR_UNKNOWN;

	gate_number(gate, false, 0, 0, ret);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(words[i].word, gate->metric) != 0)
			continue;
		if (by_phase && by_color)
			snprintf(ret->note, sizeof(ret->note),
				 "calls are counted by phase or by color, not by both");
		else
			gate_calls(gate, words[i].count, words[i].ours, l.started, ret);
		return;
	}
	for (size_t i = 0; i < f->count && !by_phase && !by_color; i++) {
		if (!f->all[i].idle && !strcmp(f->findings[i].name, gate->metric))
			gate_number(gate, true, f->findings[i].violations, f->findings[i].exposed,
				    ret);
	}
}

static void judge_gates(struct fold *f, struct judgement *j)
{
	const struct scenario *s = f->world.scenario;

	j->gate_count = s->gate_count;
	j->gates = xcalloc(s->gate_count ? s->gate_count : 1, sizeof(*j->gates));
	for (size_t i = 0; i < s->gate_count; i++) {
		if (gate_metric(&s->gates[i]) >= 0)
			gate_latency(&s->gates[i], &f->world.metrics, &j->gates[i]);
		else
			count_gate(f, &s->gates[i], &j->gates[i]);
		j->verdict = verdict_worse(j->verdict, j->gates[i].verdict);
	}
}

/* Worst first; among equals the registry's order. */
static void take_findings(struct fold *f, struct judgement *j)
{
	j->findings = xcalloc(f->count ? f->count : 1, sizeof(*j->findings));
	for (int verdict = VERDICT_FAIL; verdict >= VERDICT_PASS; verdict--) {
		for (size_t i = 0; i < f->count; i++) {
			if (f->all[i].idle || f->findings[i].verdict != (enum verdict)verdict)
				continue;
			j->findings[j->finding_count++] = f->findings[i];
			f->findings[i].witnesses = NULL; /* the judgement's from now on */
		}
	}
	for (size_t i = 0; i < f->count; i++) {
		if (f->all[i].idle)
			continue;
		j->verdict = verdict_worse(j->verdict, f->findings[i].verdict);
		for (unsigned a = ANOMALY_NONE + 1; a < ANOMALY_COUNT; a++)
			j->anomalies[a] += f->findings[i].anomalies[a];
	}
}

static void take_unasked(const struct fold *f, struct judgement *j)
{
	j->unasked = xcalloc(check_count() ? check_count() : 1, sizeof(*j->unasked));
	for (size_t n = 0; n < check_count(); n++) {
		const struct check *check = check_at(n);
		bool asked = false;

		for (size_t i = 0; i < f->count; i++)
			asked |= f->all[i].check == check && !f->all[i].idle;
		if (!asked)
			j->unasked[j->unasked_count++] = check;
	}
}

static void take_phases(struct fold *f, struct judgement *j)
{
	struct phases *p = &f->world.phases;

	if (p->count && !p->list[p->count - 1].end_ns)
		p->list[p->count - 1].end_ns = f->world.last_ns;
	j->phases = p->list;
	j->phase_count = p->count;
	*p = (struct phases){ 0 };
}

static void check_books(const struct fold *f, struct judgement *j)
{
	const struct world *w = &f->world;
	const struct lane_status *lanes = NULL;
	size_t count = w->names ? history_lanes(w->names, &lanes) : 0;
	bool whole = true;

	for (size_t i = 0; i < count; i++)
		whole &= lanes[i].whole;
	if (w->failure)
		snprintf(j->harness_text, sizeof(j->harness_text), "%s", w->failure);
	else if (!ledger_balances(&f->books.all))
		snprintf(j->harness_text, sizeof(j->harness_text),
			 "ledger does not balance: %llu calls started, %llu accounted for",
			 (unsigned long long)f->books.all.started,
			 (unsigned long long)(f->books.all.completed + f->books.all.dropped +
					      f->books.all.refused + f->books.all.live +
					      f->books.all.abandoned));
	else if (w->doubles || (w->orphans && whole))
		snprintf(
			j->harness_text, sizeof(j->harness_text),
			"the record contradicts itself: %llu calls began or ended twice, %llu events of calls that never began",
			(unsigned long long)w->doubles, (unsigned long long)w->orphans);
	j->harness_error = w->failure || j->harness_text[0];
}

/* Beside every count what it is worth: none of a hundred is less than none of a million. */
static void tell_bound(const struct check *check, struct finding *f)
{
	size_t used = strlen(f->summary);

	if (check->trials && f->exposed)
		snprintf(f->summary + used, sizeof(f->summary) - used,
			 "; 95 %% bound %.3g %% of %s", 100 * f->upper_bound_95, check->trials);
}

struct judgement *fold_finish(struct fold *f)
{
	struct judgement *j = xcalloc(1, sizeof(*j));
	struct world *w = &f->world;
	struct world_call *c;
	size_t cursor = 0;

	w->events += f->passed;
	w->last_ns = f->passed_ns > w->last_ns ? f->passed_ns : w->last_ns;
	reap(f, INT64_MAX);
	while ((c = table_each(&w->calls, &cursor)))
		call_done(f, c);
	f->books.all.started = w->started;
	j->generator.schedule_lag_p99_ns = histogram_quantile_ns(&w->metrics.lag, 0.99);
	load_report(&w->load, &j->generator);
	for (size_t i = 0; i < f->count; i++) {
		struct listener *l = &f->all[i];

		l->idle = l->check->idle && l->check->idle(l->state, w);
		finding_pardon(l->finding, w);
		l->check->finish(l->state, w, l->finding);
		verdict_finish(l->finding);
		tell_bound(l->check, l->finding);
	}
	judge_gates(f, j);
	take_findings(f, j);
	take_unasked(f, j);
	check_books(f, j);
	j->interrupted = w->run_end_flags & RUN_INTERRUPTED && !w->failure;
	j->start_ns = w->start_ns ? w->start_ns : w->first_ns;
	j->end_ns = w->last_ns;
	j->ledger = f->books.all;
	memcpy(j->by_phase, f->books.by_phase, sizeof(j->by_phase));
	memcpy(j->by_color, f->books.by_color, sizeof(j->by_color));
	j->latency_count = metrics_rows(&w->metrics, &j->latency);
	claim_judge(&w->metrics, j);
	j->events = w->events;
	j->turns = w->turns;
	j->resumes = w->resumes;
	j->crossings = w->crossings;
	take_phases(f, j);
	return j;
}
