#include "sim/call.h"

#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "sim/call_events.h"
#include "sim/redial.h"

enum { CLOSE_NORMAL = 1000, CLOSE_GOING_AWAY = 1001 };
/* How a profile that never comes back backs off before it was admitted. */
static const int64_t base_otherwise_ns = 100 * NS_PER_MS, cap_otherwise_ns = NS_PER_S;

struct call call_begin(const struct scenario *sc, const struct call_plan *plan, const char *id,
		       int64_t zero_ns)
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

static const struct profile_plan *profile_of(const struct call *c)
{
	return &c->scenario->calls.profile[c->plan.profile];
}

static void finish(struct call *c, enum call_end end, int64_t now_ns, struct call_actions *out)
{
	c->end = end;
	c->state = CALL_OVER;
	say_over(c, now_ns, out);
	call_act(out, DO_END);
}

/* Given up while a dial or a leg is there: it ends first. */
static void give_up(struct call *c, enum call_end end, struct call_actions *out)
{
	c->end = end;
	c->state = CALL_ENDING;
	call_act(out, DO_ABORT);
}

/* ---- dialing, and coming back ---- */

static void dial(struct call *c, bool has_cookie, int64_t now_ns, struct call_actions *out)
{
	c->dial_flags = has_cookie ? DIAL_HAS_COOKIE : 0;
	c->dialed_ns = now_ns;
	c->color = COLOR_UNKNOWN;
	c->instance = 0;
	c->state = CALL_DIALING;
	say_dial(c, now_ns, out);
	call_act(out, DO_DIAL);
}

/* A call never admitted backs off like any other client. */
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

/* A leg ended before it was ready. The first frame of leg 0 is another than that of later ones:
 * until a call is admitted, its leg is leg 0. */
static void on_stillborn(struct call *c, int64_t now_ns)
{
	if (c->admitted)
		c->leg++;
	c->attempt++;
	wait_to_redial(c, now_ns);
}

static void start(struct call *c, bool has_cookie, int64_t now_ns, struct call_actions *out)
{
	/* Our own lateness is not the target's: it gets the whole of its time. */
	c->limit_ns = now_ns + c->scenario->timers.setup_within_ns;
	say_start(c, now_ns, out);
	dial(c, has_cookie, now_ns, out);
}

static void on_open(struct call *c, const struct call_input *in, int64_t now_ns,
		    struct call_actions *out)
{
	if (c->state != CALL_DIALING)
		return;
	c->dial_flags |= in->set_cookie ? DIAL_SET_COOKIE : 0;
	c->color = in->color;
	c->instance = in->instance;
	c->tls = in->tls;
	c->heard_ns = now_ns;
	c->legs++;
	c->state = CALL_OPENING;
	say_open(c, now_ns, out);
	if (c->admitted)
		say_resume(c, now_ns, out);
	call_act(out, c->admitted ? DO_REOPEN : DO_OPEN);
}

/* The 101 and the first message must agree on where the leg is, else nobody knows; what one leaves
 * out the other may say. False: they do not agree. */
static bool settle_origin(struct call *c, const struct call_input *in)
{
	bool two_colors = in->color && c->color && in->color != c->color;
	bool two_instances = in->instance && c->instance && in->instance != c->instance;

	if (two_colors || two_instances) {
		c->color = COLOR_UNKNOWN;
		c->instance = 0;
		return false;
	}
	if (!c->color)
		c->color = in->color;
	if (!c->instance)
		c->instance = in->instance;
	return true;
}

/* ---- talking ---- */

static void ask(struct call *c, uint8_t flags, int64_t now_ns, struct call_actions *out)
{
	c->asked_ns = now_ns;
	say_turn(c, flags, now_ns, out);
	call_act(out, DO_TURN)->turn = (struct wire_turn){ .n = c->sent, .token = c->token };
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

static void on_ready(struct call *c, const struct call_input *in, int64_t now_ns,
		     struct call_actions *out)
{
	const struct meaning *m = in->meaning;
	int64_t after_ns, left_ns = c->start_ns + c->plan.hold_ns - now_ns;

	if (c->state != CALL_OPENING)
		return;
	say_ready(c, m, settle_origin(c, in), now_ns, out);
	c->admitted = true;
	c->limit_ns = INT64_MAX;
	c->state = CALL_LIVE;
	/* A loss planned for after the hangup never comes: what is left to say is said on this
	 * leg. */
	after_ns = losses_next_ns(&c->losses, &c->reset);
	c->lose_ns = after_ns < left_ns ? now_ns + after_ns : INT64_MAX;
	if (c->sent == c->acked)
		return;
	/* The open turn was applied before the leg was lost, or it is asked again with its
	 * token. */
	if ((m->has & STATE_HAS_TURNS) && m->turns >= c->sent)
		c->acked = c->sent;
	else
		ask(c, TURN_RESENT, now_ns, out);
}

/* An answer nobody waits for is recorded; the judge will see. */
static void on_reply(struct call *c, const struct call_input *in, int64_t now_ns,
		     struct call_actions *out)
{
	bool awaited = in->meaning->n == c->sent && c->sent > c->acked;

	if (c->state != CALL_LIVE)
		return;
	say_reply(c, in, awaited, now_ns, out);
	if (awaited)
		c->acked = c->sent;
}

static void on_meaning(struct call *c, const struct call_input *in, int64_t now_ns,
		       struct call_actions *out)
{
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
		say_notice(c, in->meaning, now_ns, out);
		break;
	case MEANING_REPLY_FIRST:
	case MEANING_HANGUP:
		break;
	}
}

/* ---- the end of a dial or a leg ---- */

static enum call_end lost_end(const struct call_input *in)
{
	bool polite = in->how == LEG_CLOSE_FRAME && in->side == SIDE_AGENT &&
		      (in->code == CLOSE_NORMAL || in->code == CLOSE_GOING_AWAY);

	return polite ? CALL_TRUNCATED : CALL_DROPPED;
}

static void on_end(struct call *c, const struct call_input *in, int64_t now_ns,
		   struct call_actions *out)
{
	/* What we cut because its time was over ended by time-out, not by the means of the cut. */
	bool timed_out = c->state == CALL_ENDING && c->end != CALL_ABANDONED &&
			 in->side == SIDE_CALLER;

	say_end(c, in, timed_out, now_ns, out);
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
		if (c->plan.profile == PROFILE_RESUMABLE)
			on_lost(c, now_ns);
		else
			finish(c, lost_end(in), now_ns, out);
		break;
	case CALL_LEAVING:
		finish(c, CALL_COMPLETED, now_ns, out);
		break;
	case CALL_ENDING:
		finish(c, c->end, now_ns, out);
		break;
	case CALL_WAITING:
	case CALL_OVER:
		break;
	}
}

/* ---- time ---- */

/* What is due on a leg: one thing at a time, until nothing is. */
static void live(struct call *c, int64_t now_ns, struct call_actions *out)
{
	bool asking = c->sent > c->acked, more = c->turn_due_ns < c->plan.hold_ns;
	bool may_lose = asking == (profile_of(c)->when == LOSE_MID_TURN);

	if (asking && now_ns >= c->asked_ns + c->scenario->timers.dead_after_ns) {
		give_up(c, CALL_MUTED, out);
	} else if (may_lose && now_ns >= c->lose_ns) {
		say_lose(c, now_ns, out);
		c->state = CALL_LOSING;
		call_act(out, DO_ABORT)->reset = c->reset;
	} else if (!asking && more && now_ns >= c->start_ns + c->turn_due_ns) {
		next_turn(c, now_ns, out);
	} else if (!asking && !more && now_ns >= c->start_ns + c->plan.hold_ns) {
		say_hangup(c, now_ns, out);
		c->state = CALL_LEAVING;
		call_act(out, DO_BYE);
	}
}

/* When the next of these is due. */
static int64_t live_wake_ns(const struct call *c)
{
	bool asking = c->sent > c->acked, more = c->turn_due_ns < c->plan.hold_ns;
	int64_t then_ns = asking ? c->asked_ns + c->scenario->timers.dead_after_ns :
				   c->start_ns + (more ? c->turn_due_ns : c->plan.hold_ns);

	if (asking == (profile_of(c)->when == LOSE_MID_TURN) && c->lose_ns < then_ns)
		return c->lose_ns;
	return then_ns;
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
		if (too_late)
			finish(c, end, now_ns, out);
		else if (now_ns >= c->redial_ns)
			dial(c, has_cookie, now_ns, out);
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
	if (c->state == CALL_WAITING)
		finish(c, CALL_ABANDONED, now_ns, out);
	else
		give_up(c, CALL_ABANDONED, out);
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

void call_step(struct call *c, const struct call_input *in, int64_t now_ns,
	       struct call_actions *out)
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

void call_forgive(struct call *c, int64_t asleep_ns)
{
	c->asked_ns += asleep_ns;
	if (c->limit_ns != INT64_MAX)
		c->limit_ns += asleep_ns;
	c->wake_ns = wake_of(c);
}
