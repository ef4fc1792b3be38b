#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "driver/core/alb_rule.h"

/* In the shape ELBv2 answers with, one action before the forward, a third target group, members
 * nobody asked for. */
static const char two_rules[] =
	"<DescribeRulesResponse><Rules><member><RuleArn>arn:1</RuleArn><Priority>5</Priority><Conditions><member>"
	"<Field>host-header</Field><Values><member>/realtime/*</member></Values></member></Conditions>"
	"<Actions><member><Type>fixed-response</Type></member></Actions></member>\n"
	"<member><RuleArn>arn:2</RuleArn><Priority>10</Priority><Conditions><member><Field>path-pattern</Field>"
	"<Values><member>/ws*</member><member>/realtime/*</member></Values><PathPatternConfig><Values><member>/ws*</member>"
	"<member>/realtime/*</member></Values></PathPatternConfig></member></Conditions>"
	"<Actions><member><Type>authenticate-oidc</Type><Order>1</Order><AuthenticateOidcConfig><Issuer>https://i&amp;d</Issuer>"
	"<AuthenticationRequestExtraParams/></AuthenticateOidcConfig></member>"
	"<member><Type>forward</Type><Order>2</Order><ForwardConfig><TargetGroups>"
	"<member><TargetGroupArn>arn:blue</TargetGroupArn><Weight>90</Weight></member>"
	"<member><TargetGroupArn>arn:canary</TargetGroupArn><Weight>10</Weight></member>"
	"<member><TargetGroupArn>arn:green</TargetGroupArn><Weight>0</Weight></member></TargetGroups>"
	"<TargetGroupStickinessConfig><Enabled>true</Enabled><DurationSeconds>300</DurationSeconds>"
	"</TargetGroupStickinessConfig></ForwardConfig></member></Actions><IsDefault>false</IsDefault><Transforms/></member>"
	"</Rules></DescribeRulesResponse>";

static struct flat parse(const char *xml)
{
	struct flat f;

	assert_int_equal(flat_parse(xml, strlen(xml), &f, NULL), 0);
	return f;
}

static void a_rule_is_read(void **state)
{
	struct flat f = parse(two_rules);
	struct rule_weight w[8];

	(void)state;
	assert_int_equal(alb_rule_forward(&f, 1), 0);
	assert_int_equal(alb_rule_forward(&f, 2), 2);
	assert_false(alb_rule_has_path(&f, 1, "/realtime/*")); /* a host-header of that text */
	assert_true(alb_rule_has_path(&f, 2, "/realtime/*"));
	assert_false(alb_rule_has_path(&f, 2, "/realtime/"));
	assert_int_equal(alb_rule_stickiness_s(&f, 2), 300);
	assert_int_equal(alb_rule_weights(&f, 2, w, 8), 3);
	assert_string_equal(w[1].arn, "arn:canary");
	assert_int_equal(w[0].weight, 90);
	assert_int_equal(w[2].weight, 0);
	assert_int_equal(alb_rule_weights(&f, 2, w, 2), 2);
	flat_free(&f);
}

static void a_rule_that_asks_for_more_than_the_path_is_a_test_rule(void **state)
{
#define CONDITION(field, value)                                                                    \
	"<member><Field>" field "</Field><Values><member>" value "</member></Values></member>"
	static const struct {
		const char *conditions;
		bool has;
	} cases[] = {
		{ CONDITION("path-pattern", "/a"), true },
		{ CONDITION("host-header", "h") CONDITION("path-pattern", "/a"), true },
		{ CONDITION("path-pattern", "/a") CONDITION("http-header", "x"), false },
		{ CONDITION("http-header", "x") CONDITION("path-pattern", "/a"), false },
		{ CONDITION("path-pattern", "/a") CONDITION("source-ip", "10.0.0.0/8"), false },
		{ CONDITION("host-header", "/a"), false },
		{ "<member><Field>path-pattern</Field><PathPatternConfig><Values><member>/a</member></Values>"
		  "</PathPatternConfig></member>",
		  true },
		{ "", false },
	};
#undef CONDITION

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf xml = buf_init(4096);
		struct flat f;

		buf_printf(&xml,
			   "<r><Rules><member><Conditions>%s</Conditions></member></Rules></r>",
			   cases[i].conditions);
		f = parse(buf_text(&xml));
		if (alb_rule_has_path(&f, 1, "/a") != cases[i].has)
			fail_msg("%s", cases[i].conditions);
		flat_free(&f);
		buf_free(&xml);
	}
}

static void a_rule_arn_names_its_listener(void **state)
{
	static const struct {
		const char *rule, *listener;
	} cases[] = {
		{ "arn:aws:elasticloadbalancing:us-east-1:1:listener-rule/app/n/1a/2b/3c",
		  "arn:aws:elasticloadbalancing:us-east-1:1:listener/app/n/1a/2b" },
		{ "arn:aws:elasticloadbalancing:us-east-1:1:listener/app/n/1a/2b", NULL },
		{ "arn:aws:elasticloadbalancing:us-east-1:1:listener-rule/", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *listener = alb_rule_listener(cases[i].rule);

		assert_int_equal(!listener, !cases[i].listener);
		if (listener)
			assert_string_equal(listener, cases[i].listener);
		free(listener);
	}
}

static void only_the_weights_of_the_form_differ(void **state)
{
	struct flat f = parse(two_rules);
	struct rule_weight weights[] = { { "arn:blue", 0 }, { "arn:green", 100 } };
	struct buf form = buf_init(4096);

	(void)state;
	assert_int_equal(alb_rule_form(&f, 2, "Actions", weights, 2, &form, NULL), 0);
	assert_string_equal(
		buf_text(&form),
		"&Actions.member.1.Type=authenticate-oidc&Actions.member.1.Order=1"
		"&Actions.member.1.AuthenticateOidcConfig.Issuer=https%3A%2F%2Fi%26d"
		"&Actions.member.2.Type=forward&Actions.member.2.Order=2"
		"&Actions.member.2.ForwardConfig.TargetGroups.member.1.TargetGroupArn=arn%3Ablue"
		"&Actions.member.2.ForwardConfig.TargetGroups.member.1.Weight=0"
		"&Actions.member.2.ForwardConfig.TargetGroups.member.2.TargetGroupArn=arn%3Acanary"
		"&Actions.member.2.ForwardConfig.TargetGroups.member.2.Weight=10"
		"&Actions.member.2.ForwardConfig.TargetGroups.member.3.TargetGroupArn=arn%3Agreen"
		"&Actions.member.2.ForwardConfig.TargetGroups.member.3.Weight=100"
		"&Actions.member.2.ForwardConfig.TargetGroupStickinessConfig.Enabled=true"
		"&Actions.member.2.ForwardConfig.TargetGroupStickinessConfig.DurationSeconds=300");
	buf_free(&form);
	flat_free(&f);
}

/* A forward to one group may come as TargetGroupArn, as ForwardConfig, or both, and without
 * weights. */
static void a_single_group_in_any_spelling_gains_the_other(void **state)
{
	static const char *const spellings[] = {
		"<TargetGroupArn>arn:blue</TargetGroupArn>",
		"<ForwardConfig><TargetGroups><member><TargetGroupArn>arn:blue</TargetGroupArn></member></TargetGroups>"
		"</ForwardConfig>",
		"<TargetGroupArn>arn:blue</TargetGroupArn><ForwardConfig><TargetGroups><member><TargetGroupArn>arn:blue"
		"</TargetGroupArn><Weight>1</Weight></member></TargetGroups></ForwardConfig>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
		struct rule_weight weights[] = { { "arn:blue", 50 }, { "arn:green", 50 } }, read[4];
		struct buf xml = buf_init(4096), form = buf_init(4096);
		struct flat f;

		buf_printf(
			&xml,
			"<r><Rules><member><Actions><member><Type>forward</Type>%s</member></Actions></member></Rules></r>",
			spellings[i]);
		f = parse(buf_text(&xml));
		assert_int_equal(alb_rule_weights(&f, 1, read, 4), 1);
		assert_int_equal(read[0].weight, 1);
		assert_int_equal(alb_rule_stickiness_s(&f, 1), 0);
		assert_int_equal(alb_rule_form(&f, 1, "Actions", weights, 2, &form, NULL), 0);
		assert_string_equal(
			buf_text(&form),
			"&Actions.member.1.Type=forward"
			"&Actions.member.1.ForwardConfig.TargetGroups.member.1.TargetGroupArn=arn%3Ablue"
			"&Actions.member.1.ForwardConfig.TargetGroups.member.1.Weight=50"
			"&Actions.member.1.ForwardConfig.TargetGroups.member.2.TargetGroupArn=arn%3Agreen"
			"&Actions.member.1.ForwardConfig.TargetGroups.member.2.Weight=50");
		buf_free(&xml);
		buf_free(&form);
		flat_free(&f);
	}
}

static void a_rule_without_a_forward_is_an_error(void **state)
{
	struct flat f = parse(two_rules);
	struct buf form = buf_init(4096);
	struct err err = { .kind = ERR_NONE };

	(void)state;
	assert_int_equal(alb_rule_form(&f, 1, "Actions", NULL, 0, &form, &err), -1);
	assert_string_equal(err.text, "the rule has no forward action");
	assert_int_equal(form.len, 0);
	flat_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_is_read),
		cmocka_unit_test(a_rule_that_asks_for_more_than_the_path_is_a_test_rule),
		cmocka_unit_test(a_rule_arn_names_its_listener),
		cmocka_unit_test(only_the_weights_of_the_form_differ),
		cmocka_unit_test(a_single_group_in_any_spelling_gains_the_other),
		cmocka_unit_test(a_rule_without_a_forward_is_an_error),
	};

	return cmocka_run_group_tests_name("driver/core/alb_rule", tests, NULL, NULL);
}
