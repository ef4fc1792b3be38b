#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "director/surroundings.h"

static const char local_bindings[] =
	"run=abc123\nrun_id=20261123T000000Z-42\nredis=127.0.0.1:6400\n"
	"instances=blue-1:blue:127.0.0.1:1,blue-2:blue:127.0.0.1:2,green-1:green:127.0.0.1:3,"
	"green-2:green:127.0.0.1:4\npids=11,12,13,14\nalb=127.0.0.1:80\n"
	"balancer=http://127.0.0.1:81/\nload_balancer=arn:lb\nlistener=arn:li\nrule=arn:ru\n"
	"blue=arn:tg-blue\ngreen=arn:tg-green\n";

/* Of literals, which nobody writes to or frees. */
static struct scenario scenario_of(enum stack_kind kind)
{
	bool local = kind == STACK_LOCAL;
	struct scenario sc = { .stack = { .kind = kind } };

	sc.target.url = (char *)(local ? "ws://${alb}/realtime/${call}" :
					 "wss://calls.example/realtime/${call}");
	sc.state.redis = (char *)(local ? "${redis}" : "state.example:6379");
	return sc;
}

static const char *value_of(const struct surroundings *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (!strncmp(s->line[i], name, strlen(name)) && s->line[i][strlen(name)] == '=')
			return s->line[i] + strlen(name) + 1;
	return NULL;
}

static void a_local_stack_is_told_whole(void **state)
{
	static const struct {
		const char *name, *value;
	} cases[] = {
		{ "ENDPOINT_URL", "http://127.0.0.1:81/" },
		{ "AWS_REGION", "us-east-1" },
		{ "AWS_DEFAULT_REGION", "us-east-1" },
		{ "AWS_ACCESS_KEY_ID", "AKIAKEY" },
		{ "AWS_SECRET_ACCESS_KEY", "sesame" },
		{ "AWS_SESSION_TOKEN", "" },
		{ "AWS_EC2_METADATA_DISABLED", "true" },
		{ "AWS_PAGER", "" },
		{ "LOAD_BALANCER_ARN", "arn:lb" },
		{ "LISTENER_ARN", "arn:li" },
		{ "RULE_ARN", "arn:ru" },
		{ "BLUE_TARGET_GROUP_ARN", "arn:tg-blue" },
		{ "GREEN_TARGET_GROUP_ARN", "arn:tg-green" },
		{ "BLUE_INSTANCES", "127.0.0.1:1 127.0.0.1:2" },
		{ "GREEN_INSTANCES", "127.0.0.1:3 127.0.0.1:4" },
		{ "BLUE_PIDS", "11 12" },
		{ "GREEN_PIDS", "13 14" },
		{ "WS_URL", "ws://127.0.0.1:80/realtime/" },
		{ "TEST_HEADER", "X-Crossfade-Color: green" },
		{ "REDIS", "127.0.0.1:6400" },
		{ "CROSSFADE", "/bin/crossfade" },
	};
	const struct stage_credentials credentials = { "AKIAKEY", "sesame" };
	struct scenario sc = scenario_of(STACK_LOCAL);
	struct surroundings s;

	(void)state;
	assert_int_equal(
		stack_environment(&sc, local_bindings, &credentials, "/bin/crossfade", &s, NULL),
		0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *value = value_of(&s, cases[i].name);

		if (!value || strcmp(value, cases[i].value) != 0)
			fail_msg("%s is %s, not %s", cases[i].name, value ? value : "not there",
				 cases[i].value);
	}
	assert_int_equal(s.count, sizeof cases / sizeof *cases);
	assert_null(s.line[s.count]);
	surroundings_free(&s);
	assert_int_equal(s.count, 0);
}

static void of_a_deployed_system_only_what_the_scenario_says_is_told(void **state)
{
	static const char *const absent[] = {
		"AWS_REGION",	     "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
		"AWS_SESSION_TOKEN", "LOAD_BALANCER_ARN", "BLUE_INSTANCES",
		"BLUE_PIDS",	     "TEST_HEADER"
	};
	const struct stage_credentials none = { "", "" };
	struct scenario sc = scenario_of(STACK_NONE);
	struct surroundings s;

	(void)state;
	sc.balancer.endpoint = (char *)"https://elb.example/";
	sc.balancer.rule = (char *)"arn:mine";
	assert_int_equal(stack_environment(&sc, "run=abc123\n", &none, "/c", &s, NULL), 0);
	assert_string_equal(value_of(&s, "ENDPOINT_URL"), "https://elb.example/");
	assert_string_equal(value_of(&s, "RULE_ARN"), "arn:mine");
	assert_string_equal(value_of(&s, "WS_URL"), "wss://calls.example/realtime/");
	assert_string_equal(value_of(&s, "REDIS"), "state.example:6379");
	for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
		if (value_of(&s, absent[i]))
			fail_msg("%s is there", absent[i]);
	surroundings_free(&s);
}

static void lists_that_do_not_match_are_cut_short_never_overrun(void **state)
{
	static const struct {
		const char *bindings, *addresses, *pids;
	} cases[] = {
		{ "instances=\npids=\n", NULL, NULL },
		{ "instances=blue-1\npids=1\n", NULL, NULL },
		{ "instances=blue-1:blue\npids=1\n", NULL, NULL },
		{ "instances=a:blue:h:1,b:blue:h:2\npids=7\n", "h:1 h:2", "7" },
		{ "instances=a:bluer:h:1,b:blue:h:2\npids=7,8", "h:2", "8" },
		{ "instances=a:blue:h:1", "h:1", NULL },
	};
	const struct stage_credentials none = { "", "" };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct scenario sc = scenario_of(STACK_LOCAL);
		struct surroundings s;
		const char *addresses, *pids;

		assert_int_equal(stack_environment(&sc, cases[i].bindings, &none, "/c", &s, NULL),
				 0);
		addresses = value_of(&s, "BLUE_INSTANCES");
		pids = value_of(&s, "BLUE_PIDS");
		assert_string_equal(addresses ? addresses : "-",
				    cases[i].addresses ? cases[i].addresses : "-");
		assert_string_equal(pids ? pids : "-", cases[i].pids ? cases[i].pids : "-");
		surroundings_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_local_stack_is_told_whole),
		cmocka_unit_test(of_a_deployed_system_only_what_the_scenario_says_is_told),
		cmocka_unit_test(lists_that_do_not_match_are_cut_short_never_overrun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
