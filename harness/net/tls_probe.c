#include "net/tls_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { DAY_S = 24 * 3600 };

struct attempt {
	const struct tls_probe *probe;
	struct tls_probe_result *result;
	int fd, alert;
	int64_t deadline_ns;
};

static void failed(struct attempt *a, enum dial_failure failure, const char *reason)
{
	a->result->failure = failure;
	if (!a->result->reason[0])
		snprintf(a->result->reason, sizeof(a->result->reason), "%s", reason);
}

/* False at the deadline. */
static bool wait_for(const struct attempt *a, short events)
{
	struct pollfd p = { .fd = a->fd, .events = events };
	int64_t left_ns;
	int n;

	do {
		left_ns = a->deadline_ns - clock_now_ns();
		n = left_ns <= 0 ? 0 : poll(&p, 1, (int)(left_ns / NS_PER_MS) + 1);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

static bool connected(struct attempt *a)
{
	const struct sockaddr *to = (const struct sockaddr *)&a->probe->address;
	socklen_t size = sizeof(int);
	int error = 0;

	a->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->fd < 0) {
		failed(a, DIAL_LOCAL_LIMIT, strerror(errno));
		return false;
	}
	if (connect(a->fd, to, sizeof(a->probe->address)) < 0 && errno != EINPROGRESS) {
		failed(a, DIAL_REFUSED, strerror(errno));
		return false;
	}
	if (!wait_for(a, POLLOUT)) {
		failed(a, DIAL_TIMEOUT, "no connection in time");
		return false;
	}
	if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error) {
		failed(a, error == ETIMEDOUT ? DIAL_TIMEOUT : DIAL_REFUSED, strerror(error));
		return false;
	}
	return true;
}

static void on_info(const SSL *ssl, int where, int value)
{
	struct attempt *a = SSL_get_app_data(ssl);

	if ((where & SSL_CB_ALERT) && value >> 8 == SSL3_AL_FATAL)
		a->alert = value & 0xff;
}

/* A bad certificate does not end the handshake: what else there is to see is seen, too. */
static int on_verify(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct attempt *a = SSL_get_app_data(ssl);

	if (!ok && a->result->failure == DIAL_OK) {
		a->result->failure = DIAL_TLS_CERT;
		tls_certificate_reason(X509_STORE_CTX_get_error(store),
				       X509_STORE_CTX_get_current_cert(store), a->probe->host,
				       a->result->reason);
	}
	return 1;
}

static bool prepared(struct attempt *a, SSL_CTX *tls, SSL *ssl)
{
	struct in_addr ip;

	SSL_set_app_data(ssl, a);
	SSL_set_verify(ssl, SSL_VERIFY_PEER, on_verify);
	SSL_set_info_callback(ssl, on_info);
	/* An address is no server name (RFC 6066, 3). */
	if (inet_pton(AF_INET, a->probe->host, &ip) != 1)
		SSL_set_tlsext_host_name(ssl, a->probe->host);
	return SSL_set1_host(ssl, a->probe->host) && SSL_set_fd(ssl, a->fd) &&
	       !SSL_set_alpn_protos(ssl, (const unsigned char *)"\x08http/1.1", 9) &&
	       SSL_set_min_proto_version(ssl,
					 a->probe->only_13 ? TLS1_3_VERSION : TLS1_2_VERSION) &&
	       (a->probe->ca_file ? SSL_CTX_load_verify_file(tls, a->probe->ca_file) :
				    SSL_CTX_set_default_verify_paths(tls)) == 1;
}

static void describe(struct attempt *a, SSL *ssl)
{
	X509 *certificate = SSL_get1_peer_certificate(ssl);
	int days = 0, seconds = 0;
	struct tm not_after;

	a->result->version = (uint16_t)SSL_version(ssl);
	snprintf(a->result->cipher, sizeof(a->result->cipher), "%s", SSL_get_cipher_name(ssl));
	if (!certificate)
		return;
	a->result->has_certificate = ASN1_TIME_diff(&days, &seconds, NULL,
						    X509_get0_notAfter(certificate)) == 1;
	a->result->days_left = seconds < 0 ? days - 1 : days;
	X509_NAME_oneline(X509_get_subject_name(certificate), a->result->subject,
			  sizeof(a->result->subject));
	X509_NAME_oneline(X509_get_issuer_name(certificate), a->result->issuer,
			  sizeof(a->result->issuer));
	if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &not_after))
		strftime(a->result->not_after, sizeof(a->result->not_after), "%Y-%m-%dT%H:%M:%SZ",
			 &not_after);
	X509_free(certificate);
}

static void shake_hands(struct attempt *a, SSL *ssl)
{
	for (;;) {
		int n, error;

		ERR_clear_error();
		n = SSL_connect(ssl);
		error = n == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl, n);
		if (n == 1) {
			describe(a, ssl);
			return;
		}
		if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
			break;
		if (!wait_for(a, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT)) {
			failed(a, DIAL_TIMEOUT, "no end of the handshake in time");
			return;
		}
	}
	if (a->result->failure == DIAL_TLS_CERT) /* known already; the end came on top of it */
		return;
	failed(a, tls_alert_failure(a->alert),
	       ERR_peek_error() ? ERR_reason_error_string(ERR_peek_error()) :
				  "the connection ended in the handshake");
}

void tls_probe(const struct tls_probe *probe, struct tls_probe_result *ret)
{
	int64_t start_ns = clock_now_ns();
	struct attempt a = {
		.probe = probe, .result = ret, .fd = -1, .deadline_ns = start_ns + probe->timeout_ns
	};
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
	SSL *ssl = tls ? SSL_new(tls) : NULL;

	*ret = (struct tls_probe_result){ .failure = DIAL_OK, .connect_ns = -1, .shake_ns = -1 };
	if (connected(&a)) {
		ret->connect_ns = clock_now_ns() - start_ns;
		if (ssl && prepared(&a, tls, ssl)) {
			shake_hands(&a, ssl);
			ret->shake_ns = clock_now_ns() - start_ns - ret->connect_ns;
		} else {
			failed(&a, DIAL_LOCAL_LIMIT,
			       probe->ca_file ? "the CA file cannot be used" : "no TLS context");
		}
	}
	ERR_clear_error();
	SSL_free(ssl);
	SSL_CTX_free(tls);
	if (a.fd >= 0)
		close(a.fd);
}
