/* What the client does for its owner, against raw servers on the same loop. */
#include "net/test_peer.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

static void a_dial_to_nobody_is_refused(void **unused)
{
	struct script silent = { .ending = STAY };
	struct caller c;
	struct peer p;

	(void)unused;
	start(&c);
	listen_peer(&p, c.loop, &silent);
	free_peer(&p); /* nobody listens there now */
	dial(&c, p.port, false);
	UNTIL(&c, c.ended);
	assert_false(c.end.established);
	assert_int_equal(c.end.failure, DIAL_REFUSED);
	stop(&c);
}

static void a_dial_its_owner_gives_up_is_a_timeout(void **unused)
{
	struct script silent = { .ending = STAY };
	struct caller c;
	struct peer p;

	(void)unused;
	start(&c);
	listen_peer(&p, c.loop, &silent);
	dial(&c, p.port, false);
	UNTIL(&c, p.answered);
	ws_abort(c.ws, false);
	assert_false(c.ended); /* not from within */
	UNTIL(&c, c.ended);
	assert_int_equal(c.end.failure, DIAL_TIMEOUT);
	free_peer(&p);
	stop(&c);
}

static void a_dial_without_a_descriptor_left_is_a_local_limit(void **unused)
{
	struct script silent = { .ending = STAY };
	struct rlimit was, tight;
	struct caller c;
	struct peer p;
	int next;

	(void)unused;
	start(&c);
	listen_peer(&p, c.loop, &silent);
	next = open("/dev/null", O_RDONLY);
	close(next);
	getrlimit(RLIMIT_NOFILE, &was);
	tight = (struct rlimit){ .rlim_cur = (rlim_t)next, .rlim_max = was.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	dial(&c, p.port, false);
	setrlimit(RLIMIT_NOFILE, &was);
	UNTIL(&c, c.ended);
	assert_false(c.end.established);
	assert_int_equal(c.end.failure, DIAL_LOCAL_LIMIT);
	free_peer(&p);
	stop(&c);
}

static void the_request_and_the_answer_carry_their_headers(void **unused)
{
	struct script upgrade = {
		.answer = "101",
		.ending = STAY,
		.headers =
			"X-Agent-Color: green\r\nX-Agent-Instance: green-2\r\n"
			"Set-Cookie: AWSALB=one; Path=/\r\nSet-Cookie: AWSALBTG=two; Expires=Thu, 01 Jan 2037\r\n"
	};
	struct caller c;
	struct peer p;

	(void)unused;
	start(&c);
	listen_peer(&p, c.loop, &upgrade);
	dial(&c, p.port, false);
	UNTIL(&c, c.opened);
	assert_non_null(strstr(p.head, "GET /realtime/c-1?x=y HTTP/1.1\r\n"));
	assert_non_null(strstr(p.head, "\r\nHost: voice.example.com:8080\r\n"));
	assert_non_null(strstr(p.head, "\r\nCookie: AWSALB=abc\r\nX-Test: 1\r\n"));
	assert_null(strstr(p.head, "Sec-WebSocket-Protocol"));
	assert_null(strstr(p.head, "Origin"));
	assert_string_equal(c.color, "green");
	assert_string_equal(c.instance, "green-2");
	assert_string_equal(c.cookies,
			    "[AWSALB=one; Path=/][AWSALBTG=two; Expires=Thu, 01 Jan 2037]");
	free_peer(&p);
	stop(&c);
	assert_true(c.ended); /* with its context */
}

static void fragments_and_long_messages_arrive_whole(void **unused)
{
	static char frames[16 + 40000] = "\x01\x02"
					 "he"
					 "\x80\x03"
					 "llo"
					 "\x82\x7e\x9c\x40";
	struct script upgrade = {
		.answer = "101", .frames = frames, .frames_size = 9 + 4 + 40000, .ending = STAY
	};
	struct caller c;
	struct peer p;

	(void)unused;
	memset(frames + 13, 'z', 40000);
	start(&c);
	listen_peer(&p, c.loop, &upgrade);
	dial(&c, p.port, false);
	UNTIL(&c, c.messages >= 1);
	if (c.messages == 1) {
		assert_memory_equal(c.last, "hello", 5);
		assert_int_equal(c.last_size, 5);
		assert_false(c.last_binary);
	}
	UNTIL(&c, c.messages == 2);
	assert_int_equal(c.last_size, 40000);
	assert_true(c.last_binary);
	free_peer(&p);
	stop(&c);
}

static void a_message_past_the_limit_ends_the_leg_with_1009(void **unused)
{
	static char frames[10 + 70000] = "\x82\x7f\0\0\0\0\0\x01\x11\x70";
	struct script upgrade = { .answer = "101",
				  .frames = frames,
				  .frames_size = sizeof(frames),
				  .ending = CLOSE,
				  .wait = 8 };
	struct caller c;
	struct peer p;

	(void)unused;
	start(&c);
	listen_peer(&p, c.loop, &upgrade);
	dial(&c, p.port, false);
	UNTIL(&c, c.ended);
	assert_int_equal(c.messages, 0);
	assert_int_equal(c.end.how, LEG_CLOSE_FRAME);
	assert_int_equal(c.end.side, SIDE_CALLER);
	assert_int_equal(c.end.code, 1009);
	free_peer(&p);
	stop(&c);
}

static void an_orderly_close_sends_its_frame_after_what_is_queued(void **unused)
{
	struct script upgrade = { .answer = "101", .ending = CLOSE, .wait = 6 + 5 + 8 };
	struct caller c;
	struct peer p;

	(void)unused;
	start(&c);
	listen_peer(&p, c.loop, &upgrade);
	dial(&c, p.port, false);
	UNTIL(&c, c.opened);
	assert_int_equal(ws_send(c.ws, "hello", 5, false), 0);
	ws_close(c.ws, 1000);
	assert_int_equal(ws_send(c.ws, "late", 4, false), -1);
	UNTIL(&c, c.ended);
	assert_int_equal(p.frames_in,
			 6 + 5 + 8); /* one masked text frame, one masked close frame */
	assert_int_equal(c.end.how, LEG_CLOSE_FRAME);
	assert_int_equal(c.end.side, SIDE_CALLER);
	assert_int_equal(c.end.code, 1000);
	free_peer(&p);
	stop(&c);
}

static void a_close_the_agent_never_answers_is_given_up(void **unused)
{
	struct script upgrade = { .answer = "101", .ending = STAY };
	struct caller c;
	struct peer p;

	(void)unused;
	start(&c);
	c.closes_at_once = true;
	listen_peer(&p, c.loop, &upgrade);
	dial(&c, p.port, false);
	UNTIL(&c, c.ended);
	assert_int_equal(c.end.how, LEG_TIMEOUT);
	assert_int_equal(c.end.side, SIDE_CALLER);
	UNTIL(&c, p.eof);
	free_peer(&p);
	stop(&c);
}

static void an_aborted_leg_ends_without_a_close_frame(void **unused)
{
	static const struct script upgrade = { .answer = "101", .ending = STAY };

	(void)unused;
	for (int reset = 0; reset < 2; reset++) {
		struct caller c;
		struct peer p;

		start(&c);
		listen_peer(&p, c.loop, &upgrade);
		dial(&c, p.port, false);
		UNTIL(&c, c.opened);
		ws_abort(c.ws, reset);
		assert_false(c.ended);
		UNTIL(&c, c.ended && (p.eof || p.reset));
		assert_int_equal(p.frames_in, 0);
		assert_int_equal(p.reset, reset);
		assert_int_equal(c.end.how, reset ? LEG_RST : LEG_FIN);
		assert_int_equal(c.end.side, SIDE_CALLER);
		assert_int_equal(c.end.code, 0);
		free_peer(&p);
		stop(&c);
	}
}

static void a_leg_may_be_aborted_from_its_own_callback(void **unused)
{
	struct script upgrade = { .answer = "101", .ending = STAY };
	struct caller c;
	struct peer p;

	(void)unused;
	start(&c);
	c.aborts_at_once = true;
	listen_peer(&p, c.loop, &upgrade);
	dial(&c, p.port, false);
	UNTIL(&c, c.ended);
	assert_true(c.end.established);
	assert_int_equal(c.end.how, LEG_FIN);
	UNTIL(&c, p.eof);
	free_peer(&p);
	stop(&c);
}

static void a_full_socket_queues_up_to_the_limit_and_then_refuses(void **unused)
{
	static char block[60000];
	struct script upgrade = { .answer = "101", .ending = STAY };
	struct caller c;
	struct peer p;
	size_t sent = 0;

	(void)unused;
	start(&c);
	listen_peer(&p, c.loop, &upgrade);
	dial(&c, p.port, false);
	UNTIL(&c, c.opened);
	while (ws_send(c.ws, block, sizeof(block), true) == 0)
		assert_true(++sent < 1000); /* the peer does not read while we are here */
	assert_true(sent >= 4);
	UNTIL(&c, p.frames_in == sent * (sizeof(block) + 8));
	assert_int_equal(ws_send(c.ws, "again", 5, false), 0);
	UNTIL(&c, p.frames_in == sent * (sizeof(block) + 8) + 11);
	assert_false(c.ended);
	free_peer(&p);
	stop(&c);
}

/* A server whose certificate nobody vouches for. `ciphers`: its only ones, of TLS 1.2; NULL for
 * all. */
struct tls_peer {
	struct peer tcp;
	SSL_CTX *context;
	SSL *ssl;
};

static void on_tls_peer(void *user, int events)
{
	struct tls_peer *p = user;

	(void)events;
	if (SSL_accept(p->ssl) == 1 || SSL_get_error(p->ssl, -1) != SSL_ERROR_WANT_READ)
		loop_fd_want(p->tcp.watch, 0);
}

static void on_tls_accept(void *user, int events)
{
	struct tls_peer *p = user;

	(void)events;
	p->tcp.fd = accept4(p->tcp.listener, NULL, NULL, SOCK_NONBLOCK);
	assert_true(p->tcp.fd >= 0);
	p->ssl = SSL_new(p->context);
	SSL_set_fd(p->ssl, p->tcp.fd);
	p->tcp.watch = loop_fd_new(p->tcp.loop, p->tcp.fd, on_tls_peer, p);
	loop_fd_want(p->tcp.watch, LOOP_READ);
}

static void listen_tls(struct tls_peer *p, struct loop *loop, const char *ciphers)
{
	static const struct script silent = { .ending = STAY };
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();

	listen_peer(&p->tcp, loop, &silent);
	loop_fd_free(p->tcp.accept_watch);
	p->tcp.accept_watch = loop_fd_new(loop, p->tcp.listener, on_tls_accept, p);
	loop_fd_want(p->tcp.accept_watch, LOOP_READ);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	X509_sign(certificate, key, EVP_sha256());
	p->context = SSL_CTX_new(TLS_server_method());
	if (ciphers) {
		SSL_CTX_set_max_proto_version(p->context, TLS1_2_VERSION);
		assert_int_equal(SSL_CTX_set_cipher_list(p->context, ciphers), 1);
	}
	assert_int_equal(SSL_CTX_use_certificate(p->context, certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(p->context, key), 1);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void what_goes_wrong_in_tls_has_its_class(void **unused)
{
	static const struct {
		const char *ciphers;
		enum dial_failure failure;
	} rows[] = {
		{ NULL, DIAL_TLS_CERT },
		{ "ECDHE-ECDSA-AES128-GCM-SHA256", DIAL_TLS_CERT },
		{ "PSK-AES128-GCM-SHA256", DIAL_TLS_VERSION }, /* nothing in common */
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct tls_peer p = { .ssl = NULL };
		struct caller c;

		start(&c);
		listen_tls(&p, c.loop, rows[i].ciphers);
		dial(&c, p.tcp.port, true);
		UNTIL(&c, c.ended);
		assert_false(c.end.established);
		if (c.end.failure != rows[i].failure)
			fail_msg("row %zu: %s (%s)", i, dial_failure_name(c.end.failure), c.text);
		SSL_free(p.ssl);
		SSL_CTX_free(p.context);
		free_peer(&p.tcp);
		stop(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dial_to_nobody_is_refused),
		cmocka_unit_test(a_dial_its_owner_gives_up_is_a_timeout),
		cmocka_unit_test(a_dial_without_a_descriptor_left_is_a_local_limit),
		cmocka_unit_test(the_request_and_the_answer_carry_their_headers),
		cmocka_unit_test(fragments_and_long_messages_arrive_whole),
		cmocka_unit_test(a_message_past_the_limit_ends_the_leg_with_1009),
		cmocka_unit_test(an_orderly_close_sends_its_frame_after_what_is_queued),
		cmocka_unit_test(a_close_the_agent_never_answers_is_given_up),
		cmocka_unit_test(an_aborted_leg_ends_without_a_close_frame),
		cmocka_unit_test(a_leg_may_be_aborted_from_its_own_callback),
		cmocka_unit_test(a_full_socket_queues_up_to_the_limit_and_then_refuses),
		cmocka_unit_test(what_goes_wrong_in_tls_has_its_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
