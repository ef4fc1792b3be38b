#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tap/command.h"

#define STATE                                                                                      \
	"{\"turns\":7,\"digest\":\"00000000000000ff\",\"version\":3,\"epoch\":2,\"mood\":\"good\"}"

/* Line commands, because they are easy to read; the parser's test shows that both forms give the
 * same arguments. */
static const struct {
	const char *line, *id;
	enum verb verb;
	uint32_t ttl_s;
	bool has_state, unpaired;
} cases[] = {
	{ .line = "GET call:c-ab12-1", .verb = VERB_GET, .id = "c-ab12-1" },
	{ .line = "get call:p-ab12-1", .verb = VERB_GET, .id = "p-ab12-1" },
	{ .line = "GET session:c-1", .verb = VERB_GET, .id = "" },
	{ .line = "GET call:", .verb = VERB_GET, .id = "" },
	{ .line = "GET", .verb = VERB_GET, .id = "" },
	{ .line = "SETEX call:c-1 1800 " STATE,
	  .verb = VERB_SETEX,
	  .id = "c-1",
	  .ttl_s = 1800,
	  .has_state = true },
	{ .line = "SETEX other 1800 " STATE, .verb = VERB_SETEX, .id = "", .ttl_s = 1800 },
	{ .line = "SETEX call:c-1 1800 {\"turns\":7",
	  .verb = VERB_SETEX,
	  .id = "c-1",
	  .ttl_s = 1800 },
	{ .line = "PSETEX call:c-1 1500 " STATE,
	  .verb = VERB_SETEX,
	  .id = "c-1",
	  .ttl_s = 2,
	  .has_state = true },
	{ .line = "SETEX call:c-1 soon " STATE,
	  .verb = VERB_SETEX,
	  .id = "c-1",
	  .has_state = true },
	{ .line = "SET call:c-1 " STATE, .verb = VERB_SET, .id = "c-1", .has_state = true },
	{ .line = "SET call:c-1 " STATE " EX 60",
	  .verb = VERB_SET,
	  .id = "c-1",
	  .ttl_s = 60,
	  .has_state = true },
	{ .line = "SET call:c-1 " STATE " NX px 999",
	  .verb = VERB_SET,
	  .id = "c-1",
	  .ttl_s = 1,
	  .has_state = true },
	{ .line = "SET call:c-1 " STATE " XX EX",
	  .verb = VERB_SET,
	  .id = "c-1",
	  .has_state = true },
	{ .line = "DEL call:c-1", .verb = VERB_DEL, .id = "c-1" },
	{ .line = "EXPIRE call:c-1 9", .verb = VERB_EXPIRE, .id = "c-1", .ttl_s = 9 },
	{ .line = "EVALSHA f00 1 call:c-1 3", .verb = VERB_EVAL, .id = "c-1" },
	{ .line = "HGET call:c-1 turns", .verb = VERB_OTHER, .id = "c-1" },
	{ .line = "PING", .verb = VERB_PING, .id = "" },
	{ .line = "AUTH secret", .verb = VERB_OTHER, .id = "" },
	{ .line = "SUBSCRIBE news", .verb = VERB_OTHER, .id = "", .unpaired = true },
	{ .line = "CLIENT REPLY OFF", .verb = VERB_OTHER, .id = "", .unpaired = true },
	{ .line = "CLIENT LIST", .verb = VERB_OTHER, .id = "" },
};

static void a_command_tells_its_verb_its_call_and_what_it_writes(void **state)
{
	struct key_pattern pattern;

	(void)state;
	assert_int_equal(key_pattern_init(&pattern, "call:${call}"), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct command c;
		struct resp r;
		size_t used;

		resp_init(&r, RESP_COMMANDS);
		resp_feed(&r, cases[i].line, strlen(cases[i].line), &used);
		assert_int_equal(resp_feed(&r, "\r\n", 2, &used), RESP_MESSAGE);
		c = command_read(&r, &pattern);
		if (c.verb != cases[i].verb || strcmp(c.id, cases[i].id) != 0)
			print_error("%s\n", cases[i].line);
		assert_int_equal(c.verb, cases[i].verb);
		assert_string_equal(c.id, cases[i].id);
		assert_int_equal(c.ttl_s, cases[i].ttl_s);
		assert_int_equal(c.state.found, cases[i].has_state);
		assert_int_equal(c.unpaired != NULL, cases[i].unpaired);
		resp_free(&r);
	}
	key_pattern_free(&pattern);
}

static void a_key_may_have_words_on_both_sides_of_the_call(void **state)
{
	static const struct {
		const char *line, *id;
	} keys[] = { { "GET a:c-1:z", "c-1" },
		     { "GET a:c-1:y", "" },
		     { "GET a:z", "" },
		     { "GET a::z", "" } };
	struct key_pattern pattern, none = { .prefix = NULL };

	(void)state;
	assert_int_equal(key_pattern_init(&none, "call:1"), -1);
	assert_int_equal(key_pattern_init(&pattern, "a:${call}:z"), 0);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		struct resp r;
		size_t used;

		resp_init(&r, RESP_COMMANDS);
		resp_feed(&r, keys[i].line, strlen(keys[i].line), &used);
		resp_feed(&r, "\n", 1, &used);
		assert_string_equal(command_read(&r, &pattern).id, keys[i].id);
		resp_free(&r);
	}
	key_pattern_free(&pattern);
	key_pattern_free(&none);
}

static void the_state_is_read_where_it_is_and_absent_fields_are_not_invented(void **state)
{
	static const struct {
		const char *value;
		struct state_seen seen;
	} values[] = {
		{ STATE, { .found = true, .n = 7, .digest = 0xff, .ver = 3, .epoch = 2 } },
		{ "{\"digest\":\"00000000000000ff\",\"turns\":70000}",
		  { .found = true, .n = 65535, .digest = 0xff } },
		{ "{\"turns\":7}", { .found = false } },
		{ "{\"digest\":\"00000000000000ff\"}", { .found = false } },
		{ "{\"turns\":7,\"digest\":\"FF\"}", { .found = false } },
		{ "[1]", { .found = false } },
		{ "", { .found = false } },
		{ "\xff\xfe", { .found = false } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		struct state_seen s = state_seen_read(values[i].value, strlen(values[i].value));

		assert_int_equal(s.found, values[i].seen.found);
		if (!s.found)
			continue;
		assert_int_equal(s.n, values[i].seen.n);
		assert_int_equal(s.digest, values[i].seen.digest);
		assert_int_equal(s.ver, values[i].seen.ver);
		assert_int_equal(s.epoch, values[i].seen.epoch);
	}
}

static void only_a_script_can_fail_and_have_had_an_effect(void **state)
{
	(void)state;
	assert_true(error_means_no_effect(VERB_SETEX, "ERR syntax", 10));
	assert_true(error_means_no_effect(VERB_EVAL, "OOM command not allowed", 23));
	assert_true(error_means_no_effect(VERB_EVAL, "BUSY", 4));
	assert_false(error_means_no_effect(VERB_EVAL, "BUSYKEY x", 9));
	assert_false(error_means_no_effect(VERB_EVAL, "ERR in line 3", 13));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_tells_its_verb_its_call_and_what_it_writes),
		cmocka_unit_test(a_key_may_have_words_on_both_sides_of_the_call),
		cmocka_unit_test(the_state_is_read_where_it_is_and_absent_fields_are_not_invented),
		cmocka_unit_test(only_a_script_can_fail_and_have_had_an_effect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
