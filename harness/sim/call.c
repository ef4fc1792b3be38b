#include "sim/call.h"

#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "sim/redial.h"

enum { CLOSE_NORMAL = 1000, CLOSE_GOING_AWAY = 1001 };
/* How a profile that never comes back backs off before it was admitted. */
static const int64_t base_otherwise_ns = 100 * NS_PER_MS, cap_otherwise_ns = NS_PER_S;

struct call call_begin(const struct scenario *sc, const struct call_plan *plan, const char *id, int64_t zero_ns)
{
	struct call c = {
		.scenario = sc,
		.plan = *plan,
		.id = hash_id(id, strlen(id)),
		.start_ns = zero_ns + plan->due_ns,
		.state = CALL_WAITING,
		.lose_ns = INT64_MAX,
		.pacing = pacing_begin(sc, plan->number),
		.losses = losses_begin(sc, plan->number, plan->profile),
		.tokens = rng_split(sc->seed, plan->number, "tokens"),
		.redial = rng_split(sc->seed, plan->number, "redial"),
		.digest = hash_chain_start(id, strlen(id)),
	};

	c.turn_due_ns = pacing_next_ns(&c.pacing);
	c.redial_ns = c.wake_ns = c.start_ns;
	return c;
}

static struct call_action *act(struct call_actions *out, enum call_action_kind kind)
{
	struct call_action *a = &out->list[out->count++];

	ASSERT(out->count <= CALL_ACTIONS_MAX);
	*a = (struct call_action){ .kind = kind };
	return a;
}

/* The event is completed by whoever asked for it, before the next action. */
static struct event *record(struct call *c, struct call_actions *out, enum event_kind kind, int64_t now_ns)
{
	struct call_action *a = act(out, DO_RECORD);

	a->event = event_make(kind, now_ns);
	a->event.call = c->id;
	a->event.leg = c->leg;
	return &a->event;
}

static const struct profile_plan *profile_of(const struct call *c)
{
	return &c->scenario->calls.profile[c->plan.profile];
}

static void finish(struct call *c, int64_t now_ns, struct call_actions *out)
{
	struct event *e = record(c, out, EVENT_CALL_END, now_ns);

	e->code = (uint16_t)c->end;
	e->turn = (uint16_t)c->acked;
	e->aux = c->legs;
	c->state = CALL_OVER;
	act(out, DO_END);
}

/* The event is stamped again by who carries it out, right before what follows it. */
static struct event *record_send(struct call *c, struct call_actions *out, enum event_kind kind, int64_t now_ns)
{
	struct event *e = record(c, out, kind, now_ns);

	out->list[out->count - 1].sends = true;
	return e;
}

/* Given up while a dial or a leg is there: it ends first. */
static void give_up(struct call *c, enum call_end end, struct call_actions *out)
{
	c->end = end;
	c->state = CALL_ENDING;
	act(out, DO_ABORT);
}

static void dial(struct call *c, bool has_cookie, int64_t now_ns, struct call_actions *out)
{
	struct event *e = record(c, out, EVENT_DIAL_INV, now_ns);

	e->due_ns = c->redial_ns;
	e->flags = c->dial_flags = has_cookie ? DIAL_HAS_COOKIE : 0;
	c->dialed_ns = now_ns;
	c->color = COLOR_UNKNOWN;
	c->instance = 0;
	c->state = CALL_DIALING;
	act(out, DO_DIAL);
}

/* A dial failed or a leg was lost: back off and dial again. A call never admitted backs off like any other client. */
static void wait_to_redial(struct call *c, int64_t now_ns)
{
	const struct profile_plan *p = profile_of(c);
	int64_t base_ns = p->backoff_base_ns ? p->backoff_base_ns : base_otherwise_ns;
	int64_t cap_ns = p->backoff_cap_ns ? p->backoff_cap_ns : cap_otherwise_ns;

	c->state = CALL_WAITING;
	c->redial_ns = now_ns + redial_delay_ns(base_ns, cap_ns, c->attempt, &c->redial);
}

/* A leg that was ready is gone: the time to come back runs from now, however many legs it takes. */
static void on_lost(struct call *c, int64_t now_ns)
{
	c->leg++;
	c->attempt = 0;
	c->limit_ns = now_ns + profile_of(c)->resume_within_ns;
	wait_to_redial(c, now_ns);
}

/* A leg ended before it was ready. The first frame of leg 0 is another than that of later ones: until a call is admitted,
 * its leg is leg 0. */
static void on_stillborn(struct call *c, int64_t now_ns)
{
	if (c->admitted)
		c->leg++;
	c->attempt++;
	wait_to_redial(c, now_ns);
}

static void on_open(struct call *c, const struct call_input *in, int64_t now_ns, struct call_actions *out)
{
	struct event *e;

	if (c->state != CALL_DIALING)
		return;
	c->dial_flags |= in->set_cookie ? DIAL_SET_COOKIE : 0;
	c->color = in->color;
	c->instance = in->instance;
	c->opened_ns = c->heard_ns = now_ns;
	c->untold = true;
	c->legs++;
	c->state = CALL_OPENING;
	if (c->admitted) {
		e = record_send(c, out, EVENT_RESUME_INV, now_ns);
		e->turn = (uint16_t)c->acked;
		e->n = (uint16_t)c->sent;
		act(out, DO_REOPEN);
	} else {
		act(out, DO_OPEN);
	}
}

/* The leg's dial.ok, as late as its first message or its end. */
static void tell_open(struct call *c, uint8_t more_flags, struct call_actions *out)
{
	struct event *e;

	if (!c->untold)
		return;
	c->untold = false;
	e = record(c, out, EVENT_DIAL_OK, c->opened_ns);
	e->code = 101;
	e->due_ns = c->dialed_ns;
	e->flags = (uint8_t)(c->dial_flags | more_flags);
	e->color = (uint8_t)c->color;
	e->instance = c->instance;
}

/* The 101 and the first message must agree on where the leg is; what one leaves out the other may say. */
static void settle_origin(struct call *c, const struct call_input *in, struct call_actions *out)
{
	bool conflict = (in->color != COLOR_UNKNOWN && c->color != COLOR_UNKNOWN && in->color != c->color) ||
			(in->instance && c->instance && in->instance != c->instance);

	tell_open(c, conflict ? DIAL_COLOR_CONFLICT : 0, out);
	if (conflict) {
		c->color = COLOR_UNKNOWN;
		c->instance = 0;
		return;
	}
	if (c->color == COLOR_UNKNOWN)
		c->color = in->color;
	if (!c->instance)
		c->instance = in->instance;
}

static void ask(struct call *c, uint8_t flags, int64_t now_ns, struct call_actions *out)
{
	struct event *e = record_send(c, out, EVENT_TURN_INV, now_ns);

	e->due_ns = c->asked_due_ns;
	e->turn = (uint16_t)c->sent;
	e->digest = c->digest;
	e->ver = (uint32_t)(c->token >> 32);
	e->epoch = (uint32_t)c->token;
	e->flags = flags;
	c->asked_ns = now_ns;
	act(out, DO_TURN)->turn = (struct wire_turn){ .n = c->sent, .token = c->token };
}

static void fill_state(struct event *e, const struct meaning *m)
{
	e->n = m->turns > UINT16_MAX ? UINT16_MAX : (uint16_t)m->turns;
	e->digest = m->digest;
	e->ver = m->version;
	e->epoch = m->epoch;
	e->flags |= m->has;
}

static void on_ready(struct call *c, const struct call_input *in, int64_t now_ns, struct call_actions *out)
{
	const struct meaning *m = in->meaning;
	struct event *e;
	int64_t after_ns;

	if (c->state != CALL_OPENING)
		return;
	settle_origin(c, in, out);
	e = record(c, out, c->admitted ? EVENT_RESUME_OK : EVENT_START_OK, now_ns);
	e->color = (uint8_t)c->color;
	e->instance = c->instance;
	fill_state(e, m);
	c->admitted = true;
	c->attempt = 0;
	c->limit_ns = INT64_MAX;
	c->state = CALL_LIVE;
	/* A loss planned for after the hangup never comes: what is left to say then is said on this leg. */
	after_ns = losses_next_ns(&c->losses, &c->reset);
	c->lose_ns = after_ns < c->start_ns + c->plan.hold_ns - now_ns ? now_ns + after_ns : INT64_MAX;
	if (c->sent == c->acked)
		return;
	/* The open turn was applied before the leg was lost, or it is asked again with the same token. */
	if ((m->has & STATE_HAS_TURNS) && m->turns >= c->sent)
		c->acked = c->sent;
	else
		ask(c, TURN_RESENT, now_ns, out);
}

static void on_reply(struct call *c, const struct call_input *in, int64_t now_ns, struct call_actions *out)
{
	const struct meaning *m = in->meaning;
	struct event *e;

	if (c->state != CALL_LIVE)
		return;
	e = record(c, out, EVENT_REPLY_OK, now_ns);
	/* As this message says: a leg that is answered from two places is news. */
	e->color = (uint8_t)(in->color != COLOR_UNKNOWN ? in->color : c->color);
	e->instance = in->instance ? in->instance : c->instance;
	fill_state(e, m);
	e->turn = (uint16_t)m->n;
	e->aux = m->redis_us;
	if (m->n != c->sent || c->sent == c->acked)
		return; /* an answer nobody waits for: recorded, the judge will see */
	e->due_ns = c->asked_due_ns;
	c->acked = c->sent;
}

static void on_meaning(struct call *c, const struct call_input *in, int64_t now_ns, struct call_actions *out)
{
	struct event *e;

	c->heard_ns = now_ns;
	switch (in->meaning->kind) {
	case MEANING_READY:
		on_ready(c, in, now_ns, out);
		break;
	case MEANING_REPLY:
		on_reply(c, in, now_ns, out);
		break;
	case MEANING_DRAINING:
	case MEANING_ERROR:
		e = record(c, out, EVENT_AGENT_NOTICE, now_ns);
		e->code = in->meaning->kind == MEANING_DRAINING ? 1 : 2;
		e->aux = in->meaning->within_ms;
		if (in->meaning->kind == MEANING_ERROR)
			out->list[out->count - 1].text = in->meaning->text;
		break;
	case MEANING_REPLY_FIRST:
	case MEANING_HANGUP:
		break;
	}
}

static void record_end(struct call *c, const struct call_input *in, int64_t now_ns, struct call_actions *out)
{
	/* What we cut because its time was over has ended by a time-out, not by the means we cut it with. */
	bool timed_out = c->state == CALL_ENDING && c->end != CALL_ABANDONED && in->side == SIDE_CALLER;
	struct event *e;

	if (!in->established) {
		e = record(c, out, EVENT_DIAL_FAIL, now_ns);
		e->n = (uint16_t)in->failure;
		e->aux = c->attempt;
		e->due_ns = c->dialed_ns;
	} else {
		tell_open(c, 0, out);
		e = record(c, out, EVENT_LEG_END, now_ns);
		e->n = (uint16_t)(timed_out ? LEG_TIMEOUT : in->how);
		e->flags = (uint8_t)in->side;
		e->color = (uint8_t)c->color;
		e->instance = c->instance;
		e->aux = (uint32_t)((now_ns - c->heard_ns) / NS_PER_MS);
	}
	e->code = in->code;
}

/* What the end of a dial or a leg means in each state. */
static void on_end(struct call *c, const struct call_input *in, int64_t now_ns, struct call_actions *out)
{
	bool polite = in->how == LEG_CLOSE_FRAME && in->side == SIDE_AGENT &&
		      (in->code == CLOSE_NORMAL || in->code == CLOSE_GOING_AWAY);

	record_end(c, in, now_ns, out);
	switch (c->state) {
	case CALL_DIALING:
		c->attempt++;
		wait_to_redial(c, now_ns);
		break;
	case CALL_OPENING:
		on_stillborn(c, now_ns);
		break;
	case CALL_LOSING:
		on_lost(c, now_ns);
		break;
	case CALL_LIVE:
		if (c->plan.profile == PROFILE_RESUMABLE) {
			on_lost(c, now_ns);
			break;
		}
		c->end = polite ? CALL_TRUNCATED : CALL_DROPPED;
		finish(c, now_ns, out);
		break;
	case CALL_LEAVING:
		c->end = CALL_COMPLETED;
		finish(c, now_ns, out);
		break;
	case CALL_ENDING:
		finish(c, now_ns, out);
		break;
	case CALL_WAITING:
	case CALL_OVER:
		break;
	}
}

static void lose(struct call *c, int64_t now_ns, struct call_actions *out)
{
	struct event *e = record_send(c, out, EVENT_LEG_LOSE, now_ns);

	e->due_ns = c->lose_ns;
	e->flags = c->reset;
	c->state = CALL_LOSING;
	act(out, DO_ABORT)->reset = c->reset;
}

static void hang_up(struct call *c, int64_t now_ns, struct call_actions *out)
{
	struct event *e = record_send(c, out, EVENT_HANGUP_INV, now_ns);

	e->due_ns = c->start_ns + c->plan.hold_ns;
	e->turn = (uint16_t)c->sent;
	c->state = CALL_LEAVING;
	act(out, DO_BYE);
}

static void next_turn(struct call *c, int64_t now_ns, struct call_actions *out)
{
	c->token = rng_u64(&c->tokens);
	c->sent++;
	c->digest = hash_chain_next(c->digest, c->sent, c->token);
	c->asked_due_ns = c->start_ns + c->turn_due_ns;
	c->turn_due_ns = pacing_next_ns(&c->pacing);
	ask(c, 0, now_ns, out);
}

/* What is due on a leg: one thing at a time, until nothing is. */
static void live(struct call *c, int64_t now_ns, struct call_actions *out)
{
	bool asking = c->sent > c->acked;
	bool may_lose = asking == (profile_of(c)->when == LOSE_MID_TURN);

	if (asking && now_ns >= c->asked_ns + c->scenario->timers.dead_after_ns)
		give_up(c, CALL_MUTED, out);
	else if (now_ns >= c->lose_ns && may_lose)
		lose(c, now_ns, out);
	else if (!asking && c->turn_due_ns < c->plan.hold_ns && now_ns >= c->start_ns + c->turn_due_ns)
		next_turn(c, now_ns, out);
	else if (!asking && c->turn_due_ns >= c->plan.hold_ns && now_ns >= c->start_ns + c->plan.hold_ns)
		hang_up(c, now_ns, out);
}

/* When the next of these is due. */
static int64_t live_wake_ns(const struct call *c)
{
	bool asking = c->sent > c->acked;
	int64_t wake_ns = INT64_MAX, then_ns;

	if (asking == (profile_of(c)->when == LOSE_MID_TURN))
		wake_ns = c->lose_ns;
	if (asking)
		then_ns = c->asked_ns + c->scenario->timers.dead_after_ns;
	else
		then_ns = c->start_ns + (c->turn_due_ns < c->plan.hold_ns ? c->turn_due_ns : c->plan.hold_ns);
	return then_ns < wake_ns ? then_ns : wake_ns;
}

static void start(struct call *c, bool has_cookie, int64_t now_ns, struct call_actions *out)
{
	struct event *e = record(c, out, EVENT_CALL_START, now_ns);

	e->due_ns = c->start_ns;
	e->flags = (uint8_t)c->plan.profile;
	e->turn = (uint16_t)c->plan.turns;
	e->aux = (uint32_t)(c->plan.hold_ns / NS_PER_MS);
	c->limit_ns = c->start_ns + c->scenario->timers.setup_within_ns;
	/* Our own lateness is not the target's: it gets the whole of its time. */
	if (now_ns > c->start_ns)
		c->limit_ns = now_ns + c->scenario->timers.setup_within_ns;
	dial(c, has_cookie, now_ns, out);
}

static void on_timer(struct call *c, bool has_cookie, int64_t now_ns, struct call_actions *out)
{
	bool too_late = now_ns >= c->limit_ns;
	enum call_end end = c->admitted ? CALL_DROPPED : CALL_REFUSED;

	switch (c->state) {
	case CALL_DIALING:
	case CALL_OPENING:
		if (too_late)
			give_up(c, end, out);
		break;
	case CALL_WAITING:
		if (too_late) {
			c->end = end;
			finish(c, now_ns, out);
		} else if (now_ns >= c->redial_ns) {
			dial(c, has_cookie, now_ns, out);
		}
		break;
	case CALL_LIVE:
	case CALL_LOSING:
	case CALL_LEAVING:
	case CALL_ENDING:
	case CALL_OVER:
		break;
	}
}

static void abandon(struct call *c, int64_t now_ns, struct call_actions *out)
{
	if (c->state == CALL_OVER || c->state == CALL_ENDING || c->state == CALL_LEAVING)
		return;
	if (c->state == CALL_WAITING) {
		c->end = CALL_ABANDONED;
		finish(c, now_ns, out);
	} else {
		give_up(c, CALL_ABANDONED, out);
	}
}

static int64_t wake_of(const struct call *c)
{
	switch (c->state) {
	case CALL_DIALING:
	case CALL_OPENING:
		return c->limit_ns;
	case CALL_WAITING:
		return c->redial_ns < c->limit_ns ? c->redial_ns : c->limit_ns;
	case CALL_LIVE:
		return live_wake_ns(c);
	case CALL_LOSING:
	case CALL_LEAVING:
	case CALL_ENDING:
	case CALL_OVER:
		break;
	}
	return INT64_MAX;
}

void call_step(struct call *c, const struct call_input *in, int64_t now_ns, struct call_actions *out)
{
	switch (in->kind) {
	case INPUT_START:
		start(c, in->has_cookie, now_ns, out);
		break;
	case INPUT_OPEN:
		on_open(c, in, now_ns, out);
		break;
	case INPUT_MEANING:
		on_meaning(c, in, now_ns, out);
		break;
	case INPUT_END:
		on_end(c, in, now_ns, out);
		break;
	case INPUT_TIMER:
		on_timer(c, in->has_cookie, now_ns, out);
		break;
	case INPUT_ABANDON:
		abandon(c, now_ns, out);
		break;
	}
	if (c->state == CALL_LIVE)
		live(c, now_ns, out);
	c->wake_ns = wake_of(c);
}
