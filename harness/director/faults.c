#include "director/faults.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "fault/fault.h"

static const int64_t look_every_ns = 250 * NS_PER_MS;

enum state { WAITING = 0, BEGUN, OVER };

struct one {
	const struct fault *fault;
	struct fault_job job;
	enum state state;
	int64_t due_ns; /* to be begun; then to be healed; INT64_MAX: not known yet */
	int64_t begun_ns, look_ns;
	bool shown;
};

struct faults {
	struct walk *walk;
	struct fault_hands hands;
	bool busy; /* what a fault waits for is waited for by the walk: it is not asked again */
	size_t count;
	struct one list[];
};

static int lever(void *user, const char *text, struct err *err)
{
	return walk_lever(user, text, err);
}

static int signal_instance(void *user, const char *instance, int signo, struct err *err)
{
	struct walk_instance *on = walk_instance(user, instance);

	if (!on)
		return err_set(err, ERR_WORLD, "there is no %s", instance);
	return walk_signal(user, on, signo, err);
}

static pid_t pid(void *user, const char *instance)
{
	const struct walk_instance *on = walk_instance(user, instance);

	return on && !on->ended ? on->pid : 0;
}

static bool has_ended(void *user, const char *instance)
{
	const struct walk_instance *on = walk_instance(user, instance);

	return on && on->ended;
}

static void tell(struct walk *w, const struct one *o, enum event_kind kind, const char *why)
{
	const struct fault_plan *plan = o->job.plan;
	const struct walk_instance *on = plan->instance ? walk_instance(w, plan->instance) : NULL;
	const char *about = plan->lever ? plan->lever : plan->instance ? plan->instance : "";
	struct event e = event_make(kind, clock_now_ns());

	e.n = (uint16_t)(FAULT_NUMBERS_FROM + o->job.number);
	if (on) {
		e.color = on->color;
		e.instance = lane_instance(w->lane, on->name);
	}
	if (kind != EVENT_BITE)
		e.conn = lane_note(w->lane, "%s%s%s%s%s", fault_kind_name(plan->kind),
				   *about ? " " : "", about, *why ? ": " : "", why);
	if (kind != EVENT_FAULT_INV)
		e.due_ns = o->begun_ns;
	lane_event(w->lane, e);
}

static void begin(struct walk *w, struct one *o)
{
	int64_t for_ns = o->job.plan->for_ns;
	struct err err = { .kind = ERR_NONE };

	tell(w, o, EVENT_FAULT_INV, "");
	o->begun_ns = clock_now_ns();
	/* Before it can do anything: a walk that ends now heals it. */
	o->state = BEGUN;
	lane_flush(w->lane);
	if (o->fault->begin(&o->job, &err) < 0) {
		tell(w, o, EVENT_FAULT_FAIL, err.text);
		o->state = OVER;
		return;
	}
	tell(w, o, EVENT_FAULT_OK, "");
	o->due_ns = for_ns < 0 ? INT64_MAX : clock_now_ns() + for_ns;
}

static void heal(struct walk *w, struct one *o)
{
	struct err err = { .kind = ERR_NONE };

	if (o->state != BEGUN)
		return;
	o->state = OVER;
	if (o->fault->end(&o->job, &err) < 0)
		tell(w, o, EVENT_FAULT_FAIL, err.text);
	else
		tell(w, o, EVENT_FAULT_HEAL, "");
}

static void look(struct walk *w, struct one *o)
{
	if (o->shown || clock_now_ns() < o->look_ns)
		return;
	if (o->fault->bite(&o->job) == 1) {
		o->shown = true;
		tell(w, o, EVENT_BITE, "");
	}
	o->look_ns = clock_now_ns() + look_every_ns;
}

static void serve(struct walk *w, struct one *o)
{
	if (o->state == WAITING && !w->interrupted && clock_now_ns() >= o->due_ns)
		begin(w, o);
	if (o->state == BEGUN)
		look(w, o);
	if (o->state == BEGUN && (w->interrupted || clock_now_ns() >= o->due_ns))
		heal(w, o);
}

void faults_tick(struct walk *w)
{
	struct faults *faults = w->faults;

	if (!faults || faults->busy)
		return;
	faults->busy = true;
	for (size_t i = 0; i < faults->count; i++)
		serve(w, &faults->list[i]);
	faults->busy = false;
}

void faults_phase(struct walk *w, enum phase phase)
{
	for (size_t i = 0; w->faults && i < w->faults->count; i++) {
		struct one *o = &w->faults->list[i];

		if (o->state == WAITING && o->due_ns == INT64_MAX && o->job.plan->at == phase)
			o->due_ns = clock_now_ns() + o->job.plan->after_ns;
	}
}

int faults_check(const struct scenario *sc, struct err *err)
{
	for (size_t i = 0; i < sc->fault_count; i++) {
		const struct fault_plan *plan = &sc->faults[i];
		const struct fault *fault = fault_find(plan->kind);

		if (fault->check && fault->check(plan, err) < 0)
			return err_context(err, "%s: fault %zu, %s", sc->path, i + 1,
					   fault_kind_name(plan->kind));
	}
	return 0;
}

void faults_open(struct walk *w)
{
	size_t count = w->scenario->fault_count;
	struct faults *faults;

	if (!count)
		return;
	faults = xcalloc(1, sizeof *faults + count * sizeof *faults->list);
	faults->walk = w;
	faults->hands = (struct fault_hands){
		.user = w,
		.lever = lever,
		.signal = signal_instance,
		.pid = pid,
		.has_ended = has_ended,
	};
	faults->count = count;
	w->faults = faults;
	for (size_t i = 0; i < count; i++) {
		struct one *o = &faults->list[i];

		o->job = (struct fault_job){ .plan = &w->scenario->faults[i],
					     .number = (unsigned)i + 1,
					     .hands = &faults->hands };
		o->fault = fault_find(o->job.plan->kind);
		o->due_ns = INT64_MAX;
	}
}

void faults_close(struct walk *w)
{
	for (size_t i = 0; w->faults && i < w->faults->count; i++) {
		w->faults->busy = true;
		heal(w, &w->faults->list[i]);
	}
	free(w->faults);
	w->faults = NULL;
}
