/* The driver against the edge of the local stack, over real sockets. */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "driver/driver.h"
#include "net/control.h"
#include "net/http.h"
#include "net/process.h"

static const int64_t patience_ns = 60 * NS_PER_S;

struct world {
	struct process edge;
	int target; /* listening: says 200 to everybody */
	pthread_t server;
	char address[64], control[64];
	struct driver_session *session;
};

static void *serve(void *user)
{
	static const char answer[] =
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
	struct world *w = user;
	char request[4096];
	int fd;

	while ((fd = accept(w->target, NULL, NULL)) >= 0) {
		if (recv(fd, request, sizeof request, 0) > 0)
			(void)!send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
		close(fd);
	}
	return NULL;
}

static void start_target(struct world *w)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof any;

	w->target = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(w->target, (struct sockaddr *)&any, sizeof any), 0);
	assert_int_equal(listen(w->target, 64), 0);
	getsockname(w->target, (struct sockaddr *)&any, &size);
	snprintf(w->address, sizeof w->address, "127.0.0.1:%u", ntohs(any.sin_port));
	assert_int_equal(pthread_create(&w->server, NULL, serve, w), 0);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	char program[4096], blue[80], other[80];
	struct control_message ready;
	struct err err = { .kind = ERR_NONE };

	start_target(w);
	snprintf(blue, sizeof blue, "blue=%s", w->address);
	snprintf(other, sizeof other, "green=127.0.0.9:9"); /* nobody there */
	assert_int_equal(process_beside("../../fixtures/alb/main", program, sizeof program, &err),
			 0);
	const char *const argv[] = { program,
				     "--listen",
				     "127.0.0.1:0",
				     "--control",
				     "127.0.0.1:0",
				     "--target",
				     blue,
				     "--target",
				     other,
				     "--weights",
				     "blue=100,green=0",
				     "--group-stickiness-s",
				     "2",
				     "--target-stickiness-s",
				     "3",
				     "--deregistration-delay-s",
				     "20",
				     "--idle-timeout-s",
				     "10",
				     "--health-interval-ms",
				     "50",
				     NULL };
	struct process_spec spec = {
		.program = program, .argv = argv, .keep_output = true, .control = true
	};

	if (process_spawn(&spec, &w->edge, &err) < 0 ||
	    control_wait(w->edge.control, clock_now_ns() + patience_ns, &ready) != 1 ||
	    ready.type != CONTROL_READY ||
	    !control_value(&ready, "control", w->control, sizeof w->control))
		fail_msg("the edge (%s) does not start: %s", program, err.text);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	int status = -1;

	if (w->session)
		driver_find("alb")->close(w->session);
	process_signal(&w->edge, SIGTERM);
	assert_true(process_wait(&w->edge, clock_now_ns() + patience_ns, &status));
	assert_int_equal(status, 0);
	process_close(&w->edge);
	shutdown(w->target, SHUT_RDWR);
	pthread_join(w->server, NULL);
	close(w->target);
	free(w);
	return 0;
}

static const struct driver *open_driver(struct world *w)
{
	struct driver_settings settings = { .endpoint = w->control, .path = "/realtime/*" };
	const struct driver *alb = driver_find("alb");
	struct err err = { .kind = ERR_NONE };

	if (alb->open(&settings, &w->session, &err) < 0)
		fail_msg("%s", err.text);
	return alb;
}

static struct driver_view view_of(struct world *w)
{
	struct driver_view v;
	struct err err = { .kind = ERR_NONE };

	if (driver_find("alb")->read(w->session, &v, &err) < 0)
		fail_msg("%s", err.text);
	return v;
}

static void the_effective_configuration_is_read(void **state)
{
	struct world *w = *state;
	struct driver_view v;
	int64_t deadline_ns = clock_now_ns() + patience_ns;
	char expected[1024];

	open_driver(w);
	do
		v = view_of(w);
	while (!v.healthy[COLOR_BLUE] && clock_now_ns() < deadline_ns);
	assert_int_equal(v.healthy[COLOR_BLUE], 1);
	assert_int_equal(v.healthy[COLOR_GREEN], 0);
	assert_int_equal(v.registered[COLOR_GREEN], 1);
	assert_int_equal(v.weight[COLOR_BLUE], 100);
	assert_int_equal(v.weight[COLOR_GREEN], 0);
	assert_int_equal(v.group_stickiness_s, 2);
	assert_int_equal(v.target_stickiness_s, 3);
	assert_int_equal(v.deregistration_delay_s, 20);
	assert_int_equal(v.idle_timeout_s, 10);
	snprintf(expected, sizeof expected,
		 "listener-rule/app/crossfade/0d7aca59d2709303/fdb0fa94376413a4/7c4e193ff88ec467 "
		 "targetgroup/blue/324aa0d9cb7fd563=100 targetgroup/green/53cafc8c11bf9f68=0 "
		 "blue_targets=%s blue_stickiness=3 blue_deregistration_delay=20 "
		 "green_targets=127.0.0.9:9 green_stickiness=3 green_deregistration_delay=20 "
		 "group_stickiness=2 idle_timeout=10",
		 w->address);
	assert_string_equal(v.text, expected);
}

static void weights_change_and_nothing_else_does(void **state)
{
	struct world *w = *state;
	const struct driver *alb = open_driver(w);
	struct driver_view before = view_of(w), shifted;

	assert_int_equal(alb->set_weights(w->session, 0, 100, NULL), 0);
	shifted = view_of(w);
	assert_int_equal(shifted.weight[COLOR_BLUE], 0);
	assert_int_equal(shifted.weight[COLOR_GREEN], 100);
	assert_int_equal(shifted.group_stickiness_s, 2);
	assert_int_equal(alb->set_weights(w->session, 100, 0, NULL), 0);
	assert_string_equal(view_of(w).text, before.text);
}

/* The edge starts with a default rule that answers 404, which is no rule to weigh. */
static void the_default_rule_is_moved_through_its_listener(void **state)
{
#define ARN "arn:aws:elasticloadbalancing:us-east-1:123456789012:"
#define FORWARD "&DefaultActions.member.1.ForwardConfig."
	static const char forward_to_blue[] =
		"Action=ModifyListener&Version=2015-12-01&ListenerArn=" ARN
		"listener/app/crossfade/0d7aca59d2709303/fdb0fa94376413a4"
		"&DefaultActions.member.1.Type=forward" FORWARD
		"TargetGroups.member.1.TargetGroupArn=" ARN
		"targetgroup/blue/324aa0d9cb7fd563" FORWARD
		"TargetGroupStickinessConfig.Enabled=true" FORWARD
		"TargetGroupStickinessConfig.DurationSeconds=60";
#undef FORWARD
#undef ARN
	struct world *w = *state;
	struct driver_settings settings = { .endpoint = w->control, .path = "default" };
	const struct driver *alb = driver_find("alb");
	struct buf answer = buf_init(64 * 1024);
	struct http_request request = { .method = "POST",
					.content_type = "application/x-www-form-urlencoded",
					.body = forward_to_blue,
					.body_size = sizeof forward_to_blue - 1,
					.timeout_ns = patience_ns };
	char url[96];
	struct err err = { .kind = ERR_NONE };
	struct driver_view v;
	int status = 0;

	if (alb->open(&settings, &w->session, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(alb->set_weights(w->session, 50, 50, &err), -1);
	assert_non_null(strstr(err.text, "has no forward action"));
	snprintf(url, sizeof url, "http://%s/", w->control);
	request.url = url;
	assert_int_equal(http_do(&request, &status, &answer, NULL), 0);
	assert_int_equal(status, 200);
	buf_free(&answer);
	assert_int_equal(alb->read(w->session, &v, NULL), 0);
	assert_int_equal(v.weight[COLOR_BLUE], 1);
	if (alb->set_weights(w->session, 5, 95, &err) < 0)
		fail_msg("%s", err.text);
	v = view_of(w);
	assert_int_equal(v.weight[COLOR_BLUE], 5);
	assert_int_equal(v.weight[COLOR_GREEN], 95);
	assert_int_equal(v.group_stickiness_s, 60);
	if (alb->set_weights(w->session, 0, 100, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(view_of(w).weight[COLOR_GREEN], 100);
}

static void somebody_elses_change_is_told_before_anything_is_written(void **state)
{
	struct world *w = *state;
	const struct driver *alb = open_driver(w);
	struct driver_settings settings = { .endpoint = w->control, .path = "/realtime/*" };
	struct driver_session *other;
	struct err err = { .kind = ERR_NONE };

	view_of(w);
	assert_int_equal(alb->open(&settings, &other, NULL), 0);
	assert_int_equal(alb->set_weights(other, 30, 70, NULL), 0);
	alb->close(other);
	assert_int_equal(alb->set_weights(w->session, 0, 100, &err), -1);
	assert_non_null(strstr(err.text, "alb driver: the rule changed under us: it was "));
	assert_int_equal(view_of(w).weight[COLOR_BLUE], 30);
	assert_int_equal(alb->set_weights(w->session, 0, 100, NULL), 0); /* seen, and meant */
	assert_int_equal(alb->set_weights(w->session, 100, 0, NULL), 0); /* ours: no change */
}

static void connections_are_counted_by_the_edge_as_by_cloudwatch(void **state)
{
	struct world *w = *state;
	const struct driver *alb = open_driver(w);
	struct err err = { .kind = ERR_NONE };
	int64_t count = -77;

	if (alb->connections(w->session, &count, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(count >= -1); /* -1: no minute is over yet */
}

static void impossible_weights_are_refused_before_asking(void **state)
{
	static const struct {
		int blue, green;
		const char *says;
	} cases[] = {
		{ 0, 0, "alb driver: weights blue 0, green 0: " },
		{ 1000, 0, "alb driver: weights blue 1000, green 0: each must be 0 to 999" },
		{ 1, -1, "green -1" },
	};
	struct world *w = *state;
	const struct driver *alb = open_driver(w);

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err err = { .kind = ERR_NONE };

		assert_int_equal(alb->set_weights(w->session, cases[i].blue, cases[i].green, &err),
				 -1);
		if (!strstr(err.text, cases[i].says))
			fail_msg("%s", err.text);
	}
	assert_int_equal(view_of(w).weight[COLOR_BLUE], 100);
}

static void targets_leave_and_the_same_ones_come_back(void **state)
{
	struct world *w = *state;
	const struct driver *alb = open_driver(w);
	struct driver_view before = view_of(w);
	struct err err = { .kind = ERR_NONE };

	assert_int_equal(alb->reregister(w->session, COLOR_BLUE, &err), -1);
	assert_string_equal(err.text, "alb driver: no blue target was deregistered by us");
	assert_int_equal(alb->deregister(w->session, COLOR_BLUE, NULL), 0);
	assert_int_equal(view_of(w).registered[COLOR_BLUE], 0);
	assert_int_equal(view_of(w).registered[COLOR_GREEN], 1);
	assert_int_equal(alb->deregister(w->session, COLOR_BLUE, NULL),
			 0); /* out already: fine, and not forgotten */
	assert_int_equal(alb->reregister(w->session, COLOR_BLUE, NULL), 0);
	assert_string_equal(view_of(w).text, before.text);
}

static void what_is_not_there_is_named(void **state)
{
	struct world *w = *state;
	const struct driver_settings cases[] = {
		{ .endpoint = w->control, .path = "/elsewhere/*" },
		{ .endpoint = w->control, .path = "/realtime/*", .green = "mauve" },
		{ .endpoint = "127.0.0.9:9",
		  .path = "/realtime/*",
		  .call_within_ns = 300 * NS_PER_MS },
		{ .endpoint = w->address, .path = "/realtime/*" }, /* answers, but not in XML */
		{ .endpoint = w->control },
	};
	static const char *const says[] = {
		"alb driver: 0 rules have the path pattern /elsewhere/*",
		"alb driver: target group mauve: DescribeTargetGroups: TargetGroupNotFound: One or more target groups not found",
		"127.0.0.9",
		"alb driver: target group blue: DescribeTargetGroups: not XML",
		"alb driver: neither a rule nor a path pattern is given",
	};
	struct driver_settings gone = { .endpoint = w->control, .rule = "arn:aws:no:such:rule" };
	struct driver_view v;
	struct err err = { .kind = ERR_NONE };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct driver_session *session = NULL;

		assert_int_equal(driver_find("alb")->open(&cases[i], &session, &err), -1);
		assert_null(session);
		if (!strstr(err.text, says[i]))
			fail_msg("%s", err.text);
	}
	assert_int_equal(driver_find("alb")->open(&gone, &w->session, &err), 0);
	assert_int_equal(driver_find("alb")->read(w->session, &v, &err), -1);
	assert_string_equal(err.text,
			    "alb driver: DescribeRules: RuleNotFound: One or more rules not found");
	assert_int_equal(err.kind, ERR_WORLD);
}

static void secrets_sign_but_never_show(void **state)
{
	struct world *w = *state;
	struct driver_settings settings = { .endpoint = "127.0.0.9:9",
					    .path = "/realtime/*",
					    .call_within_ns = 300 * NS_PER_MS };
	struct err err = { .kind = ERR_NONE };
	struct driver_session *session;

	setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMIsecret", 1);
	setenv("AWS_SESSION_TOKEN", "tokentokentoken", 1);
	open_driver(w);
	assert_int_equal(view_of(w).weight[COLOR_BLUE], 100); /* signed calls are answered too */
	assert_int_equal(driver_find("alb")->open(&settings, &session, &err), -1);
	assert_null(strstr(err.text, "secret"));
	assert_null(strstr(err.text, "token"));
	assert_null(strstr(err.text, "AKID"));
	unsetenv("AWS_ACCESS_KEY_ID");
	unsetenv("AWS_SECRET_ACCESS_KEY");
	unsetenv("AWS_SESSION_TOKEN");
}

static int setup_signed(void **state)
{
	int result;

	setenv("ALB_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
	setenv("ALB_SECRET_ACCESS_KEY", "wJalrXUtnFEMIsecret", 1);
	setenv("ALB_SESSION_TOKEN", "tokentokentoken", 1);
	result = setup(state);
	unsetenv("ALB_ACCESS_KEY_ID");
	unsetenv("ALB_SECRET_ACCESS_KEY");
	unsetenv("ALB_SESSION_TOKEN");
	return result;
}

/* Whose edge it is recomputes the signature, as AWS does. */
static void the_signature_is_one_that_holds(void **state)
{
	static const struct {
		const char *key, *secret, *token, *region, *says; /* NULL: it is let in */
	} cases[] = {
		{ "AKIDEXAMPLE", "wJalrXUtnFEMIsecret", "tokentokentoken", NULL, NULL },
		{ "AKIDEXAMPLE", "wJalrXUtnFEMIsecret", "tokentokentoken", "eu-west-3",
		  "Credential should be scoped to a valid region" },
		{ "AKIDEXAMPLE", "another", "tokentokentoken", NULL, "SignatureDoesNotMatch" },
		{ NULL, NULL, NULL, NULL, "MissingAuthenticationToken" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct driver_settings settings = { .endpoint = w->control,
						    .path = "/realtime/*",
						    .region = cases[i].region };
		struct driver_session *session;
		struct err err = { .kind = ERR_NONE };
		int64_t count;
		int result;

		if (cases[i].key) {
			setenv("AWS_ACCESS_KEY_ID", cases[i].key, 1);
			setenv("AWS_SECRET_ACCESS_KEY", cases[i].secret, 1);
			setenv("AWS_SESSION_TOKEN", cases[i].token, 1);
		}
		result = driver_find("alb")->open(&settings, &session, &err);
		if (result != (cases[i].says ? -1 : 0) ||
		    (cases[i].says && !strstr(err.text, cases[i].says)))
			fail_msg("case %zu: %d %s", i, result, err.text);
		assert_null(strstr(err.text, "asked")); /* again would be no better */
		if (!result) {
			assert_int_equal(driver_find("alb")->set_weights(session, 50, 50, &err), 0);
			assert_int_equal(driver_find("alb")->connections(session, &count, &err), 0);
			driver_find("alb")->close(session);
		}
		unsetenv("AWS_ACCESS_KEY_ID");
		unsetenv("AWS_SECRET_ACCESS_KEY");
		unsetenv("AWS_SESSION_TOKEN");
	}
}

static void the_registry_finds_drivers_by_name(void **state)
{
	(void)state;
	assert_string_equal(driver_find("alb")->name, "alb");
	assert_null(driver_find("al"));
	assert_null(driver_at(driver_count()));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_effective_configuration_is_read, setup,
						teardown),
		cmocka_unit_test_setup_teardown(weights_change_and_nothing_else_does, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_default_rule_is_moved_through_its_listener,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			somebody_elses_change_is_told_before_anything_is_written, setup, teardown),
		cmocka_unit_test_setup_teardown(
			connections_are_counted_by_the_edge_as_by_cloudwatch, setup, teardown),
		cmocka_unit_test_setup_teardown(impossible_weights_are_refused_before_asking, setup,
						teardown),
		cmocka_unit_test_setup_teardown(targets_leave_and_the_same_ones_come_back, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_not_there_is_named, setup, teardown),
		cmocka_unit_test_setup_teardown(secrets_sign_but_never_show, setup, teardown),
		cmocka_unit_test_setup_teardown(the_signature_is_one_that_holds, setup_signed,
						teardown),
		cmocka_unit_test(the_registry_finds_drivers_by_name),
	};

	return cmocka_run_group_tests_name("driver/alb", tests, NULL, NULL);
}
