#include "net/ws.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ev.h>
#include <libwebsockets.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "net/ws_end.h"

enum {
	MESSAGE_MAX = 65536,
	QUEUE_MAX = 256 * 1024,
	READ_MAX = 512,         /* per leg and kept by the library for its life: a reply of most dialects fits */
	SERVICE_MAX = 16384,    /* one per context: request heads are made in it */
	HEAD_MAX = 8192,        /* of an answer, while a dial is under way */
	HANDSHAKES_MAX = 32768, /* at a time; past that dials queue in the library */
	COOKIES_MAX = 16,
	LIBRARY_TIMEOUT_S = 3600, /* never: deadlines are the owner's */
	MESSAGE_TOO_BIG = 1009,
};
static const double close_within_s = 2.;

struct ws_context {
	struct lws_context *lws;
	struct ev_loop *ev;
	bool tls_verify;
	struct ev_prepare reaper; /* runs while doomed is not empty */
	struct ws *doomed;        /* to be ended from the loop */
	const unsigned char *service; /* the library's read buffer, once seen */
	struct {                  /* of the 101 being read */
		char color[32], instance[64], cookie_text[HEAD_MAX];
		const char *cookies[COOKIES_MAX];
		size_t count;
	} answer;
	unsigned char frame[LWS_PRE + MESSAGE_MAX];
};

struct ws {
	struct ws_context *context;
	const struct ws_owner *owner;
	void *user;
	struct lws *wsi;       /* NULL: the dial failed before it began */
	struct ws *doomed_next, **doomed_link; /* link NULL: not in the list */
	char *head;            /* request headers, until they are sent */
	struct buf joined;     /* fragments so far */
	struct buf queue;      /* frames the socket had no room for: struct waiting + bytes each */
	struct ev_timer close_timer;
	int fd, errnum;
	uint16_t code;         /* of the close frame */
	bool dialing;          /* inside ws_dial: nothing is told yet */
	bool established, closing, close_sent, peer_closed, aborted, reset, gave_up, over;
	bool deaf;             /* the rest of what comes is not told */
	uint8_t inside;        /* depth of our callbacks to the owner */
};

struct waiting {
	uint32_t size;
	bool binary;
};

/* ---- the end of a leg or dial ---- */

static void doom(struct ws *ws)
{
	struct ws_context *context = ws->context;

	if (ws->doomed_link)
		return;
	ws->doomed_next = context->doomed;
	ws->doomed_link = &context->doomed;
	if (ws->doomed_next)
		ws->doomed_next->doomed_link = &ws->doomed_next;
	context->doomed = ws;
	ev_prepare_start(context->ev, &context->reaper);
}

static void spare(struct ws *ws)
{
	if (!ws->doomed_link)
		return;
	*ws->doomed_link = ws->doomed_next;
	if (ws->doomed_next)
		ws->doomed_next->doomed_link = ws->doomed_link;
	ws->doomed_link = NULL;
}

static struct ws_ended leg_end_of(const struct ws *ws, const char *text)
{
	struct ws_ended e = { .how = LEG_CLOSE_FRAME, .side = SIDE_CALLER, .code = ws->code, .text = text };

	if (ws->peer_closed)
		e.side = SIDE_AGENT;
	else if (ws->gave_up)
		e.how = LEG_TIMEOUT;
	else if (ws->aborted)
		e.how = ws->reset ? LEG_RST : LEG_FIN;
	else if (!ws->close_sent)
		ws_stream_ended(ws->fd, &e);
	if (e.how != LEG_CLOSE_FRAME)
		e.code = 0;
	return e;
}

static void end(struct ws *ws, const char *text)
{
	struct ws_ended e;

	if (ws->over || ws->dialing)
		return;
	ws->over = true;
	if (ws->established) {
		e = leg_end_of(ws, text);
	} else {
		struct ws_dial_end d = { .aborted = ws->aborted, .at_once = !ws->wsi, .errnum = ws->errnum, .text = text,
					 .tls = ERR_peek_error(),
					 .status = ws->wsi ? lws_http_client_http_response(ws->wsi) : 0 };

		ws_dial_failed(&d, &e);
	}
	e.established = ws->established;
	spare(ws);
	ev_timer_stop(ws->context->ev, &ws->close_timer);
	if (ws->wsi)
		lws_set_wsi_user(ws->wsi, NULL);
	ws->owner->on_end(ws->user, &e);
	buf_free(&ws->joined);
	buf_free(&ws->queue);
	free(ws->head);
	free(ws);
}

/* Ends what was aborted outside of the library's callbacks, and dials that failed at once. */
static void on_reap(struct ev_loop *ev, struct ev_prepare *watcher, int events)
{
	struct ws_context *context = watcher->data;
	struct ws *ws, *batch = context->doomed;

	(void)events;
	ev_prepare_stop(ev, watcher);
	/* Who is doomed by what follows waits for the next turn of the loop. */
	context->doomed = NULL;
	if (batch)
		batch->doomed_link = &batch;
	while ((ws = batch)) {
		spare(ws);
		if (ws->wsi) /* on_end comes from within */
			lws_set_timeout(ws->wsi, 1, LWS_TO_KILL_SYNC);
		else
			end(ws, strerror(ws->errnum));
	}
}

static void on_close_timeout(struct ev_loop *ev, struct ev_timer *watcher, int events)
{
	struct ws *ws = watcher->data;

	(void)ev;
	(void)events;
	ws->gave_up = !ws->aborted;
	ws_abort(ws, false);
}

/* ---- sending ---- */

static int write_frame(struct ws *ws, const void *data, size_t size, bool binary)
{
	unsigned char *frame = ws->context->frame + LWS_PRE;

	memcpy(frame, data, size); /* masked in place by the library */
	return lws_write(ws->wsi, frame, size, binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT) < 0 ? -1 : 0;
}

static int flush_queue(struct ws *ws)
{
	while (ws->queue.len && !lws_partial_buffered(ws->wsi)) {
		struct waiting next;

		memcpy(&next, ws->queue.data, sizeof(next));
		if (write_frame(ws, ws->queue.data + sizeof(next), next.size, next.binary) < 0)
			return -1;
		buf_consume(&ws->queue, sizeof(next) + next.size);
	}
	if (!ws->queue.len)
		buf_free(&ws->queue);
	else
		lws_callback_on_writable(ws->wsi);
	return 0;
}

static int on_writable(struct ws *ws)
{
	if (flush_queue(ws) < 0)
		return -1;
	if (!ws->closing || ws->close_sent || ws->peer_closed)
		return 0;
	if (lws_partial_buffered(ws->wsi)) {
		lws_callback_on_writable(ws->wsi);
		return 0;
	}
	ws->close_sent = true;
	lws_close_reason(ws->wsi, (enum lws_close_status)ws->code, NULL, 0);
	return -1; /* which makes the library send the frame and wait for its answer */
}

int ws_send(struct ws *ws, const void *data, size_t size, bool binary)
{
	struct waiting w = { .size = (uint32_t)size, .binary = binary };

	if (!ws->established || ws->closing || ws->aborted || ws->peer_closed || ws->over || size > MESSAGE_MAX)
		return -1;
	/* Written at once: asking for a writable callback first costs two system calls and a turn of the loop. */
	if (!ws->queue.len && !lws_partial_buffered(ws->wsi))
		return write_frame(ws, data, size, binary);
	if (ws->queue.len + sizeof(w) + size > QUEUE_MAX)
		return -1;
	if (!ws->queue.max)
		ws->queue = buf_init(QUEUE_MAX);
	buf_append(&ws->queue, &w, sizeof(w));
	buf_append(&ws->queue, data, size);
	lws_callback_on_writable(ws->wsi);
	return 0;
}

void ws_close(struct ws *ws, uint16_t code)
{
	if (!ws->established) {
		ws_abort(ws, false);
		return;
	}
	if (ws->closing || ws->aborted || ws->peer_closed || ws->over)
		return;
	ws->closing = true;
	ws->code = code;
	ev_timer_set(&ws->close_timer, close_within_s, 0.);
	ev_timer_start(ws->context->ev, &ws->close_timer);
	lws_callback_on_writable(ws->wsi);
}

void ws_abort(struct ws *ws, bool reset)
{
	struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

	if (ws->aborted || ws->over)
		return;
	ws->aborted = true;
	ws->reset = reset;
	/* On the wire now, whenever the library comes to its close(): disconnecting a stream resets it. */
	if (ws->established && reset)
		connect(ws->fd, &nowhere, sizeof(nowhere));
	else if (ws->established)
		shutdown(ws->fd, SHUT_WR);
	doom(ws);
}

/* ---- the library's callbacks ---- */

static int append_headers(struct ws *ws, char **at, size_t room)
{
	size_t size = ws->head ? strlen(ws->head) : 0;

	/* The request is being made at the start of the library's service buffer, which it also reads into. */
	if (!ws->context->service) {
		const char *begin = *at;

		while (memcmp(begin, "GET /", 5))
			begin--;
		ws->context->service = (const unsigned char *)begin;
	}
	if (size >= room)
		return -1;
	if (size)
		memcpy(*at, ws->head, size);
	*at += size;
	free(ws->head);
	ws->head = NULL;
	return 0;
}

static void copy_header(struct lws *wsi, const char *name, char *out, int size)
{
	if (lws_hdr_custom_copy(wsi, out, size, name, (int)strlen(name)) <= 0)
		*out = '\0';
}

/* The library forgets the answer's head before it says that the leg is up. */
static void read_answer(struct ws_context *context, struct lws *wsi)
{
	size_t used = 0;
	int n;

	copy_header(wsi, "x-agent-color:", context->answer.color, sizeof(context->answer.color));
	copy_header(wsi, "x-agent-instance:", context->answer.instance, sizeof(context->answer.instance));
	context->answer.count = 0;
	for (int i = 0; i < COOKIES_MAX; i++) {
		char *text = context->answer.cookie_text + used;

		n = lws_hdr_copy_fragment(wsi, text, (int)(sizeof(context->answer.cookie_text) - used),
					  WSI_TOKEN_HTTP_SET_COOKIE, i);
		if (n < 0)
			break;
		context->answer.cookies[context->answer.count++] = text + strspn(text, " ");
		used += (size_t)n + 1;
	}
}

static int leave(struct ws *ws)
{
	ws->inside--;
	if (!ws->aborted)
		return 0;
	spare(ws);
	return -1; /* closed by the library on our way out */
}

static int on_established(struct ws *ws)
{
	struct ws_context *context = ws->context;
	struct ws_accepted accepted = {
		.color = context->answer.color[0] ? context->answer.color : NULL,
		.instance = context->answer.instance[0] ? context->answer.instance : NULL,
		.set_cookies = context->answer.cookies,
		.set_cookie_count = context->answer.count,
	};

	ws->established = true;
	ws->inside++;
	ws->owner->on_open(ws->user, &accepted);
	return leave(ws);
}

static int on_receive(struct ws *ws, const void *data, size_t size)
{
	bool whole = lws_is_final_fragment(ws->wsi), binary = lws_frame_is_binary(ws->wsi);

	if (ws->aborted)
		return -1;
	if (ws->deaf)
		return 0;
	if (ws->joined.len + size > MESSAGE_MAX) {
		/* Not closed by -1 from here: in the middle of a frame the library would write past its buffer. */
		ws->deaf = true;
		ws_close(ws, MESSAGE_TOO_BIG);
		return 0;
	}
	if (ws->joined.len || !whole) {
		if (!ws->joined.max)
			ws->joined = buf_init(MESSAGE_MAX);
		buf_append(&ws->joined, data, size);
		if (!whole)
			return 0;
		data = ws->joined.data;
		size = ws->joined.len;
	}
	ws->inside++;
	ws->owner->on_message(ws->user, data, size, binary);
	buf_free(&ws->joined);
	return leave(ws);
}

static void on_peer_close(struct ws *ws, const unsigned char *payload, size_t size)
{
	ws->peer_closed = true;
	ws->code = ws_close_code(payload, size, ws->context->service, ws->context->service ? READ_MAX + LWS_PRE : 0);
	/* The library answers the frame; an agent that does not read must not hold the leg for longer. */
	ev_timer_set(&ws->close_timer, close_within_s, 0.);
	ev_timer_start(ws->context->ev, &ws->close_timer);
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size)
{
	struct ws *ws = user;

	if (!ws)
		return 0;
	switch ((int)reason) {
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
		return append_headers(ws, in, size);
	case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
		ws->fd = lws_get_socket_fd(wsi);
		read_answer(ws->context, wsi);
		return 0;
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		return on_established(ws);
	case LWS_CALLBACK_CLIENT_RECEIVE:
		return on_receive(ws, in, size);
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		return on_writable(ws);
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		on_peer_close(ws, in, size);
		return 0;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		end(ws, in ? in : "no reason given");
		return 0;
	case LWS_CALLBACK_CLIENT_CLOSED:
		end(ws, "closed");
		return 0;
	case LWS_CALLBACK_WSI_DESTROY:
		end(ws, "destroyed");
		return 0;
	default:
		return 0;
	}
}

/* ---- context and dial ---- */

static const struct lws_protocols protocols[] = {
	{ .name = "crossfade", .callback = on_lws, .rx_buffer_size = READ_MAX, .tx_packet_size = MESSAGE_MAX + LWS_PRE },
	{ .name = NULL },
};
static const lws_retry_bo_t no_pings = { .secs_since_valid_ping = 0 };

int ws_context_new(struct loop *loop, const struct ws_settings *settings, struct ws_context **ret, struct err *err)
{
	struct ws_context *context = xcalloc(1, sizeof(*context));
	void *loops[] = { loop_ev(loop) };
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.protocols = protocols,
		.foreign_loops = loops,
		.options = LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
			   LWS_SERVER_OPTION_DISABLE_IPV6,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
		.pt_serv_buf_size = SERVICE_MAX,
		.max_http_header_data2 = HEAD_MAX,
		.max_http_header_pool2 = HANDSHAKES_MAX,
		.timeout_secs = LIBRARY_TIMEOUT_S,
		.connect_timeout_secs = LIBRARY_TIMEOUT_S,
		.client_ssl_ca_filepath = settings->ca_file,
	};

	lws_set_log_level(0, NULL);
	context->ev = loop_ev(loop);
	context->tls_verify = settings->tls_verify;
	context->lws = lws_create_context(&info);
	if (!context->lws) {
		free(context);
		return err_set(err, ERR_HARNESS, "libwebsockets: no context (is its libev plug-in installed? CA file %s)",
			       settings->ca_file ? settings->ca_file : "of the system");
	}
	ev_prepare_init(&context->reaper, on_reap);
	context->reaper.data = context;
	*ret = context;
	return 0;
}

void ws_context_free(struct ws_context *context)
{
	if (!context)
		return;
	on_reap(context->ev, &context->reaper, 0);
	lws_context_destroy(context->lws); /* ends what is left */
	ev_prepare_stop(context->ev, &context->reaper);
	free(context);
}

static char *head_of(const struct ws_dial *dial)
{
	struct buf head = buf_init(SERVICE_MAX);

	for (size_t i = 0; i < dial->header_count; i++)
		buf_printf(&head, "%s: %s\r\n", dial->headers[i].name, dial->headers[i].value);
	return head.data;
}

struct ws *ws_dial(struct ws_context *context, const struct ws_dial *dial, const struct ws_owner *owner, void *user,
		   struct err *err)
{
	struct ws *ws = xcalloc(1, sizeof(*ws));
	char address[INET_ADDRSTRLEN];
	struct lws_client_connect_info info = {
		.context = context->lws,
		.address = address,
		.port = ntohs(dial->address.sin_port),
		.path = dial->path,
		.host = dial->host,
		.protocol = dial->protocol,
		.local_protocol_name = protocols[0].name,
		.iface = dial->source_ip,
		.alpn = "http/1.1",
		.ietf_version_or_minus_one = -1,
		.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT,
		.retry_and_idle_policy = &no_pings,
		.userdata = ws,
	};

	if (!inet_ntop(AF_INET, &dial->address.sin_addr, address, sizeof(address))) {
		free(ws);
		err_errno(err, ERR_HARNESS, errno, "%s: address", dial->host);
		return NULL;
	}
	if (dial->tls)
		info.ssl_connection |= LCCSCF_USE_SSL;
	if (dial->tls && !context->tls_verify)
		info.ssl_connection |= LCCSCF_ALLOW_SELFSIGNED | LCCSCF_ALLOW_EXPIRED | LCCSCF_ALLOW_INSECURE |
				       LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK;
	*ws = (struct ws){ .context = context, .owner = owner, .user = user, .fd = -1, .head = head_of(dial) };
	ev_init(&ws->close_timer, on_close_timeout);
	ws->close_timer.data = ws;
	ws->dialing = true;
	ERR_clear_error(); /* a failure must not be told by an older one's words */
	errno = 0;
	ws->wsi = lws_client_connect_via_info(&info);
	ws->dialing = false;
	if (!ws->wsi) {
		ws->errnum = errno;
		doom(ws);
	}
	return ws;
}
