#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "net/resolve.h"

static void an_address_falls_into_its_pieces(void **unused)
{
	static const struct row {
		const char *text, *host, *authority, *path;
		uint16_t port;
		bool tls;
	} rows[] = {
		{ "ws://127.0.0.1:8080/realtime/c-1", "127.0.0.1", "127.0.0.1:8080",
		  "/realtime/c-1", 8080, false },
		{ "wss://voice.example.com/a?b=c", "voice.example.com", "voice.example.com",
		  "/a?b=c", 443, true },
		{ "wss://voice.example.com:443/a", "voice.example.com", "voice.example.com", "/a",
		  443, true },
		{ "ws://h:443", "h", "h:443", "/", 443, false },
		{ "http://h", "h", "h", "/", 80, false },
		{ "https://h?q#f", "h", "h", "/?q", 443, true },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct url url;
		struct err err = { 0 };

		assert_int_equal(url_parse(rows[i].text, &url, &err), 0);
		assert_string_equal(url.host, rows[i].host);
		assert_string_equal(url.authority, rows[i].authority);
		assert_string_equal(url.path, rows[i].path);
		assert_int_equal(url.port, rows[i].port);
		assert_int_equal(url.tls, rows[i].tls);
	}
}

static void what_is_no_address_is_refused_and_leaves_the_output_alone(void **unused)
{
	static const char *const rows[] = {
		"",
		"ftp://h",
		"ws://",
		"ws:///path",
		"ws://:80",
		"ws://h:",
		"ws://h:0",
		"ws://h:65536",
		"ws://h:8x",
		"ws://h/a b",
		"ws://h/a\r\nX: y",
		"ws://user:secret@h/",
		"ws://[::1]:80/",
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct url url = { .port = 7 };
		struct err err = { 0 };

		assert_int_equal(url_parse(rows[i], &url, &err), -1);
		assert_int_equal(err.kind, ERR_INPUT);
		assert_int_equal(url.port, 7);
		assert_null(strstr(err.text, "secret"));
	}
}

/* Also when the slash in front is put there: what is made of an address is an address again. */
static void a_path_that_does_not_fit_is_refused(void **unused)
{
	static const char *const begins[] = { "ws://h/", "ws://h?" };
	static const size_t fits[] = { 1022, 1021 };

	(void)unused;
	for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++) {
		char text[2048] = { 0 };
		struct url url;
		struct err err = { 0 };

		memcpy(text, begins[i], 7);
		memset(text + 7, 'a', fits[i]);
		assert_int_equal(url_parse(text, &url, &err), 0);
		assert_int_equal(strlen(url.path), 1023);
		text[7 + fits[i]] = 'a';
		assert_int_equal(url_parse(text, &url, &err), -1);
		assert_non_null(strstr(err.text, "longer than 1023 bytes"));
	}
}

static void a_numeric_host_resolves_to_itself(void **unused)
{
	struct sockaddr_in address;
	struct err err = { 0 };
	char text[INET_ADDRSTRLEN];

	(void)unused;
	assert_int_equal(resolve_ipv4("127.0.5.6", 81, &address, &err), 0);
	assert_string_equal(inet_ntop(AF_INET, &address.sin_addr, text, sizeof(text)), "127.0.5.6");
	assert_int_equal(ntohs(address.sin_port), 81);
	assert_int_equal(resolve_ipv4("999.999.0.1", 81, &address, &err), -1);
	assert_int_equal(err.kind, ERR_WORLD);
	assert_int_equal(resolve_ipv4_within("127.0.7.8", 82, 20 * NS_PER_S, &address, &err), 0);
	assert_string_equal(inet_ntop(AF_INET, &address.sin_addr, text, sizeof(text)), "127.0.7.8");
	assert_int_equal(ntohs(address.sin_port), 82);
	assert_int_equal(resolve_ipv4_within("999.999.0.1", 82, 20 * NS_PER_S, &address, &err), -1);
	assert_int_equal(ntohs(address.sin_port), 82);
}

static void a_range_of_addresses_has_a_first_and_a_count(void **unused)
{
	static const char *const wrong[] = {
		"",	      "127.0.0.1", "127.0.0.2-127.0.0.1",	"-127.0.0.1",
		"127.0.0.1-", "a-b",	   "127.000.000.0001-127.0.0.2"
	};
	uint32_t first = 7, count = 7;
	struct err err = { 0 };

	(void)unused;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(ipv4_range(wrong[i], &first, &count, &err), -1);
	assert_int_equal(first, 7);
	assert_int_equal(ipv4_range("127.0.0.250-127.0.1.4", &first, &count, &err), 0);
	assert_int_equal(first, 0x7f0000fa);
	assert_int_equal(count, 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_falls_into_its_pieces),
		cmocka_unit_test(what_is_no_address_is_refused_and_leaves_the_output_alone),
		cmocka_unit_test(a_path_that_does_not_fit_is_refused),
		cmocka_unit_test(a_numeric_host_resolves_to_itself),
		cmocka_unit_test(a_range_of_addresses_has_a_first_and_a_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
