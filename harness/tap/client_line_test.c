#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tap/client_line.h"

/* Lines of a redis-server 7.0, shortened. */
static const struct {
	const char *line;
	bool is_client;
	const char *addr, *name, *command;
	bool known;
} lines[] = {
	{ "id=3 addr=127.0.0.1:55164 laddr=127.0.0.1:6379 fd=8 name= age=4 idle=0 flags=N db=0 cmd=setex "
	  "user=default",
	  true, "127.0.0.1:55164", "", "setex", false },
	{ "id=4 addr=127.0.0.1:1 name=crossfade-probe flags=N cmd=get", true, "127.0.0.1:1",
	  "crossfade-probe", "get", true },
	{ "id=5 addr=127.0.0.1:2 name=crossfader flags=N cmd=get", true, "127.0.0.1:2",
	  "crossfader", "get", false },
	{ "id=6 addr=127.0.0.1:3 name=sentinel-0a1b-cmd flags=N cmd=ping", true, "127.0.0.1:3",
	  "sentinel-0a1b-cmd", "ping", true },
	{ "id=7 addr=127.0.0.1:4 name= flags=S cmd=replconf", true, "127.0.0.1:4", "", "replconf",
	  true },
	{ "id=8 addr=127.0.0.1:5 name= flags=N cmd=NULL", true, "127.0.0.1:5", "", "NULL", true },
	{ "id=9 addr=/tmp/redis.sock:0 name=a\x1b[2J flags=U cmd=client|list", true,
	  "/tmp/redis.sock:0", "a?[2J", "client|list", false },
	{ "id=10 addr=[::1]:6 name= flags=P cmd=subscribe\r", true, "[::1]:6", "", "subscribe",
	  false },
	{ "", false, "", "", "", false },
	{ "addr=127.0.0.1:1", false, "", "", "", false },
	{ "id=1", false, "", "", "", false },
	{ "=== id addr =", false, "", "", "", false },
};

static void a_line_tells_who_the_client_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct client_line c;

		assert_int_equal(client_line_parse(lines[i].line, &c), lines[i].is_client);
		if (!lines[i].is_client)
			continue;
		assert_string_equal(c.addr, lines[i].addr);
		assert_string_equal(c.name, lines[i].name);
		assert_string_equal(c.command, lines[i].command);
		assert_int_equal(client_line_is_known(&c), lines[i].known);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_tells_who_the_client_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
