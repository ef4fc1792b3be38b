#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "observe/active_calls.h"

static void the_count_is_read_and_nothing_else_is_taken_for_one(void **state)
{
	static const struct {
		const char *page;
		int result;
		uint32_t active;
	} cases[] = {
		{ "{\"active_calls\":12,\"color\":\"blue\",\"instance\":\"blue-1\"}\n", 0, 12 },
		{ "{\"active_calls\":0}", 0, 0 },
		{ "{\"active_calls\":4294967295}", 0, 4294967295u },
		{ "{\"active_calls\":4294967296}", -1, 0 },
		{ "{\"active_calls\":-1}", -1, 0 },
		{ "{\"active_calls\":1.5}", -1, 0 },
		{ "{\"active_calls\":\"3\"}", -1, 0 },
		{ "{\"active_calls\":3,\"active_calls\":0}", -1, 0 },
		{ "{\"calls\":3}", -1, 0 },
		{ "[3]", -1, 0 },
		{ "3", -1, 0 },
		{ "<html>", -1, 0 },
		{ "", -1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err err = { .kind = ERR_NONE };
		uint32_t active = 77;
		int result =
			active_calls_parse(cases[i].page, strlen(cases[i].page), &active, &err);

		assert_int_equal(result, cases[i].result);
		assert_int_equal(active, result ? 77 : cases[i].active);
		assert_int_equal(err.kind, result ? ERR_WORLD : ERR_NONE);
	}
}

static void an_instance_that_is_gone_is_unreachable_and_not_empty(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC,
			0); /* bound, not listening: refuses, and is nobody else's */
	struct err err = { .kind = ERR_NONE };
	uint32_t active = 77;
	char address[64];

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	snprintf(address, sizeof address, "127.0.0.1:%d", ntohs(at.sin_port));
	assert_int_equal(active_calls_read(address, &active, &err), -1);
	assert_int_equal(err.kind, ERR_WORLD);
	assert_int_equal(active, 77);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_count_is_read_and_nothing_else_is_taken_for_one),
		cmocka_unit_test(an_instance_that_is_gone_is_unreachable_and_not_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
