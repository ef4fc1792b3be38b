#include "tap/passage.h"

#include <string.h>

#include "base/clock.h"

/* --- levers --- */

static void on_pull(void *user, const struct command *c, struct open_command *o)
{
	struct passage *p = user;
	const struct lever_subject subject = { .command = c,
					       .instance = p->instance,
					       .color = (enum color)p->inspector.color };
	int64_t now_ns = p->inspector.now_ns;

	if (!p->levers->armed || o->begin < p->passed)
		return; /* its beginning is with Redis already */
	o->lever = levers_take(p->levers, &subject, now_ns);
	if (!o->lever)
		return;
	switch (o->lever->action) {
	case LEVER_DELAY:
		o->until_ns = now_ns + o->lever->for_ns;
		p->listener->bite(p->user, &o->inv, o->lever);
		break;
	case LEVER_HOLD:
		o->until_ns = o->lever->for_ns ? o->lever->hold_until_ns : INT64_MAX;
		p->listener->bite(p->user, &o->inv, o->lever);
		break;
	case LEVER_ERROR:
	case LEVER_SWALLOW:
		p->pulled++;
		break;
	case LEVER_CUT:
		break;
	}
}

static bool is_pulled(const struct open_command *o, enum lever_action action)
{
	return o->lever && o->lever->action == action;
}

/* Commands that never went to Redis are answered when their turn comes, between two answers. */
static void answer_ours(struct passage *p)
{
	struct inspector *i = &p->inspector;

	while (i->count && p->pulled && !i->replies.begun) {
		struct open_command *o = inspector_open(i, 0);
		const char *error;

		if (!is_pulled(o, LEVER_ERROR) || o->end > p->passed)
			return;
		error = o->lever->error;
		p->listener->bite(p->user, &o->inv, o->lever);
		p->pulled--;
		relay_send(p->relay, RELAY_NEAR, "-", 1);
		relay_send(p->relay, RELAY_NEAR, error, strlen(error));
		relay_send(p->relay, RELAY_NEAR, "\r\n", 2);
		inspector_answer(i, error, clock_now_ns());
	}
}

static void on_time(void *user)
{
	struct passage *p = user;

	relay_go_on(p->relay, RELAY_NEAR);
}

static void wait_until(struct passage *p, int64_t until_ns)
{
	if (!p->timer)
		p->timer = loop_timer_new(p->loop, on_time, p);
	loop_timer_at(p->timer, until_ns);
}

/* --- from the agent --- */

/* data[0] is the byte p->passed of the agent's stream. */
static void pass_to(struct passage *p, const char *data, uint64_t base, uint64_t end)
{
	if (end > p->passed) {
		relay_send(p->relay, RELAY_FAR, data + (p->passed - base), end - p->passed);
		p->passed = end;
	}
}

static size_t pass_commands(struct passage *p, const char *data, size_t size, bool last)
{
	struct inspector *i = &p->inspector;
	uint64_t base = p->passed, ready = i->commands_end;
	int64_t now_ns = clock_now_ns();

	for (size_t k = 0; k < i->count; k++) {
		const struct open_command *o = inspector_open(i, k);

		if (o->end <= p->passed)
			continue;
		if (o->until_ns > now_ns) {
			pass_to(p, data, base, o->begin);
			wait_until(p, o->until_ns);
			return p->passed - base;
		}
		if (is_pulled(o, LEVER_CUT)) {
			pass_to(p, data, base, o->begin);
			p->listener->bite(p->user, &o->inv, o->lever);
			relay_cut(p->relay);
			return size;
		}
		if (is_pulled(o, LEVER_ERROR)) {
			pass_to(p, data, base, o->begin);
			p->passed = o->end;
		}
	}
	/* Half a command waits for its other half, so that a lever can take it. */
	if (i->is_blind || last || !p->levers->armed || base + size - ready >= RELAY_CHUNK_BYTES)
		ready = base + size;
	pass_to(p, data, base, ready);
	answer_ours(p);
	return p->passed - base;
}

static size_t from_agent(struct passage *p, const char *data, size_t size, bool last)
{
	struct inspector *i = &p->inspector;
	size_t seen = i->taken - p->passed;
	int64_t now_ns = clock_now_ns();
	bool at_once = !seen && !p->levers->armed;

	/* The stamp is from before; reading need not keep the command waiting. */
	if (at_once) {
		p->passed += size;
		relay_send(p->relay, RELAY_FAR, data, size);
	}
	inspector_commands(i, data + seen, size - seen, now_ns);
	if (i->secret)
		relay_forget(p->relay);
	return at_once ? size : pass_commands(p, data, size, last);
}

/* --- from Redis --- */

static void from_redis(struct passage *p, const char *data, size_t size)
{
	struct inspector *i = &p->inspector;
	int64_t now_ns;

	while (size && p->pulled) {
		char type = i->replies.begun ? i->replies.type : *data;
		struct open_command head;
		bool swallowed = false;
		size_t used, open = i->count;

		if (open) {
			head = *inspector_open(i, 0);
			swallowed = type != '>' && is_pulled(&head, LEVER_SWALLOW);
		}
		inspector_reply(i, data, size, clock_now_ns(), &used);
		if (!swallowed) {
			relay_send(p->relay, RELAY_NEAR, data, used);
		} else if (i->count < open) {
			p->listener->bite(p->user, &head.inv, head.lever);
			relay_cut(p->relay);
			return;
		}
		data += used;
		size -= used;
		answer_ours(p);
	}
	now_ns = clock_now_ns();
	relay_send(p->relay, RELAY_NEAR, data, size);
	inspector_replies(i, data, size, now_ns);
}

static size_t on_came(void *user, enum relay_side from, const char *data, size_t size, bool last)
{
	struct passage *p = user;

	if (from == RELAY_NEAR)
		return from_agent(p, data, size, last);
	from_redis(p, data, size);
	return size;
}

/* --- the passage --- */

static void on_event(void *user, const struct event *e, const char *id)
{
	struct passage *p = user;

	p->listener->event(p->user, e, id);
}

static void on_blind(void *user, const char *why)
{
	struct passage *p = user;

	p->pulled = 0;
	p->listener->blind(p->user, why);
}

static void on_ended(void *user)
{
	struct passage *p = user;

	p->relay = NULL;
	p->listener->ended(p->user);
}

void passage_init(struct passage *p, struct loop *loop, const struct passage_listener *listener,
		  void *user, const struct key_pattern *pattern, struct levers *levers,
		  const char *instance)
{
	static const struct inspector_listener told = { .event = on_event,
							.blind = on_blind,
							.pull = on_pull };

	*p = (struct passage){ .listener = listener,
			       .user = user,
			       .loop = loop,
			       .levers = levers,
			       .instance = instance };
	inspector_init(&p->inspector, &told, p, pattern);
}

void passage_open(struct passage *p, int near, int far)
{
	static const struct relay_owner owner = { .came = on_came, .ended = on_ended };

	p->relay = relay_new(p->loop, near, far, &owner, p);
}

void passage_release(struct passage *p, const struct lever *lever)
{
	bool any = false;

	for (size_t k = 0; k < p->inspector.count; k++) {
		struct open_command *o = inspector_open(&p->inspector, k);

		if (o->lever == lever && o->until_ns) {
			o->until_ns = 0;
			any |= o->end > p->passed;
		}
	}
	if (any)
		relay_go_on(p->relay, RELAY_NEAR);
}

size_t passage_free(struct passage *p)
{
	size_t left;

	relay_free(p->relay);
	left = inspector_end(&p->inspector, clock_now_ns());
	loop_timer_free(p->timer);
	inspector_free(&p->inspector);
	return left;
}
