#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "net/http.h"

/* A server of one answer at a time: `answer` says what to send back; what was asked is kept. */
struct server {
	int listener;
	pthread_t thread;
	char url[64];
	const char *answer; /* NULL: says nothing until the client leaves */
	size_t extra;	    /* so many 'x' behind it */
	char request[8192];
};

static void *serve(void *user)
{
	struct server *s = user;
	size_t have = 0;
	char *x = calloc(1, s->extra + 1), *end = NULL;
	int fd = accept(s->listener, NULL, NULL);
	long body = 0;
	ssize_t n;

	memset(x, 'x', s->extra);
	while (!end || have < (size_t)(end + 4 - s->request) + (size_t)body) {
		n = recv(fd, s->request + have, sizeof s->request - 1 - have, 0);
		if (n <= 0)
			break;
		have += (size_t)n;
		end = strstr(s->request, "\r\n\r\n");
		if (end && strstr(s->request, "Content-Length: "))
			body = atol(strstr(s->request, "Content-Length: ") + 16);
	}
	if (s->answer) {
		(void)!send(fd, s->answer, strlen(s->answer), MSG_NOSIGNAL);
		(void)!send(fd, x, s->extra, MSG_NOSIGNAL);
		shutdown(fd, SHUT_WR);
	}
	while (recv(fd, x, 1, 0) > 0)
		;
	close(fd);
	free(x);
	return NULL;
}

static void server_start(struct server *s)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof any;

	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&any, sizeof any), 0);
	assert_int_equal(listen(s->listener, 8), 0);
	getsockname(s->listener, (struct sockaddr *)&any, &size);
	snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u/p", ntohs(any.sin_port));
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_stop(struct server *s)
{
	pthread_join(s->thread, NULL);
	close(s->listener);
}

static void a_post_arrives_with_its_type_and_headers_and_the_answer_comes_back(void **state)
{
	static const char *const headers[] = { "X-One: 1", NULL };
	struct server s = { .answer = "HTTP/1.1 418 Teapot\r\nContent-Length: 5\r\n\r\nshort" };
	struct http_request request = { .method = "POST",
					.content_type = "text/x",
					.body = "a=b&c",
					.body_size = 5,
					.timeout_ns = 60 * NS_PER_S,
					.headers = headers };
	struct buf body = buf_init(1024);
	int status = 0;

	(void)state;
	setenv("http_proxy", "http://127.0.0.9:9/", 1); /* must not be looked at */
	buf_puts(&body, "old");
	server_start(&s);
	request.url = s.url;
	assert_int_equal(http_do(&request, &status, &body, NULL), 0);
	server_stop(&s);
	unsetenv("http_proxy");
	assert_int_equal(status, 418);
	assert_string_equal(buf_text(&body), "short");
	assert_memory_equal(s.request, "POST /p HTTP/1.1\r\n", 18);
	assert_non_null(strstr(s.request, "\r\nContent-Type: text/x\r\n"));
	assert_non_null(strstr(s.request, "\r\nX-One: 1\r\n"));
	assert_non_null(strstr(s.request, "\r\n\r\na=b&c"));
	assert_null(strstr(s.request, "Authorization"));
	buf_free(&body);
}

static void a_proxy_is_used_only_when_asked_for(void **state)
{
	struct server proxy = { .answer = "HTTP/1.1 403 Not by me\r\nContent-Length: 0\r\n\r\n" };
	struct http_request request = { .method = "POST",
					.url = "https://elasticloadbalancing.invalid/",
					.timeout_ns = 60 * NS_PER_S };
	struct err err = { .kind = ERR_NONE };
	struct buf body = buf_init(1024);
	int status = 0;

	(void)state;
	server_start(&proxy);
	setenv("https_proxy", proxy.url, 1);
	assert_int_equal(http_do(&request, &status, &body, &err), -1);
	assert_non_null(strstr(err.text, "resolve host"));
	request.by_proxy = true;
	assert_true(http_do(&request, &status, &body, &err) < 0);
	unsetenv("https_proxy");
	server_stop(&proxy);
	assert_memory_equal(proxy.request, "CONNECT elasticloadbalancing.invalid:443 ", 41);
	buf_free(&body);
}

static void a_signed_request_carries_a_signature_and_no_secret(void **state)
{
	struct server s = { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" };
	struct http_request request = { .method = "POST",
					.content_type = "text/x",
					.body = "a",
					.body_size = 1,
					.timeout_ns = 60 * NS_PER_S,
					.sigv4 = "aws:amz:us-east-1:elasticloadbalancing",
					.user_password = "AKID:secretsecret" };
	struct buf body = buf_init(1024);
	int status;

	(void)state;
	server_start(&s);
	request.url = s.url;
	assert_int_equal(http_do(&request, &status, &body, NULL), 0);
	server_stop(&s);
	assert_non_null(strstr(s.request, "Authorization: AWS4-HMAC-SHA256 Credential=AKID/"));
	assert_non_null(strstr(s.request, "/us-east-1/elasticloadbalancing/aws4_request"));
	assert_non_null(strstr(s.request, "content-type;host;x-amz-date"));
	assert_null(strstr(s.request, "secretsecret"));
	buf_free(&body);
}

static void no_answer_is_an_error_that_says_why(void **state)
{
	static const struct {
		const char *url, *answer, *says;
		size_t extra, max;
		int64_t timeout_ns;
		int result; /* -1: another attempt may fare better */
	} cases[] = {
		{ "http://127.0.0.9:9/", NULL, "127.0.0.9", 0, 1024, 60 * NS_PER_S, -1 },
		{ "ftp://127.0.0.1/", NULL, "ftp", 0, 1024, 60 * NS_PER_S, -2 },
		{ NULL, NULL, "imed out", 0, 1024, 50 * NS_PER_MS, -1 },
		{ NULL, "", "mpty reply", 0, 1024, 60 * NS_PER_S, -1 },
		{ NULL, "nonsense\r\n\r\n", "GET http://127.0.0.1:", 0, 1024, 60 * NS_PER_S, -2 },
		{ NULL, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "remaining", 0, 1024,
		  60 * NS_PER_S, -1 },
		{ NULL, "HTTP/1.1 200 OK\r\n\r\n", "longer than 1024 bytes", 2000, 1024,
		  60 * NS_PER_S, -2 },
		{ NULL, "HTTP/1.1 200 OK\r\n\r\n", "longer than 1048576 bytes", (1 << 20) + 1,
		  8 << 20, 60 * NS_PER_S, -2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct server s = { .answer = cases[i].answer, .extra = cases[i].extra };
		struct http_request request = { .method = "GET",
						.url = cases[i].url,
						.timeout_ns = cases[i].timeout_ns };
		struct buf body = buf_init(cases[i].max);
		struct err err = { .kind = ERR_NONE };
		int status = 77;

		if (!request.url) {
			server_start(&s);
			request.url = s.url;
		}
		assert_int_equal(http_do(&request, &status, &body, &err), cases[i].result);
		if (!cases[i].url)
			server_stop(&s);
		assert_int_equal(status, 77);
		assert_int_equal(err.kind, ERR_WORLD);
		if (!strstr(err.text, cases[i].says))
			fail_msg("'%s' is not in: %s", cases[i].says, err.text);
		buf_free(&body);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_post_arrives_with_its_type_and_headers_and_the_answer_comes_back),
		cmocka_unit_test(a_proxy_is_used_only_when_asked_for),
		cmocka_unit_test(a_signed_request_carries_a_signature_and_no_secret),
		cmocka_unit_test(no_answer_is_an_error_that_says_why),
	};

	return cmocka_run_group_tests_name("net/http", tests, NULL, NULL);
}
