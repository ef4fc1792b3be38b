/*
 * For tests of drivers: a server on loopback that keeps what it was asked and answers from a list.
 * The first line of the list that matches the request's body and is not used up is taken. One
 * request a connection. Not a balancer: it remembers nothing between requests but counts.
 */
#ifndef DRIVER_TEST_STUB_H
#define DRIVER_TEST_STUB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STUB_REQUESTS_MAX = 64, STUB_ANSWERS_MAX = 24, STUB_TEXT_MAX = 8192 };

enum stub_way { STUB_ANSWER, STUB_HANG, STUB_CUT };

struct stub_answer {
	const char *has; /* part of the request's body; NULL: any */
	int status;
	const char *body;
	enum stub_way way; /* answers; says nothing until the client leaves; leaves at once */
	int times;	   /* so often; 0 always */
	size_t extra;	   /* so many blanks behind the body */
};

struct stub_request {
	char head[STUB_TEXT_MAX], body[STUB_TEXT_MAX];
};

struct stub {
	int listener;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	struct stub_answer answer[STUB_ANSWERS_MAX];
	int answers, used[STUB_ANSWERS_MAX];
	struct stub_request request[STUB_REQUESTS_MAX];
	int requests;
	char endpoint[64];
};

static bool stub_receive(int fd, struct stub_request *r)
{
	char text[2 * STUB_TEXT_MAX], *end = NULL;
	size_t have = 0, body = 0;
	ssize_t n;

	while (!end || have < (size_t)(end + 4 - text) + body) {
		n = recv(fd, text + have, sizeof text - 1 - have, 0);
		if (n <= 0)
			return false;
		have += (size_t)n;
		text[have] = '\0';
		end = strstr(text, "\r\n\r\n");
		if (end && strstr(text, "Content-Length: "))
			body = (size_t)atol(strstr(text, "Content-Length: ") + 16);
	}
	snprintf(r->body, sizeof r->body, "%.*s", STUB_TEXT_MAX - 1, end + 4);
	end[2] = '\0';
	snprintf(r->head, sizeof r->head, "%.*s", STUB_TEXT_MAX - 1, text);
	return true;
}

static struct stub_answer stub_choose(struct stub *s, const struct stub_request *r)
{
	struct stub_answer chosen = { .status = 404, .body = "the stub has no answer to that" };

	pthread_mutex_lock(&s->lock);
	if (s->requests < STUB_REQUESTS_MAX)
		s->request[s->requests++] = *r;
	for (int i = 0; i < s->answers; i++) {
		const struct stub_answer *a = &s->answer[i];

		if ((a->has && !strstr(r->body, a->has)) || (a->times && s->used[i] == a->times))
			continue;
		s->used[i]++;
		chosen = *a;
		break;
	}
	pthread_mutex_unlock(&s->lock);
	return chosen;
}

static void stub_reply(int fd, const struct stub_answer *a)
{
	size_t size = strlen(a->body ? a->body : "") + a->extra;
	char head[128], *body = malloc(size + 1);
	char byte;
	int n;

	memset(body, ' ', size);
	memcpy(body, a->body ? a->body : "", size - a->extra);
	n = snprintf(head, sizeof head,
		     "HTTP/1.1 %d Stub\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
		     a->status, size);
	if (a->way == STUB_ANSWER) {
		(void)!send(fd, head, (size_t)n, MSG_NOSIGNAL);
		(void)!send(fd, body, size, MSG_NOSIGNAL);
		shutdown(fd, SHUT_WR);
	}
	while (a->way != STUB_CUT && recv(fd, &byte, 1, 0) > 0)
		;
	free(body);
}

static void *stub_serve(void *user)
{
	struct stub *s = user;
	struct stub_request r;
	int fd;

	while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
		if (stub_receive(fd, &r)) {
			struct stub_answer a = stub_choose(s, &r);

			stub_reply(fd, &a);
		}
		close(fd);
	}
	return NULL;
}

static struct stub *stub_start(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof any;
	struct stub *s = calloc(1, sizeof *s);

	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&any, sizeof any), 0);
	assert_int_equal(listen(s->listener, 8), 0);
	getsockname(s->listener, (struct sockaddr *)&any, &size);
	snprintf(s->endpoint, sizeof s->endpoint, "http://127.0.0.1:%u/", ntohs(any.sin_port));
	pthread_mutex_init(&s->lock, NULL);
	assert_int_equal(pthread_create(&s->thread, NULL, stub_serve, s), 0);
	return s;
}

/* A new list and no requests yet. */
static void stub_say(struct stub *s, const struct stub_answer *answers, int count)
{
	assert_true(count <= STUB_ANSWERS_MAX);
	pthread_mutex_lock(&s->lock);
	memcpy(s->answer, answers, (size_t)count * sizeof *answers);
	memset(s->used, 0, sizeof s->used);
	s->answers = count;
	s->requests = 0;
	pthread_mutex_unlock(&s->lock);
}

/* The last request whose body has this, or NULL. For use while nothing is being asked. */
static inline const struct stub_request *stub_asked(struct stub *s, const char *has)
{
	const struct stub_request *found = NULL;

	pthread_mutex_lock(&s->lock);
	for (int i = 0; i < s->requests; i++)
		if (strstr(s->request[i].body, has))
			found = &s->request[i];
	pthread_mutex_unlock(&s->lock);
	return found;
}

static void stub_stop(struct stub *s)
{
	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->listener);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

#endif
