/* What TLS adds to the client: who is believed, what is agreed on, and that the rest stays as it
 * is. */
#include "net/test_peer.h"

static const struct script upgrade = { .answer = "101", .ending = STAY };

static void a_certificate_holds_for_the_host_dialed_or_is_refused_with_its_reason(void **unused)
{
	static const struct {
		enum certificate_kind kind;
		const char *host;
		bool other_ca;
		const char *reason; /* NULL: it holds */
	} rows[] = {
		{ CERTIFICATE_GOOD, "localhost:8443", false, NULL },
		{ CERTIFICATE_GOOD, "127.0.0.1:8443", false, NULL },
		{ CERTIFICATE_GOOD, "voice.example.com", false,
		  "the name voice.example.com is not in localhost, 127.0.0.1" },
		{ CERTIFICATE_GOOD, "127.0.0.2", false,
		  "the name 127.0.0.2 is not in localhost, 127.0.0.1" },
		{ CERTIFICATE_EXPIRED, "localhost", false, "the certificate is expired since 20" },
		{ CERTIFICATE_WRONG_NAME, "localhost", false,
		  "the name localhost is not in other.example" },
		{ CERTIFICATE_WRONG_NAME, "other.example", false, NULL },
		{ CERTIFICATE_UNTRUSTED, "localhost", false,
		  "unknown issuer /CN=Somebody else's CA" },
		{ CERTIFICATE_GOOD, "localhost", true, "unknown issuer /CN=Crossfade local CA" },
	};
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	(void)unused;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
		struct testing_certificate t;
		struct caller c;
		struct peer p;
		size_t row = i / 2;

		testing_certificate_make(&t, rows[row].kind);
		start_with(&c, rows[row].other_ca ? NULL : t.files.ca);
		listen_peer(&p, c.loop, &upgrade);
		p.tls = tls_of(&t, versions[i % 2], versions[i % 2]);
		dial_as(&c, p.port, true, rows[row].host);
		UNTIL(&c, c.ended || c.opened);
		if (c.opened != !rows[row].reason)
			fail_msg("row %zu: %s", row, c.opened ? "believed" : c.text);
		if (c.ended &&
		    (c.end.failure != DIAL_TLS_CERT || !strstr(c.text, rows[row].reason)))
			fail_msg("row %zu: %s (%s)", row, dial_failure_name(c.end.failure), c.text);
		assert_int_equal(c.tls, c.opened ? versions[i % 2] : 0);
		free_peer(&p);
		stop(&c);
		testing_certificate_free(&t);
	}
}

static void a_listener_without_a_common_version_is_told_from_one_that_is_not_there(void **unused)
{
	static const struct {
		int most;
		const char *ciphers; /* NULL: all */
		bool plain, gone;
		enum dial_failure failure;
	} rows[] = {
		{ TLS1_1_VERSION, NULL, false, false, DIAL_TLS_VERSION },
		{ TLS1_2_VERSION, "PSK-AES128-GCM-SHA256", false, false, DIAL_TLS_VERSION },
		{ 0, NULL, true, false, DIAL_RESET },
		{ 0, NULL, false, true, DIAL_REFUSED },
	};
	static const struct script refusal = { .answer = "HTTP/1.1 400 Bad Request\r\n\r\n",
					       .ending = CLOSE };
	struct testing_certificate good;

	(void)unused;
	testing_certificate_make(&good, CERTIFICATE_GOOD);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct caller c;
		struct peer p;

		start_with(&c, good.files.ca);
		listen_peer(&p, c.loop, &refusal);
		if (!rows[i].plain && !rows[i].gone)
			p.tls = tls_of(&good, 0, rows[i].most);
		if (rows[i].ciphers)
			SSL_CTX_set_cipher_list(p.tls, rows[i].ciphers);
		if (rows[i].gone)
			free_peer(&p);
		dial_as(&c, p.port, true, "localhost");
		if (rows[i].plain) { /* it waits for a head that never comes */
			UNTIL(&c, p.in.len);
			end_peer(&p);
		}
		UNTIL(&c, c.ended);
		if (c.end.established || c.end.failure != rows[i].failure)
			fail_msg("row %zu: %s (%s)", i, dial_failure_name(c.end.failure), c.text);
		if (!rows[i].gone)
			free_peer(&p);
		stop(&c);
	}
	testing_certificate_free(&good);
}

static int pick_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_size,
		     const unsigned char *in, unsigned size, void *user)
{
	(void)ssl;
	assert_int_equal(size, 9);
	assert_memory_equal(in, "\x08http/1.1", 9);
	*out = in + 1;
	*out_size = *in;
	*(bool *)user = true;
	return SSL_TLSEXT_ERR_OK;
}

static void only_http_1_1_is_offered(void **unused)
{
	struct testing_certificate good;
	bool picked = false;
	struct caller c;
	struct peer p;

	(void)unused;
	testing_certificate_make(&good, CERTIFICATE_GOOD);
	start_with(&c, good.files.ca);
	listen_peer(&p, c.loop, &upgrade);
	p.tls = tls_of(&good, 0, 0);
	SSL_CTX_set_alpn_select_cb(p.tls, pick_alpn, &picked);
	dial_as(&c, p.port, true, "localhost");
	UNTIL(&c, c.opened);
	assert_true(picked);
	free_peer(&p);
	stop(&c);
	testing_certificate_free(&good);
}

/* More than the library reads at a time lies decrypted in TLS, where no poll sees it. */
static void messages_larger_than_a_read_come_and_go_whole(void **unused)
{
	static char frames[4 + 60000] = "\x82\x7e\xea\x60", block[60000];
	static const struct script large = {
		.answer = "101", .frames = frames, .frames_size = sizeof(frames), .ending = STAY
	};
	struct testing_certificate good;
	struct caller c;
	struct peer p;
	size_t sent = 0;

	(void)unused;
	testing_certificate_make(&good, CERTIFICATE_GOOD);
	start_with(&c, good.files.ca);
	listen_peer(&p, c.loop, &large);
	p.tls = tls_of(&good, 0, 0);
	dial_as(&c, p.port, true, "localhost");
	UNTIL(&c, c.messages == 1);
	assert_int_equal(c.last_size, 60000);
	while (ws_send(c.ws, block, sizeof(block), true) == 0)
		assert_true(++sent < 1000); /* the peer does not read while we are here */
	UNTIL(&c, p.frames_in == sent * (sizeof(block) + 8));
	assert_false(c.ended);
	free_peer(&p);
	stop(&c);
	testing_certificate_free(&good);
}

/* close_notify alone, the stream still open behind it: the agent's side has ended the leg. */
static void a_goodbye_in_tls_is_the_agents(void **unused)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct testing_certificate good;

	(void)unused;
	testing_certificate_make(&good, CERTIFICATE_GOOD);
	for (size_t i = 0; i < 2; i++) {
		struct caller c;
		struct peer p;

		start_with(&c, good.files.ca);
		listen_peer(&p, c.loop, &upgrade);
		p.tls = tls_of(&good, 0, versions[i]);
		dial_as(&c, p.port, true, "localhost");
		UNTIL(&c, c.opened);
		SSL_shutdown(p.ssl);
		UNTIL(&c, c.ended);
		assert_int_equal(c.end.how, LEG_FIN);
		assert_int_equal(c.end.side, SIDE_AGENT);
		free_peer(&p);
		stop(&c);
	}
	testing_certificate_free(&good);
}

static void a_ca_file_that_is_none_is_an_error_with_its_path(void **unused)
{
	struct ws_settings settings = { .tls_verify = true, .ca_file = "/dev/null" };
	struct loop *loop = loop_new();
	struct ws_context *context;
	struct err err = { .kind = ERR_NONE };

	(void)unused;
	assert_int_equal(ws_context_new(loop, &settings, &context, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_non_null(strstr(err.text, "/dev/null"));
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_certificate_holds_for_the_host_dialed_or_is_refused_with_its_reason),
		cmocka_unit_test(
			a_listener_without_a_common_version_is_told_from_one_that_is_not_there),
		cmocka_unit_test(only_http_1_1_is_offered),
		cmocka_unit_test(messages_larger_than_a_read_come_and_go_whole),
		cmocka_unit_test(a_goodbye_in_tls_is_the_agents),
		cmocka_unit_test(a_ca_file_that_is_none_is_an_error_with_its_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
