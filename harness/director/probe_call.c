#include "director/probe_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "net/resolve.h"
#include "record/event.h"

enum { OWN_HEADERS_MAX = 32 };

struct probe {
	const struct probe_target *target;
	struct loop *loop;
	struct ws *ws; /* NULL once ended */
	struct wire_context context;
	void *wire_state;
	enum probe_step step; /* under way; PROBE_STEPS: leaving */
	int64_t step_since_ns;
	struct probe_result *result;
	struct err *err;
};

static void send_frame(void *user, const void *data, size_t size, bool binary)
{
	struct probe *p = user;

	if (p->ws && ws_send(p->ws, data, size, binary) < 0)
		err_set(p->err, ERR_WORLD, "the leg takes no more bytes");
}

/* The step under way is done. */
static void reached(struct probe *p, enum probe_step next)
{
	int64_t now_ns = clock_now_ns();

	p->result->step_ns[p->step] = now_ns - p->step_since_ns;
	p->step_since_ns = now_ns;
	p->step = next;
}

/* Why is in err. */
static void give_up(struct probe *p)
{
	if (p->ws)
		ws_abort(p->ws, false);
	else
		loop_stop(p->loop);
}

static void leave(struct probe *p)
{
	struct wire_sink sink = { send_frame, p };

	reached(p, PROBE_STEPS);
	if (p->target->drops) {
		ws_abort(p->ws, false);
		return;
	}
	p->target->wire->bye(p->wire_state, &p->context, &sink);
	ws_close(p->ws, 1000);
}

static void note_origin(struct probe *p, enum color color, const char *instance)
{
	if (p->result->color == COLOR_UNKNOWN)
		p->result->color = color;
	if (!p->result->instance[0] && instance)
		snprintf(p->result->instance, sizeof p->result->instance, "%s", instance);
}

static void on_connected(void *user)
{
	reached(user, PROBE_UPGRADE);
}

static void on_open(void *user, const struct ws_accepted *accepted)
{
	struct probe *p = user;
	struct wire_sink sink = { send_frame, p };
	int color = accepted->color ? color_parse(accepted->color) : -1;

	note_origin(p, color > 0 ? (enum color)color : COLOR_UNKNOWN, accepted->instance);
	if (p->target->hello_only && p->result->color != COLOR_UNKNOWN) {
		reached(p, PROBE_STEPS);
		ws_close(p->ws, 1000);
		return;
	}
	reached(p, PROBE_READY);
	(p->target->resumes ? p->target->wire->reopen : p->target->wire->open)(p->wire_state,
									       &p->context, &sink);
}

/* After turn 1 the state holds one turn, and the chain says which. */
static int check_state(struct probe *p, const char *when, const struct meaning *m)
{
	const char *call = p->target->call;
	uint64_t want = hash_chain_next(hash_chain_start(call, strlen(call)), 1, p->target->token);

	p->result->has_turns = m->has & STATE_HAS_TURNS;
	p->result->has_digest = m->has & STATE_HAS_DIGEST;
	p->result->turns = m->turns;
	p->result->digest = m->digest;
	if (p->result->has_turns && m->turns != 1)
		return err_set(p->err, ERR_WORLD, "%s says %u turns, should be 1", when, m->turns);
	if (p->result->has_digest && m->digest != want)
		return err_set(p->err, ERR_WORLD, "%s says digest %016llx, should be %016llx", when,
			       (unsigned long long)m->digest, (unsigned long long)want);
	return 0;
}

static int check_color(struct probe *p)
{
	enum color want = p->target->want, got = p->result->color;

	if (want == COLOR_UNKNOWN || got == COLOR_UNKNOWN || got == want)
		return 0;
	return err_set(p->err, ERR_WORLD, "wanted %s, was answered by %s (%s)", color_name(want),
		       p->result->instance[0] ? p->result->instance : "an instance without a name",
		       color_name(got));
}

static int on_ready(struct probe *p, const struct meaning *m)
{
	struct wire_turn turn = { .n = 1, .token = p->target->token };
	struct wire_sink sink = { send_frame, p };

	if (p->target->resumes && check_state(p, "ready on the second leg", m) < 0)
		return -1;
	reached(p, PROBE_COLOR);
	if (check_color(p) < 0)
		return -1;
	if (p->target->resumes) {
		leave(p);
	} else {
		reached(p, PROBE_TURN);
		p->target->wire->turn(p->wire_state, &p->context, &turn, &sink);
	}
	return 0;
}

static void on_meaning(void *user, const struct meaning *m)
{
	struct probe *p = user;
	int result = 0;

	if (p->step == PROBE_STEPS || p->err->kind)
		return;
	note_origin(p, m->color, m->instance);
	if (m->kind == MEANING_ERROR)
		result = err_set(p->err, ERR_WORLD, "the agent answered an error: %s", m->text);
	else if (p->step == PROBE_READY && m->kind == MEANING_READY)
		result = on_ready(p, m);
	else if (p->step == PROBE_TURN && m->kind == MEANING_REPLY)
		result = check_state(p, "the reply to turn 1", m);
	else
		return;
	if (result < 0)
		give_up(p);
	else if (m->kind == MEANING_REPLY)
		leave(p);
}

static void on_message(void *user, const void *data, size_t size, bool binary)
{
	struct probe *p = user;

	if (p->step != PROBE_STEPS &&
	    p->target->wire->receive(p->wire_state, &p->context, data, size, binary, on_meaning, p,
				     p->err) < 0)
		give_up(p);
}

static void on_end(void *user, const struct ws_ended *e)
{
	struct probe *p = user;
	bool why = e->failure == DIAL_TLS_CERT;

	p->ws = NULL;
	if (p->step != PROBE_STEPS && !p->err->kind) {
		if (!e->established)
			err_set(p->err, ERR_WORLD, "dial failed: %s%s%.*d%s%s",
				dial_failure_name(e->failure), e->status ? " " : "",
				e->status ? 3 : 0, e->status, why ? ": " : "", why ? e->text : "");
		else
			err_set(p->err, ERR_WORLD, "the leg ended: %s %u by the %s",
				leg_how_name(e->how), e->code, side_name(e->side));
	}
	loop_stop(p->loop);
}

static void on_deadline(void *user)
{
	struct probe *p = user;
	static const char *const waiting_for[] = {
		[PROBE_RESOLVE] = "the name", [PROBE_CONNECT] = "the connection",
		[PROBE_UPGRADE] = "the 101",  [PROBE_READY] = "ready",
		[PROBE_COLOR] = "ready",      [PROBE_TURN] = "the reply to turn 1",
	};

	if (p->step != PROBE_STEPS && !p->err->kind)
		err_set(p->err, ERR_WORLD, "no answer within %lld ms while waiting for %s",
			(long long)((p->target->timeout_ns + NS_PER_MS - 1) / NS_PER_MS),
			waiting_for[p->step]);
	give_up(p);
}

static void on_cancel(void *user, int events)
{
	struct probe *p = user;

	(void)events;
	p->result->cancelled = true;
	err_set(p->err, ERR_WORLD, "interrupted");
	give_up(p);
}

/* Until the leg has ended. */
static void speak(struct probe *p, struct ws_context *context, const struct ws_dial *dial,
		  int64_t deadline_ns)
{
	static const struct ws_owner owner = { .on_connected = on_connected,
					       .on_open = on_open,
					       .on_message = on_message,
					       .on_end = on_end };
	struct loop_timer *timer = loop_timer_new(p->loop, on_deadline, p);
	struct loop_fd *cancel = NULL;

	if (p->target->cancel_fd) {
		cancel = loop_fd_new(p->loop, p->target->cancel_fd, on_cancel, p);
		loop_fd_want(cancel, LOOP_READ);
	}
	loop_timer_at(timer, deadline_ns);
	p->ws = ws_dial(context, dial, &owner, p, p->err);
	if (p->ws)
		loop_run(p->loop);
	loop_fd_free(cancel);
	loop_timer_free(timer);
}

static int dial_and_speak(struct probe *p, int64_t deadline_ns)
{
	const struct probe_target *target = p->target;
	struct ws_settings settings = { .tls_verify = true, .ca_file = target->ca };
	struct ws_header headers[WIRE_HEADERS_MAX + OWN_HEADERS_MAX];
	struct ws_dial dial = { .headers = headers };
	struct wire_handshake handshake = { .protocol = NULL };
	struct ws_context *context = NULL;
	struct url url;

	if (target->header_count > OWN_HEADERS_MAX)
		return err_set(p->err, ERR_INPUT, "%zu headers, at most %d", target->header_count,
			       OWN_HEADERS_MAX);
	if (url_parse(target->url, &url, p->err) < 0)
		return -1;
	if (target->address)
		dial.address = *target->address;
	else if (resolve_ipv4(url.host, url.port, &dial.address, p->err) < 0)
		return -1;
	reached(p, PROBE_CONNECT);
	if (ws_context_new(p->loop, &settings, &context, p->err) < 0)
		return -1;
	p->step_since_ns = clock_now_ns(); /* the library's own start is nobody's connection */
	target->wire->handshake(&p->context, &handshake);
	for (size_t i = 0; i < handshake.header_count; i++)
		headers[dial.header_count++] = (struct ws_header){ handshake.headers[i].name,
								   handshake.headers[i].value };
	for (size_t i = 0; i < target->header_count; i++)
		headers[dial.header_count++] = target->headers[i];
	dial.host = url.authority;
	dial.path = url.path;
	dial.protocol = handshake.protocol;
	dial.tls = url.tls;
	speak(p, context, &dial, deadline_ns);
	ws_context_free(context);
	return p->err->kind ? -1 : 0;
}

int probe_call(const struct probe_target *target, struct probe_result *ret, struct err *err)
{
	int64_t start_ns = clock_now_ns();
	struct err fault = { .kind = ERR_NONE };
	struct probe p = { .target = target,
			   .loop = loop_new(),
			   .context = { .call = target->call,
					.conn = target->call,
					.leg = target->resumes,
					.acked = target->resumes },
			   .wire_state = xcalloc(1, target->wire->state_bytes + 1),
			   .step_since_ns = start_ns,
			   .result = ret,
			   .err = &fault };

	*ret = (struct probe_result){ .failed = PROBE_STEPS };
	for (int i = 0; i < PROBE_STEPS; i++)
		ret->step_ns[i] = -1;
	dial_and_speak(&p, start_ns + target->timeout_ns);
	loop_free(p.loop);
	free(p.wire_state);
	ret->took_ns = clock_now_ns() - start_ns;
	if (p.step == PROBE_STEPS)
		return 0;
	ret->step_ns[p.step] = clock_now_ns() - p.step_since_ns;
	ret->failed = p.step;
	*err = fault;
	return -1;
}
