#include "director/probe_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "net/resolve.h"
#include "net/ws.h"
#include "record/event.h"

enum probe_stage { DIALING, OPENING, ASKING, LEAVING, OVER };

struct probe {
	const struct probe_target *target;
	struct loop *loop;
	struct ws *ws; /* NULL once ended */
	struct wire_context context;
	void *wire_state;
	enum probe_stage stage;
	struct probe_result result;
	bool answered;
	struct err *err;
};

static void send_frame(void *user, const void *data, size_t size, bool binary)
{
	struct probe *p = user;

	if (p->ws && ws_send(p->ws, data, size, binary) < 0)
		err_set(p->err, ERR_WORLD, "the leg takes no more bytes");
}

static void give_up(struct probe *p, const char *why)
{
	if (!p->err->kind)
		err_set(p->err, ERR_WORLD, "%s", why);
	if (p->ws)
		ws_abort(p->ws, false);
}

static void note_origin(struct probe *p, enum color color, const char *instance)
{
	if (p->result.color == COLOR_UNKNOWN)
		p->result.color = color;
	if (!p->result.instance[0] && instance)
		snprintf(p->result.instance, sizeof p->result.instance, "%s", instance);
}

static void on_open(void *user, const struct ws_accepted *accepted)
{
	struct probe *p = user;
	struct wire_sink sink = { send_frame, p };
	int color = accepted->color ? color_parse(accepted->color) : -1;

	note_origin(p, color > 0 ? (enum color)color : COLOR_UNKNOWN, accepted->instance);
	p->stage = OPENING;
	p->target->wire->open(p->wire_state, &p->context, &sink);
}

static void on_meaning(void *user, const struct meaning *m)
{
	struct probe *p = user;
	struct wire_sink sink = { send_frame, p };
	uint64_t want = hash_chain_next(hash_chain_start(p->target->call, strlen(p->target->call)),
					1, p->target->token);

	note_origin(p, m->color, m->instance);
	if (m->kind == MEANING_ERROR) {
		err_set(p->err, ERR_WORLD, "the agent answered an error: %s", m->text);
		give_up(p, "");
	} else if (p->stage == OPENING && m->kind == MEANING_READY) {
		struct wire_turn turn = { .n = 1, .token = p->target->token };

		p->stage = ASKING;
		p->target->wire->turn(p->wire_state, &p->context, &turn, &sink);
	} else if (p->stage == ASKING && m->kind == MEANING_REPLY) {
		p->stage = LEAVING;
		p->result.has_digest = m->has & STATE_HAS_DIGEST;
		p->result.digest = m->digest;
		if ((m->has & STATE_HAS_TURNS) && m->turns != 1) {
			err_set(p->err, ERR_WORLD, "the reply to turn 1 says %u turns", m->turns);
			give_up(p, "");
		} else if (p->result.has_digest && m->digest != want) {
			err_set(p->err, ERR_WORLD,
				"the digest after turn 1 is %016llx, should be %016llx",
				(unsigned long long)m->digest, (unsigned long long)want);
			give_up(p, "");
		} else {
			p->answered = true;
			p->target->wire->bye(p->wire_state, &p->context, &sink);
			ws_close(p->ws, 1000);
		}
	}
}

static void on_message(void *user, const void *data, size_t size, bool binary)
{
	struct probe *p = user;

	if (p->target->wire->receive(p->wire_state, &p->context, data, size, binary, on_meaning, p,
				     p->err) < 0)
		give_up(p, "");
}

static void on_end(void *user, const struct ws_ended *e)
{
	struct probe *p = user;

	p->ws = NULL;
	p->stage = OVER;
	if (!p->answered && !p->err->kind) {
		if (!e->established)
			err_set(p->err, ERR_WORLD, "dial failed: %s%s%.*d%s%s",
				dial_failure_name(e->failure), e->status ? " " : "",
				e->status ? 3 : 0, e->status,
				e->failure == DIAL_TLS_CERT ? ": " : "",
				e->failure == DIAL_TLS_CERT ? e->text : "");
		else
			err_set(p->err, ERR_WORLD,
				"the leg ended before the reply: %s %u by the %s",
				leg_how_name(e->how), e->code, side_name(e->side));
	}
	loop_stop(p->loop);
}

static void on_deadline(void *user)
{
	struct probe *p = user;
	static const char *const waiting_for[] = { "the 101", "ready", "the reply to turn 1",
						   "the close", "nothing" };

	if (!p->answered) {
		err_set(p->err, ERR_WORLD, "no answer within %lld ms while waiting for %s",
			(long long)(p->target->timeout_ns / NS_PER_MS), waiting_for[p->stage]);
		give_up(p, "");
	} else if (p->ws) {
		ws_abort(p->ws, false);
	}
}

int probe_call(const struct probe_target *target, struct probe_result *ret, struct err *err)
{
	static const struct ws_owner owner = { .on_open = on_open,
					       .on_message = on_message,
					       .on_end = on_end };
	struct probe p = { .target = target,
			   .context = { .call = target->call, .conn = target->call } };
	struct ws_settings settings = { .tls_verify = true, .ca_file = target->ca };
	struct ws_context *context = NULL;
	struct wire_handshake handshake = { .protocol = NULL };
	struct ws_header headers[WIRE_HEADERS_MAX];
	struct loop_timer *timer = NULL;
	struct ws_dial dial = { .host = NULL };
	struct err fault = { .kind = ERR_NONE };
	int64_t start_ns = clock_now_ns();
	struct url url;

	p.err = &fault;
	if (url_parse(target->url, &url, &fault) < 0 ||
	    resolve_ipv4(url.host, url.port, &dial.address, &fault) < 0)
		goto out;
	p.loop = loop_new();
	if (ws_context_new(p.loop, &settings, &context, &fault) < 0)
		goto out;
	target->wire->handshake(&p.context, &handshake);
	for (size_t i = 0; i < handshake.header_count; i++)
		headers[i] = (struct ws_header){ handshake.headers[i].name,
						 handshake.headers[i].value };
	p.wire_state = xcalloc(1, target->wire->state_bytes + 1);
	dial.host = url.authority;
	dial.path = url.path;
	dial.protocol = handshake.protocol;
	dial.headers = headers;
	dial.header_count = handshake.header_count;
	dial.tls = url.tls;
	timer = loop_timer_new(p.loop, on_deadline, &p);
	loop_timer_at(timer, start_ns + target->timeout_ns);
	p.ws = ws_dial(context, &dial, &owner, &p, &fault);
	if (p.ws)
		loop_run(p.loop);
out:
	loop_timer_free(timer);
	ws_context_free(context);
	loop_free(p.loop);
	free(p.wire_state);
	p.result.took_ns = clock_now_ns() - start_ns;
	if (p.answered) {
		*ret = p.result;
		return 0;
	}
	*err = fault;
	return err_context(err, "probe call %s to %s", target->call, target->url);
}
