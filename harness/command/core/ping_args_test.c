#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "command/core/ping_args.h"

static void the_id_goes_where_the_url_has_a_place_for_it(void **state)
{
	static const struct {
		const char *text, *url; /* NULL: refused, */
		const char *why;	/* with these words */
	} cases[] = {
		{ "ws://green-1:8080/realtime/", "ws://green-1:8080/realtime/p-1", NULL },
		{ "wss://h/${call}?v=1", "wss://h/p-1?v=1", NULL },
		{ "wss://h/${call}/", "wss://h/p-1/", NULL },
		{ "ws://h/a?call=${call}&again=${call}", "ws://h/a?call=p-1&again=p-1", NULL },
		{ "ws://h/", "ws://h/p-1", NULL },
		{ "ws://h", NULL, "no place for the id" },
		{ "ws://h/realtime", NULL, "end it in / or write ${call}" },
		{ "http://h/", NULL, "not a ws:// or wss://" },
		{ "", NULL, "not a ws:// or wss://" },
		{ "ws:///", NULL, "the host must be" },
		{ "ws://h:0/", NULL, "the port must be" },
		{ "ws://h/${alb}/${call}", NULL, "alb" },
		{ "ws://h/a b/", NULL, "spaces" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf out = buf_init(2048);
		struct err err = { .kind = ERR_NONE };
		int result = ping_url(cases[i].text, "p-1", &out, &err);

		if (cases[i].url) {
			assert_int_equal(result, 0);
			assert_string_equal(buf_text(&out), cases[i].url);
		} else if (result == 0 || err.kind != ERR_INPUT ||
			   !strstr(err.text, cases[i].why)) {
			fail_msg("%s: %d: %s", cases[i].text, result, err.text);
		}
		buf_free(&out);
	}
}

static void a_header_is_a_name_and_a_value_of_the_users_own(void **state)
{
	static const struct {
		const char *text, *name, *value; /* NULL: refused */
	} cases[] = {
		{ "X-Crossfade-Color: green", "X-Crossfade-Color", "green" },
		{ "Authorization:Bearer a:b", "Authorization", "Bearer a:b" },
		{ "X-Empty:", "X-Empty", "" },
		{ "Hosts: h", "Hosts", "h" },
		{ "nonsense", NULL, NULL },
		{ ": green", NULL, NULL },
		{ "a b: c", NULL, NULL },
		{ "X: a\r\nY: b", NULL, NULL },
		{ "host: elsewhere", NULL, NULL },
		{ "Connection: close", NULL, NULL },
		{ "sec-websocket-key: k", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err err = { .kind = ERR_NONE };
		const char *value;
		char *name;
		int result = ping_header(cases[i].text, &name, &value, &err);

		if (cases[i].name) {
			assert_int_equal(result, 0);
			assert_string_equal(name, cases[i].name);
			assert_string_equal(value, cases[i].value);
			free(name);
		} else if (result == 0 || err.kind != ERR_INPUT) {
			fail_msg("%s: accepted", cases[i].text);
		}
	}
}

/* The words as a user types them, after "ping". */
static int read_words(char **words, struct ping_args *ret, struct err *err)
{
	static const struct flag table[] = { PING_FLAGS };
	struct flags *flags;
	int count = 1, result;
	char *argv[16] = { (char *)"ping" };

	for (; words[count - 1]; count++)
		argv[count] = words[count - 1];
	assert_int_equal(flags_parse(command_find("ping"), table, sizeof table / sizeof *table,
				     count, argv, &flags),
			 0);
	result = ping_args_read(flags, ret, err);
	flags_free(flags);
	return result;
}

static void what_is_not_said_has_its_default(void **state)
{
	char *none[] = { (char *)"ws://h/", NULL };
	char *some[] = { (char *)"ws://h/",	(char *)"--color",
			 (char *)"green",	(char *)"--redis",
			 (char *)"r:6379",	(char *)"--ttl",
			 (char *)"5m",		(char *)"--key",
			 (char *)"s/${call}/x", (char *)"--timeout",
			 (char *)"250ms",	(char *)"--no-resume",
			 (char *)"-HX-A: b",	NULL };
	struct err err = { .kind = ERR_NONE };
	struct ping_args a, b;
	char key[64];

	(void)state;
	assert_int_equal(read_words(none, &a, &err), 0);
	assert_int_equal(a.want, COLOR_UNKNOWN);
	assert_int_equal(a.timeout_ns, 5 * NS_PER_S);
	assert_int_equal(a.ttl_ns, 1800 * NS_PER_S);
	assert_string_equal(a.wire->name, "plain");
	assert_true(a.resume && !a.redis && !a.ca && !a.header_count);
	snprintf(key, sizeof key, "call:%s", a.call);
	assert_string_equal(buf_text(&a.key), key);
	assert_int_equal(read_words(some, &b, &err), 0);
	assert_int_equal(b.want, COLOR_GREEN);
	assert_int_equal(b.timeout_ns, 250 * NS_PER_MS);
	assert_int_equal(b.ttl_ns, 300 * NS_PER_S);
	assert_string_equal(b.redis, "r:6379");
	snprintf(key, sizeof key, "s/%s/x", b.call);
	assert_string_equal(buf_text(&b.key), key);
	assert_string_equal(b.header[0].name, "X-A");
	assert_string_equal(b.header[0].value, "b");
	assert_false(b.resume);
	/* No ping meets the state of another. */
	assert_string_not_equal(a.call, b.call);
	assert_memory_equal(a.call, "p-", 2);
	ping_args_free(&a);
	ping_args_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_id_goes_where_the_url_has_a_place_for_it),
		cmocka_unit_test(a_header_is_a_name_and_a_value_of_the_users_own),
		cmocka_unit_test(what_is_not_said_has_its_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
