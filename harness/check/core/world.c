#include "check/core/world.h"

#include "check/core/control.h"

void world_init(struct world *w, const struct scenario *scenario, const struct history *names,
		size_t entry_bytes)
{
	int64_t grace_ns = scenario->timers.stickiness_group_ns +
			   scenario->calls.profile[PROFILE_RESUMABLE].resume_within_ns;

	*w = (struct world){ .scenario = scenario,
			     .names = names,
			     .grace_ns = grace_ns < GRACE_MAX_NS ? grace_ns : GRACE_MAX_NS };
	table_init(&w->calls, entry_bytes);
	phases_init(&w->phases);
}

void world_free(struct world *w)
{
	table_free(&w->calls);
	phases_free(&w->phases);
	metrics_free(&w->metrics);
	load_free(&w->load);
	purges_free(&w->purges);
}

/* ---- calls ---- */

static void count_leg(struct world *w, struct world_call *c)
{
	if (c->flags & CALL_COUNTED)
		return;
	c->flags |= CALL_COUNTED;
	w->instances[c->instance].live++;
}

static void uncount_leg(struct world *w, struct world_call *c)
{
	if (!(c->flags & CALL_COUNTED))
		return;
	c->flags &= (uint16_t)~CALL_COUNTED;
	w->instances[c->instance].live--;
}

void world_instance_color(struct world *w, uint8_t instance, uint8_t color)
{
	struct world_instance *on = &w->instances[instance];

	on->seen = true;
	if (color == COLOR_UNKNOWN)
		return;
	if (on->color != COLOR_UNKNOWN && on->color != color) {
		w->two_colors++;
		w->two_colored = instance;
	}
	on->color = color;
}

/* A fresh dial was given to blue although the shift had begun. */
static void strayed(struct world *w, int64_t dial_ns)
{
	const struct world_shift *shift = &w->shift;

	if (dial_ns < shift->inv_ns || dial_ns <= w->fresh_blue_ns ||
	    (shift->until_ns && dial_ns >= shift->until_ns))
		return;
	w->fresh_blue_ns = dial_ns;
	if (shift->ok_ns)
		w->phases.list[shift->phase].observed_ns = dial_ns;
}

static void place(struct world *w, struct world_call *c, const struct event *e)
{
	if (c->color != COLOR_UNKNOWN || e->color == COLOR_UNKNOWN || e->color >= COLOR_COUNT)
		return;
	c->color = e->color;
	c->instance = e->instance;
	c->placed_event = w->events;
	if (c->first_color == COLOR_UNKNOWN) /* leg 0, or a later one when that never got ready */
		c->first_color = e->color;
	if (e->color == COLOR_GREEN)
		c->flags |= CALL_ON_GREEN;
	if (e->instance)
		world_instance_color(w, e->instance, e->color);
	count_leg(w, c);
	if (e->color == COLOR_BLUE && w->shift.inv_ns && !(c->dial_flags & DIAL_HAS_COOKIE))
		strayed(w, c->dial_ns);
}

static struct world_call *call_start(struct world *w, const struct event *e)
{
	struct world_call *c;

	if (table_find(&w->calls, e->call)) {
		w->doubles++;
		return NULL;
	}
	c = table_add(&w->calls, e->call);
	c->id = e->call;
	c->start_ns = e->t_ns;
	c->profile = e->flags;
	c->planned_turns = e->turn;
	c->start_phase = (uint8_t)phases_at(&w->phases, e->t_ns);
	w->started++;
	return c;
}

static void dialed(struct world_call *c, const struct event *e)
{
	c->dial_ns = e->t_ns;
	c->dial_flags = e->flags;
	c->leg = e->leg;
	c->color = COLOR_UNKNOWN;
	c->instance = 0;
	c->open_ns = 0;
}

static void dial_failed(struct world_call *c, const struct event *e)
{
	c->dial_failures++;
	c->dial_failure = (uint8_t)e->n;
	c->dial_status = e->code;
	if (e->n == DIAL_LOCAL_LIMIT)
		c->flags |= CALL_LOCAL_LIMIT;
}

static void ready(struct world *w, struct world_call *c, const struct event *e)
{
	place(w, c, e);
	w->legs_of_two += (e->flags & STATE_TWO_ORIGINS) != 0;
	if (c->color == COLOR_UNKNOWN || e->flags & STATE_TWO_ORIGINS)
		w->legs_without_color++;
	c->free_ns = e->t_ns;
	c->denied_ns = 0;
	if (e->kind == EVENT_START_OK) {
		if (!c->admitted_ns)
			w->admitted++;
		c->admitted_ns = e->t_ns;
		return;
	}
	w->resumes++;
	if (c->cut.color != COLOR_UNKNOWN && c->color != COLOR_UNKNOWN && c->cut.color != c->color)
		w->crossings++;
	if (c->lost_ns &&
	    e->t_ns - c->lost_ns > w->scenario->calls.profile[PROFILE_RESUMABLE].resume_within_ns) {
		c->flags |= CALL_LATE_RESUME;
		c->late_from_ns = c->lost_ns;
		c->late_to_ns = e->t_ns;
	}
	c->lost_ns = 0;
	c->flags &= (uint16_t)~CALL_PLANNED_LOSS;
	if (e->flags & STATE_HAS_TURNS && e->n > c->acked) /* answered by the state itself */
		c->acked = e->n < c->sent ? e->n : c->sent;
}

/* The instance answered nobody since from_ns, or did so again only just now, while others did. */
static bool is_unheard(const struct world *w, uint8_t instance, int64_t from_ns, int64_t now_ns)
{
	const struct world_instance *on = &w->instances[instance];
	bool back = on->gap_from_ns <= from_ns && now_ns - on->gap_to_ns <= THAW_NS;

	if (!instance || (on->replied_ns > from_ns && !back))
		return false;
	for (unsigned i = 1; i < 256; i++) {
		if (i != instance && w->instances[i].replied_ns > from_ns)
			return true;
	}
	return false;
}

/* The wait of the oldest unanswered turn is over, for better or worse. */
static void waited(const struct world *w, struct world_call *c, int64_t now_ns)
{
	int64_t dead_after_ns = w->scenario->timers.dead_after_ns, took_ns = now_ns - c->waiting_ns;

	if (c->waiting_ns && dead_after_ns && took_ns > dead_after_ns) {
		c->flags |= CALL_WAS_MUTED;
		if (took_ns > c->muted_ns) {
			c->muted_ns = took_ns;
			c->late_from_ns = c->waiting_ns;
			c->late_to_ns = now_ns;
			c->unheard = is_unheard(w, c->instance, c->waiting_ns, now_ns);
		}
	}
	c->waiting_ns = 0;
}

static void turn_sent(struct world *w, struct world_call *c, const struct event *e)
{
	if (e->turn > c->sent) {
		c->sent = e->turn;
		w->turns++;
	}
	if (!c->waiting_ns)
		c->waiting_ns = e->t_ns;
}

static void replied(struct world *w, struct world_call *c, const struct event *e)
{
	struct world_instance *on = &w->instances[e->instance];

	if (e->t_ns - on->replied_ns > w->scenario->timers.dead_after_ns) {
		on->gap_from_ns = on->replied_ns;
		on->gap_to_ns = e->t_ns;
	}
	on->replied_ns = e->t_ns;
	c->free_ns = e->t_ns;
	c->denied_ns = 0;
	if (e->turn <= c->acked)
		return;
	c->acked = e->turn;
	waited(w, c, e->t_ns);
	if (c->acked < c->sent && c->sent - c->acked < METRIC_TURNS)
		c->waiting_ns = c->metric.turns[(c->acked + 1) % METRIC_TURNS].sent_ns;
}

static void said_goodbye(struct world_instance *on, int64_t t_ns)
{
	if (on->sigterm_ns && !on->answered && !on->goodbye_ns &&
	    t_ns - on->sigterm_ns > SIGNAL_ANSWER_NS)
		on->goodbye_ns = t_ns;
}

static void call_ended(struct world *w, struct world_call *c, const struct event *e)
{
	if (c->flags & CALL_ENDED) {
		w->doubles++;
		return;
	}
	c->flags |= CALL_ENDED;
	c->end_ns = e->t_ns;
	c->end_code = (uint8_t)e->code;
	if (!c->lost_ns && !c->hangup_ns)
		waited(w, c, e->t_ns);
	if (w->done_last)
		w->done_last->next_done = c;
	else
		w->done_first = c;
	w->done_last = c;
}

static struct world_call *call_event(struct world *w, const struct event *e)
{
	struct world_call *c = e->kind == EVENT_CALL_START ? call_start(w, e) :
							     table_find(&w->calls, e->call);

	metrics_event(w, c, e);
	if (!c) {
		if (e->kind == EVENT_CALL_END || e->kind == EVENT_TURN_INV ||
		    e->kind == EVENT_HANGUP_INV)
			w->orphans++;
		return NULL;
	}
	switch (e->kind) {
	case EVENT_DIAL_INV:
		dialed(c, e);
		break;
	case EVENT_DIAL_OK:
		c->dial_flags |= e->flags;
		c->open_ns = e->t_ns;
		place(w, c, e);
		break;
	case EVENT_DIAL_FAIL:
		dial_failed(c, e);
		break;
	case EVENT_START_OK:
	case EVENT_RESUME_OK:
		ready(w, c, e);
		break;
	case EVENT_TURN_INV:
		turn_sent(w, c, e);
		break;
	case EVENT_REPLY_OK:
		replied(w, c, e);
		break;
	case EVENT_AGENT_NOTICE:
		if (e->code == NOTICE_ERROR) {
			c->error_ns = e->t_ns;
			c->error_note = e->conn;
		}
		break;
	case EVENT_LEG_LOSE:
		c->flags |= CALL_PLANNED_LOSS;
		break;
	case EVENT_HANGUP_INV:
		waited(w, c, e->t_ns);
		c->hangup_ns = e->t_ns;
		said_goodbye(&w->instances[c->instance], e->t_ns);
		break;
	case EVENT_CMD_OK:
		if (e->flags & CMD_NIL && e->instance == c->instance)
			c->denied_ns = e->t_ns;
		break;
	case EVENT_CMD_ERR:
		if (e->aux) {
			c->refused_ns = e->t_ns;
			c->refused_by = (uint8_t)e->aux;
		}
		break;
	case EVENT_CALL_END:
		call_ended(w, c, e);
		break;
	default:
		break;
	}
	return c;
}

/* Who ends legs at once answers the signal, whatever calls end meanwhile. A cap on a drain is known
 * by what it does: legs that end together, long after the signal. */
static void cut_in_drain(struct world_instance *on, const struct leg_cut *cut)
{
	bool at_once = cut->t_ns - on->sigterm_ns <= SIGTERM_WINDOW_NS;

	if (cut->side != SIDE_AGENT || !on->sigterm_ns)
		return;
	on->answered |= at_once;
	if (at_once || on->sigkill_ns)
		return;
	if (on->burst && cut->t_ns - on->burst_to_ns > BURST_NS) {
		if (on->burst > 1)
			return;
		on->burst = 0;
	}
	if (!on->burst++)
		on->burst_from_ns = cut->t_ns;
	on->burst_to_ns = cut->t_ns;
}

static void leg_ended(struct world *w, struct world_call *c, const struct event *e)
{
	if (e->leg != c->leg || c->hangup_ns)
		return;
	waited(w, c, e->t_ns);
	if (c->lost_ns || !c->admitted_ns) { /* it never got ready: the loss began earlier */
		c->unready_how = (uint8_t)e->n;
		c->unready_side = e->flags;
		c->unready_code = e->code;
		return;
	}
	c->lost_ns = e->t_ns;
	c->cut = (struct leg_cut){ .t_ns = e->t_ns,
				   .leg = e->leg,
				   .code = e->code,
				   .how = (uint8_t)e->n,
				   .side = e->flags,
				   .silent_ms = e->aux,
				   .color = c->color,
				   .instance = e->instance ? e->instance : c->instance };
	if (c->cut.instance)
		cut_in_drain(&w->instances[c->cut.instance], &c->cut);
}

void world_settle(struct world *w, struct world_call *c, const struct event *e)
{
	if (world_placed(w, c) &&
	    (c->dial_flags & DIAL_SET_COOKIE || !(c->flags & CALL_SAW_COOKIE))) {
		c->cookie_ns = c->open_ns ? c->open_ns : e->t_ns;
		c->cookie_dial_ns = c->dial_ns;
		c->cookie_color = c->color;
		c->cookie_instance = c->instance;
		if (c->dial_flags & DIAL_SET_COOKIE)
			c->flags |= CALL_SAW_COOKIE;
	}
	if (e->kind == EVENT_LEG_END)
		leg_ended(w, c, e);
	if (e->kind == EVENT_HANGUP_INV || e->kind == EVENT_LEG_LOSE ||
	    (e->kind == EVENT_LEG_END && e->leg == c->leg))
		uncount_leg(w, c);
}

struct world_call *world_pop_done(struct world *w, int64_t now_ns)
{
	struct world_call *c = w->done_first;

	if (!c || c->end_ns + w->grace_ns > now_ns)
		return NULL;
	w->done_first = c->next_done;
	if (!w->done_first)
		w->done_last = NULL;
	return c;
}

void world_forget(struct world *w, struct world_call *c)
{
	uncount_leg(w, c);
	table_remove(&w->calls, c->id);
}

/* Kinds of callers and of the tap. */
#define CALL_KINDS                                                                                 \
	(KIND(CALL_START) | KIND(DIAL_INV) | KIND(DIAL_OK) | KIND(DIAL_FAIL) | KIND(START_OK) |    \
	 KIND(RESUME_INV) | KIND(RESUME_OK) | KIND(TURN_INV) | KIND(REPLY_OK) |                    \
	 KIND(AGENT_NOTICE) | KIND(LEG_LOSE) | KIND(LEG_END) | KIND(HANGUP_INV) | KIND(CALL_END) | \
	 KIND(CMD_OK) | KIND(CMD_ERR) | KIND(CMD_INFO) | KIND(KEY))

static void late(struct world *w, const struct event *e)
{
	w->late_events++;
	if (w->last_ns - e->t_ns > w->latest_by_ns)
		w->latest_by_ns = w->last_ns - e->t_ns;
	if (e->call && w->late_call_count < LATE_CALLS_MAX)
		w->late_calls[w->late_call_count++] = e->call;
}

struct world_call *world_event(struct world *w, const struct event *e)
{
	if (!w->events++) {
		w->first_ns = e->t_ns;
		w->phases.list[0].start_ns = e->t_ns;
	}
	if (e->t_ns < w->last_ns)
		late(w, e);
	else
		w->last_ns = e->t_ns;
	if (CALL_KINDS >> e->kind & 1)
		return call_event(w, e);
	world_control(w, e);
	return NULL;
}
