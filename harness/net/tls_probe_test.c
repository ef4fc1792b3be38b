/* A listener in a thread of its own: the probe blocks. */
#include "net/test_peer.h"

#include <pthread.h>
#include <signal.h>

#include "net/tls_probe.h"

struct listener {
	struct testing_certificate files;
	SSL_CTX *tls; /* NULL: accepts, and says nothing */
	int fd, connection;
	uint16_t port;
	pthread_t thread;
};

static void *serve(void *user)
{
	struct listener *l = user;
	char byte;

	l->connection = accept(l->fd, NULL, NULL);
	if (l->connection >= 0 && l->tls) {
		SSL *ssl = SSL_new(l->tls);

		SSL_set_fd(ssl, l->connection);
		if (SSL_accept(ssl) == 1)
			SSL_read(ssl, &byte, 1); /* until the probe leaves */
		SSL_free(ssl);
	} else if (l->connection >= 0) {
		while (read(l->connection, &byte, 1) > 0)
			continue;
	}
	ERR_clear_error();
	return NULL;
}

static void listener_start(struct listener *l, enum certificate_kind kind, bool speaks, int most)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(any);

	*l = (struct listener){ .connection = -1 };
	testing_certificate_make(&l->files, kind);
	l->tls = speaks ? tls_of(&l->files, 0, most) : NULL;
	l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(l->fd, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(listen(l->fd, 4), 0);
	assert_int_equal(getsockname(l->fd, (struct sockaddr *)&any, &size), 0);
	l->port = ntohs(any.sin_port);
	assert_int_equal(pthread_create(&l->thread, NULL, serve, l), 0);
}

static void listener_end(struct listener *l)
{
	assert_int_equal(pthread_join(l->thread, NULL), 0);
	close(l->connection);
	close(l->fd);
	SSL_CTX_free(l->tls);
	testing_certificate_free(&l->files);
}

static struct tls_probe probe_of(uint16_t port, const char *ca)
{
	return (struct tls_probe){ .address = { .sin_family = AF_INET,
						.sin_port = htons(port),
						.sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
				   .host = "localhost",
				   .ca_file = ca,
				   .timeout_ns = 20 * NS_PER_S };
}

static void a_handshake_tells_what_there_is_to_see(void **unused)
{
	static const struct {
		enum certificate_kind kind;
		const char *host;
		int most;
		bool only_13;
		enum dial_failure failure;
		uint16_t version;
		const char *reason;
	} rows[] = {
		{ CERTIFICATE_GOOD, "localhost", 0, false, DIAL_OK, 0x0304, "" },
		{ CERTIFICATE_GOOD, "127.0.0.1", 0, true, DIAL_OK, 0x0304, "" },
		{ CERTIFICATE_GOOD, "localhost", TLS1_2_VERSION, false, DIAL_OK, 0x0303, "" },
		{ CERTIFICATE_GOOD, "localhost", TLS1_2_VERSION, true, DIAL_TLS_VERSION, 0,
		  "protocol version" },
		{ CERTIFICATE_EXPIRED, "localhost", 0, false, DIAL_TLS_CERT, 0x0304,
		  "expired since 20" },
		{ CERTIFICATE_WRONG_NAME, "127.0.0.1", 0, false, DIAL_TLS_CERT, 0x0304,
		  "the name 127.0.0.1 is not in other.example" },
		{ CERTIFICATE_UNTRUSTED, "localhost", 0, false, DIAL_TLS_CERT, 0x0304,
		  "unknown issuer" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct tls_probe_result r;
		struct listener l;
		struct tls_probe probe;

		listener_start(&l, rows[i].kind, true, rows[i].most);
		probe = probe_of(l.port, l.files.files.ca);
		probe.host = rows[i].host;
		probe.only_13 = rows[i].only_13;
		tls_probe(&probe, &r);
		listener_end(&l);
		if (r.failure != rows[i].failure || r.version != rows[i].version ||
		    !strstr(r.reason, rows[i].reason) || !r.reason[0] != !rows[i].reason[0])
			fail_msg("row %zu: %s, version %x: %s", i, dial_failure_name(r.failure),
				 r.version, r.reason);
		assert_int_equal(r.has_certificate, r.version != 0);
		if (r.version)
			assert_int_equal(r.days_left < 0, rows[i].kind == CERTIFICATE_EXPIRED);
		assert_int_equal(r.cipher[0] != 0, r.version != 0);
	}
}

static void nobody_there_silence_and_a_missing_ca_are_told_apart(void **unused)
{
	struct tls_probe_result r;
	struct listener l;
	struct tls_probe probe;

	(void)unused;
	listener_start(&l, CERTIFICATE_GOOD, false, 0);
	probe = probe_of(l.port, l.files.files.ca);
	probe.timeout_ns = 50 * NS_PER_MS;
	tls_probe(&probe, &r);
	assert_int_equal(r.failure, DIAL_TIMEOUT);
	listener_end(&l);
	tls_probe(&probe, &r); /* nobody listens there now */
	assert_int_equal(r.failure, DIAL_REFUSED);
	assert_true(r.reason[0] && !r.version && !r.has_certificate);
	listener_start(&l, CERTIFICATE_GOOD, true, 0);
	probe = probe_of(l.port, "/nonexistent/ca.pem");
	tls_probe(&probe, &r);
	assert_int_equal(r.failure, DIAL_LOCAL_LIMIT);
	listener_end(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_handshake_tells_what_there_is_to_see),
		cmocka_unit_test(nobody_there_silence_and_a_missing_ca_are_told_apart),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
