#include "sim/call_events.h"

#include "base/clock.h"
#include "base/err.h"

enum { SWITCHING_PROTOCOLS = 101 };

struct call_action *call_act(struct call_actions *out, enum call_action_kind kind)
{
	struct call_action *a = &out->list[out->count++];

	ASSERT(out->count <= CALL_ACTIONS_MAX);
	*a = (struct call_action){ .kind = kind };
	return a;
}

static struct call_action *record(const struct call *c, enum event_kind kind, int64_t now_ns,
				  struct call_actions *out)
{
	struct call_action *a = call_act(out, DO_RECORD);

	a->event = event_make(kind, now_ns);
	a->event.call = c->id;
	a->event.leg = c->leg;
	return a;
}

static struct event *record_send(const struct call *c, enum event_kind kind, int64_t now_ns,
				 struct call_actions *out)
{
	struct call_action *a = record(c, kind, now_ns, out);

	a->sends = true;
	return &a->event;
}

static void place(const struct call *c, struct event *e)
{
	e->color = (uint8_t)c->color;
	e->instance = c->instance;
}

static void fill_state(struct event *e, const struct meaning *m)
{
	e->n = m->turns > UINT16_MAX ? UINT16_MAX : (uint16_t)m->turns;
	e->digest = m->digest;
	e->ver = m->version;
	e->epoch = m->epoch;
	e->flags = m->has;
}

void say_start(const struct call *c, int64_t now_ns, struct call_actions *out)
{
	struct event *e = &record(c, EVENT_CALL_START, now_ns, out)->event;

	e->due_ns = c->start_ns;
	e->flags = (uint8_t)c->plan.profile;
	e->turn = (uint16_t)c->plan.turns;
	e->aux = (uint32_t)(c->plan.hold_ns / NS_PER_MS);
}

void say_dial(const struct call *c, int64_t now_ns, struct call_actions *out)
{
	struct event *e = &record(c, EVENT_DIAL_INV, now_ns, out)->event;

	e->due_ns = c->redial_ns;
	e->flags = c->dial_flags;
}

void say_open(const struct call *c, int64_t now_ns, struct call_actions *out)
{
	struct event *e = &record(c, EVENT_DIAL_OK, now_ns, out)->event;

	e->code = SWITCHING_PROTOCOLS;
	e->due_ns = c->dialed_ns;
	e->flags = c->dial_flags;
	e->aux = c->tls;
	place(c, e);
}

void say_resume(const struct call *c, int64_t now_ns, struct call_actions *out)
{
	struct event *e = record_send(c, EVENT_RESUME_INV, now_ns, out);

	e->turn = (uint16_t)c->acked;
	e->n = (uint16_t)c->sent;
}

void say_ready(const struct call *c, const struct meaning *m, bool agrees, int64_t now_ns,
	       struct call_actions *out)
{
	enum event_kind kind = c->admitted ? EVENT_RESUME_OK : EVENT_START_OK;
	struct event *e = &record(c, kind, now_ns, out)->event;

	place(c, e);
	fill_state(e, m);
	if (!agrees)
		e->flags |= STATE_TWO_ORIGINS;
}

void say_turn(const struct call *c, uint8_t flags, int64_t now_ns, struct call_actions *out)
{
	struct event *e = record_send(c, EVENT_TURN_INV, now_ns, out);

	e->due_ns = c->asked_due_ns;
	e->turn = (uint16_t)c->sent;
	e->digest = c->digest;
	e->ver = (uint32_t)(c->token >> 32);
	e->epoch = (uint32_t)c->token;
	e->flags = flags;
}

void say_reply(const struct call *c, const struct call_input *in, bool awaited, int64_t now_ns,
	       struct call_actions *out)
{
	const struct meaning *m = in->meaning;
	struct event *e = &record(c, EVENT_REPLY_OK, now_ns, out)->event;

	/* As this message says: a leg that is answered from two places is news. */
	e->color = (uint8_t)(in->color != COLOR_UNKNOWN ? in->color : c->color);
	e->instance = in->instance ? in->instance : c->instance;
	fill_state(e, m);
	e->turn = (uint16_t)m->n;
	e->aux = m->redis_us;
	if (awaited)
		e->due_ns = c->asked_due_ns;
}

void say_notice(const struct call *c, const struct meaning *m, int64_t now_ns,
		struct call_actions *out)
{
	struct call_action *a = record(c, EVENT_AGENT_NOTICE, now_ns, out);

	a->event.code = m->kind == MEANING_DRAINING ? NOTICE_DRAINING : NOTICE_ERROR;
	a->event.aux = m->within_ms;
	a->text = m->kind == MEANING_ERROR ? m->text : NULL;
}

void say_lose(const struct call *c, int64_t now_ns, struct call_actions *out)
{
	struct event *e = record_send(c, EVENT_LEG_LOSE, now_ns, out);

	e->due_ns = c->lose_ns;
	e->flags = c->reset;
}

void say_hangup(const struct call *c, int64_t now_ns, struct call_actions *out)
{
	struct event *e = record_send(c, EVENT_HANGUP_INV, now_ns, out);

	e->due_ns = c->start_ns + c->plan.hold_ns;
	e->turn = (uint16_t)c->sent;
}

void say_end(const struct call *c, const struct call_input *in, bool timed_out, int64_t now_ns,
	     struct call_actions *out)
{
	enum event_kind kind = in->established ? EVENT_LEG_END : EVENT_DIAL_FAIL;
	struct event *e = &record(c, kind, now_ns, out)->event;

	e->code = in->code;
	if (!in->established) {
		e->n = (uint16_t)in->failure;
		e->aux = c->attempt;
		e->due_ns = c->dialed_ns;
		return;
	}
	e->n = (uint16_t)(timed_out ? LEG_TIMEOUT : in->how);
	e->flags = (uint8_t)in->side;
	place(c, e);
	e->aux = (uint32_t)((now_ns - c->heard_ns) / NS_PER_MS);
}

void say_over(const struct call *c, int64_t now_ns, struct call_actions *out)
{
	struct event *e = &record(c, EVENT_CALL_END, now_ns, out)->event;

	e->code = (uint16_t)c->end;
	e->turn = (uint16_t)c->acked;
	e->aux = c->legs;
}
