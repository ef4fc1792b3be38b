#include "check/core/control.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

bool world_call_lives(const struct world_call *c)
{
	return c->admitted_ns && !c->hangup_ns && !(c->flags & CALL_ENDED);
}

/* ---- weights and configuration ---- */

static void weights_effective(struct world *w, uint32_t blue, uint32_t green, int64_t t_ns)
{
	const uint32_t weight[COLOR_COUNT] = { [COLOR_BLUE] = blue, [COLOR_GREEN] = green };

	for (unsigned color = COLOR_BLUE; color < COLOR_COUNT; color++) {
		if (weight[color])
			w->zero_since_ns[color] = 0;
		else if (!w->zero_since_ns[color])
			w->zero_since_ns[color] = t_ns;
	}
}

static void weight_asked(struct world *w, const struct event *e)
{
	struct phase_result *phase = phases_current(&w->phases);

	w->weights_asked = w->weights_pending = true;
	if (e->ver)
		w->zero_since_ns[COLOR_BLUE] = 0;
	if (e->epoch)
		w->zero_since_ns[COLOR_GREEN] = 0;
	if (w->shift.ok_ns && !w->shift.until_ns)
		w->shift.until_ns = e->t_ns;
	if (!e->ver && e->epoch) {
		w->shift = (struct world_shift){ .inv_ns = e->t_ns };
		w->fresh_blue_ns = 0;
	}
	w->weights_asked_ns = e->t_ns;
	if (!phase->asked_ns)
		phase->asked_ns = e->t_ns;
	phase->blue = e->ver;
	phase->green = e->epoch;
}

/* A script's weights are asked for at the earliest moment it may have acted, which can lie before
 * the phase that it announced with them: they belong where they were answered. */
static struct phase_result *answered_in(struct world *w, const struct event *e)
{
	struct phase_result *phase = phases_current(&w->phases);

	if (!phase->asked_ns) {
		phase->asked_ns = w->weights_asked_ns;
		if (w->phases.count > 1 && phase[-1].asked_ns == phase->asked_ns)
			phase[-1].asked_ns = 0;
	}
	phase->returned_ns = e->t_ns;
	phase->blue = e->ver;
	phase->green = e->epoch;
	return phase;
}

static void weight_answered(struct world *w, const struct event *e)
{
	struct phase_result *phase;
	struct world_call *c;
	size_t cursor = 0;

	w->weights_pending = false;
	weights_effective(w, e->ver, e->epoch, e->t_ns);
	phase = answered_in(w, e);
	if (e->ver || !e->epoch)
		return;
	w->shift.ok_ns = e->t_ns;
	w->shift.phase = w->phases.count - 1;
	phase->observed_ns = w->fresh_blue_ns;
	while ((c = table_each(&w->calls, &cursor))) {
		if (world_call_lives(c) && !(c->flags & CALL_CROSSED_SHIFT)) {
			c->flags |= CALL_CROSSED_SHIFT;
			w->crossed_shift++;
		}
	}
}

static void config_read(struct world *w, const struct event *e)
{
	/* Nobody had touched the weights: what the first look shows was so from the beginning. */
	int64_t since_ns = w->config.seen || w->weights_asked ? e->t_ns : w->first_ns;

	if (!w->weights_pending)
		weights_effective(w, e->ver, e->epoch, since_ns);
	w->config = (struct world_config){ .seen = true,
					   .t_ns = e->t_ns,
					   .blue = e->ver,
					   .green = e->epoch,
					   .stickiness_s = e->aux,
					   .target_stickiness_s = e->turn,
					   .deregistration_delay_s = e->n,
					   .idle_s = e->code };
}

/* ---- instances ---- */

static void stopped(struct world_instance *instance, int64_t t_ns)
{
	instance->stopped_ns = t_ns;
	instance->resumed_ns = 0;
}

/* A fault that says it freezes: an instance, or all of a color. */
static void froze(struct world *w, const struct event *e)
{
	static const char word[] = "freeze";

	if (strncmp(world_note(w, e->conn), word, sizeof(word) - 1) != 0)
		return;
	for (unsigned i = 1; i < 256; i++) {
		struct world_instance *instance = &w->instances[i];

		if (!instance->seen ||
		    (e->instance ? e->instance != i : !e->color || instance->color != e->color))
			continue;
		if (e->kind == EVENT_FAULT_OK)
			stopped(instance, e->t_ns);
		else
			instance->resumed_ns = e->t_ns;
	}
}

static void signalled(struct world *w, const struct event *e)
{
	struct world_instance *instance = &w->instances[e->instance];

	if (e->code == SIGTERM && !instance->sigterm_ns)
		instance->sigterm_ns = e->t_ns;
	if (e->code == SIGSTOP)
		stopped(instance, e->t_ns);
	if (e->code == SIGCONT)
		instance->resumed_ns = e->t_ns;
	if (e->code == SIGKILL && !instance->sigkill_ns)
		instance->sigkill_ns = e->t_ns;
}

/* A script's signals are not on record, the ends they bring are: 137 was SIGKILL; 143, and a 0
 * nobody of ours had asked for, SIGTERM some time before. Without a script it just died; so does
 * what a signal ends that nobody sent. */
static void infer_signal(const struct world *w, struct world_instance *instance,
			 const struct event *e)
{
	bool told = instance->sigterm_ns || instance->sigkill_ns,
	     killed = e->code > 128 && e->code != 128 + SIGTERM;

	if (!w->scripted)
		instance->died = killed ? !instance->sigkill_ns : !told;
	else if (e->code == 128 + SIGKILL && !instance->sigkill_ns) {
		instance->sigkill_ns = e->t_ns;
		instance->ended_by_others = true;
	} else if ((!e->code || e->code == 128 + SIGTERM) && !told) {
		instance->sigterm_ns = e->t_ns;
		instance->ended_by_others = true;
	} else {
		instance->died = killed ? !instance->sigkill_ns : !told;
	}
}

/* An action without an instance is meant for every instance of its color. */
static void deregistered(struct world *w, const struct event *e)
{
	bool done = e->kind == EVENT_ACTION_OK;
	int64_t inv_ns = done && e->due_ns >= 0 ? e->due_ns : e->t_ns;
	int color = e->color ? e->color : color_parse(world_note(w, e->conn));

	for (unsigned i = 1; i < 256; i++) {
		struct world_instance *instance = &w->instances[i];
		if (!instance->seen || (e->instance ? e->instance != i : instance->color != color))
			continue;
		if (!instance->deregister_inv_ns)
			instance->deregister_inv_ns = inv_ns;
		if (done && !instance->deregister_ok_ns)
			instance->deregister_ok_ns = e->t_ns;
	}
}

/* What was taken out is put back: nothing is draining any more. */
static void reregistered(struct world *w, const struct event *e)
{
	int color = e->color ? e->color : color_parse(world_note(w, e->conn));

	for (unsigned i = 1; i < 256; i++)
		if (w->instances[i].seen && w->instances[i].color == color)
			w->instances[i].deregister_inv_ns = w->instances[i].deregister_ok_ns = 0;
}

static void turned_to(struct world *w, struct world_instance *instance, const struct event *e)
{
	if (instance->redis && instance->redis != e->aux + 1) {
		w->redis_moved_ns[1] = e->t_ns;
		if (!w->redis_moved_ns[0])
			w->redis_moved_ns[0] = e->t_ns;
	}
	instance->redis = e->aux + 1;
}

static void instance_event(struct world *w, const struct event *e)
{
	struct world_instance *instance = &w->instances[e->instance];

	if (e->kind == EVENT_EXIT && !strncmp(world_note(w, e->conn), "redis", 5))
		w->redis_ended_ns = e->t_ns;
	if (!e->instance)
		return;
	world_instance_color(w, e->instance, e->color);
	if (e->kind == EVENT_TAP_OPEN)
		turned_to(w, instance, e);
	if (e->kind == EVENT_SIGNAL)
		signalled(w, e);
	if (e->kind == EVENT_EXIT && !instance->exit_ns) {
		instance->exit_ns = e->t_ns;
		instance->exit_code = e->code;
		infer_signal(w, instance, e);
	}
}

static void role_event(struct world *w, const struct event *e)
{
	uint32_t bit = e->n < 32 ? 1U << e->n : 0;
	bool were_two = w->primaries & (w->primaries - 1);
	bool are_two;

	w->primaries = e->code == REDIS_ROLE_PRIMARY ? w->primaries | bit : w->primaries & ~bit;
	are_two = w->primaries & (w->primaries - 1);
	if (are_two && !were_two) {
		w->two_primaries_ns = e->t_ns;
		w->two_primaries_until_ns = 0;
	} else if (were_two && !are_two) {
		w->two_primaries_until_ns = e->t_ns;
	}
}

void world_control(struct world *w, const struct event *e)
{
	switch (e->kind) {
	case EVENT_LANE_END:
		return;
	case EVENT_HEARTBEAT:
		load_event(&w->load, e);
		w->metrics.stall_ns = w->load.longest_stall_ns;
		return;
	case EVENT_CONTROL:
		metrics_control(w, e);
		return;
	case EVENT_REDIS_ROLE:
		role_event(w, e);
		return;
	case EVENT_REDIS_PURGE:
		purges_event(&w->purges, e);
		return;
	case EVENT_SPAWN:
	case EVENT_SIGNAL:
	case EVENT_EXIT:
	case EVENT_COUNT:
	case EVENT_TAP_OPEN:
		instance_event(w, e);
		return;
	case EVENT_RUN_START:
		w->start_ns = e->t_ns;
		break;
	case EVENT_RUN_END:
		/* The first word counts: what a supervisor ends after its own is no cutover. */
		if (!w->run_end_ns)
			w->run_end_ns = e->t_ns;
		w->run_end_flags |= e->flags;
		if (e->flags & RUN_BROKE)
			w->failure = world_note(w, e->conn);
		if (e->flags & RUN_REFUSED)
			w->refused = world_note(w, e->conn);
		break;
	case EVENT_PHASE_BEGIN:
		phases_begin(&w->phases, (enum phase)(e->code % PHASE_COUNT), e->n, e->t_ns);
		break;
	case EVENT_PHASE_END:
		phases_end(&w->phases, e->n, e->t_ns, e->flags, world_note(w, e->conn));
		break;
	case EVENT_WEIGHT_INV:
		weight_asked(w, e);
		break;
	case EVENT_WEIGHT_OK:
		weight_answered(w, e);
		break;
	case EVENT_CONFIG:
		config_read(w, e);
		break;
	case EVENT_FAULT_OK:
	case EVENT_FAULT_HEAL:
		froze(w, e);
		return;
	case EVENT_RELOAD:
		w->reload_ns = e->t_ns;
		w->hard_stop_ns = e->aux * NS_PER_MS;
		break;
	case EVENT_ACTION_INV:
	case EVENT_ACTION_OK:
		w->scripted |= e->code == ACTION_SCRIPT;
		if (e->code == ACTION_DEREGISTER)
			deregistered(w, e);
		if (e->code == ACTION_REREGISTER && e->kind == EVENT_ACTION_OK)
			reregistered(w, e);
		break;
	case EVENT_ACTION_FAIL: /* then nothing of it is under way any more */
		if (e->code == ACTION_SET_WEIGHTS || e->code == ACTION_SCRIPT)
			w->weights_pending = false;
		break;
	case EVENT_BELIEF:
	case EVENT_PROBE_OK:
	case EVENT_PROBE_FAIL:
		break;
	default:
		return;
	}
	w->director_ns = e->t_ns;
}

/* ---- questions ---- */

uint32_t world_live(const struct world *w, enum color color)
{
	uint32_t live = 0;

	for (unsigned i = 1; i < 256; i++) {
		if (w->instances[i].color == color)
			live += w->instances[i].live;
	}
	return live;
}

bool world_serving(const struct world *w, enum color color)
{
	for (unsigned i = 1; i < 256; i++) {
		const struct world_instance *instance = &w->instances[i];
		if (instance->seen && instance->color == color &&
		    (instance->sigterm_ns || instance->sigkill_ns || instance->exit_ns ||
		     instance->deregister_inv_ns))
			return false;
	}
	return true;
}

int64_t world_stickiness_ns(const struct world *w)
{
	return w->scenario->timers.stickiness_group_ns;
}

int64_t world_deregistration_delay_ns(const struct world *w)
{
	return w->config.seen ? w->config.deregistration_delay_s * NS_PER_S :
				w->scenario->timers.deregistration_delay_ns;
}

int64_t world_idle_ns(const struct world *w)
{
	return w->config.idle_s ? w->config.idle_s * NS_PER_S : w->scenario->timers.idle_ns;
}

int64_t world_green_only_after_ns(const struct world *w, int64_t t_ns)
{
	if (!w->shift.ok_ns || (w->shift.until_ns && t_ns >= w->shift.until_ns))
		return 0;
	return w->shift.ok_ns + w->scenario->timers.propagation_ns;
}

double world_s(const struct world *w, int64_t t_ns)
{
	return (double)(t_ns - (w->start_ns ? w->start_ns : w->first_ns)) / NS_PER_S;
}

const char *world_instance_name(const struct world *w, uint8_t instance)
{
	const char *name = w->names && instance ? history_instance(w->names, instance) : "";

	return *name ? name : "an unnamed instance";
}

const char *world_note(const struct world *w, uint32_t note)
{
	return w->names && note ? history_note(w->names, note) : "";
}

const char *world_call_name(const struct world *w, uint64_t call, char out[CALL_NAME_MAX])
{
	const char *id = w->names ? history_call(w->names, call) : "";

	if (*id)
		snprintf(out, CALL_NAME_MAX, "%s", id);
	else
		hash_hex16(call, out);
	return out;
}
