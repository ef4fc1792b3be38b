/* One call against a server that answers well, late, badly or not at all. */
#include "driver/test_stub.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "driver/core/aws.h"

#define ERROR_XML(code, message)                                                                   \
	"<ErrorResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">"      \
	"<Error><Type>Sender</Type><Code>" code "</Code><Message>" message "</Message></Error>"    \
	"<RequestId>1</RequestId></ErrorResponse>"
#define GOOD "<XResponse><XResult><A>1</A></XResult></XResponse>"

static int setup(void **state)
{
	unsetenv("AWS_ACCESS_KEY_ID");
	unsetenv("AWS_SECRET_ACCESS_KEY");
	unsetenv("AWS_SESSION_TOKEN");
	unsetenv("AWS_PROFILE");
	unsetenv("AWS_REGION");
	unsetenv("AWS_DEFAULT_REGION");
	setenv("AWS_CONFIG_FILE", "/nowhere/at-all", 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/at-all", 1);
	*state = stub_start();
	return 0;
}

static int teardown(void **state)
{
	stub_stop(*state);
	return 0;
}

/* Waits of at most 4 ms, attempts of 200 ms, a call of 60 s. */
static struct aws begin(const struct stub *stub)
{
	struct aws aws;
	struct err err = { .kind = ERR_NONE };

	if (aws_init(&aws, stub->endpoint, NULL, NULL, 60 * NS_PER_S, &err) < 0)
		fail_msg("%s", err.text);
	aws.policy = (struct retry_policy){ .attempts_max = 4,
					    .base_ns = NS_PER_MS,
					    .cap_ns = 4 * NS_PER_MS,
					    .attempt_within_ns = 60 * NS_PER_S };
	aws_begin(&aws);
	return aws;
}

static int call(struct aws *aws, struct err *err)
{
	struct buf form = aws_form(AWS_ELBV2, "X");
	struct flat flat;
	int result;

	aws_add(&form, "a b", "Name.member.%d", 1);
	result = aws_call(aws, AWS_ELBV2, "X", &form, &flat, err);
	if (!result) {
		assert_string_equal(flat_get(&flat, "A"), "1");
		flat_free(&flat);
	}
	return result;
}

static void what_may_pass_is_asked_again_and_counted(void **state)
{
	static const struct {
		const char *what;
		struct stub_answer first; /* then GOOD */
		int requests;
		const char *says; /* NULL: it ends well */
	} cases[] = {
		{ "throttled twice",
		  { .status = 400, .body = ERROR_XML("Throttling", "Rate exceeded"), .times = 2 },
		  3,
		  NULL },
		{ "throttled for ever",
		  { .status = 400, .body = ERROR_XML("Throttling", "Rate exceeded") },
		  4,
		  "X: Throttling: Rate exceeded" },
		{ "unavailable twice", { .status = 503, .body = "Busy", .times = 2 }, 3, NULL },
		{ "unavailable for ever",
		  { .status = 503, .body = "Busy\r\nreally" },
		  4,
		  "X: HTTP 503, \"Busy\"" },
		{ "no answer once", { .way = STUB_CUT, .times = 1 }, 2, NULL },
		{ "no answer ever", { .way = STUB_CUT }, 4, "Empty reply from server" },
		{ "refused",
		  { .status = 403, .body = ERROR_XML("AccessDenied", "Not yours") },
		  1,
		  "X: AccessDenied: Not yours" },
		{ "refused in other words", { .status = 403, .body = "" }, 1, "X: HTTP 403, \"\"" },
		{ "malformed", { .status = 200, .body = "<XResponse><XResult" }, 1, "X: not XML" },
		{ "empty", { .status = 200, .body = "" }, 1, "X: not XML" },
		{ "huge",
		  { .status = 200, .body = GOOD, .extra = 1 << 20 },
		  1,
		  "the answer is longer than 1048576 bytes" },
	};
	struct stub *stub = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct stub_answer answers[] = { cases[i].first, { .status = 200, .body = GOOD } };
		struct aws aws = begin(stub);
		struct err err = { .kind = ERR_NONE };
		int result;

		stub_say(stub, answers, 2);
		result = call(&aws, &err);
		if (result != (cases[i].says ? -1 : 0) || stub->requests != cases[i].requests ||
		    (cases[i].says && !strstr(err.text, cases[i].says)))
			fail_msg("%s: %d after %d requests: %s", cases[i].what, result,
				 stub->requests, err.text);
		assert_int_equal(aws.retries, cases[i].requests - 1);
		assert_int_equal(strncmp(err.text, "asked 4 times in ", 17) == 0,
				 cases[i].requests == 4);
		for (int r = 0; r < stub->requests; r++)
			assert_string_equal(stub->request[r].body,
					    "Action=X&Version=2015-12-01&Name.member.1=a%20b");
		aws_free(&aws);
	}
}

static void a_slow_answer_is_not_waited_for_longer_than_an_attempt(void **state)
{
	static const struct stub_answer answers[] = { { .way = STUB_HANG, .times = 1 },
						      { .status = 200, .body = GOOD } };
	struct stub *stub = *state;
	struct aws aws = begin(stub);

	aws.policy.attempt_within_ns = 50 * NS_PER_MS;
	stub_say(stub, answers, 2);
	/* On a machine that takes longer than that to answer at all, again and again. */
	aws.policy.attempts_max = 1000;
	assert_int_equal(call(&aws, NULL), 0);
	assert_true(aws.retries >= 1);
	aws_free(&aws);
}

static void the_deadline_of_the_call_ends_it_whatever_the_policy_says(void **state)
{
	static const struct {
		struct stub_answer answer;
		const char *says;
	} cases[] = {
		{ { .way = STUB_HANG }, "imed out" },
		{ { .status = 503 }, "HTTP 503" },
	};
	struct stub *stub = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct aws aws = begin(stub);
		struct err err = { .kind = ERR_NONE };
		int64_t begin_ns = clock_now_ns();

		aws.policy.attempts_max = 1000000;
		aws.call_within_ns = 100 * NS_PER_MS;
		aws_begin(&aws);
		stub_say(stub, &cases[i].answer, 1);
		assert_int_equal(call(&aws, &err), -1);
		assert_true(clock_now_ns() - begin_ns < 30 * NS_PER_S);
		if (!strstr(err.text, cases[i].says))
			fail_msg("%s", err.text);
		aws.deadline_ns = clock_now_ns();
		stub_say(stub, &cases[i].answer, 1);
		assert_int_equal(call(&aws, &err), -1);
		assert_int_equal(stub->requests, 0);
		assert_string_equal(err.text, "X: no time left");
		aws_free(&aws);
	}
}

static void a_call_is_signed_with_its_service_region_and_token(void **state)
{
	static const struct stub_answer good = { .status = 200, .body = GOOD };
	static const struct {
		const char *token, *given, *region, *fallback, *scope, *signs;
	} cases[] = {
		{ NULL, NULL, NULL, NULL, "/us-east-1/elasticloadbalancing/aws4_request",
		  "SignedHeaders=content-type;host;x-amz-date, " },
		{ "t0k", NULL, "eu-west-3", "x", "/eu-west-3/elasticloadbalancing/aws4_request",
		  "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, " },
		{ NULL, "sa-east-1", "eu-west-3", NULL, "/sa-east-1/elasticloadbalancing/",
		  "SignedHeaders=content-type;host;x-amz-date, " },
		{ NULL, NULL, NULL, "af-south-1", "/af-south-1/elasticloadbalancing/",
		  "SignedHeaders=content-type;host;x-amz-date, " },
	};
	struct stub *stub = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct aws aws;
		const char *head;

		setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
		setenv("AWS_SECRET_ACCESS_KEY", "hush", 1);
		if (cases[i].token)
			setenv("AWS_SESSION_TOKEN", cases[i].token, 1);
		else
			unsetenv("AWS_SESSION_TOKEN");
		setenv("AWS_REGION", cases[i].region ? cases[i].region : "", 1);
		setenv("AWS_DEFAULT_REGION", cases[i].fallback ? cases[i].fallback : "", 1);
		assert_int_equal(
			aws_init(&aws, stub->endpoint, NULL, cases[i].given, 60 * NS_PER_S, NULL),
			0);
		aws_begin(&aws);
		stub_say(stub, &good, 1);
		assert_int_equal(call(&aws, NULL), 0);
		head = stub->request[0].head;
		if (!strstr(head, cases[i].scope) || !strstr(head, cases[i].signs))
			fail_msg("%s", head);
		assert_non_null(strstr(head, "Credential=AKIDEXAMPLE/"));
		assert_null(strstr(head, "hush"));
		assert_int_equal(strstr(head, "X-Amz-Security-Token: t0k\r\n") != NULL,
				 cases[i].token != NULL);
		aws_free(&aws);
	}
}

static void only_a_local_balancer_is_asked_unsigned(void **state)
{
	static const struct {
		const char *endpoint, *monitoring, *region, *says; /* NULL: it is local */
	} cases[] = {
		{ "127.0.0.1:9", NULL, NULL, NULL },
		{ "http://localhost:9/", NULL, NULL, NULL },
		{ "https://127.1.2.3/", NULL, NULL, NULL },
		{ NULL, NULL, NULL, "no region: set AWS_REGION" },
		{ "http://10.0.0.1/", NULL, NULL, "no region: set AWS_REGION" },
		{ NULL, NULL, "us east", "region \"us east\" is not the name of one" },
		{ NULL, NULL, "us-east-1", "no credentials: set AWS_ACCESS_KEY_ID and " },
		{ NULL, "127.0.0.1:9", "us-east-1", "no credentials: " },
		{ "127.0.0.1:9", "http://10.0.0.1", "us-east-1", "no credentials: " },
		{ "http://127.0.0.1.example.com/", NULL, "us-east-1", "no credentials: " },
		{ "http://1270.0.0.1/", NULL, "us-east-1", "no credentials: " },
		{ "nonsense://", NULL, "us-east-1", "nonsense://" },
	};
	char *path = strdup(getenv("PATH"));

	(void)state;
	setenv("PATH", "/nowhere/at-all", 1); /* and no AWS CLI */
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err err = { .kind = ERR_NONE };
		struct aws aws;
		int result = aws_init(&aws, cases[i].endpoint, cases[i].monitoring, cases[i].region,
				      NS_PER_S, &err);

		if (result != (cases[i].says ? -1 : 0) ||
		    (cases[i].says && !strstr(err.text, cases[i].says)))
			fail_msg("case %zu: %d %s", i, result, err.text);
		aws_free(&aws);
	}
	setenv("PATH", path, 1);
	free(path);
}

static void aws_itself_is_found_by_region(void **state)
{
#define ELB(region) "https://elasticloadbalancing." region ".amazonaws.com"
#define MONITORING(region) "https://monitoring." region ".amazonaws.com/"
	static const struct {
		const char *endpoint, *monitoring, *region, *elbv2, *cloudwatch, *sigv4;
	} cases[] = {
		{ NULL, NULL, "eu-west-3", ELB("eu-west-3") "/", MONITORING("eu-west-3"),
		  "aws:amz:eu-west-3:monitoring" },
		/* spelled out: its own region, whatever the environment says */
		{ ELB("eu-west-3"), NULL, NULL, ELB("eu-west-3"), MONITORING("eu-west-3"),
		  "aws:amz:eu-west-3:monitoring" },
		{ ELB("eu-west-3"), "https://10.0.0.1/", "us-east-1", ELB("eu-west-3"),
		  "https://10.0.0.1/", "aws:amz:eu-west-3:monitoring" },
		/* not AWS's own: one endpoint serves both */
		{ ELB("eu-west-3") ".example.com", NULL, "us-east-1",
		  ELB("eu-west-3") ".example.com", ELB("eu-west-3") ".example.com",
		  "aws:amz:us-east-1:monitoring" },
		{ "https://10.0.0.1/", NULL, "us-east-1", "https://10.0.0.1/", "https://10.0.0.1/",
		  "aws:amz:us-east-1:monitoring" },
	};
#undef ELB
#undef MONITORING

	(void)state;
	setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "hush", 1);
	setenv("AWS_REGION", "ap-south-1", 1);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct aws aws;

		assert_int_equal(aws_init(&aws, cases[i].endpoint, cases[i].monitoring,
					  cases[i].region, NS_PER_S, NULL),
				 0);
		assert_string_equal(aws.endpoint[AWS_ELBV2], cases[i].elbv2);
		assert_string_equal(aws.endpoint[AWS_CLOUDWATCH], cases[i].cloudwatch);
		assert_string_equal(aws.sigv4[AWS_CLOUDWATCH], cases[i].sigv4);
		assert_false(aws.local);
		aws_free(&aws);
	}
}

/* A CLI that gives what the file beside it says, or fails when there is none. */
static void credentials_about_to_expire_are_renewed_before_the_call(void **state)
{
	static const struct stub_answer good = { .status = 200, .body = GOOD };
	static const struct {
		int64_t left_s;
		bool cli_works;
		const char *signs, *says;
	} cases[] = {
		{ 3600, false, "Credential=OLD/", NULL },
		{ 10, true, "Credential=NEW/", NULL },
		{ 10, false, "Credential=OLD/", NULL }, /* good for another ten seconds */
		{ -10, true, "Credential=NEW/", NULL },
		{ -10, false, NULL, "ended with status 1" },
	};
	struct stub *stub = *state;
	char *path = strdup(getenv("PATH")), folder[] = "/tmp/aws_test_XXXXXX", cli[64];

	assert_non_null(mkdtemp(folder));
	snprintf(cli, sizeof cli, "%s/aws", folder);
	setenv("AWS_PROFILE", "team", 1);
	setenv("PATH", folder, 1);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err err = { .kind = ERR_NONE };
		struct aws aws;
		FILE *file = fopen(cli, "we");

		fprintf(file,
			"#!/bin/sh\n%s"
			"echo '{\"Version\":1,\"AccessKeyId\":\"NEW\",\"SecretAccessKey\":\"n\"}'\n",
			cases[i].cli_works ? "" : "exit 1\n");
		fclose(file);
		chmod(cli, 0700);
		aws = begin(stub);
		credentials_free(&aws.credentials);
		aws.credentials = (struct credentials){ .source = CREDENTIALS_CLI,
							.user_password = strdup("OLD:o") };
		aws.credentials.expires_at_ns = clock_realtime_ns() + cases[i].left_s * NS_PER_S;
		aws.local = false;
		stub_say(stub, &good, 1);
		assert_int_equal(call(&aws, &err), cases[i].says ? -1 : 0);
		if (cases[i].says)
			assert_non_null(strstr(err.text, cases[i].says));
		else
			assert_non_null(strstr(stub->request[0].head, cases[i].signs));
		aws_free(&aws);
	}
	setenv("PATH", path, 1);
	unlink(cli);
	rmdir(folder);
	unsetenv("AWS_PROFILE");
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_may_pass_is_asked_again_and_counted, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			a_slow_answer_is_not_waited_for_longer_than_an_attempt, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_deadline_of_the_call_ends_it_whatever_the_policy_says, setup, teardown),
		cmocka_unit_test_setup_teardown(a_call_is_signed_with_its_service_region_and_token,
						setup, teardown),
		cmocka_unit_test_setup_teardown(only_a_local_balancer_is_asked_unsigned, setup,
						teardown),
		cmocka_unit_test_setup_teardown(aws_itself_is_found_by_region, setup, teardown),
		cmocka_unit_test_setup_teardown(
			credentials_about_to_expire_are_renewed_before_the_call, setup, teardown),
	};

	return cmocka_run_group_tests_name("driver/core/aws", tests, NULL, NULL);
}
