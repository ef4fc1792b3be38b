#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/address.h"

static void an_address_is_a_host_and_a_port_or_a_path(void **state)
{
	static const struct {
		const char *text;
		bool listening;
		const char *told; /* NULL: refused */
	} cases[] = {
		{ "127.0.0.1:6379", false, "127.0.0.1:6379" },
		{ "127.0.0.2:0", true, "127.0.0.2:0" },
		{ "127.0.0.2:0", false, NULL },
		{ "unix:/tmp/redis.sock", false, "unix:/tmp/redis.sock" },
		{ "unix:", true, NULL },
		{ "", false, NULL },
		{ ":6379", false, NULL },
		{ "127.0.0.1", false, NULL },
		{ "127.0.0.1:", false, NULL },
		{ "127.0.0.1:65536", true, NULL },
		{ "127.0.0.1:-1", true, NULL },
		{ "127.0.0.1:1x", false, NULL },
	};
	char long_path[256] = "unix:/";

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err err = { .kind = ERR_NONE };
		char text[ADDRESS_TEXT_MAX];
		struct address a;
		int result = address_parse(cases[i].text, cases[i].listening, &a, &err);

		assert_int_equal(result, cases[i].told ? 0 : -1);
		if (cases[i].told) {
			address_text(&a, text);
			assert_string_equal(text, cases[i].told);
		} else {
			assert_int_equal(err.kind, ERR_INPUT);
			assert_memory_equal(err.text, cases[i].text, strlen(cases[i].text));
		}
	}
	memset(long_path + 6, 'x', 200);
	assert_int_equal(address_parse(long_path, true, &(struct address){ .size = 0 }, NULL), -1);
}

static void whoever_listens_is_reached_by_what_it_says(void **state)
{
	char dir[] = "/tmp/crossfade-address-XXXXXX", path[64];
	const char *texts[] = { "127.0.0.1:0", path };

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "unix:%s/s", dir);
	for (size_t i = 0; i < 2; i++) {
		struct err err = { .kind = ERR_NONE };
		char text[ADDRESS_TEXT_MAX];
		struct pollfd ready = { .events = POLLIN };
		struct address at, to;
		int fd;

		assert_int_equal(address_parse(texts[i], true, &at, &err), 0);
		ready.fd = address_listen(&at, 4, &err);
		assert_true(ready.fd >= 0);
		address_text(&at, text);
		assert_int_equal(address_parse(text, false, &to, &err), 0);
		assert_int_equal(address_listen(&to, 4, &err), -1);
		assert_non_null(strstr(err.text, text));
		fd = address_connect(&to);
		assert_true(fd >= 0);
		assert_int_equal(poll(&ready, 1, 20000), 1);
		close(fd);
		close(ready.fd);
	}
	assert_int_equal(unlink(path + 5), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_a_host_and_a_port_or_a_path),
		cmocka_unit_test(whoever_listens_is_reached_by_what_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
