/* The driver against a balancer that behaves as AWS may: default rules, other writers, throttling,
 * and what CloudWatch tells. */
#include "driver/test_stub.h"

#include "base/buf.h"
#include "driver/driver.h"
#include "driver/test_balancer.h"

static const struct driver *alb(void)
{
	return driver_find("alb");
}

static void a_default_rule_is_found_by_its_name_or_by_the_word_default(void **state)
{
	static const struct {
		const char *path, *rule, *writes, *list;
	} cases[] = {
		{ "/realtime/*", NULL,
		  "Action=ModifyRule&Version=2015-12-01&RuleArn=", "&Actions.member.1." },
		{ "default", NULL, "Action=ModifyListener&Version=2015-12-01&ListenerArn=",
		  "&DefaultActions.member.1." },
		{ NULL, DEFAULT_RULE_ARN, "Action=ModifyListener&Version=2015-12-01&ListenerArn=",
		  "&DefaultActions.member.1." },
		{ "default", RULE_ARN, "Action=ModifyRule&Version=2015-12-01&RuleArn=",
		  "&Actions.member.1." }, /* the name is the closer word */
	};
	struct stub *stub = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct driver_session *s = balancer_open(stub, cases[i].path, cases[i].rule);
		const struct stub_request *r;
		struct driver_view v;

		assert_int_equal(alb()->read(s, &v, NULL), 0);
		assert_int_equal(v.weight[COLOR_BLUE], 100);
		balancer_say(stub, NULL, 0);
		assert_int_equal(alb()->set_weights(s, 0, 100, NULL), 0);
		r = stub_asked(stub, "Action=Modify");
		assert_non_null(r);
		if (strncmp(r->body, cases[i].writes, strlen(cases[i].writes)) ||
		    !strstr(r->body, cases[i].list))
			fail_msg("case %zu: %s", i, r->body);
		alb()->close(s);
	}
}

static void several_default_rules_must_be_told_apart(void **state)
{
	static const struct stub_answer two_listeners = {
		.has = "Action=DescribeListeners&",
		.status = 200,
		.body = ANSWER("DescribeListeners",
			       "<Listeners><member><ListenerArn>" LISTENER_ARN
			       "</ListenerArn></member><member><ListenerArn>" LISTENER_ARN
			       "2</ListenerArn></member></Listeners>")
	};
	struct stub *stub = *state;
	struct driver_settings settings = { .endpoint = stub->endpoint, .path = "default" };
	struct driver_session *s;
	struct err err = { .kind = ERR_NONE };

	balancer_say(stub, &two_listeners, 1);
	assert_int_equal(alb()->open(&settings, &s, &err), -1);
	assert_string_equal(err.text, "alb driver: 2 rules are the default; name the ARN of one");
}

static void another_writer_is_told_once_and_not_overwritten(void **state)
{
	static const struct {
		const char *what, *rules, *says;
	} cases[] = {
		{ "weights", RULES(RULE("7", "0")),
		  "alb driver: the rule changed under us: it was targetgroup/blue/324aa0d9cb7fd563=100 "
		  "targetgroup/green/53cafc8c11bf9f68=0 when read last, it is "
		  "targetgroup/blue/324aa0d9cb7fd563=7 targetgroup/green/53cafc8c11bf9f68=0 now" },
		{ "stickiness",
		  RULES("<member><RuleArn>" RULE_ARN
			"</RuleArn><Actions><member><Type>forward</Type>"
			"<Order>1</Order><ForwardConfig><TargetGroups><member><TargetGroupArn>" BLUE_ARN
			"</TargetGroupArn><Weight>100</Weight></member><member><TargetGroupArn>" GREEN_ARN
			"</TargetGroupArn><Weight>0</Weight></member></TargetGroups></ForwardConfig>"
			"</member></Actions><IsDefault>false</IsDefault></member>"),
		  "now, and differs in its other settings" },
		{ "nothing", RULES(RULE("100", "0")), NULL },
	};
	struct stub *stub = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct stub_answer changed = { .has = "RuleArns.member.1",
					       .status = 200,
					       .body = cases[i].rules };
		struct driver_session *s;
		struct err err = { .kind = ERR_NONE };
		struct driver_view v;
		int result;

		balancer_say(stub, NULL, 0);
		s = balancer_open(stub, NULL, RULE_ARN);
		assert_int_equal(alb()->read(s, &v, NULL), 0);
		balancer_say(stub, &changed, 1);
		result = alb()->set_weights(s, 0, 100, &err);
		if (result != (cases[i].says ? -1 : 0) ||
		    (cases[i].says && !strstr(err.text, cases[i].says)))
			fail_msg("%s: %d %s", cases[i].what, result, err.text);
		assert_int_equal(stub_asked(stub, "Action=ModifyRule") != NULL, !cases[i].says);
		if (cases[i].says) {
			assert_int_equal(alb()->set_weights(s, 0, 100, NULL), 0);
			assert_non_null(stub_asked(stub, "Action=ModifyRule"));
		}
		alb()->close(s);
	}
}

/* What ModifyRule answers is what the rule is expected to be; ModifyListener's answer says nothing
 * of it, so the next read does. */
static void our_own_writing_is_not_another_writers(void **state)
{
	static const struct stub_answer written[] = {
		{ .has = "1111111111111111",
		  .status = 200,
		  .body = RULES(DEFAULT_RULE("0", "100")) },
		{ .has = "RuleArns.member.1", .status = 200, .body = RULES(RULE("0", "100")) },
	};
	static const char *const rules[] = { RULE_ARN, DEFAULT_RULE_ARN };
	struct stub *stub = *state;

	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		struct driver_session *s;
		struct driver_view v;
		struct err err = { .kind = ERR_NONE };

		balancer_say(stub, NULL, 0);
		s = balancer_open(stub, NULL, rules[i]);
		assert_int_equal(alb()->read(s, &v, NULL), 0);
		assert_int_equal(alb()->set_weights(s, 0, 100, NULL), 0);
		balancer_say(stub, written, 2);
		if (alb()->set_weights(s, 100, 0, &err) < 0)
			fail_msg("%s", err.text);
		alb()->close(s);
	}
}

/* Nobody read it here: there is nothing it could differ from. */
static void a_rule_never_read_may_be_written(void **state)
{
	struct driver_session *s = balancer_open(*state, NULL, RULE_ARN);

	assert_int_equal(alb()->set_weights(s, 0, 100, NULL), 0);
	alb()->close(s);
}

static void what_was_asked_again_is_counted_in_the_view(void **state)
{
	static const struct stub_answer throttled = {
		.has = "Action=DescribeTargetHealth&",
		.status = 400,
		.body = "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message>"
			"</Error></ErrorResponse>",
		.times = 2
	};
	struct stub *stub = *state;
	struct driver_session *s = balancer_open(stub, "/realtime/*", NULL);
	struct driver_view v;

	assert_int_equal(alb()->read(s, &v, NULL), 0);
	assert_int_equal(v.retries, 0);
	balancer_say(stub, &throttled, 1);
	assert_int_equal(alb()->read(s, &v, NULL), 0);
	assert_int_equal(v.retries, 2);
	assert_int_equal(alb()->read(s, &v, NULL), 0);
	assert_int_equal(v.retries, 2);
	alb()->close(s);
}

static void a_call_that_stays_throttled_says_how_often_it_was_asked(void **state)
{
	static const struct stub_answer throttled = {
		.has = "Action=ModifyRule&",
		.status = 400,
		.body = "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message>"
			"</Error></ErrorResponse>",
	};
	struct stub *stub = *state;
	struct driver_session *s = balancer_open(stub, "/realtime/*", NULL);
	struct err err = { .kind = ERR_NONE };

	balancer_say(stub, &throttled, 1);
	assert_int_equal(alb()->set_weights(s, 0, 100, &err), -1);
	assert_memory_equal(err.text, "alb driver: asked 6 times in ", 29);
	assert_non_null(strstr(err.text, " s: ModifyRule: Throttling: Rate exceeded"));
	assert_int_equal(err.kind, ERR_WORLD);
	alb()->close(s);
}

static void connections_are_what_cloudwatch_says_or_unknown(void **state)
{
#define RESULT(inside)                                                                             \
	"<MetricDataResults><member><Id>active</Id>" inside "</member></MetricDataResults>"
	static const struct {
		const char *result, *says;
		int64_t count;
	} cases[] = {
		{ RESULT("<Timestamps><member>2026-11-22T23:58:00Z</member>"
			 "<member>2026-11-22T23:57:00Z</member></Timestamps>"
			 "<Values><member>42.0</member><member>99.0</member></Values>"
			 "<StatusCode>Complete</StatusCode>"),
		  NULL, 42 },
		{ RESULT("<Values><member>1.2E3</member></Values><StatusCode>PartialData</StatusCode>"),
		  NULL, 1200 },
		{ RESULT("<Timestamps/><Values/><StatusCode>Complete</StatusCode>"), NULL, -1 },
		{ RESULT("<StatusCode>Forbidden</StatusCode>"), "GetMetricData: Forbidden", 0 },
		{ RESULT("<Values><member>-3</member></Values><StatusCode>Complete</StatusCode>"),
		  "GetMetricData: \"-3\" is no count", 0 },
		{ RESULT("<Values><member>NaN</member></Values><StatusCode>Complete</StatusCode>"),
		  "is no count", 0 },
		{ "<MetricDataResults/>", "no answer to the query", 0 },
	};
#undef RESULT
	struct stub *stub = *state;
	struct driver_session *s = balancer_open(stub, "/realtime/*", NULL);

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char body[2048];
		struct stub_answer answer = { .has = "Action=GetMetricData&",
					      .status = 200,
					      .body = body };
		struct err err = { .kind = ERR_NONE };
		int64_t count = 77;
		int result;

		snprintf(body, sizeof body,
			 "<GetMetricDataResponse><GetMetricDataResult>%s</GetMetricDataResult>"
			 "</GetMetricDataResponse>",
			 cases[i].result);
		balancer_say(stub, &answer, 1);
		result = alb()->connections(s, &count, &err);
		if (result != (cases[i].says ? -1 : 0) ||
		    (cases[i].says && !strstr(err.text, cases[i].says)))
			fail_msg("case %zu: %d %s", i, result, err.text);
		assert_int_equal(count, cases[i].says ? 77 : cases[i].count);
	}
	alb()->close(s);
}

/* The answer may be lost, or half of the targets out: what was to go can come back. */
static void targets_whose_leaving_failed_can_come_back(void **state)
{
	const struct stub_answer denied = {
		.has = "Action=DeregisterTargets&",
		.status = 400,
		.body = "<r><Error><Code>InvalidTarget</Code></Error></r>"
	};
	struct stub *stub = *state;
	struct driver_session *s = balancer_open(stub, "/realtime/*", NULL);

	balancer_say(stub, &denied, 1);
	assert_int_equal(alb()->deregister(s, COLOR_BLUE, NULL), -1);
	assert_int_equal(alb()->reregister(s, COLOR_BLUE, NULL), 0);
	alb()->close(s);
}

/* The text is compared with the snapshot's: half of it would make two rules equal. */
static void a_configuration_too_long_to_record_is_an_error_and_not_cut(void **state)
{
	struct stub *stub = *state;
	struct driver_session *s = balancer_open(stub, NULL, RULE_ARN);
	struct buf rules = buf_init(64 * 1024);
	struct stub_answer answer = { .has = "RuleArns.member.1", .status = 200 };
	struct err err = { .kind = ERR_NONE };
	struct driver_view v = { .idle_timeout_s = 77 };

	buf_puts(&rules,
		 "<r><DescribeRulesResult><Rules><member><Actions><member><Type>forward</Type>"
		 "<ForwardConfig><TargetGroups>");
	for (int i = 0; i < 15; i++)
		buf_printf(&rules, "<member><TargetGroupArn>arn:%0300d</TargetGroupArn></member>",
			   i);
	buf_puts(&rules, "</TargetGroups></ForwardConfig></member></Actions></member></Rules>"
			 "</DescribeRulesResult></r>");
	answer.body = buf_text(&rules);
	balancer_say(stub, &answer, 1);
	assert_int_equal(alb()->read(s, &v, &err), -1);
	assert_string_equal(
		err.text,
		"alb driver: the configuration takes more than the 3999 bytes a record holds");
	assert_int_equal(v.idle_timeout_s, 77);
	alb()->close(s);
	buf_free(&rules);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, balancer_setup, balancer_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_default_rule_is_found_by_its_name_or_by_the_word_default),
		TEST(several_default_rules_must_be_told_apart),
		TEST(another_writer_is_told_once_and_not_overwritten),
		TEST(our_own_writing_is_not_another_writers),
		TEST(a_rule_never_read_may_be_written),
		TEST(what_was_asked_again_is_counted_in_the_view),
		TEST(a_call_that_stays_throttled_says_how_often_it_was_asked),
		TEST(connections_are_what_cloudwatch_says_or_unknown),
		TEST(targets_whose_leaving_failed_can_come_back),
		TEST(a_configuration_too_long_to_record_is_an_error_and_not_cut),
	};
#undef TEST

	return cmocka_run_group_tests_name("driver/alb: as AWS", tests, NULL, NULL);
}
