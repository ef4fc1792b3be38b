/*
 * For tests of the WebSocket client: raw servers on the same loop, each of which says and does one
 * thing, and a caller that writes down what it is told.
 */
#ifndef NET_TEST_PEER_H
#define NET_TEST_PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/certificate.h"
#include "net/ws.h"

enum ending { STAY, CLOSE, RESET };

/* What the server does: `answer` (after the head; "101" makes an upgrade), then `frames`, then the
 * ending. After `wait` bytes of frames received the ending is done; 0: at once. */
struct script {
	const char *answer, *headers;
	const void *frames;
	size_t frames_size;
	enum ending ending;
	size_t wait;
};

struct peer {
	const struct script *script;
	SSL_CTX *tls; /* NULL: plain */
	SSL *ssl;
	struct loop *loop;
	int listener, fd;
	uint16_t port;
	struct loop_fd *accept_watch, *watch;
	struct buf in;
	bool answered, eof, reset;
	size_t frames_in;
	char head[4096];
};

struct caller {
	struct loop *loop;
	struct ws_context *context;
	struct ws *ws;
	bool opened, ended, timed_out, closes_at_once, aborts_at_once;
	size_t messages, last_size;
	bool last_binary;
	uint16_t tls; /* of the 101 */
	char last[256], color[32], instance[64], cookies[512];
	struct ws_ended end;
	char text[256];
	struct loop_timer *guard;
};

/* A folder with the files of a listener, for one test. */
struct testing_certificate {
	char folder[64];
	struct certificate_files files;
};

static inline void testing_certificate_make(struct testing_certificate *t,
					    enum certificate_kind kind)
{
	struct err err = { .kind = ERR_NONE };

	strcpy(t->folder, "/tmp/crossfade-tls-XXXXXX");
	assert_non_null(mkdtemp(t->folder));
	if (certificate_make(t->folder, kind, &t->files, &err) < 0)
		fail_msg("%s", err.text);
}

static inline void testing_certificate_free(struct testing_certificate *t)
{
	unlink(t->files.ca);
	unlink(t->files.certificate);
	unlink(t->files.key);
	assert_int_equal(rmdir(t->folder), 0);
}

/* What a listener with these files speaks; 0 leaves a version to the library. */
static inline SSL_CTX *tls_of(const struct testing_certificate *t, int least, int most)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	SSL_CTX_set_security_level(tls, 0); /* whatever the machine's own settings forbid */
	SSL_CTX_set_num_tickets(tls,
				0); /* an RST overtakes what was not read: the 101 comes alone */
	assert_int_equal(SSL_CTX_use_certificate_file(tls, t->files.certificate, SSL_FILETYPE_PEM),
			 1);
	assert_int_equal(SSL_CTX_use_PrivateKey_file(tls, t->files.key, SSL_FILETYPE_PEM), 1);
	assert_int_equal(SSL_CTX_set_min_proto_version(tls, least), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(tls, most), 1);
	return tls;
}

static inline void accept_key(const char *head, char out[64])
{
	static const char label[] = "Sec-WebSocket-Key: ";
	unsigned char digest[SHA_DIGEST_LENGTH];
	char text[128];

	snprintf(text, sizeof(text), "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
		 strstr(head, label) + strlen(label));
	SHA1((const unsigned char *)text, strlen(text), digest);
	EVP_EncodeBlock((unsigned char *)out, digest, sizeof(digest));
}

static inline void end_peer(struct peer *p)
{
	struct linger now = { .l_onoff = 1 };

	if (p->fd < 0 || p->script->ending == STAY)
		return;
	if (p->script->ending == RESET)
		setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	loop_fd_free(p->watch);
	p->watch = NULL;
	close(p->fd);
	p->fd = -1;
}

static inline void put(struct peer *p, const void *data, size_t size)
{
	if (!size)
		return;
	assert_int_equal(p->ssl ? SSL_write(p->ssl, data, (int)size) : write(p->fd, data, size),
			 size);
}

/* As read(2): 0 at the end, -1 with EAGAIN when there is nothing now, or with its errno. */
static inline ssize_t take(struct peer *p, void *data, size_t size)
{
	int n;

	if (!p->ssl)
		return read(p->fd, data, size);
	errno = 0;
	n = SSL_read(p->ssl, data, (int)size); /* which does the handshake, too */
	if (n > 0)
		return n;
	switch (SSL_get_error(p->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_SYSCALL:
		return errno ? -1 : 0;
	default:
		ERR_clear_error();
		return 0;
	}
}

static inline void answer(struct peer *p)
{
	char text[1024], key[64];

	p->answered = true;
	snprintf(p->head, sizeof(p->head), "%s", buf_text(&p->in));
	if (p->script->answer && !strcmp(p->script->answer, "101")) {
		accept_key(p->head, key);
		snprintf(
			text, sizeof(text),
			"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			"Sec-WebSocket-Accept: %s\r\n%s\r\n",
			key, p->script->headers ? p->script->headers : "");
		put(p, text, strlen(text));
	} else if (p->script->answer) {
		put(p, p->script->answer, strlen(p->script->answer));
	}
	put(p, p->script->frames, p->script->frames_size);
	if (!p->script->wait)
		end_peer(p);
}

/* One piece of what came; false when there is no more now. */
static inline bool hear_peer(struct peer *p)
{
	char bytes[4096];
	ssize_t n = take(p, bytes, sizeof(bytes));

	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		p->reset = n < 0 && errno == ECONNRESET;
		p->eof = n == 0;
		loop_fd_want(p->watch, 0);
		return false;
	}
	if (p->answered) {
		p->frames_in += (size_t)n;
		if (p->script->wait && p->frames_in >= p->script->wait)
			end_peer(p);
		return p->fd >= 0;
	}
	buf_append(&p->in, bytes, (size_t)n);
	if (strstr(buf_text(&p->in), "\r\n\r\n"))
		answer(p);
	return p->fd >= 0;
}

static inline void on_peer(void *user, int events)
{
	struct peer *p = user;

	(void)events;
	while (hear_peer(p) && p->ssl) /* what TLS has read already wakes nobody */
		continue;
}

static inline void on_accept(void *user, int events)
{
	struct peer *p = user;

	(void)events;
	p->fd = accept4(p->listener, NULL, NULL, p->tls ? SOCK_NONBLOCK : 0);
	assert_true(p->fd >= 0);
	if (p->tls) {
		p->ssl = SSL_new(p->tls);
		SSL_set_fd(p->ssl, p->fd);
		SSL_set_accept_state(p->ssl);
	}
	p->watch = loop_fd_new(p->loop, p->fd, on_peer, p);
	loop_fd_want(p->watch, LOOP_READ);
}

static inline void listen_peer(struct peer *p, struct loop *loop, const struct script *script)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(any);

	*p = (struct peer){ .script = script, .loop = loop, .fd = -1, .in = buf_init(65536) };
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(listen(p->listener, 16), 0);
	assert_int_equal(getsockname(p->listener, (struct sockaddr *)&any, &size), 0);
	p->port = ntohs(any.sin_port);
	p->accept_watch = loop_fd_new(loop, p->listener, on_accept, p);
	loop_fd_want(p->accept_watch, LOOP_READ);
}

static inline void free_peer(struct peer *p)
{
	loop_fd_free(p->watch);
	loop_fd_free(p->accept_watch);
	if (p->fd >= 0)
		close(p->fd);
	close(p->listener);
	buf_free(&p->in);
	SSL_free(p->ssl);
	SSL_CTX_free(p->tls);
}

static inline void on_open(void *user, const struct ws_accepted *a)
{
	struct caller *c = user;

	c->opened = true;
	c->tls = a->tls;
	snprintf(c->color, sizeof(c->color), "%s", a->color ? a->color : "");
	snprintf(c->instance, sizeof(c->instance), "%s", a->instance ? a->instance : "");
	for (size_t i = 0; i < a->set_cookie_count; i++)
		snprintf(c->cookies + strlen(c->cookies), sizeof(c->cookies) - strlen(c->cookies),
			 "[%s]", a->set_cookies[i]);
	if (c->closes_at_once)
		ws_close(c->ws, 1000);
	if (c->aborts_at_once)
		ws_abort(c->ws, false);
}

static inline void on_message(void *user, const void *data, size_t size, bool binary)
{
	struct caller *c = user;

	c->messages++;
	c->last_size = size;
	c->last_binary = binary;
	memcpy(c->last, data, size < sizeof(c->last) ? size : sizeof(c->last) - 1);
}

static inline void on_end(void *user, const struct ws_ended *e)
{
	struct caller *c = user;

	assert_false(c->ended); /* exactly once */
	c->ended = true;
	c->end = *e;
	snprintf(c->text, sizeof(c->text), "%s", e->text);
	c->ws = NULL;
}

static inline void on_guard(void *user)
{
	struct caller *c = user;

	c->timed_out = true;
}

static const struct ws_owner owner = { .on_open = on_open,
				       .on_message = on_message,
				       .on_end = on_end };

static inline void start_with(struct caller *c, const char *ca_file)
{
	struct ws_settings settings = { .tls_verify = true, .ca_file = ca_file };
	struct err err = { 0 };

	*c = (struct caller){ .loop = loop_new() };
	assert_int_equal(ws_context_new(c->loop, &settings, &c->context, &err), 0);
	c->guard = loop_timer_new(c->loop, on_guard, c);
	loop_timer_at(c->guard, clock_now_ns() + 60 * NS_PER_S);
}

static inline void start(struct caller *c)
{
	start_with(c, NULL);
}

static inline void stop(struct caller *c)
{
	loop_timer_free(c->guard);
	ws_context_free(c->context);
	loop_free(c->loop);
}

static inline void dial_as(struct caller *c, uint16_t port, bool tls, const char *host)
{
	static const struct ws_header headers[] = { { "Cookie", "AWSALB=abc" }, { "X-Test", "1" } };
	struct ws_dial d = { .address = { .sin_family = AF_INET,
					  .sin_port = htons(port),
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
			     .host = host,
			     .path = "/realtime/c-1?x=y",
			     .headers = headers,
			     .header_count = 2,
			     .tls = tls,
			     .source_ip = "127.0.0.9" };
	struct err err = { 0 };

	c->ws = ws_dial(c->context, &d, &owner, c, &err);
	assert_non_null(c->ws);
	assert_false(c->opened || c->ended); /* never calls back before it returns */
}

static inline void dial(struct caller *c, uint16_t port, bool tls)
{
	dial_as(c, port, tls, "voice.example.com:8080");
}

#define UNTIL(c, condition)                                                                        \
	do {                                                                                       \
		while (!(condition) && !(c)->timed_out)                                            \
			loop_run_once((c)->loop);                                                  \
		assert_true(condition);                                                            \
	} while (0)

#endif
