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
}

void inspector_free(struct inspector *i)
{
	resp_free(&i->commands);
	resp_free(&i->replies);
	free(i->open);
}

static void open_push(struct inspector *i, const struct event *e)
{
	if (i->count == i->cap) {
		size_t cap = i->cap ? i->cap * 2 : OPEN_AT_FIRST;
		struct event *bigger = xcalloc(cap, sizeof *bigger);

		for (size_t k = 0; k < i->count; k++)
			bigger[k] = i->open[(i->first + k) & (i->cap - 1)];
		free(i->open);
		i->open = bigger;
		i->first = 0;
		i->cap = cap;
	}
	i->open[(i->first + i->count++) & (i->cap - 1)] = *e;
}

static struct event open_pop(struct inspector *i)
{
	struct event e = i->open[i->first];

	i->first = (i->first + 1) & (i->cap - 1);
	i->count--;
	return e;
}

/* The answer's event: the command's own fields, its time in `due`. */
static struct event outcome(enum event_kind kind, const struct event *inv, int64_t now_ns)
{
	struct event e = *inv;

	e.kind = (uint8_t)kind;
	e.due_ns = inv->t_ns;
	e.t_ns = now_ns;
	return e;
}

static size_t leave_open(struct inspector *i, int64_t now_ns)
{
	size_t left = i->count;

	while (i->count) {
		struct event inv = open_pop(i), e = outcome(EVENT_CMD_INFO, &inv, now_ns);

		i->listener->event(i->user, &e, NULL);
	}
	return left;
}

static void go_blind(struct inspector *i, const char *why, int64_t now_ns)
{
	i->is_blind = true;
	leave_open(i, now_ns);
	i->listener->blind(i->user, why);
}

static void put_state(struct event *e, const struct state_seen *s)
{
	if (!s->found)
		return;
	e->n = s->n;
	e->digest = s->digest;
	e->ver = s->ver;
	e->epoch = s->epoch;
	e->flags |= CMD_HAS_STATE;
}

static void on_command(struct inspector *i, int64_t now_ns)
{
	struct command c = command_read(&i->commands, i->pattern);
	struct event e = event_make(EVENT_CMD_INV, i->begun_ns);

	e.conn = i->conn;
	e.instance = i->instance;
	e.color = i->color;
	e.code = (uint16_t)c.verb;
	e.aux = c.ttl_s;
	if (c.id[0]) {
		e.call = hash_id(c.id, strlen(c.id));
		e.flags = CMD_CALL_KEY | (!strncmp(c.id, "p-", 2) ? CMD_PROBE : 0);
	}
	put_state(&e, &c.state);
	i->listener->event(i->user, &e, c.id[0] ? c.id : NULL);
	open_push(i, &e);
	if (c.unpaired)
		go_blind(i, c.unpaired, now_ns);
	else if (i->count > INSPECTOR_OPEN_MAX)
		go_blind(i, "too many commands without an answer", now_ns);
}

static void on_reply(struct inspector *i, int64_t now_ns)
{
	const struct resp *r = &i->replies;
	struct event inv, e;
	const char *text;
	size_t size = 0;

	if (r->type == '>') /* nobody asked */
		return;
	if (!i->count) {
		go_blind(i, "an answer without a command", now_ns);
		return;
	}
	inv = open_pop(i);
	text = resp_arg(r, 0, &size);
	if (r->type == '-' || r->type == '!') {
		e = outcome(text && error_means_no_effect((enum verb)inv.code, text, size) ?
				    EVENT_CMD_ERR :
				    EVENT_CMD_INFO,
			    &inv, now_ns);
	} else if (r->type == '+' && size == 6 && !memcmp(text, "QUEUED", 6)) {
		e = outcome(EVENT_CMD_INFO, &inv,
			    now_ns); /* in a transaction: done, or not, by EXEC */
	} else {
		e = outcome(EVENT_CMD_OK, &inv, now_ns);
		if (r->null) {
			e.flags |= CMD_NIL;
		} else if (inv.code == VERB_GET && inv.flags & CMD_CALL_KEY && text) {
			struct state_seen state = state_seen_read(text, size);

			put_state(&e, &state);
		}
	}
	i->listener->event(i->user, &e, NULL);
}

void inspector_commands(struct inspector *i, const char *data, size_t size, int64_t now_ns)
{
	while (size && !i->is_blind) {
		bool begun = i->commands.begun;
		enum resp_status status;
		size_t used;

		if (!begun)
			i->begun_ns = now_ns;
		status = resp_feed(&i->commands, data, size, &used);
		if (status == RESP_MESSAGE)
			on_command(i, now_ns);
		else if (status == RESP_BROKEN)
			go_blind(i, "the agent does not speak RESP", now_ns);
		data += used;
		size -= used;
	}
}

void inspector_replies(struct inspector *i, const char *data, size_t size, int64_t now_ns)
{
	while (size && !i->is_blind) {
		size_t used;
		enum resp_status status = resp_feed(&i->replies, data, size, &used);

		if (status == RESP_MESSAGE)
			on_reply(i, now_ns);
		else if (status == RESP_BROKEN)
			go_blind(i, "Redis does not speak RESP", now_ns);
		data += used;
		size -= used;
	}
}

size_t inspector_end(struct inspector *i, int64_t now_ns)
{
	return leave_open(i, now_ns);
}
