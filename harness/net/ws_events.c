#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "net/ws_end.h"
#include "net/ws_inside.h"

enum { MESSAGE_TOO_BIG = 1009 };

static bool told_in_tls(const struct ws *ws)
{
	SSL *ssl = lws_get_ssl(ws->wsi);

	return ssl && SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN;
}

static struct ws_ended leg_end_of(const struct ws *ws, const char *text)
{
	struct ws_ended e = {
		.how = LEG_CLOSE_FRAME, .side = SIDE_CALLER, .code = ws->code, .text = text
	};

	if (ws->peer_closed)
		e.side = SIDE_AGENT;
	else if (ws->gave_up)
		e.how = LEG_TIMEOUT;
	else if (ws->aborted)
		e.how = ws->reset ? LEG_RST : LEG_FIN;
	else if (!ws->close_sent)
		ws_stream_ended(ws->fd, &e);
	/* Said in TLS that no more will come, and the end of the stream is still on its way. */
	if (e.side == SIDE_CALLER && !ws->aborted && !ws->close_sent && told_in_tls(ws))
		e.side = SIDE_AGENT;
	if (e.how != LEG_CLOSE_FRAME)
		e.code = 0;
	return e;
}

void ws_end(struct ws *ws, const char *text)
{
	struct ws_ended e;

	if (ws->over || ws->dialing)
		return;
	ws->over = true;
	if (ws->established) {
		e = leg_end_of(ws, text);
	} else {
		struct ws_dial_end d = { .aborted = ws->aborted,
					 .at_once = !ws->wsi,
					 .errnum = ws->errnum,
					 .text = text,
					 .tls_alert = ws->context->tls_alert,
					 .status = ws->wsi ?
							   lws_http_client_http_response(ws->wsi) :
							   0 };

		ws_dial_failed(&d, &e);
		if (e.failure == DIAL_TLS_CERT && ws->context->tls_reason[0])
			e.text = ws->context->tls_reason;
	}
	e.established = ws->established;
	ws->context->tls_alert = 0;
	ws_spare(ws);
	ev_timer_stop(ws->context->ev, &ws->close_timer);
	if (ws->wsi)
		lws_set_wsi_user(ws->wsi, NULL);
	ws->owner->on_end(ws->user, &e);
	ws->context->tls_reason[0] = '\0';
	buf_free(&ws->joined);
	buf_free(&ws->queue);
	free(ws->head);
	free(ws);
}

static int append_headers(struct ws *ws, char **at, size_t room)
{
	size_t size = ws->head ? strlen(ws->head) : 0;

	/* The request is being made at the start of the library's service buffer, which it also
	 * reads into. */
	if (!ws->context->service) {
		const char *begin = *at;

		while (memcmp(begin, "GET /", 5))
			begin--;
		ws->context->service = (const unsigned char *)begin;
	}
	if (ws->owner->on_connected)
		ws->owner->on_connected(ws->user);
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
	copy_header(wsi, "x-agent-instance:", context->answer.instance,
		    sizeof(context->answer.instance));
	context->answer.count = 0;
	for (int i = 0; i < WS_COOKIES_MAX; i++) {
		char *text = context->answer.cookie_text + used;

		n = lws_hdr_copy_fragment(wsi, text,
					  (int)(sizeof(context->answer.cookie_text) - used),
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
	ws_spare(ws);
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
	SSL *ssl = lws_get_ssl(ws->wsi);

	if (ssl) {
		accepted.tls = (uint16_t)SSL_version(ssl);
		accepted.cipher = SSL_get_cipher_name(ssl);
	}
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
	if (ws->joined.len + size > WS_MESSAGE_MAX) {
		/* Not closed by -1 from here: in the middle of a frame the library would write past
		 * its buffer. */
		ws->deaf = true;
		ws_close(ws, MESSAGE_TOO_BIG);
		return 0;
	}
	if (ws->joined.len || !whole) {
		if (!ws->joined.max)
			ws->joined = buf_init(WS_MESSAGE_MAX);
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
	ws->code = ws_close_code(payload, size, ws->context->service,
				 ws->context->service ? WS_READ_MAX + LWS_PRE : 0);
	/* The library answers the frame; an agent that does not read must not hold the leg for
	 * longer. */
	ws_lose_patience(ws);
}

/* Comes within the connection's own service, right before its end. */
static void on_tls_info(const SSL *ssl, int where, int value)
{
	struct ws_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if ((where & SSL_CB_ALERT) && value >> 8 == SSL3_AL_FATAL)
		context->tls_alert = value & 0xff;
}

/* The library tells that a certificate was refused, and not why. */
static void on_certificate(struct ws_context *context, X509_STORE_CTX *store, const SSL *ssl)
{
	tls_certificate_reason(
		X509_STORE_CTX_get_error(store), X509_STORE_CTX_get_current_cert(store),
		SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name), context->tls_reason);
}

/* The library would go on without a CA file it cannot read. One context of TLS serves thousands of
 * connections, most of which are silent at any time: their buffers are let go. */
static void set_up_tls(struct ws_context *context, SSL_CTX *tls)
{
	SSL_CTX_set_app_data(tls, context);
	SSL_CTX_set_info_callback(tls, on_tls_info);
	/* What callers speak (RFC 8996). Left to the library, an older listener fails for want
	 * of a digest, and that has no alert of its own. */
	SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
	if (context->ca_file && SSL_CTX_load_verify_file(tls, context->ca_file) != 1)
		context->bad_ca = true;
}

int ws_on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size)
{
	struct ws *ws = user;

	if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS) {
		set_up_tls(lws_context_user(lws_get_context(wsi)), user);
		return 0;
	}
	if (reason == LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION) {
		if (!size) /* not preverified */
			on_certificate(lws_context_user(lws_get_context(wsi)), user, in);
		return 0;
	}
	if (!ws)
		return 0;
	switch ((int)reason) {
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
		return append_headers(ws, in, size);
	case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
		ws->fd = lws_get_socket_fd(wsi);
		/* An end of stream without close_notify is how balancers cut. Taken for an error,
		 * it would be answered by an alert, that by RST, and nobody could tell the one from
		 * the other. Not earlier: in a handshake the library would wait for more. */
		if (lws_get_ssl(wsi))
			SSL_set_options(lws_get_ssl(wsi), SSL_OP_IGNORE_UNEXPECTED_EOF);
		read_answer(ws->context, wsi);
		return 0;
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		return on_established(ws);
	case LWS_CALLBACK_CLIENT_RECEIVE:
		return on_receive(ws, in, size);
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		return ws_writable(ws);
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		on_peer_close(ws, in, size);
		return 0;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		ws_end(ws, in ? in : "no reason given");
		return 0;
	case LWS_CALLBACK_CLIENT_CLOSED:
		ws_end(ws, "closed");
		return 0;
	case LWS_CALLBACK_WSI_DESTROY:
		ws_end(ws, "destroyed");
		return 0;
	default:
		return 0;
	}
}
