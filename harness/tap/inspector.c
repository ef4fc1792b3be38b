#include "tap/inspector.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { OPEN_AT_FIRST = 16 };

void inspector_init(struct inspector *i, const struct inspector_listener *listener, void *user,
		    const struct key_pattern *pattern)
{
	*i = (struct inspector){ .listener = listener, .user = user, .pattern = pattern };
	resp_init(&i->commands, RESP_COMMANDS);
	resp_init(&i->replies, RESP_REPLIES);
	i->replies.user = i;
}

void inspector_free(struct inspector *i)
{
	resp_free(&i->commands);
	resp_free(&i->replies);
	free(i->open);
	free(i->queued);
}

struct open_command *inspector_open(const struct inspector *i, size_t k)
{
	return &i->open[(i->first + k) & (i->cap - 1)];
}

static void open_push(struct inspector *i, const struct open_command *o)
{
	if (i->count == i->cap) {
		size_t cap = i->cap ? i->cap * 2 : OPEN_AT_FIRST;
		struct open_command *bigger = xcalloc(cap, sizeof *bigger);

		for (size_t k = 0; k < i->count; k++)
			bigger[k] = *inspector_open(i, k);
		free(i->open);
		i->open = bigger;
		i->first = 0;
		i->cap = cap;
	}
	i->count++;
	*inspector_open(i, i->count - 1) = *o;
	i->feeds_open += o->role == COMMAND_SUBSCRIBE || o->role == COMMAND_UNSUBSCRIBE;
}

static struct open_command open_pop(struct inspector *i)
{
	struct open_command o = *inspector_open(i, 0);

	i->first = (i->first + 1) & (i->cap - 1);
	i->count--;
	i->feeds_open -= o.role == COMMAND_SUBSCRIBE || o.role == COMMAND_UNSUBSCRIBE;
	return o;
}

static void queued_push(struct inspector *i, const struct open_command *o)
{
	if (i->queued_count == i->queued_cap) {
		i->queued_cap = i->queued_cap ? i->queued_cap * 2 : OPEN_AT_FIRST;
		i->queued = xrealloc(i->queued, i->queued_cap * sizeof *i->queued);
	}
	i->queued[i->queued_count++] = *o;
}

/* --- outcomes --- */

struct answer {
	char type;
	bool null;
	const char *text; /* NULL when it was too long to keep, or is no text */
	size_t size;
};

static struct answer answer_of(const struct resp *r, char type, bool null)
{
	struct answer a = { .type = type, .null = null };

	a.text = resp_arg(r, 0, &a.size);
	return a;
}

static void put_state(struct event *e, const struct state_seen *s)
{
	if (!s->found)
		return;
	e->n = s->n;
	e->digest = s->digest;
	e->ver = s->ver;
	e->epoch = s->epoch;
	e->turn = s->fields;
	e->leg = s->names;
	e->flags |= CMD_HAS_STATE;
}

/* The outcome's event: the command's own fields, its time in `due`. */
static struct event outcome(enum event_kind kind, const struct open_command *o, int64_t now_ns)
{
	struct event e = o->inv;

	e.kind = (uint8_t)kind;
	e.due_ns = o->inv.t_ns;
	e.t_ns = now_ns;
	return e;
}

static void tell(struct inspector *i, const struct event *e)
{
	i->listener->event(i->user, e, NULL);
}

static void without_effect(struct inspector *i, const struct open_command *o,
			   enum redis_error error)
{
	struct event e = outcome(EVENT_CMD_ERR, o, i->now_ns);

	e.aux = error;
	if (o->role == COMMAND_SELECT)
		i->db = i->db_confirmed;
	tell(i, &e);
}

static void unknown_effect(struct inspector *i, const struct open_command *o)
{
	struct event e = outcome(EVENT_CMD_INFO, o, i->now_ns);

	tell(i, &e);
}

static bool refused(const struct open_command *o, const struct answer *a)
{
	switch ((enum command_refusal)o->refusal) {
	case REFUSED_BY_NIL:
		return a->null;
	case REFUSED_BY_ZERO:
		return a->type == ':' && a->size == 1 && *a->text == '0';
	case REFUSED_BY_VALUE:
		return !a->null;
	case REFUSED_NEVER:
		return false;
	}
	return false;
}

static void resolve(struct inspector *i, const struct open_command *o, const struct answer *a)
{
	struct event e;

	if (a->type == '-' || a->type == '!') {
		if (a->text && error_means_no_effect((enum verb)o->inv.code, a->text, a->size))
			without_effect(i, o, redis_error_of(a->text, a->size));
		else
			unknown_effect(i, o);
		return;
	}
	e = outcome(EVENT_CMD_OK, o, i->now_ns);
	if (refused(o, a)) {
		e.flags |= CMD_NIL;
	} else if (e.code == VERB_GET && e.flags & CMD_CALL_KEY && a->text) {
		struct state_seen state = state_seen_read(a->text, a->size);

		put_state(&e, &state);
	}
	if (o->role == COMMAND_SELECT)
		i->db_confirmed = o->number;
	tell(i, &e);
}

static size_t leave_open(struct inspector *i)
{
	size_t left = i->count;

	/* EXEC's array may have told some of them before it broke off. */
	for (size_t k = i->executed; k < i->queued_count; k++, left++)
		unknown_effect(i, &i->queued[k]);
	i->queued_count = i->executed = 0;
	while (i->count) {
		struct open_command o = open_pop(i);

		unknown_effect(i, &o);
	}
	return left;
}

static void go_blind(struct inspector *i, const char *why)
{
	i->is_blind = true;
	leave_open(i);
	i->listener->blind(i->user, why);
}

/* --- commands --- */

static bool is_answered(struct inspector *i, enum command_role role)
{
	bool skipped = i->reply_mode == NEXT_UNANSWERED;

	if (role == COMMAND_REPLY_ON || role == COMMAND_RESET) {
		i->reply_mode = ANSWERED;
		return true;
	}
	if (i->reply_mode == UNANSWERED)
		return false;
	i->reply_mode = role == COMMAND_REPLY_OFF  ? UNANSWERED :
			role == COMMAND_REPLY_SKIP ? NEXT_UNANSWERED :
						     ANSWERED;
	return !skipped && i->reply_mode == ANSWERED;
}

static void on_command(struct inspector *i)
{
	struct command c = command_read(&i->commands, i->db ? NULL : i->pattern);
	struct open_command o = { .inv = event_make(EVENT_CMD_INV, i->begun_ns),
				  .begin = i->command_begin,
				  .end = i->commands_end,
				  .number = c.number,
				  .role = (uint8_t)c.role,
				  .refusal = (uint8_t)c.refusal,
				  .feed = (uint8_t)c.feed };

	o.inv.conn = i->conn;
	o.inv.instance = i->instance;
	o.inv.color = i->color;
	o.inv.code = (uint16_t)c.verb;
	o.inv.aux = c.ttl_s;
	if (c.id[0]) {
		o.inv.call = hash_id(c.id, strlen(c.id));
		o.inv.flags = CMD_CALL_KEY | (!strncmp(c.id, "p-", 2) ? CMD_PROBE : 0);
	}
	o.inv.flags |= (c.keeps_ttl ? CMD_KEEP_TTL : 0) | (c.ttl_at ? CMD_TTL_AT : 0);
	put_state(&o.inv, &c.state);
	i->listener->event(i->user, &o.inv, c.id[0] ? c.id : NULL);
	if (c.role == COMMAND_SELECT)
		i->db = c.number;
	else if (c.role == COMMAND_RESET)
		i->db = 0;
	if (!is_answered(i, c.role)) {
		unknown_effect(i, &o);
	} else {
		if (i->listener->pull)
			i->listener->pull(i->user, &c, &o);
		open_push(i, &o);
	}
	if (c.secret) {
		resp_wipe(&i->commands);
		i->secret = true;
	}
	if (c.role == COMMAND_UNPAIRED)
		go_blind(i, c.word);
	else if (i->count + i->queued_count > INSPECTOR_OPEN_MAX)
		go_blind(i, "too many commands without an answer");
}

void inspector_commands(struct inspector *i, const char *data, size_t size, int64_t now_ns)
{
	uint64_t end = i->taken + size;

	i->now_ns = now_ns;
	i->secret = false;
	while (size && !i->is_blind) {
		enum resp_status status;
		size_t used;

		if (!i->commands.begun) {
			i->begun_ns = now_ns;
			i->command_begin = i->taken;
		}
		status = resp_feed(&i->commands, data, size, &used);
		data += used;
		size -= used;
		i->taken += used;
		if (status == RESP_MESSAGE) {
			i->commands_end = i->taken;
			on_command(i);
		} else if (status == RESP_BROKEN) {
			go_blind(i, "the agent does not speak RESP");
		}
	}
	i->taken = end;
	i->secret |= i->commands.begun; /* it may turn out to be a password */
}

static void on_ack(struct inspector *i)
{
	struct open_command *o = i->count ? inspector_open(i, 0) : NULL;
	uint32_t expected = feeds_ack(&i->feeds);

	if (!o || (o->role != COMMAND_SUBSCRIBE && o->role != COMMAND_UNSUBSCRIBE) ||
	    o->feed != i->feeds.told.feed)
		return; /* Redis ended the subscription by itself */
	if (!o->acks)
		o->acks = o->number ? o->number : expected;
	if (--o->acks == 0) {
		struct open_command done = open_pop(i);

		resolve(i, &done, &(struct answer){ .type = '*' });
	}
}

static bool has_feeds(const struct inspector *i)
{
	return i->feeds_open || feeds_any(&i->feeds);
}

/* --- replies --- */

static void on_element(void *user, const struct resp *r, char type, bool null)
{
	struct inspector *i = user;
	struct answer a = answer_of(r, type, null);

	if (r->type == '>' || !i->executes)
		feeds_element(&i->feeds, r);
	else if (i->executed < i->queued_count)
		resolve(i, &i->queued[i->executed++], &a);
}

/* EXEC, answered: what its array did not tell was aborted with it, or is not known. */
static void on_executed(struct inspector *i, const struct answer *a)
{
	bool none = a->null || ((a->type == '-' || a->type == '!') && a->text &&
				error_means_no_effect(VERB_EXEC, a->text, a->size));

	for (; i->executed < i->queued_count; i->executed++) {
		if (none)
			without_effect(i, &i->queued[i->executed], REDIS_ERROR_NONE);
		else
			unknown_effect(i, &i->queued[i->executed]);
	}
	i->queued_count = 0;
}

static void on_discarded(struct inspector *i)
{
	for (size_t k = 0; k < i->queued_count; k++)
		without_effect(i, &i->queued[k], REDIS_ERROR_NONE);
	i->queued_count = 0;
}

static void on_answer(struct inspector *i, const struct answer *a)
{
	struct open_command o = open_pop(i);

	if (a->type == '+' && a->size == 6 && !memcmp(a->text, "QUEUED", 6)) {
		queued_push(i, &o);
		return;
	}
	if (o.role == COMMAND_EXEC)
		on_executed(i, a);
	else if ((o.role == COMMAND_DISCARD || o.role == COMMAND_RESET) && a->type == '+')
		on_discarded(i);
	if (o.role == COMMAND_RESET && a->type == '+') {
		i->feeds = (struct feeds){ .subscribed = { 0 } };
		i->db_confirmed = 0;
	}
	resolve(i, &o, a);
}

static void on_reply(struct inspector *i)
{
	const struct resp *r = &i->replies;
	struct answer a = answer_of(r, r->type, r->null);

	if (i->feeds.told.is_ack)
		on_ack(i);
	if (r->type == '>' || i->feeds.told.is_ack || i->feeds.told.is_message)
		return; /* nobody asked, or it was the answer to a subscription */
	if (i->count)
		on_answer(i, &a);
	else if (r->type != '-' || i->taken) /* an error before any command: Redis is full */
		go_blind(i, "an answer without a command");
}

enum resp_status inspector_reply(struct inspector *i, const char *data, size_t size, int64_t now_ns,
				 size_t *ret_used)
{
	enum resp_status status;

	i->now_ns = now_ns;
	if (!i->replies.begun) {
		i->executes = i->count && inspector_open(i, 0)->role == COMMAND_EXEC;
		i->executed = 0;
		i->replies.element = i->executes || *data == '>' || has_feeds(i) ? on_element :
										   NULL;
		feeds_begin(&i->feeds);
	}
	status = resp_feed(&i->replies, data, size, ret_used);
	if (status == RESP_MESSAGE)
		on_reply(i);
	else if (status == RESP_BROKEN)
		go_blind(i, "Redis does not speak RESP");
	return status;
}

void inspector_replies(struct inspector *i, const char *data, size_t size, int64_t now_ns)
{
	while (size && !i->is_blind) {
		size_t used;

		inspector_reply(i, data, size, now_ns, &used);
		data += used;
		size -= used;
	}
}

void inspector_answer(struct inspector *i, const char *error, int64_t now_ns)
{
	i->now_ns = now_ns;
	on_answer(i, &(struct answer){ .type = '-', .text = error, .size = strlen(error) });
}

size_t inspector_end(struct inspector *i, int64_t now_ns)
{
	i->now_ns = now_ns;
	return leave_open(i);
}
