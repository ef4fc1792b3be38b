#include "net/ws.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net/ws_inside.h"

enum {
	QUEUE_MAX = 256 * 1024,
	SERVICE_MAX = 16384,	  /* one per context: request heads are made in it */
	HANDSHAKES_MAX = 32768,	  /* at a time; past that dials queue in the library */
	LIBRARY_TIMEOUT_S = 3600, /* never: deadlines are the owner's */
};
static const double close_within_s = 2.;

struct waiting {
	uint32_t size;
	bool binary;
};

/* ---- ending from the loop ---- */

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

void ws_spare(struct ws *ws)
{
	if (!ws->doomed_link)
		return;
	*ws->doomed_link = ws->doomed_next;
	if (ws->doomed_next)
		ws->doomed_next->doomed_link = ws->doomed_link;
	ws->doomed_link = NULL;
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
		ws_spare(ws);
		if (ws->wsi) /* on_end comes from within */
			lws_set_timeout(ws->wsi, 1, LWS_TO_KILL_SYNC);
		else
			ws_end(ws, strerror(ws->errnum));
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

void ws_lose_patience(struct ws *ws)
{
	ev_timer_set(&ws->close_timer, close_within_s, 0.);
	ev_timer_start(ws->context->ev, &ws->close_timer);
}

/* ---- sending ---- */

static int write_frame(struct ws *ws, const void *data, size_t size, bool binary)
{
	unsigned char *frame = ws->context->frame + LWS_PRE;

	memcpy(frame, data, size); /* masked in place by the library */
	return lws_write(ws->wsi, frame, size, binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT) < 0 ?
		       -1 :
		       0;
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

int ws_writable(struct ws *ws)
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

	if (!ws->established || ws->closing || ws->aborted || ws->peer_closed || ws->over ||
	    size > WS_MESSAGE_MAX)
		return -1;
	/* Written at once: asking for a writable callback first costs two system calls and a turn
	 * of the loop. */
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
	ws_lose_patience(ws);
	lws_callback_on_writable(ws->wsi);
}

void ws_abort(struct ws *ws, bool reset)
{
	struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

	if (ws->aborted || ws->over)
		return;
	ws->aborted = true;
	ws->reset = reset;
	/* On the wire now, whenever the library comes to its close(): disconnecting a stream resets
	 * it. */
	if (ws->established && reset)
		connect(ws->fd, &nowhere, sizeof(nowhere));
	else if (ws->established)
		shutdown(ws->fd, SHUT_WR);
	doom(ws);
}

/* ---- context and dial ---- */

static const struct lws_protocols protocols[] = {
	{ .name = "crossfade",
	  .callback = ws_on_lws,
	  .rx_buffer_size = WS_READ_MAX,
	  .tx_packet_size = WS_MESSAGE_MAX + LWS_PRE },
	{ .name = NULL },
};
static const lws_retry_bo_t no_pings = { .secs_since_valid_ping = 0 };

int ws_context_new(struct loop *loop, const struct ws_settings *settings, struct ws_context **ret,
		   struct err *err)
{
	struct ws_context *context = xcalloc(1, sizeof(*context));
	void *loops[] = { loop_ev(loop) };
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.protocols = protocols,
		.user = context,
		.foreign_loops = loops,
		.options = LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
			   LWS_SERVER_OPTION_DISABLE_IPV6,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
		.pt_serv_buf_size = SERVICE_MAX,
		.max_http_header_data2 = WS_HEAD_MAX,
		.max_http_header_pool2 = HANDSHAKES_MAX,
		.timeout_secs = LIBRARY_TIMEOUT_S,
		.connect_timeout_secs = LIBRARY_TIMEOUT_S,
	};

	lws_set_log_level(0, NULL);
	context->ev = loop_ev(loop);
	context->tls_verify = settings->tls_verify;
	context->ca_file = settings->ca_file;
	if (settings->ca_file)
		info.options |= LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
	context->lws = lws_create_context(&info);
	if (!context->lws) {
		free(context);
		return err_set(err, ERR_HARNESS,
			       "libwebsockets: no context (is its libev plug-in installed?)");
	}
	context->ca_file = NULL;
	if (context->bad_ca) {
		lws_context_destroy(context->lws);
		free(context);
		return err_set(err, ERR_INPUT, "CA file %s: no PEM certificates to be read there",
			       settings->ca_file);
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

struct ws *ws_dial(struct ws_context *context, const struct ws_dial *dial,
		   const struct ws_owner *owner, void *user, struct err *err)
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
		info.ssl_connection |= LCCSCF_ALLOW_SELFSIGNED | LCCSCF_ALLOW_EXPIRED |
				       LCCSCF_ALLOW_INSECURE |
				       LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK;
	*ws = (struct ws){
		.context = context, .owner = owner, .user = user, .fd = -1, .head = head_of(dial)
	};
	ev_init(&ws->close_timer, on_close_timeout);
	ws->close_timer.data = ws;
	ws->dialing = true;
	errno = 0;
	ws->wsi = lws_client_connect_via_info(&info);
	ws->dialing = false;
	if (!ws->wsi) {
		ws->errnum = errno;
		doom(ws);
	}
	return ws;
}
