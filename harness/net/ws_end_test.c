/* Each way a dial fails and a leg ends, from the wire to its word. */
#include "net/test_peer.h"

#include <openssl/ssl.h>

#include "net/ws_end.h"

#define TEXT(n, s) "\x81" n s

static const struct row {
	const char *what;
	struct script script;
	bool established;
	enum dial_failure failure;
	uint16_t status;
	enum leg_how how;
	enum side side;
	uint16_t code;
} rows[] = {
	{ "closed before the 101", { .ending = CLOSE }, .failure = DIAL_RESET, .side = SIDE_AGENT },
	{ "reset before the 101", { .ending = RESET }, .failure = DIAL_RESET, .side = SIDE_AGENT },
	{ "half an answer",
	  { .answer = "HTTP/1.1 101 Swi", .ending = CLOSE },
	  .failure = DIAL_RESET,
	  .side = SIDE_AGENT },
	{ "no HTTP",
	  { .answer = "SSH-2.0-OpenSSH_9.2\r\n\r\n", .ending = CLOSE },
	  .failure = DIAL_RESET,
	  .side = SIDE_AGENT },
	{ "503",
	  { .answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
	    .ending = CLOSE },
	  .failure = DIAL_HTTP_STATUS,
	  .status = 503,
	  .side = SIDE_AGENT },
	{ "503, kept open",
	  { .answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno",
	    .ending = STAY },
	  .failure = DIAL_HTTP_STATUS,
	  .status = 503,
	  .side = SIDE_AGENT },
	{ "401",
	  { .answer = "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", .ending = CLOSE },
	  .failure = DIAL_HTTP_STATUS,
	  .status = 401,
	  .side = SIDE_AGENT },
	{ "a redirect is not followed",
	  { .answer =
		    "HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
	    .ending = CLOSE },
	  .failure = DIAL_HTTP_STATUS,
	  .status = 302,
	  .side = SIDE_AGENT },
	{ "a 101 with a wrong key",
	  { .answer = "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		      "Sec-WebSocket-Accept: AAAA\r\n\r\n",
	    .ending = CLOSE },
	  .failure = DIAL_HTTP_STATUS,
	  .status = 101,
	  .side = SIDE_AGENT },
	{ "end of stream",
	  { .answer = "101", .ending = CLOSE },
	  true,
	  .how = LEG_FIN,
	  .side = SIDE_AGENT },
	{ "reset", { .answer = "101", .ending = RESET }, true, .how = LEG_RST, .side = SIDE_AGENT },
	{ "close 1000",
	  { .answer = "101", .frames = "\x88\x02\x03\xe8", .frames_size = 4, .ending = STAY },
	  true,
	  .how = LEG_CLOSE_FRAME,
	  .side = SIDE_AGENT,
	  .code = 1000 },
	{ "close 1001 and end of stream",
	  { .answer = "101",
	    .frames = "\x88\x06\x03\xe9"
		      "away",
	    .frames_size = 8,
	    .ending = CLOSE },
	  true,
	  .how = LEG_CLOSE_FRAME,
	  .side = SIDE_AGENT,
	  .code = 1001 },
	{ "close 1011",
	  { .answer = "101", .frames = "\x88\x02\x03\xf3", .frames_size = 4, .ending = STAY },
	  true,
	  .how = LEG_CLOSE_FRAME,
	  .side = SIDE_AGENT,
	  .code = 1011 },
	{ "close 1012, which the library hides",
	  { .answer = "101",
	    .frames = "\x88\x09\x03\xf4"
		      "restart",
	    .frames_size = 11,
	    .ending = STAY },
	  true,
	  .how = LEG_CLOSE_FRAME,
	  .side = SIDE_AGENT,
	  .code = 1012 },
	{ "close 1013 after a message",
	  { .answer = "101",
	    .frames = TEXT("\x02", "hi") "\x88\x02\x03\xf5",
	    .frames_size = 8,
	    .ending = STAY },
	  true,
	  .how = LEG_CLOSE_FRAME,
	  .side = SIDE_AGENT,
	  .code = 1013 },
	{ "close 1002 is what was sent",
	  { .answer = "101", .frames = "\x88\x02\x03\xea", .frames_size = 4, .ending = STAY },
	  true,
	  .how = LEG_CLOSE_FRAME,
	  .side = SIDE_AGENT,
	  .code = 1002 },
	{ "close 4321",
	  { .answer = "101", .frames = "\x88\x02\x10\xe1", .frames_size = 4, .ending = STAY },
	  true,
	  .how = LEG_CLOSE_FRAME,
	  .side = SIDE_AGENT,
	  .code = 4321 },
	{ "close without a code",
	  { .answer = "101", .frames = "\x88\x00", .frames_size = 2, .ending = STAY },
	  true,
	  .how = LEG_CLOSE_FRAME,
	  .side = SIDE_AGENT,
	  .code = 1005 },
	{ "bytes that are no frame",
	  { .answer = "101", .frames = "\xff\xff\xff\xff", .frames_size = 4, .ending = STAY },
	  true,
	  .how = LEG_FIN,
	  .side = SIDE_CALLER },
};

static void play(const struct testing_certificate *tls)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *r = &rows[i];
		struct caller c;
		struct peer p;

		start_with(&c, tls ? tls->files.ca : NULL);
		listen_peer(&p, c.loop, &r->script);
		p.tls = tls ? tls_of(tls, 0, 0) : NULL;
		dial_as(&c, p.port, tls != NULL, "localhost:8443");
		UNTIL(&c, c.ended);
		if (c.end.established != r->established || c.end.failure != r->failure ||
		    c.end.status != r->status || c.end.how != r->how || c.end.side != r->side ||
		    c.end.code != r->code)
			fail_msg(
				"%s: established %d failure %s status %d how %s side %s code %d (%s)",
				r->what, c.end.established, dial_failure_name(c.end.failure),
				c.end.status, leg_how_name(c.end.how), side_name(c.end.side),
				c.end.code, c.text);
		assert_int_equal(c.opened, r->established);
		free_peer(&p);
		stop(&c);
	}
}

static void every_end_is_told_by_its_class(void **unused)
{
	(void)unused;
	play(NULL);
}

/* Nobody here says close_notify: RST and FIN are the balancer's, and told as without TLS. */
static void and_through_tls_the_same(void **unused)
{
	struct testing_certificate good;

	(void)unused;
	testing_certificate_make(&good, CERTIFICATE_GOOD);
	play(&good);
	testing_certificate_free(&good);
}

static void a_code_the_library_hides_is_found_in_what_it_read(void **unused)
{
	static const struct {
		const char *payload, *raw;
		size_t size, raw_size;
		uint16_t code;
	} rows_of_codes[] = {
		{ "", "", 0, 0, 1005 },
		{ "\x03", "", 1, 0, 1005 },
		{ "\x03\xe9", "", 2, 0, 1001 },
		{ "\x03\xea", "\x88\x02\x03\xf4", 2, 4, 1012 },
		{ "\x03\xea", "\x81\x02hi\x88\x02\x03\xea", 2, 8, 1002 },
		{ "\x03\xeaok", "\x88\x04\x03\xf5no\x88\x04\x03\xf6ok", 4, 12,
		  1014 },					/* by its reason */
		{ "\x03\xea", "\x88\x02\x03", 2, 3, 1002 },	/* cut off: what we were told */
		{ "\x03\xea", "\x88\x02\x00\x01", 2, 4, 1002 }, /* no code at all */
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows_of_codes) / sizeof(*rows_of_codes); i++)
		assert_int_equal(ws_close_code((const unsigned char *)rows_of_codes[i].payload,
					       rows_of_codes[i].size,
					       (const unsigned char *)rows_of_codes[i].raw,
					       rows_of_codes[i].raw_size),
				 rows_of_codes[i].code);
}

static void a_failed_dial_has_the_class_of_what_is_known_of_it(void **unused)
{
	static const struct {
		struct ws_dial_end d;
		enum dial_failure failure;
	} known[] = {
		{ { .aborted = true, .status = 503, .text = "" }, DIAL_TIMEOUT },
		{ { .at_once = true, .errnum = EMFILE, .text = "" }, DIAL_LOCAL_LIMIT },
		{ { .at_once = true, .errnum = EADDRNOTAVAIL, .text = "" }, DIAL_LOCAL_LIMIT },
		{ { .at_once = true, .errnum = ECONNREFUSED, .text = "" }, DIAL_REFUSED },
		{ { .at_once = true, .errnum = ENETUNREACH, .text = "" }, DIAL_REFUSED },
		{ { .status = 404, .text = "HS: ws upgrade response not 101" }, DIAL_HTTP_STATUS },
		{ { .text = "Unable to connect" }, DIAL_REFUSED },
		{ { .text = "Timed out waiting SSL" }, DIAL_TIMEOUT },
		{ { .text = "server's cert didn't look good, X509_V_ERR = 10" }, DIAL_TLS_CERT },
		{ { .tls_alert = SSL_AD_UNKNOWN_CA, .text = "" }, DIAL_TLS_CERT },
		{ { .tls_alert = SSL_AD_PROTOCOL_VERSION, .text = "" }, DIAL_TLS_VERSION },
		{ { .tls_alert = SSL_AD_HANDSHAKE_FAILURE, .text = "" }, DIAL_TLS_VERSION },
		{ { .text = "Peer hung up" }, DIAL_RESET },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		struct ws_ended e;

		ws_dial_failed(&known[i].d, &e);
		if (e.failure != known[i].failure || e.established)
			fail_msg("row %zu: %s", i, dial_failure_name(e.failure));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_end_is_told_by_its_class),
		cmocka_unit_test(and_through_tls_the_same),
		cmocka_unit_test(a_code_the_library_hides_is_found_in_what_it_read),
		cmocka_unit_test(a_failed_dial_has_the_class_of_what_is_known_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
