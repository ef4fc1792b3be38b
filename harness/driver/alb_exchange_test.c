/* What the driver sends is, byte for byte, what the AWS CLI sends for the same thing: the recorded
 * exchanges of fixtures/exchanges/ (ci/record_exchanges), against a server that tells of the same
 * balancer. Run from the root of the checkout. */
#include "driver/test_stub.h"

#include "base/buf.h"
#include "base/clock.h"
#include "driver/core/aws.h"
#include "driver/core/cloudwatch.h"
#include "driver/driver.h"
#include "driver/test_balancer.h"

struct exchange {
	char service[64], content_type[128], signed_headers[128], body[STUB_TEXT_MAX];
};

static void field(const char *text, const char *name, char *out, size_t size)
{
	const char *at = strstr(text, name);

	if (!at)
		fail_msg("no %s in %s", name, text);
	snprintf(out, size, "%.*s", (int)strcspn(at + strlen(name), "\n"), at + strlen(name));
}

static struct exchange load(const char *name)
{
	char path[128], *text = calloc(1, 4 * STUB_TEXT_MAX);
	struct exchange e;
	FILE *file;

	snprintf(path, sizeof path, "fixtures/exchanges/%s", name);
	file = fopen(path, "re");
	if (!file || !fread(text, 1, 4 * STUB_TEXT_MAX - 1, file))
		fail_msg("%s cannot be read", path);
	fclose(file);
	assert_memory_equal(text, "command: aws ",
			    13); /* who cannot be asked again is no witness */
	field(text, "\nservice: ", e.service, sizeof e.service);
	field(text, "\ncontent-type: ", e.content_type, sizeof e.content_type);
	field(text, "\nsigned-headers: ", e.signed_headers, sizeof e.signed_headers);
	field(text, "\nbody: ", e.body, sizeof e.body);
	free(text);
	return e;
}

static void assert_sent(struct stub *stub, const char *name, const char *has)
{
	struct exchange e = load(name);
	const struct stub_request *r = stub_asked(stub, has);
	char expected[256];

	if (!r)
		fail_msg("%s: nothing was sent", name);
	assert_string_equal(r->body, e.body);
	assert_memory_equal(r->head, "POST / HTTP/1.1\r\n", 17);
	snprintf(expected, sizeof expected, "\r\nContent-Type: %s\r\n", e.content_type);
	assert_non_null(strstr(r->head, expected));
	snprintf(expected, sizeof expected, "/us-east-1/%s/aws4_request, SignedHeaders=%s, ",
		 e.service, e.signed_headers);
	if (!strstr(r->head, expected))
		fail_msg("%s: no \"%s\" in %s", name, expected, r->head);
}

static void what_is_asked_and_written_equals_what_the_cli_sends(void **state)
{
	static const struct {
		const char *name, *has;
	} cases[] = {
		{ "describe-target-groups", "Action=DescribeTargetGroups&Version=2015-12-01&Names."
					    "member.1=blue" },
		{ "describe-listeners", "Action=DescribeListeners" },
		{ "describe-rules-of-listener", "Version=2015-12-01&ListenerArn=" },
		{ "describe-rules", "RuleArns.member.1" },
		{ "describe-target-health", "Action=DescribeTargetHealth&Version=2015-12-01&TargetG"
					    "roupArn=" BLUE_ENCODED },
		{ "describe-target-group-attributes",
		  "Action=DescribeTargetGroupAttributes&Version=2015-12-01&TargetGroup"
		  "Arn=" BLUE_ENCODED },
		{ "describe-load-balancer-attributes", "Action=DescribeLoadBalancerAttributes" },
		{ "modify-rule", "Action=ModifyRule" },
		{ "deregister-targets", "Action=DeregisterTargets" },
		{ "register-targets", "Action=RegisterTargets" },
	};
	struct stub *stub = *state;
	struct driver_session *s = balancer_open(stub, "/realtime/*", NULL);
	const struct driver *alb = driver_find("alb");
	struct driver_view v;

	assert_int_equal(alb->read(s, &v, NULL), 0);
	assert_int_equal(alb->set_weights(s, 0, 100, NULL), 0);
	assert_int_equal(alb->deregister(s, COLOR_BLUE, NULL), 0);
	assert_int_equal(alb->reregister(s, COLOR_BLUE, NULL), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_sent(stub, cases[i].name, cases[i].has);
	alb->close(s);
}

static void a_default_rule_is_written_as_the_cli_writes_a_listener(void **state)
{
	struct stub *stub = *state;
	struct driver_session *s = balancer_open(stub, NULL, DEFAULT_RULE_ARN);

	assert_int_equal(driver_find("alb")->set_weights(s, 0, 100, NULL), 0);
	assert_sent(stub, "modify-listener", "Action=ModifyListener");
	driver_find("alb")->close(s);
}

static void a_count_of_connections_is_asked_for_as_the_cli_asks(void **state)
{
	struct exchange e = load("get-metric-data");
	struct stub *stub = *state;
	struct aws aws;
	struct buf form;
	struct flat answer;

	assert_int_equal(aws_init(&aws, stub->endpoint, NULL, NULL, 60 * NS_PER_S, NULL), 0);
	aws_begin(&aws);
	/* Some time in the minute after the last whole one. */
	assert_int_equal(cloudwatch_form(BALANCER_ARN, 1795391897 * NS_PER_S, &form, NULL), 0);
	assert_string_equal(buf_text(&form), e.body);
	assert_int_equal(aws_call(&aws, AWS_CLOUDWATCH, "GetMetricData", &form, &answer, NULL), 0);
	flat_free(&answer);
	assert_sent(stub, "get-metric-data", "Action=GetMetricData");
	aws_free(&aws);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_asked_and_written_equals_what_the_cli_sends,
						balancer_setup, balancer_teardown),
		cmocka_unit_test_setup_teardown(
			a_default_rule_is_written_as_the_cli_writes_a_listener, balancer_setup,
			balancer_teardown),
		cmocka_unit_test_setup_teardown(a_count_of_connections_is_asked_for_as_the_cli_asks,
						balancer_setup, balancer_teardown),
	};

	return cmocka_run_group_tests_name("driver/alb: exchanges", tests, NULL, NULL);
}
