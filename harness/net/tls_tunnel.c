#include "net/tls_tunnel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/tls.h"

enum { RECORD_BYTES = 16384 };

/* Bytes under way in one direction. */
struct pipe {
	char bytes[RECORD_BYTES];
	size_t begin, end;
	bool finished; /* no more will come */
	bool told;     /* and the other side was told so */
};

struct tunnel {
	struct tls_tunnels *all;
	struct tunnel *next, **link;
	SSL *ssl;
	int user, net;
	struct loop_fd *user_watch, *net_watch;
	struct loop_timer *guard; /* of the handshake; then NULL */
	struct pipe out, in;	  /* towards the server, and back */
	bool connecting, shaken;
	bool broken;		     /* it ended in the middle, or was never there */
	int net_wants;		     /* what OpenSSL waits for */
	char reason[TLS_REASON_MAX]; /* to be told; "" with a connection that just broke off */
};

struct tls_tunnels {
	struct loop *loop;
	struct tls_tunnels_spec spec;
	SSL_CTX *context;
	struct tunnel *first;
};

static size_t pending(const struct pipe *p)
{
	return p->end - p->begin;
}

/* ---- the context ---- */

static int read_files(SSL_CTX *context, const struct tls_tunnels_spec *spec, struct err *err)
{
	unsigned long why;
	const char *text;

	if (spec->ca_file && SSL_CTX_load_verify_file(context, spec->ca_file) != 1)
		err_set(err, ERR_INPUT, "CA file %s: ", spec->ca_file);
	else if (!spec->ca_file && SSL_CTX_set_default_verify_paths(context) != 1)
		err_set(err, ERR_WORLD, "the system's CAs: ");
	else if (spec->certificate_file &&
		 SSL_CTX_use_certificate_chain_file(context, spec->certificate_file) != 1)
		err_set(err, ERR_INPUT, "certificate file %s: ", spec->certificate_file);
	else if (spec->key_file &&
		 SSL_CTX_use_PrivateKey_file(context, spec->key_file, SSL_FILETYPE_PEM) != 1)
		err_set(err, ERR_INPUT, "key file %s: ", spec->key_file);
	else
		return 0;
	why = ERR_peek_error();
	text = ERR_SYSTEM_ERROR(why) ? strerrordesc_np(ERR_GET_REASON(why)) :
				       ERR_reason_error_string(why);
	if (err)
		snprintf(err->text + strlen(err->text), sizeof(err->text) - strlen(err->text), "%s",
			 text ? text : "cannot be used");
	ERR_clear_error();
	return -1;
}

int tls_tunnels_new(struct loop *loop, const struct tls_tunnels_spec *spec,
		    struct tls_tunnels **ret, struct err *err)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	struct tls_tunnels *t;

	if (!context)
		return err_set(err, ERR_HARNESS, "no TLS context");
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	/* A protocol that tells its own end need not rely on TLS for it. */
	SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(context,
			 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (read_files(context, spec, err) < 0) {
		SSL_CTX_free(context);
		return -1;
	}
	t = xcalloc(1, sizeof(*t));
	*t = (struct tls_tunnels){ .loop = loop, .spec = *spec, .context = context };
	*ret = t;
	return 0;
}

/* ---- one tunnel ---- */

static void tunnel_free(struct tunnel *t)
{
	loop_fd_free(t->user_watch);
	loop_fd_free(t->net_watch);
	loop_timer_free(t->guard);
	SSL_free(t->ssl);
	ERR_clear_error();
	close(t->user);
	close(t->net);
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	explicit_bzero(&t->out, sizeof(t->out));
	free(t);
}

void tls_tunnels_free(struct tls_tunnels *t)
{
	if (!t)
		return;
	while (t->first)
		tunnel_free(t->first);
	SSL_CTX_free(t->context);
	free(t);
}

/* The first reason is the one; what comes after it are its consequences. */
static void give_up(struct tunnel *t, const char *reason)
{
	t->broken = true;
	if (!*t->reason)
		snprintf(t->reason, sizeof(t->reason), "%s", reason);
}

static int on_verify(int ok, X509_STORE_CTX *store)
{
	struct tunnel *t = SSL_get_app_data(
		X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));

	if (!ok && !*t->reason)
		tls_certificate_reason(X509_STORE_CTX_get_error(store),
				       X509_STORE_CTX_get_current_cert(store), t->all->spec.host,
				       t->reason);
	return ok;
}

/* What an operation on the TLS side came to: its bytes, or 0 when it has to wait or is over. */
static size_t done(struct tunnel *t, int n)
{
	int error = n > 0 ? SSL_ERROR_NONE : SSL_get_error(t->ssl, n), why = errno;
	const char *text = ERR_reason_error_string(ERR_peek_error());

	ERR_clear_error();
	switch (error) {
	case SSL_ERROR_NONE:
		return (size_t)n;
	case SSL_ERROR_WANT_READ:
		t->net_wants |= LOOP_READ;
		return 0;
	case SSL_ERROR_WANT_WRITE:
		t->net_wants |= LOOP_WRITE;
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		t->in.finished = true;
		return 0;
	default:
		/* A reset of a connection that was good is no failure of TLS. */
		give_up(t, text	     ? text :
			   t->shaken ? "" :
			   why	     ? strerrordesc_np(why) :
				       "the connection ended in the handshake");
		return 0;
	}
}

static void shake_hands(struct tunnel *t)
{
	int why = 0;
	socklen_t size = sizeof(why);

	if (t->connecting) {
		if (getsockopt(t->net, SOL_SOCKET, SO_ERROR, &why, &size) < 0 || why) {
			give_up(t, strerrordesc_np(why ? why : errno));
			return;
		}
		t->connecting = false;
	}
	ERR_clear_error();
	errno = 0;
	t->shaken = done(t, SSL_connect(t->ssl)) == 1;
	if (t->shaken) {
		loop_timer_free(t->guard);
		t->guard = NULL;
	}
}

static void to_server(struct tunnel *t)
{
	struct pipe *p = &t->out;

	if (!pending(p) && !p->finished) {
		ssize_t n = recv(t->user, p->bytes, sizeof(p->bytes), 0);

		p->begin = 0;
		p->end = n > 0 ? (size_t)n : 0;
		p->finished = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
	}
	ERR_clear_error();
	errno = 0;
	if (pending(p)) {
		p->begin += done(t, SSL_write(t->ssl, p->bytes + p->begin, (int)pending(p)));
		if (!pending(p))
			explicit_bzero(p->bytes, p->end); /* it may have been a password */
	}
	if (p->finished && !pending(p) && !p->told && !t->broken) {
		int n = SSL_shutdown(t->ssl);

		p->told = n >= 0 || SSL_get_error(t->ssl, n) != SSL_ERROR_WANT_WRITE;
		t->net_wants |= p->told ? 0 : LOOP_WRITE;
	}
}

static void to_user(struct tunnel *t)
{
	struct pipe *p = &t->in;

	ERR_clear_error();
	errno = 0;
	for (;;) {
		ssize_t n;

		if (!pending(p) && !p->finished && !t->broken) {
			p->begin = 0;
			p->end = done(t, SSL_read(t->ssl, p->bytes, sizeof(p->bytes)));
		}
		if (!pending(p))
			break;
		n = send(t->user, p->bytes + p->begin, pending(p), MSG_NOSIGNAL);
		if (n < 0) {
			t->broken |= errno != EAGAIN && errno != EINTR; /* its user has left */
			return;
		}
		p->begin += (size_t)n;
	}
	if (p->finished && !pending(p) && !p->told) {
		shutdown(t->user, SHUT_WR);
		p->told = true;
	}
}

/* Whatever it was: it goes on, or is over. */
static void settle(struct tunnel *t)
{
	const struct tls_tunnels_spec *spec = &t->all->spec;
	char reason[TLS_REASON_MAX];

	if (t->broken || (t->in.told && t->out.told)) {
		snprintf(reason, sizeof(reason), "%s", t->reason);
		tunnel_free(t);
		if (*reason)
			spec->failed(spec->user, reason);
		return;
	}
	loop_fd_want(t->net_watch, t->net_wants);
	loop_fd_want(t->user_watch,
		     (t->shaken && !t->out.finished && !pending(&t->out) ? LOOP_READ : 0) |
			     (pending(&t->in) ? LOOP_WRITE : 0));
}

/* Both directions go as far as they can. */
static void on_ready(void *user, int events)
{
	struct tunnel *t = user;

	(void)events;
	t->net_wants = 0;
	if (!t->shaken)
		shake_hands(t);
	if (t->shaken)
		to_user(t);
	if (t->shaken && !t->broken)
		to_server(t);
	settle(t);
}

static void on_late(void *user)
{
	give_up(user, "no end of the handshake in time");
	settle(user);
}

static bool prepared(struct tunnel *t)
{
	const char *host = t->all->spec.host;
	struct in_addr ip;

	t->ssl = SSL_new(t->all->context);
	if (!t->ssl || !SSL_set_fd(t->ssl, t->net) || !SSL_set1_host(t->ssl, host))
		return false;
	SSL_set_app_data(t->ssl, t);
	SSL_set_verify(t->ssl, SSL_VERIFY_PEER, on_verify);
	/* An address is no server name (RFC 6066, 3). */
	if (inet_pton(AF_INET, host, &ip) != 1)
		SSL_set_tlsext_host_name(t->ssl, host);
	return true;
}

int tls_tunnel_open(struct tls_tunnels *all, int *ret_fd)
{
	int pair[2], net = address_connect(&all->spec.server);
	struct tunnel *t;

	if (net < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
		close(net);
		return -1;
	}
	t = xcalloc(1, sizeof(*t));
	t->all = all;
	t->user = pair[1];
	t->net = net;
	t->connecting = true;
	t->next = all->first;
	t->link = &all->first;
	if (t->next)
		t->next->link = &t->next;
	all->first = t;
	t->user_watch = loop_fd_new(all->loop, t->user, on_ready, t);
	t->net_watch = loop_fd_new(all->loop, t->net, on_ready, t);
	t->guard = loop_timer_new(all->loop, on_late, t);
	loop_timer_at(t->guard, clock_now_ns() + all->spec.shaken_within_ns);
	if (!prepared(t)) {
		close(pair[0]);
		tunnel_free(t);
		errno = ENOMEM;
		return -1;
	}
	loop_fd_want(t->net_watch, LOOP_WRITE);
	*ret_fd = net;
	return pair[0];
}

/* ---- a first try ---- */

struct
try {
	struct tls_tunnels *tunnels;
	int fd;
	bool over, answered;
	char reason[TLS_REASON_MAX];
};

static void end_try(void *user, const char *reason)
{
	struct try *t = user;

	t->over = true;
	if (!*t->reason)
		snprintf(t->reason, sizeof(t->reason), "%s", reason);
}

static void on_answer(void *user, int events)
{
	struct try *t = user;
	char byte;

	(void)events;
	t->answered = recv(t->fd, &byte, 1, 0) == 1;
	end_try(t, t->answered ? "" : "it closed the connection");
}

static void on_time(void *user)
{
	end_try(user, "no answer in time");
}

int tls_tunnel_try(struct loop *loop, const struct tls_tunnels_spec *spec, const char *hello,
		   int64_t timeout_ns, struct err *err)
{
	struct try t = { .fd = -1 };
	struct tls_tunnels_spec own = *spec;
	struct loop_timer *timer;
	struct loop_fd *watch;
	int seen;

	own.failed = end_try;
	own.user = &t;
	if (tls_tunnels_new(loop, &own, &t.tunnels, err) < 0)
		return -1;
	t.fd = tls_tunnel_open(t.tunnels, &seen);
	if (t.fd < 0) {
		err_errno(err, ERR_WORLD, errno, "%s", spec->host);
		tls_tunnels_free(t.tunnels);
		return -1;
	}
	timer = loop_timer_new(loop, on_time, &t);
	watch = loop_fd_new(loop, t.fd, on_answer, &t);
	loop_timer_at(timer, clock_now_ns() + timeout_ns);
	loop_fd_want(watch, LOOP_READ);
	(void)send(t.fd, hello, strlen(hello), MSG_NOSIGNAL); /* what is wrong with it comes back */
	while (!t.over)
		loop_run_once(loop);
	loop_timer_free(timer);
	loop_fd_free(watch);
	tls_tunnels_free(t.tunnels);
	close(t.fd);
	return t.answered ? 0 : err_set(err, ERR_WORLD, "%s", t.reason);
}
