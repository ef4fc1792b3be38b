/*
 * For tests of the alb driver: the stub tells of one balancer, in the words and the order in which
 * AWS tells of it (alb rules with Order, ForwardConfig, stickiness). It does not change when
 * written to.
 */
#ifndef DRIVER_TEST_BALANCER_H
#define DRIVER_TEST_BALANCER_H

#include "driver/test_stub.h"

#include "base/clock.h"
#include "driver/driver.h"

#define ARN "arn:aws:elasticloadbalancing:us-east-1:123456789012:"
#define BALANCER_ARN ARN "loadbalancer/app/va-alb/0d7aca59d2709303"
#define LISTENER_ARN ARN "listener/app/va-alb/0d7aca59d2709303/fdb0fa94376413a4"
#define RULE_ARN ARN "listener-rule/app/va-alb/0d7aca59d2709303/fdb0fa94376413a4/7c4e193ff88ec467"
#define DEFAULT_RULE_ARN                                                                           \
	ARN "listener-rule/app/va-alb/0d7aca59d2709303/fdb0fa94376413a4/1111111111111111"
#define BLUE_ARN ARN "targetgroup/blue/324aa0d9cb7fd563"
#define GREEN_ARN ARN "targetgroup/green/53cafc8c11bf9f68"
#define BLUE_ENCODED                                                                               \
	"arn%3Aaws%3Aelasticloadbalancing%3Aus-east-1%3A123456789012%3Atargetgroup"                \
	"%2Fblue%2F324aa0d9cb7fd563"

#define ANSWER(action, result)                                                                     \
	"<" action                                                                                 \
	"Response xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">\n"          \
	" <" action "Result>" result "</" action "Result>\n"                                       \
	" <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>\n</" action "Response>"
#define GROUP(arn)                                                                                 \
	"<TargetGroups><member><TargetGroupArn>" arn                                               \
	"</TargetGroupArn><LoadBalancerArns><member>" BALANCER_ARN                                 \
	"</member></LoadBalancerArns></member></TargetGroups>"
#define FORWARD(blue, green)                                                                       \
	"<member><Type>forward</Type><Order>1</Order><ForwardConfig>\n"                            \
	"<TargetGroups><member><TargetGroupArn>" BLUE_ARN "</TargetGroupArn><Weight>" blue         \
	"</Weight></member><member><TargetGroupArn>" GREEN_ARN "</TargetGroupArn><Weight>" green   \
	"</Weight></member></TargetGroups>\n<TargetGroupStickinessConfig><Enabled>true</Enabled>"  \
	"<DurationSeconds>3600</DurationSeconds></TargetGroupStickinessConfig></ForwardConfig></member>"
#define RULE(blue, green)                                                                          \
	"<member><RuleArn>" RULE_ARN "</RuleArn><Priority>10</Priority><Conditions><member>"       \
	"<Field>path-pattern</Field><Values><member>/realtime/*</member></Values></member>"        \
	"</Conditions><Actions>" FORWARD(blue,                                                     \
					 green) "</Actions><IsDefault>false</IsDefault></member>"
#define DEFAULT_RULE(blue, green)                                                                  \
	"<member><RuleArn>" DEFAULT_RULE_ARN "</RuleArn><Priority>default</Priority><Conditions/>" \
	"<Actions>" FORWARD(blue, green) "</Actions><IsDefault>true</IsDefault></member>"
#define RULES(members) ANSWER("DescribeRules", "<Rules>" members "</Rules>")
#define TARGET(id)                                                                                 \
	"<member><Target><Id>" id                                                                  \
	"</Id><Port>8080</Port></Target><TargetHealth><State>healthy</State>"                      \
	"</TargetHealth></member>"
#define ATTRIBUTE(key, value) "<member><Key>" key "</Key><Value>" value "</Value></member>"

/* `first` lines come before the balancer's own. */
static void balancer_say(struct stub *stub, const struct stub_answer *first, int count)
{
	static const struct stub_answer own[] = {
		{ .has = "Names.member.1=blue",
		  .status = 200,
		  .body = ANSWER("DescribeTargetGroups", GROUP(BLUE_ARN)) },
		{ .has = "Names.member.1=green",
		  .status = 200,
		  .body = ANSWER("DescribeTargetGroups", GROUP(GREEN_ARN)) },
		{ .has = "Action=DescribeListeners&",
		  .status = 200,
		  .body = ANSWER("DescribeListeners",
				 "<Listeners><member><ListenerArn>" LISTENER_ARN
				 "</ListenerArn></member></Listeners>") },
		{ .has = "1111111111111111",
		  .status = 200,
		  .body = RULES(DEFAULT_RULE("100", "0")) },
		{ .has = "Action=DescribeRules&Version=2015-12-01&RuleArns",
		  .status = 200,
		  .body = RULES(RULE("100", "0")) },
		{ .has = "Action=DescribeRules&",
		  .status = 200,
		  .body = RULES(RULE("100", "0") DEFAULT_RULE("100", "0")) },
		{ .has = "Action=DescribeTargetHealth&",
		  .status = 200,
		  .body = ANSWER("DescribeTargetHealth",
				 "<TargetHealthDescriptions>" TARGET("10.0.0.10")
					 TARGET("10.0.0.11") "</TargetHealthDescriptions>") },
		{ .has = "Action=DescribeTargetGroupAttributes&",
		  .status = 200,
		  .body = ANSWER("DescribeTargetGroupAttributes",
				 "<Attributes>" ATTRIBUTE("stickiness.enabled", "false")
					 ATTRIBUTE("deregistration_delay.timeout_seconds",
						   "300") "</Attributes>") },
		{ .has = "Action=DescribeLoadBalancerAttributes&",
		  .status = 200,
		  .body = ANSWER("DescribeLoadBalancerAttributes",
				 "<Attributes>" ATTRIBUTE("idle_timeout.timeout_seconds",
							  "60") "</Attributes>") },
		{ .has = "Action=ModifyRule&",
		  .status = 200,
		  .body = ANSWER("ModifyRule", "<Rules>" RULE("0", "100") "</Rules>") },
		{ .has = "Action=ModifyListener&",
		  .status = 200,
		  .body = ANSWER("ModifyListener", "<Listeners/>") },
		{ .has = "Action=DeregisterTargets&",
		  .status = 200,
		  .body = ANSWER("DeregisterTargets", "") },
		{ .has = "Action=RegisterTargets&",
		  .status = 200,
		  .body = ANSWER("RegisterTargets", "") },
		{ .has = "Action=GetMetricData&",
		  .status = 200,
		  .body = ANSWER("GetMetricData", "<MetricDataResults/>") },
	};
	struct stub_answer all[STUB_ANSWERS_MAX];
	int n = 0;

	for (int i = 0; i < count; i++)
		all[n++] = first[i];
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		all[n++] = own[i];
	stub_say(stub, all, n);
}

static int balancer_setup(void **state)
{
	struct stub *stub = stub_start();

	setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "hush", 1);
	unsetenv("AWS_SESSION_TOKEN");
	unsetenv("AWS_REGION");
	unsetenv("AWS_DEFAULT_REGION");
	balancer_say(stub, NULL, 0);
	*state = stub;
	return 0;
}

static int balancer_teardown(void **state)
{
	stub_stop(*state);
	return 0;
}

static inline struct driver_session *balancer_open(struct stub *stub, const char *path,
						   const char *rule)
{
	struct driver_settings settings = { .endpoint = stub->endpoint,
					    .path = path,
					    .rule = rule,
					    .call_within_ns = 60 * NS_PER_S };
	struct driver_session *session;
	struct err err = { .kind = ERR_NONE };

	if (driver_find("alb")->open(&settings, &session, &err) < 0)
		fail_msg("%s", err.text);
	return session;
}

#endif
