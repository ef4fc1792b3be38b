#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
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
	bool has_state, keeps_ttl, ttl_at;
	enum command_role role;
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
	{ .line = "SET call:c-1 " STATE " keepttl",
	  .verb = VERB_SET,
	  .id = "c-1",
	  .has_state = true,
	  .keeps_ttl = true },
	{ .line = "SET call:c-1 " STATE " NX GET EXAT 1999999999",
	  .verb = VERB_SET,
	  .id = "c-1",
	  .has_state = true,
	  .ttl_at = true },
	{ .line = "EVAL s 1 call:c-1 " STATE " PXAT 1999999999000",
	  .verb = VERB_EVAL,
	  .id = "c-1",
	  .has_state = true,
	  .ttl_at = true },
	{ .line = "DEL call:c-1", .verb = VERB_DEL, .id = "c-1" },
	{ .line = "EXPIRE call:c-1 9", .verb = VERB_EXPIRE, .id = "c-1", .ttl_s = 9 },
	{ .line = "EVALSHA f00 1 call:c-1 3", .verb = VERB_EVAL, .id = "c-1" },
	{ .line = "EVAL s 1 call:c-1 " STATE " EX 1800 6 2 me",
	  .verb = VERB_EVAL,
	  .id = "c-1",
	  .ttl_s = 1800,
	  .has_state = true },
	{ .line = "FCALL turn 3 lock:1 call:c-1 x me PX 60000 " STATE,
	  .verb = VERB_FCALL,
	  .id = "c-1",
	  .ttl_s = 60,
	  .has_state = true },
	{ .line = "EVAL_RO s 1 call:c-1 " STATE, .verb = VERB_EVAL, .id = "c-1" },
	{ .line = "EVAL s 0 call:c-1 " STATE, .verb = VERB_EVAL, .id = "" },
	{ .line = "EVAL s many call:c-1", .verb = VERB_EVAL, .id = "" },
	{ .line = "EVAL s 99999999999 k call:c-1", .verb = VERB_EVAL, .id = "c-1" },
	{ .line = "DEL a b call:c-1 call:c-2", .verb = VERB_DEL, .id = "c-1" },
	{ .line = "MSET a call:c-9 call:c-1 " STATE,
	  .verb = VERB_MSET,
	  .id = "c-1",
	  .has_state = true },
	{ .line = "MGET a call:c-1", .verb = VERB_MGET, .id = "c-1" },
	{ .line = "GETEX call:c-1 EX 60", .verb = VERB_GET, .id = "c-1", .ttl_s = 60 },
	{ .line = "SETNX call:c-1 " STATE, .verb = VERB_SET, .id = "c-1", .has_state = true },
	{ .line = "HGET call:c-1 turns", .verb = VERB_HGET, .id = "c-1" },
	{ .line = "OBJECT call:c-1 turns", .verb = VERB_OTHER, .id = "c-1" },
	{ .line = "PING", .verb = VERB_PING, .id = "" },
	{ .line = "AUTH secret", .verb = VERB_AUTH, .id = "" },
	{ .line = "subscribe call:c-1",
	  .verb = VERB_SUBSCRIBE,
	  .id = "",
	  .role = COMMAND_SUBSCRIBE },
	{ .line = "CLIENT REPLY OFF", .verb = VERB_CLIENT, .id = "", .role = COMMAND_REPLY_OFF },
	{ .line = "client reply skip", .verb = VERB_CLIENT, .id = "", .role = COMMAND_REPLY_SKIP },
	{ .line = "CLIENT LIST", .verb = VERB_CLIENT, .id = "" },
	{ .line = "MONITOR", .verb = VERB_MONITOR, .id = "", .role = COMMAND_UNPAIRED },
	{ .line = "EXEC", .verb = VERB_EXEC, .id = "", .role = COMMAND_EXEC },
	{ .line = "RESET", .verb = VERB_CLIENT, .id = "", .role = COMMAND_RESET },
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
		assert_int_equal(c.keeps_ttl, cases[i].keeps_ttl);
		assert_int_equal(c.ttl_at, cases[i].ttl_at);
		assert_int_equal(c.role, cases[i].role);
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
		{ "{\"turns\":-1,\"digest\":\"00000000000000ff\",\"epoch\":\"2\"}",
		  { .found = true, .digest = 0xff } },
		{ "{\"turns\":7,\"digest\":\"00000000000000ff\",\"turns\":8}",
		  { .found = true, .n = 8, .digest = 0xff } },
		{ "{\"turns\":7.5,\"digest\":\"00000000000000ff\"}", { .found = false } },
		{ "{\"in\":{\"turns\":7,\"digest\":\"00000000000000ff\"}}", { .found = false } },
		{ "{\"turns\":7,\"digest\":\"00000000000000ff\"} x", { .found = false } },
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

static void a_field_that_is_gone_is_known_to_be(void **state)
{
	static const char known[] = "\"turns\":1,\"digest\":\"00000000000000ff\"";
	static const struct {
		const char *before, *after;
		bool gone;
	} values[] = {
		{ "\"mood\":1", "\"mood\":2", false },
		{ "\"mood\":1", "\"mood\":1,\"tone\":1", false },
		{ "\"mood\":1,\"tone\":1", "\"tone\":1,\"mood\":1", false },
		{ "\"mood\":1,\"mood\":2", "\"mood\":2", false }, /* named twice, kept once */
		{ "\"mood\":{\"a\":1}", "\"mood\":{\"b\":1}", false },
		{ "\"mood\":1", "\"tone\":1", true },
		{ "\"mood\":1,\"tone\":1", "\"tone\":1", true },
		{ "\"mood\":[1],\"tone\":null", "\"mood\":[1]", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		struct state_seen s[2];
		char text[2][160];

		snprintf(text[0], sizeof text[0], "{%s,%s}", known, values[i].before);
		snprintf(text[1], sizeof text[1], "{%s,%s}", values[i].after, known);
		for (int k = 0; k < 2; k++)
			s[k] = state_seen_read(text[k], strlen(text[k]));
		if ((s[0].names & ~s[1].names || s[1].fields < s[0].fields) != values[i].gone)
			fail_msg("%s -> %s: %x %u, %x %u", text[0], text[1], s[0].names,
				 s[0].fields, s[1].names, s[1].fields);
	}
}

/* What is told of one command (here SETEX), and of a script. */
static const struct {
	const char *error;
	bool nothing_done, nothing_done_by_script;
} errors[] = {
	{ "OOM command not allowed when used memory > 'maxmemory'.", true, true },
	{ "OOM command not allowed when used memory > 'maxmemory'. script: f0, on @user_script:1.",
	  true, true },
	{ "READONLY You can't write against a read only replica.", true, true },
	{ "NOREPLICAS Not enough good replicas to write.", true, true },
	{ "MISCONF Redis is configured to save RDB snapshots, but", true, true },
	{ "MASTERDOWN Link with MASTER is down", true, true },
	{ "LOADING Redis is loading the dataset in memory", true, true },
	{ "BUSY Redis is busy running a script.", true, true },
	{ "NOAUTH Authentication required.", true, true },
	{ "WRONGPASS invalid username-password pair", true, true },
	{ "NOPROTO unsupported protocol version", true, true },
	{ "DENIED Redis is running in protected mode", true, true },
	{ "NOPERM this user has no permissions to run the 'set' command", true, true },
	{ "NOPERM this user has no permissions to run the 'set' command script: f0, on @user", true,
	  false },
	{ "NOSCRIPT No matching script.", true, true },
	{ "MOVED 3999 127.0.0.1:6381", true, true },
	{ "ASK 3999 127.0.0.1:6381", true, true },
	{ "TRYAGAIN Multiple keys request during rehashing of slot", true, true },
	{ "CROSSSLOT Keys in request don't hash to the same slot", true, true },
	{ "CLUSTERDOWN Hash slot not served", true, true },
	{ "EXECABORT Transaction discarded because of previous errors.", true, true },
	{ "WRONGTYPE Operation against a key holding the wrong kind of value", true, false },
	{ "ERR syntax error", true, false },
	{ "BUSYKEY Target key name already exists.", true, false },
	{ "BUSYGROUP Consumer Group name already exists", true, false },
	{ "NOGROUP No such key", true, false },
	{ "UNBLOCKED client unblocked via CLIENT UNBLOCK", true, false },
	{ "NOTBUSY No scripts in execution right now.", true, false },
	{ "UNKILLABLE Sorry the script already executed write commands", true, false },
	{ "OOM", true, true },
	/* not Redis's own words */
	{ "OOMPH", false, false },
	{ "upstream failure", false, false },
	{ "MY_SCRIPT_ERROR", false, false },
	{ "", false, false },
};

static void an_error_from_before_the_command_ran_guarantees_that_nothing_happened(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
		const char *text = errors[i].error;

		if (error_means_no_effect(VERB_SETEX, text, strlen(text)) !=
			    errors[i].nothing_done ||
		    error_means_no_effect(VERB_EVAL, text, strlen(text)) !=
			    errors[i].nothing_done_by_script ||
		    error_means_no_effect(VERB_FCALL, text, strlen(text)) !=
			    errors[i].nothing_done_by_script)
			fail_msg("%s", text);
	}
}

static void the_answer_that_means_refused_depends_on_the_options(void **state)
{
	static const struct {
		const char *line;
		enum command_refusal refusal;
	} sets[] = { { "SET call:c-1 x", REFUSED_BY_NIL },
		     { "SET call:c-1 x NX EX 9", REFUSED_BY_NIL },
		     { "SET call:c-1 x XX GET", REFUSED_BY_NIL },
		     { "SET call:c-1 x NX GET", REFUSED_BY_VALUE },
		     { "SET call:c-1 x EX 9 GET", REFUSED_NEVER },
		     { "GETSET call:c-1 x", REFUSED_NEVER },
		     { "SETNX call:c-1 x", REFUSED_BY_ZERO },
		     { "EVAL s 1 call:c-1", REFUSED_BY_NIL } };

	(void)state;
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		struct resp r;
		size_t used;

		resp_init(&r, RESP_COMMANDS);
		resp_feed(&r, sets[i].line, strlen(sets[i].line), &used);
		resp_feed(&r, "\n", 1, &used);
		assert_int_equal(command_read(&r, NULL).refusal, sets[i].refusal);
		assert_string_equal(command_read(&r, NULL).id, "");
		resp_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_tells_its_verb_its_call_and_what_it_writes),
		cmocka_unit_test(a_key_may_have_words_on_both_sides_of_the_call),
		cmocka_unit_test(the_state_is_read_where_it_is_and_absent_fields_are_not_invented),
		cmocka_unit_test(a_field_that_is_gone_is_known_to_be),
		cmocka_unit_test(
			an_error_from_before_the_command_ran_guarantees_that_nothing_happened),
		cmocka_unit_test(the_answer_that_means_refused_depends_on_the_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
