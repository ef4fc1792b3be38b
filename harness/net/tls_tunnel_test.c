/* A TLS server in a thread of its own that says what it heard: the tunnel runs on our loop. */
#include "net/test_peer.h"

#include <pthread.h>
#include <signal.h>

#include "net/tls.h"
#include "net/tls_tunnel.h"

enum { PATIENCE_S = 20, MANY_BYTES = 1 << 20 };

struct server {
	struct testing_certificate files;
	SSL_CTX *tls;
	int fd;
	uint16_t port;
	bool heard_the_end; /* close_notify, in its turn */
	pthread_t thread;
};

/* An echo, until it is told the end, which it tells back. */
static void echo(struct server *s, SSL *ssl)
{
	char bytes[4096];
	int n;

	while ((n = SSL_read(ssl, bytes, sizeof(bytes))) > 0)
		if (SSL_write(ssl, bytes, n) != n)
			return;
	s->heard_the_end = SSL_get_error(ssl, n) == SSL_ERROR_ZERO_RETURN;
	SSL_shutdown(ssl);
}

static void *serve(void *user)
{
	struct server *s = user;
	int fd = accept(s->fd, NULL, NULL);
	SSL *ssl = SSL_new(s->tls);

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1)
		echo(s, ssl);
	SSL_free(ssl);
	ERR_clear_error();
	close(fd);
	return NULL;
}

struct scene {
	struct server server;
	struct loop *loop;
	struct tls_tunnels *tunnels;
	struct loop_fd *watch;
	struct loop_timer *guard;
	int fd;
	size_t to_send, sent, got;
	bool ended, wrong;
	char reason[TLS_REASON_MAX];
};

static void on_late(void *user)
{
	(void)user;
	fail_msg("nothing more within %d s", PATIENCE_S);
}

static void on_failed(void *user, const char *reason)
{
	struct scene *s = user;

	snprintf(s->reason, sizeof(s->reason), "%s", reason);
}

static char byte_at(size_t i)
{
	return (char)(i * 31 + i / 4096);
}

/* Sends what there is to be sent, ends its side, and looks at what comes back. */
static void on_plain(void *user, int events)
{
	struct scene *s = user;
	char bytes[4096];
	ssize_t n;

	if (events & LOOP_WRITE) {
		size_t size = s->to_send - s->sent;

		size = size < sizeof(bytes) ? size : sizeof(bytes);
		for (size_t i = 0; i < size; i++)
			bytes[i] = byte_at(s->sent + i);
		n = send(s->fd, bytes, size, MSG_NOSIGNAL);
		s->sent += n > 0 ? (size_t)n : 0;
		if (s->sent == s->to_send) {
			shutdown(s->fd, SHUT_WR);
			loop_fd_want(s->watch, LOOP_READ);
		}
	}
	if (events & LOOP_READ) {
		n = recv(s->fd, bytes, sizeof(bytes), 0);
		for (ssize_t i = 0; i < n; i++)
			s->wrong |= bytes[i] != byte_at(s->got + (size_t)i);
		s->got += n > 0 ? (size_t)n : 0;
		s->ended = n == 0 || (n < 0 && errno != EAGAIN);
	}
}

static void scene_open(struct scene *s, enum certificate_kind kind, const char *host)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	struct err err = { .kind = ERR_NONE };
	struct tls_tunnels_spec spec = { .host = host,
					 .shaken_within_ns = PATIENCE_S * NS_PER_S,
					 .failed = on_failed,
					 .user = s };
	int seen;

	signal(SIGPIPE, SIG_IGN);
	*s = (struct scene){ .loop = loop_new() };
	testing_certificate_make(&s->server.files, kind);
	s->server.tls = tls_of(&s->server.files, 0, 0);
	s->server.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->server.fd, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(s->server.fd, 4), 0);
	assert_int_equal(getsockname(s->server.fd, (struct sockaddr *)&at, &size), 0);
	memcpy(&spec.server.at, &at, size);
	spec.server.size = size;
	spec.ca_file = s->server.files.files.ca;
	assert_int_equal(pthread_create(&s->server.thread, NULL, serve, &s->server), 0);
	if (tls_tunnels_new(s->loop, &spec, &s->tunnels, &err) < 0)
		fail_msg("%s", err.text);
	s->fd = tls_tunnel_open(s->tunnels, &seen);
	assert_true(s->fd >= 0 && seen >= 0 && seen != s->fd);
	s->watch = loop_fd_new(s->loop, s->fd, on_plain, s);
	s->guard = loop_timer_new(s->loop, on_late, s);
	loop_timer_at(s->guard, clock_now_ns() + PATIENCE_S * NS_PER_S);
}

static void scene_close(struct scene *s)
{
	loop_fd_free(s->watch);
	loop_timer_free(s->guard);
	close(s->fd);
	tls_tunnels_free(s->tunnels);
	assert_int_equal(pthread_join(s->server.thread, NULL), 0);
	SSL_CTX_free(s->server.tls);
	close(s->server.fd);
	testing_certificate_free(&s->server.files);
	loop_free(s->loop);
}

static void what_goes_in_comes_out_and_the_end_in_its_turn(void **state)
{
	static const size_t sizes[] = { 0, 1, 16384, 16385, MANY_BYTES };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct scene s;

		scene_open(&s, CERTIFICATE_GOOD, "127.0.0.1");
		s.to_send = sizes[i];
		loop_fd_want(s.watch, LOOP_READ | LOOP_WRITE);
		while (!s.ended)
			loop_run_once(s.loop);
		assert_int_equal(s.got, sizes[i]);
		assert_false(s.wrong);
		assert_string_equal(s.reason, "");
		scene_close(&s);
		assert_true(s.server.heard_the_end);
	}
}

static void who_is_not_who_it_says_gets_nothing_and_it_is_told_why(void **state)
{
	static const struct {
		enum certificate_kind kind;
		const char *host, *reason;
	} rows[] = {
		{ CERTIFICATE_EXPIRED, "localhost", "expired since 20" },
		{ CERTIFICATE_WRONG_NAME, "127.0.0.1", "the name 127.0.0.1 is not in" },
		{ CERTIFICATE_UNTRUSTED, "localhost", "unknown issuer" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct scene s;

		scene_open(&s, rows[i].kind, rows[i].host);
		s.to_send = 100;
		loop_fd_want(s.watch, LOOP_READ | LOOP_WRITE);
		while (!s.ended || !*s.reason)
			loop_run_once(s.loop);
		assert_int_equal(s.got, 0);
		if (!strstr(s.reason, rows[i].reason))
			fail_msg("%s: not %s", s.reason, rows[i].reason);
		scene_close(&s);
	}
}

/* The user is gone, or all of it ends, while there is something under way. */
static void an_end_in_the_middle_leaves_nothing(void **state)
{
	(void)state;
	for (int gone = 0; gone < 2; gone++) {
		struct scene s;

		scene_open(&s, CERTIFICATE_GOOD, "localhost");
		s.to_send = MANY_BYTES;
		loop_fd_want(s.watch, LOOP_READ | LOOP_WRITE);
		while (!s.got)
			loop_run_once(s.loop);
		if (gone) {
			shutdown(s.fd, SHUT_RDWR);
			while (!s.ended)
				loop_run_once(s.loop);
		}
		scene_close(&s);
		assert_string_equal(s.reason, "");
	}
}

static void a_file_that_cannot_be_used_is_named(void **state)
{
	const struct tls_tunnels_spec specs[] = {
		{ .host = "localhost", .ca_file = "/nonexistent/ca.pem" },
		{ .host = "localhost", .certificate_file = "/nonexistent/cert.pem" },
		{ .host = "localhost", .key_file = "/dev/null" },
	};
	static const char *const texts[] = {
		"CA file /nonexistent/ca.pem: No such file or directory",
		"certificate file /nonexistent/cert.pem: No such file or directory",
		"key file /dev/null: ",
	};
	struct loop *loop = loop_new();

	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
		struct tls_tunnels *tunnels = NULL;
		struct err err = { .kind = ERR_NONE };

		assert_int_equal(tls_tunnels_new(loop, &specs[i], &tunnels, &err), -1);
		assert_int_equal(err.kind, ERR_INPUT);
		if (strncmp(err.text, texts[i], strlen(texts[i])) != 0)
			fail_msg("%s", err.text);
	}
	loop_free(loop);
}

static void a_try_says_whether_the_server_would_have_us(void **state)
{
	struct tls_tunnels_spec spec = { .host = "127.0.0.1", .shaken_within_ns = NS_PER_MS };
	struct loop *loop = loop_new();
	struct err err = { .kind = ERR_NONE };
	int mute = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);

	(void)state;
	assert_int_equal(bind(mute, (struct sockaddr *)&at, size), 0);
	assert_int_equal(getsockname(mute, (struct sockaddr *)&at, &size), 0);
	memcpy(&spec.server.at, &at, size);
	spec.server.size = size;
	assert_int_equal(tls_tunnel_try(loop, &spec, "PING\r\n", 20 * NS_PER_S, &err), -1);
	assert_string_equal(err.text, "Connection refused");
	assert_int_equal(listen(mute, 1), 0);
	assert_int_equal(tls_tunnel_try(loop, &spec, "PING\r\n", 20 * NS_PER_S, &err), -1);
	assert_string_equal(err.text, "no end of the handshake in time");
	spec.shaken_within_ns = 20 * NS_PER_S;
	assert_int_equal(tls_tunnel_try(loop, &spec, "PING\r\n", 50 * NS_PER_MS, &err), -1);
	assert_string_equal(err.text, "no answer in time");
	close(mute);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out_and_the_end_in_its_turn),
		cmocka_unit_test(who_is_not_who_it_says_gets_nothing_and_it_is_told_why),
		cmocka_unit_test(an_end_in_the_middle_leaves_nothing),
		cmocka_unit_test(a_file_that_cannot_be_used_is_named),
		cmocka_unit_test(a_try_says_whether_the_server_would_have_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
