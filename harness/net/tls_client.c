#include "net/tls_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/loop.h"
#include "net/tls.h"

struct tls_client {
	SSL_CTX *context;
	char *name;
	bool is_address;
};

struct tls_end {
	const struct tls_client *client;
	SSL *ssl;
	int fd, wants;
	int64_t deadline_ns;
	bool shaken, told_the_end;
	char failure[TLS_REASON_MAX];
};

int tls_client_new(const char *name, const char *ca_file, struct tls_client **ret, struct err *err)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	struct tls_client *c;
	struct in_addr ip;
	unsigned long why;

	ERR_clear_error();
	if (!context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
	    (ca_file ? SSL_CTX_load_verify_file(context, ca_file) :
		       SSL_CTX_set_default_verify_paths(context)) != 1) {
		why = ERR_peek_error();
		err_set(err, ERR_INPUT, "%s: cannot be used: %s",
			ca_file ? ca_file : "the system's CA certificates",
			ERR_SYSTEM_ERROR(why) ? strerror(ERR_GET_REASON(why)) :
						ERR_reason_error_string(why));
		ERR_clear_error();
		SSL_CTX_free(context);
		return -1;
	}
	/* A Redis that is killed says no close_notify; its protocol tells by itself whether an
	 * answer is whole. */
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_mode(context,
			 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	c = xcalloc(1, sizeof *c);
	*c = (struct tls_client){ .context = context,
				  .name = xstrdup(name),
				  .is_address = inet_pton(AF_INET, name, &ip) == 1 };
	*ret = c;
	return 0;
}

void tls_client_free(struct tls_client *c)
{
	if (!c)
		return;
	SSL_CTX_free(c->context);
	free(c->name);
	free(c);
}

/* Only to write down what the failure is about: it stays one. */
static int on_verify(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_end *e = SSL_get_app_data(ssl);

	if (!ok && !*e->failure)
		tls_certificate_reason(X509_STORE_CTX_get_error(store),
				       X509_STORE_CTX_get_current_cert(store), e->client->name,
				       e->failure);
	return ok;
}

struct tls_end *tls_end_new(struct tls_client *c, int fd, int64_t deadline_ns)
{
	struct tls_end *e = xcalloc(1, sizeof *e);
	bool ready;

	/* A client speaks first, and a socket can be written to when it is connected. */
	*e = (struct tls_end){ .client = c,
			       .ssl = SSL_new(c->context),
			       .fd = fd,
			       .wants = LOOP_WRITE,
			       .deadline_ns = deadline_ns };
	ASSERT(e->ssl); /* nothing but memory can be missing */
	SSL_set_app_data(e->ssl, e);
	SSL_set_verify(e->ssl, SSL_VERIFY_PEER, on_verify);
	/* An address is no server name (RFC 6066, 3). Set as a host, it is looked for among the
	 * certificate's addresses. */
	ready = SSL_set1_host(e->ssl, c->name) && SSL_set_fd(e->ssl, fd) &&
		(c->is_address || SSL_set_tlsext_host_name(e->ssl, c->name));
	ASSERT(ready);
	SSL_set_connect_state(e->ssl);
	return e;
}

void tls_end_free(struct tls_end *e)
{
	if (!e)
		return;
	SSL_free(e->ssl);
	free(e);
}

int64_t tls_end_deadline_ns(const struct tls_end *e)
{
	return e->deadline_ns;
}

int tls_end_wants(const struct tls_end *e)
{
	return e->wants;
}

const char *tls_end_failure(const struct tls_end *e)
{
	return e->failure;
}

static int failed(struct tls_end *e, int why, const char *text)
{
	if (!*e->failure)
		snprintf(e->failure, sizeof e->failure, "%s", text);
	ERR_clear_error();
	errno = why;
	return -1;
}

/* What a call that returned n <= 0 means: -1 with errno, or 0 at the end of the stream. */
static int outcome(struct tls_end *e, int n)
{
	int why = errno, error = SSL_get_error(e->ssl, n);
	unsigned long first = ERR_peek_error();

	switch (error) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		e->wants = error == SSL_ERROR_WANT_READ ? LOOP_READ : LOOP_WRITE;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		if (e->shaken)
			return 0;
		break;
	case SSL_ERROR_SYSCALL:
		/* The socket's end is as without TLS; but one in the handshake may be meant. */
		if (!e->shaken && (!why || why == ECONNRESET || why == EPIPE))
			break;
		errno = why ? why : ECONNRESET;
		return -1;
	default:
		break;
	}
	if (first && ERR_GET_LIB(first) == ERR_LIB_SSL &&
	    ERR_GET_REASON(first) == SSL_R_WRONG_VERSION_NUMBER)
		return failed(e, EPROTO, "what answers there does not speak TLS");
	return failed(e, EPROTO,
		      first ? ERR_reason_error_string(first) :
			      "the connection ended in the handshake");
}

int tls_end_shake(struct tls_end *e)
{
	int n;

	if (clock_now_ns() >= e->deadline_ns)
		return failed(e, ETIMEDOUT, "no end of the handshake in time");
	ERR_clear_error();
	errno = 0;
	n = SSL_connect(e->ssl);
	if (n != 1) {
		n = outcome(e, n);
		ASSERT_EQ(n, -1);
		return -1;
	}
	e->shaken = true;
	e->wants = LOOP_READ;
	return 0;
}

int tls_end_shake_now(struct tls_end *e, struct err *err)
{
	struct pollfd p = { .fd = e->fd };
	socklen_t size = sizeof(int);
	int64_t left_ns;
	int why = 0;

	do {
		p.events = e->wants == LOOP_READ ? POLLIN : POLLOUT;
		left_ns = e->deadline_ns - clock_now_ns();
		if (left_ns > 0 && poll(&p, 1, (int)(left_ns / NS_PER_MS) + 1) < 0)
			continue;
		if (getsockopt(e->fd, SOL_SOCKET, SO_ERROR, &why, &size) < 0 || why)
			return err_errno(err, ERR_WORLD, why ? why : errno, "connect");
		if (tls_end_shake(e) == 0)
			return 0;
	} while (errno == EAGAIN || errno == EINTR);
	return err_set(err, ERR_WORLD, "TLS: %s", e->failure);
}

ssize_t tls_end_read(struct tls_end *e, void *out, size_t size)
{
	size_t n = 0;

	ASSERT(size >= TLS_RECORD_BYTES_MAX);
	ERR_clear_error();
	errno = 0;
	if (SSL_read_ex(e->ssl, out, size, &n) != 1)
		return outcome(e, 0);
	e->wants = LOOP_READ;
	return (ssize_t)n;
}

/* A record at a time; what the socket does not take is asked for again. */
ssize_t tls_end_write(struct tls_end *e, const void *data, size_t size)
{
	int wants = e->wants, result;
	size_t done = 0, n = 0;

	while (done < size) {
		ERR_clear_error();
		errno = 0;
		if (SSL_write_ex(e->ssl, (const char *)data + done, size - done, &n) != 1) {
			result = outcome(e, 0);
			e->wants = wants; /* a read does not wait for it */
			if (result == 0)
				errno = EPIPE;
			return done && errno == EAGAIN ? (ssize_t)done : -1;
		}
		done += n;
	}
	return (ssize_t)done;
}

int tls_end_finish(struct tls_end *e)
{
	int wants = e->wants, n;

	if (!e->told_the_end) {
		ERR_clear_error();
		errno = 0;
		n = SSL_shutdown(e->ssl);
		if (n < 0 && outcome(e, n) < 0 && errno == EAGAIN) {
			e->wants = wants;
			return -1;
		}
		e->told_the_end = true;
		shutdown(e->fd, SHUT_WR);
	}
	return 0;
}
