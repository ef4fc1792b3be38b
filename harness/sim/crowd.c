#include "sim/crowd.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/timers.h"
#include "net/resolve.h"
#include "sim/call.h"
#include "sim/jar.h"

enum { SLAB_CALLERS = 256, ID_TEXT_MAX = 32, CONN_TEXT_MAX = 40, PATH_TEXT_MAX = 1400 };
static const char call_place[] = "@call@"; /* stands for ${call} in the bound URL: '@' is in no id */

struct caller {
	struct timer timer;    /* first: a due timer is its caller */
	struct crowd *crowd;
	struct call call;
	struct jar jar;
	struct ws *ws;         /* NULL between legs */
	void *wire_state;
	bool over;             /* to be released when the step is done */
	bool undialed;         /* the dial could not even be tried */
	uint8_t counted;       /* color it is counted under, 0 none */
	char id[ID_TEXT_MAX], conn[CONN_TEXT_MAX]; /* conn: of this leg */
	struct caller *next, *previous; /* all, or the free list by next */
};

struct crowd {
	struct crowd_settings settings;
	char run6[16];
	struct url url;
	struct sockaddr_in address;
	char path_head[512], path_tail[512]; /* round the call id */
	struct timers timers;
	struct loop_timer *wake;
	struct traffic traffic;
	struct call_plan next;   /* the next call to come */
	int64_t zero_ns, deadline_ns;
	int64_t armed_ns;        /* for when the loop timer is set */
	bool started, stopped;
	uint64_t dials;
	struct caller *free, *callers;
	struct caller **slabs;
	size_t slab_count;
	struct crowd_counts counts;
};

static void step(struct caller *, const struct call_input *, int64_t now_ns);
static void arm(struct crowd *);

/* --- callers --- */

static struct caller *caller_take(struct crowd *crowd)
{
	struct caller *c;
	void *wire_state;

	if (!crowd->free) {
		size_t wire_bytes = crowd->settings.wire->state_bytes;
		struct caller *slab = xcalloc(SLAB_CALLERS, sizeof(*slab));

		crowd->slabs = xrealloc(crowd->slabs, (crowd->slab_count + 1) * sizeof(*crowd->slabs));
		crowd->slabs[crowd->slab_count++] = slab;
		for (int i = 0; i < SLAB_CALLERS; i++) {
			slab[i].wire_state = wire_bytes ? xcalloc(1, wire_bytes) : NULL;
			slab[i].next = crowd->free;
			crowd->free = &slab[i];
		}
	}
	c = crowd->free;
	crowd->free = c->next;
	wire_state = c->wire_state;
	*c = (struct caller){ .crowd = crowd, .wire_state = wire_state, .next = crowd->callers };
	if (c->next)
		c->next->previous = c;
	crowd->callers = c;
	return c;
}

static void caller_release(struct caller *c)
{
	struct crowd *crowd = c->crowd;

	ASSERT(!c->ws);
	timers_cancel(&crowd->timers, &c->timer);
	jar_free(&c->jar);
	if (c->previous)
		c->previous->next = c->next;
	else
		crowd->callers = c->next;
	if (c->next)
		c->next->previous = c->previous;
	c->next = crowd->free;
	crowd->free = c;
}

/* The request's path; `query` is the dialect's own. */
static void path_of(const struct caller *c, const char *query, char out[PATH_TEXT_MAX])
{
	const struct crowd *crowd = c->crowd;

	snprintf(out, PATH_TEXT_MAX, "%s%s%s%s%s", crowd->path_head, c->id, crowd->path_tail,
		 !query[0] ? "" : strchr(crowd->path_tail, '?') ? "&" : "?", query);
}

/* --- what comes from the wire --- */

static void on_open(void *user, const struct ws_accepted *accepted)
{
	int64_t now_ns = clock_now_ns();
	struct caller *c = user;
	struct call_input in = { .kind = INPUT_OPEN };
	int color = accepted->color ? color_parse(accepted->color) : -1;

	for (size_t i = 0; i < accepted->set_cookie_count; i++)
		in.set_cookie |= jar_set(&c->jar, accepted->set_cookies[i], c->crowd->url.path, clock_realtime_ns());
	in.color = color > 0 ? (enum color)color : COLOR_UNKNOWN;
	if (accepted->instance)
		in.instance = lane_instance(c->crowd->settings.lane, accepted->instance);
	step(c, &in, now_ns);
}

struct arrival {
	struct caller *caller;
	int64_t now_ns;
};

/* Dialects of this build mean things at once; a not-before time would be kept by a timer here. */
static void on_meaning(void *user, const struct meaning *m)
{
	struct arrival *a = user;
	struct call_input in = { .kind = INPUT_MEANING, .meaning = m, .color = m->color };

	if (m->instance[0])
		in.instance = lane_instance(a->caller->crowd->settings.lane, m->instance);
	step(a->caller, &in, a->now_ns);
}

static struct wire_context context_of(const struct caller *c)
{
	return (struct wire_context){ .call = c->id, .conn = c->conn, .leg = c->call.leg, .acked = c->call.acked };
}

static void on_message(void *user, const void *data, size_t size, bool binary)
{
	struct arrival a = { .caller = user, .now_ns = clock_now_ns() };
	struct caller *c = user;
	struct crowd *crowd = c->crowd;
	struct wire_context context = context_of(c);
	struct err err = { .kind = ERR_NONE };
	struct meaning wrong = { .kind = MEANING_ERROR };

	if (crowd->settings.wire->receive(c->wire_state, &context, data, size, binary, on_meaning, &a, &err) == 0)
		return;
	/* Not of the dialect: on record, and nothing more; an agent that talks nonsense is soon muted. */
	snprintf(wrong.text, sizeof(wrong.text), "%.120s", err.text);
	on_meaning(&a, &wrong);
}

static void on_end(void *user, const struct ws_ended *e)
{
	int64_t now_ns = clock_now_ns();
	struct caller *c = user;
	struct call_input in = {
		.kind = INPUT_END,
		.established = e->established,
		.failure = e->failure,
		.how = e->how,
		.side = e->side,
		.code = e->established ? e->code : e->status,
	};

	c->ws = NULL;
	step(c, &in, now_ns);
}

/* --- what goes out --- */

static void send_frame(void *user, const void *data, size_t size, bool binary)
{
	struct caller *c = user;

	/* A leg that takes no more is ending, or stuck: dead_after tells. */
	if (c->ws)
		ws_send(c->ws, data, size, binary);
}

static void dial(struct caller *c)
{
	static const struct ws_owner owner = { .on_open = on_open, .on_message = on_message, .on_end = on_end };
	struct crowd *crowd = c->crowd;
	const struct crowd_settings *s = &crowd->settings;
	struct ws_header headers[WIRE_HEADERS_MAX + 1];
	struct wire_handshake handshake;
	char path[1400], source[INET_ADDRSTRLEN], cookies[JAR_HEADER_MAX];
	struct wire_context context;
	struct ws_dial d = { .address = crowd->address, .host = crowd->url.authority, .path = path, .tls = crowd->url.tls,
			     .headers = headers };

	snprintf(c->conn, sizeof(c->conn), "%s.%u", c->id, c->call.leg);
	context = context_of(c);
	if (s->wire->state_bytes)
		memset(c->wire_state, 0, s->wire->state_bytes);
	s->wire->handshake(&context, &handshake);
	path_of(c, handshake.query, path);
	d.protocol = handshake.protocol;
	for (size_t i = 0; i < handshake.header_count; i++)
		headers[d.header_count++] = (struct ws_header){ handshake.headers[i].name, handshake.headers[i].value };
	if (jar_header(&c->jar, path, d.tls, clock_realtime_ns(), cookies))
		headers[d.header_count++] = (struct ws_header){ "Cookie", cookies };
	if (s->sources) {
		struct in_addr from = { htonl(s->first_source + (uint32_t)(crowd->dials % s->sources)) };

		d.source_ip = inet_ntop(AF_INET, &from, source, sizeof(source));
	}
	crowd->dials++;
	c->ws = ws_dial(s->ws, &d, &owner, c, NULL);
	c->undialed = !c->ws;
}

static void carry_out(struct caller *c, struct call_action *a)
{
	const struct crowd_settings *s = &c->crowd->settings;
	struct wire_sink sink = { send_frame, c };
	struct wire_context context;

	switch (a->kind) {
	case DO_RECORD:
		if (a->sends)
			a->event.t_ns = clock_now_ns();
		if (a->event.kind == EVENT_TURN_INV)
			call_asked(&c->call, a->event.t_ns);
		if (a->text)
			a->event.conn = lane_note(s->lane, "%s", a->text);
		lane_event(s->lane, a->event);
		return;
	case DO_DIAL:
		dial(c);
		return;
	case DO_ABORT:
		if (c->ws)
			ws_abort(c->ws, a->reset);
		return;
	case DO_END:
		c->over = true;
		return;
	case DO_OPEN:
	case DO_REOPEN:
	case DO_TURN:
	case DO_BYE:
		break;
	}
	context = context_of(c);
	if (a->kind == DO_OPEN)
		s->wire->open(c->wire_state, &context, &sink);
	else if (a->kind == DO_REOPEN)
		s->wire->reopen(c->wire_state, &context, &sink);
	else if (a->kind == DO_TURN)
		s->wire->turn(c->wire_state, &context, &a->turn, &sink);
	else
		s->wire->bye(c->wire_state, &context, &sink);
	if (a->kind == DO_BYE && c->ws)
		ws_close(c->ws, 1000);
}

/* Keeps the counters in step with what the record just got. */
static void count(struct caller *c, const struct call_actions *actions)
{
	struct crowd_counts *n = &c->crowd->counts;
	enum call_state state = c->call.state;
	uint8_t color = state == CALL_LIVE || state == CALL_LOSING || state == CALL_LEAVING ? (uint8_t)c->call.color : 0;

	for (size_t i = 0; i < actions->count; i++) {
		const struct call_action *a = &actions->list[i];

		if (a->kind != DO_RECORD)
			continue;
		n->turns += a->event.kind == EVENT_REPLY_OK;
		n->resumes += a->event.kind == EVENT_RESUME_OK;
		if (a->event.kind == EVENT_CALL_START) {
			n->started++;
			n->live++;
		} else if (a->event.kind == EVENT_CALL_END) {
			n->ended[a->event.code]++;
			n->live--;
		}
	}
	if (color == c->counted)
		return;
	if (c->counted)
		n->live_by_color[c->counted]--;
	if (color)
		n->live_by_color[color]++;
	c->counted = color;
}

static void step(struct caller *c, const struct call_input *in, int64_t now_ns)
{
	struct crowd *crowd = c->crowd;
	struct call_actions actions;

	actions.count = 0;
	call_step(&c->call, in, now_ns, &actions);
	for (size_t i = 0; i < actions.count; i++)
		carry_out(c, &actions.list[i]);
	count(c, &actions);
	if (c->undialed) {
		struct call_input failed = { .kind = INPUT_END, .failure = DIAL_LOCAL_LIMIT };

		c->undialed = false;
		step(c, &failed, clock_now_ns());
		return;
	}
	if (c->over)
		caller_release(c);
	else if (c->call.wake_ns == INT64_MAX)
		timers_cancel(&crowd->timers, &c->timer);
	else
		timers_arm(&crowd->timers, &c->timer, c->call.wake_ns);
	arm(crowd);
}

/* --- time --- */

static bool is_ours(const struct crowd *crowd, const char *id)
{
	return hash_id(id, strlen(id)) % crowd->settings.workers == crowd->settings.worker;
}

static void begin_call(struct crowd *crowd)
{
	struct call_input in = { .kind = INPUT_START };
	struct caller *c;
	char id[ID_TEXT_MAX];

	snprintf(id, sizeof(id), "c-%s-%" PRIu64, crowd->run6, crowd->next.number);
	if (!is_ours(crowd, id))
		return;
	c = caller_take(crowd);
	memcpy(c->id, id, sizeof(id));
	c->call = call_begin(crowd->settings.scenario, &crowd->next, id, crowd->zero_ns);
	lane_call(crowd->settings.lane, c->call.id, id);
	step(c, &in, clock_now_ns());
}

static void wake_caller(struct caller *c)
{
	struct call_input in = { .kind = INPUT_TIMER };
	char path[PATH_TEXT_MAX], cookies[JAR_HEADER_MAX];

	if (c->call.state == CALL_WAITING && c->jar.list) {
		path_of(c, "", path);
		in.has_cookie = jar_header(&c->jar, path, c->crowd->url.tls, clock_realtime_ns(), cookies) > 0;
	}
	step(c, &in, clock_now_ns());
}

/* Sets the loop timer for what is due next. It is only ever moved forwards in time: one that fires early costs less than
 * moving it for each of thousands of calls. */
static void arm(struct crowd *crowd)
{
	int64_t next_ns = timers_next_ns(&crowd->timers), due_ns = INT64_MAX;

	if (crowd->started && !crowd->stopped)
		due_ns = crowd->zero_ns + crowd->next.due_ns;
	else if (crowd->callers)
		due_ns = crowd->deadline_ns;
	if (due_ns < next_ns)
		next_ns = due_ns;
	if (next_ns >= crowd->armed_ns)
		return;
	crowd->armed_ns = next_ns;
	loop_timer_at(crowd->wake, next_ns);
}

static void on_wake(void *user)
{
	struct crowd *crowd = user;
	struct timer *due;

	/* Nothing is worth arming for while we are at it. */
	crowd->armed_ns = INT64_MIN;
	while (!crowd->stopped && crowd->zero_ns + crowd->next.due_ns <= clock_now_ns()) {
		begin_call(crowd);
		traffic_next(&crowd->traffic, &crowd->next);
	}
	while ((due = timers_pop_due(&crowd->timers, clock_now_ns())) != NULL)
		wake_caller((struct caller *)due);
	if (crowd->stopped && clock_now_ns() >= crowd->deadline_ns)
		crowd_abandon(crowd);
	crowd->armed_ns = INT64_MAX;
	arm(crowd);
}

/* --- the door --- */

/* The bound URL with a place for the call id, cut in two there. */
static int split_path(struct crowd *crowd, struct err *err)
{
	const char *place = strstr(crowd->url.path, call_place);
	size_t head = place ? (size_t)(place - crowd->url.path) : 0;
	const char *tail = place ? place + strlen(call_place) : "";

	if (!place)
		return err_set(err, ERR_INPUT, "target.url must hold ${call}: calls are told apart by their path");
	if (head >= sizeof(crowd->path_head) || strlen(tail) >= sizeof(crowd->path_tail))
		return err_set(err, ERR_INPUT, "target.url: path of at most %zu characters on either side of ${call}",
			       sizeof(crowd->path_head) - 1);
	memcpy(crowd->path_head, crowd->url.path, head);
	strcpy(crowd->path_tail, tail);
	return 0;
}

int crowd_new(const struct crowd_settings *settings, struct crowd **ret, struct err *err)
{
	struct crowd *crowd = xcalloc(1, sizeof(*crowd));
	const struct variable call = { "call", call_place };
	struct buf url = buf_init(2048);
	int result = -1;

	crowd->settings = *settings;
	snprintf(crowd->run6, sizeof(crowd->run6), "%s", settings->run6);
	crowd->armed_ns = INT64_MAX;
	if (scenario_bind(settings->url, &call, 1, &url, err) < 0 || url_parse(buf_text(&url), &crowd->url, err) < 0 ||
	    split_path(crowd, err) < 0 || resolve_ipv4(crowd->url.host, crowd->url.port, &crowd->address, err) < 0)
		goto out;
	crowd->wake = loop_timer_new(settings->loop, on_wake, crowd);
	crowd->traffic = traffic_begin(settings->scenario);
	traffic_next(&crowd->traffic, &crowd->next);
	*ret = crowd;
	result = 0;
out:
	buf_free(&url);
	if (result < 0)
		free(crowd);
	return result;
}

void crowd_start(struct crowd *crowd, int64_t zero_ns)
{
	crowd->zero_ns = zero_ns;
	crowd->started = true;
	arm(crowd);
}

void crowd_stop(struct crowd *crowd, int64_t deadline_ns)
{
	crowd->stopped = true;
	crowd->deadline_ns = deadline_ns;
	arm(crowd);
}

void crowd_abandon(struct crowd *crowd)
{
	struct call_input in = { .kind = INPUT_ABANDON };
	struct caller *next;

	crowd->stopped = true;
	crowd->deadline_ns = INT64_MAX; /* once */
	for (struct caller *c = crowd->callers; c; c = next) {
		next = c->next;
		step(c, &in, clock_now_ns());
	}
}

bool crowd_empty(const struct crowd *crowd)
{
	return crowd->stopped && !crowd->callers;
}

const struct crowd_counts *crowd_counts(const struct crowd *crowd)
{
	return &crowd->counts;
}

void crowd_free(struct crowd *crowd)
{
	if (!crowd)
		return;
	for (struct caller *c = crowd->callers; c; c = c->next)
		jar_free(&c->jar);
	for (size_t i = 0; i < crowd->slab_count; i++) {
		for (int k = 0; k < SLAB_CALLERS; k++)
			free(crowd->slabs[i][k].wire_state);
		free(crowd->slabs[i]);
	}
	free(crowd->slabs);
	timers_free(&crowd->timers);
	loop_timer_free(crowd->wake);
	free(crowd);
}
