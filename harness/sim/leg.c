#include "sim/leg.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "scenario/scenario.h"

enum { CLOSE_NORMAL = 1000 };
/* Stands for ${call} in the bound URL: '@' is in no call id. */
static const char call_place[] = "@call@";

static struct wire_context context_of(const struct leg *leg)
{
	return (struct wire_context){
		.call = leg->id, .conn = leg->conn, .leg = leg->call->leg, .acked = leg->call->acked
	};
}

/* The request's path; `query` is the dialect's own. */
static void path_of(const struct leg *leg, const char *query, char out[LEG_PATH_MAX])
{
	const struct leg_place *p = leg->place;
	const char *joint = !query[0] ? "" : strchr(p->path_tail, '?') ? "&" : "?";

	snprintf(out, LEG_PATH_MAX, "%s%s%s%s%s", p->path_head, leg->id, p->path_tail, joint,
		 query);
}

/* ---- what comes back ---- */

static void on_open(void *user, const struct ws_accepted *accepted)
{
	int64_t now_ns = clock_now_ns();
	struct leg *leg = user;
	struct call_input in = { .kind = INPUT_OPEN, .tls = accepted->tls };
	int color = accepted->color ? color_parse(accepted->color) : -1;
	char path[LEG_PATH_MAX];

	path_of(leg, "", path);
	for (size_t i = 0; i < accepted->set_cookie_count; i++)
		in.set_cookie |= jar_set(&leg->jar, accepted->set_cookies[i], path,
					 clock_realtime_ns());
	in.color = color > 0 ? (enum color)color : COLOR_UNKNOWN;
	if (accepted->instance)
		in.instance = lane_instance(leg->place->lane, accepted->instance);
	leg->place->input(leg, &in, now_ns);
}

struct arrival {
	struct leg *leg;
	int64_t now_ns;
};

/* The dialects of this build mean things at once: not_before_ns is 0 in each of them. */
static void on_meaning(void *user, const struct meaning *m)
{
	struct arrival *a = user;
	struct call_input in = { .kind = INPUT_MEANING, .meaning = m, .color = m->color };

	if (m->instance[0])
		in.instance = lane_instance(a->leg->place->lane, m->instance);
	a->leg->place->input(a->leg, &in, a->now_ns);
}

static void on_message(void *user, const void *data, size_t size, bool binary)
{
	struct arrival a = { .leg = user, .now_ns = clock_now_ns() };
	struct wire_context context = context_of(a.leg);
	struct err err = { .kind = ERR_NONE };
	struct meaning wrong = { .kind = MEANING_ERROR };

	if (a.leg->place->wire->receive(a.leg->wire_state, &context, data, size, binary, on_meaning,
					&a, &err) == 0)
		return;
	/* Not of the dialect: on record, and no more; an agent that talks nonsense is soon
	 * muted. */
	snprintf(wrong.text, sizeof(wrong.text), "%.120s", err.text);
	on_meaning(&a, &wrong);
}

static void on_end(void *user, const struct ws_ended *e)
{
	int64_t now_ns = clock_now_ns();
	struct leg *leg = user;
	struct call_input in = {
		.kind = INPUT_END,
		.established = e->established,
		.failure = e->failure,
		.how = e->how,
		.side = e->side,
		.code = e->established ? e->code : e->status,
	};

	leg->ws = NULL;
	leg->place->input(leg, &in, now_ns);
}

/* ---- what goes out ---- */

static void send_frame(void *user, const void *data, size_t size, bool binary)
{
	struct leg *leg = user;

	/* A connection that takes no more is ending, or stuck: dead_after tells. */
	if (leg->ws)
		ws_send(leg->ws, data, size, binary);
}

static int dial(struct leg *leg)
{
	static const struct ws_owner owner = { .on_open = on_open,
					       .on_message = on_message,
					       .on_end = on_end };
	struct leg_place *p = leg->place;
	struct ws_header headers[WIRE_HEADERS_MAX + 1];
	struct wire_handshake handshake;
	char path[LEG_PATH_MAX], source[INET_ADDRSTRLEN], cookies[JAR_HEADER_MAX];
	struct wire_context context;
	struct ws_dial d = { .address = p->address,
			     .host = p->url.authority,
			     .path = path,
			     .tls = p->url.tls,
			     .headers = headers };

	snprintf(leg->conn, sizeof(leg->conn), "%s.%u", leg->id, leg->call->leg);
	context = context_of(leg);
	if (p->wire->state_bytes)
		memset(leg->wire_state, 0, p->wire->state_bytes);
	p->wire->handshake(&context, &handshake);
	path_of(leg, handshake.query, path);
	d.protocol = handshake.protocol;
	for (size_t i = 0; i < handshake.header_count; i++)
		headers[d.header_count++] = (struct ws_header){ handshake.headers[i].name,
								handshake.headers[i].value };
	if (jar_header(&leg->jar, path, d.tls, clock_realtime_ns(), cookies))
		headers[d.header_count++] = (struct ws_header){ "Cookie", cookies };
	if (p->sources) {
		struct in_addr from = { htonl(p->first_source +
					      (uint32_t)(p->dials % p->sources)) };

		d.source_ip = inet_ntop(AF_INET, &from, source, sizeof(source));
	}
	p->dials++;
	leg->ws = ws_dial(p->ws, &d, &owner, leg, NULL);
	return leg->ws ? 0 : -1;
}

int leg_act(struct leg *leg, const struct call_action *a)
{
	const struct wire *wire = leg->place->wire;
	struct wire_sink sink = { send_frame, leg };
	struct wire_context context = context_of(leg);

	switch (a->kind) {
	case DO_DIAL:
		return dial(leg);
	case DO_OPEN:
		wire->open(leg->wire_state, &context, &sink);
		break;
	case DO_REOPEN:
		wire->reopen(leg->wire_state, &context, &sink);
		break;
	case DO_TURN:
		wire->turn(leg->wire_state, &context, &a->turn, &sink);
		break;
	case DO_BYE:
		wire->bye(leg->wire_state, &context, &sink);
		if (leg->ws)
			ws_close(leg->ws, CLOSE_NORMAL);
		break;
	case DO_ABORT:
		if (leg->ws)
			ws_abort(leg->ws, a->reset);
		break;
	case DO_RECORD:
	case DO_END:
		break;
	}
	return 0;
}

bool leg_has_cookie(const struct leg *leg)
{
	char path[LEG_PATH_MAX], cookies[JAR_HEADER_MAX];

	if (!leg->jar.list)
		return false;
	path_of(leg, "", path);
	return jar_header(&leg->jar, path, leg->place->url.tls, clock_realtime_ns(), cookies) > 0;
}

void leg_release(struct leg *leg)
{
	ASSERT(!leg->ws);
	jar_free(&leg->jar);
}

/* ---- the target ---- */

/* The bound URL with a place for the call id, cut in two there. */
static int split_path(struct leg_place *p, struct err *err)
{
	const char *place = strstr(p->url.path, call_place);
	size_t head = place ? (size_t)(place - p->url.path) : 0;
	const char *tail = place ? place + strlen(call_place) : "";

	if (!place)
		return err_set(err, ERR_INPUT,
			       "target.url must hold ${call}: calls are told apart by their path");
	if (head >= sizeof(p->path_head) || strlen(tail) >= sizeof(p->path_tail))
		return err_set(
			err, ERR_INPUT,
			"target.url: path of at most %zu characters on either side of ${call}",
			sizeof(p->path_head) - 1);
	memcpy(p->path_head, p->url.path, head);
	strcpy(p->path_tail, tail);
	return 0;
}

int leg_place_find(struct leg_place *p, const char *url, struct err *err)
{
	const struct variable call = { "call", call_place };
	struct buf bound = buf_init(2048);
	int result = -1;

	if (scenario_bind(url, &call, 1, &bound, err) == 0 &&
	    url_parse(buf_text(&bound), &p->url, err) == 0 && split_path(p, err) == 0)
		result = resolve_ipv4(p->url.host, p->url.port, &p->address, err);
	buf_free(&bound);
	return result;
}
