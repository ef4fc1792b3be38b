/*
 * For tests of the crowd: an agent of the dialect `plain` in one loop with its callers, over raw
 * sockets. Keeps the calls' state in memory. Every second connection is blue, the others green.
 */
#ifndef SIM_TEST_AGENT_H
#define SIM_TEST_AGENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "net/loop.h"

enum { AGENT_CALLS_MAX = 1024 };

struct agent;

struct agent_leg {
	struct agent *agent;
	int fd;
	struct loop_fd *watch;
	struct buf in;
	bool upgraded, green;
	struct agent_call *call;
	struct agent_leg *next;
};

struct agent {
	struct loop *loop;
	int listener;
	uint16_t port;
	struct loop_fd *watch;
	struct agent_leg *legs;
	unsigned connections;
	bool refuses, silent; /* 503 to every dial; ready, but no reply */
	struct agent_call {
		char id[32];
		uint32_t turns;
		uint64_t digest;
	} calls[AGENT_CALLS_MAX];
	size_t call_count;
};

static inline void agent_drop(struct agent_leg *leg)
{
	struct agent_leg **at = &leg->agent->legs;

	while (*at != leg)
		at = &(*at)->next;
	*at = leg->next;
	loop_fd_free(leg->watch);
	close(leg->fd);
	buf_free(&leg->in);
	free(leg);
}

static inline void agent_write(struct agent_leg *leg, const void *data, size_t size)
{
	/* A caller that has gone is found out by the next read. */
	if (send(leg->fd, data, size, MSG_NOSIGNAL) != (ssize_t)size)
		shutdown(leg->fd, SHUT_RDWR);
}

static inline void agent_say(struct agent_leg *leg, const char *type, uint32_t n)
{
	char frame[512];
	int size = snprintf(frame + 4, sizeof(frame) - 4,
			    "{\"type\":\"%s\",\"n\":%" PRIu32
			    ",\"color\":\"%s\",\"instance\":\"%s-1\",\"turns\":%" PRIu32
			    ",\"digest\":\"%016" PRIx64 "\",\"redis_us\":100}",
			    type, n, leg->green ? "green" : "blue", leg->green ? "green" : "blue",
			    leg->call->turns, leg->call->digest);

	memcpy(frame,
	       (unsigned char[]){ 0x81, 126, (unsigned char)(size >> 8), (unsigned char)size }, 4);
	agent_write(leg, frame, (size_t)size + 4);
}

static inline struct agent_call *agent_find(struct agent *a, const char *id)
{
	for (size_t i = 0; i < a->call_count; i++)
		if (!strcmp(a->calls[i].id, id))
			return &a->calls[i];
	assert_true(a->call_count < AGENT_CALLS_MAX);
	snprintf(a->calls[a->call_count].id, sizeof(a->calls[0].id), "%s", id);
	a->calls[a->call_count].digest = hash_chain_start(id, strlen(id));
	return &a->calls[a->call_count++];
}

static inline void agent_hears(struct agent_leg *leg, const char *text)
{
	char id[32], token[17];
	uint32_t n;

	if (sscanf(text, "{\"type\":\"start\",\"call\":\"%31[^\"]\"}", id) == 1 ||
	    sscanf(text, "{\"type\":\"resume\",\"call\":\"%31[^\"]\",\"acked\":%" SCNu32 "}", id,
		   &n) == 2) {
		leg->call = agent_find(leg->agent, id);
		agent_say(leg, "ready", 0);
	} else if (sscanf(text, "{\"type\":\"turn\",\"n\":%" SCNu32 ",\"token\":\"%16[0-9a-f]\"}",
			  &n, token) == 2) {
		assert_non_null(leg->call);
		if (n == leg->call->turns + 1) {
			leg->call->digest = hash_chain_next(leg->call->digest, n,
							    strtoull(token, NULL, 16));
			leg->call->turns = n;
		}
		if (!leg->agent->silent)
			agent_say(leg, "reply", n);
	} else {
		assert_string_equal(text, "{\"type\":\"bye\"}");
	}
}

/* One frame off the front; false when there is no whole one. */
static inline bool agent_frame(struct agent_leg *leg)
{
	unsigned char *b = (unsigned char *)leg->in.data;
	size_t size, head = 6;
	char text[512];

	if (leg->in.len < head)
		return false;
	size = b[1] & 127;
	assert_true(b[1] & 128); /* callers mask, short of 126 bytes */
	assert_true(size < 126);
	if (leg->in.len < head + size)
		return false;
	for (size_t i = 0; i < size; i++)
		text[i] = (char)(b[head + i] ^ b[2 + i % 4]);
	text[size] = '\0';
	if ((b[0] & 15) == 8) {
		agent_write(leg, (unsigned char[]){ 0x88, 2, 3, 0xe8 }, 4);
		shutdown(leg->fd, SHUT_WR);
	} else {
		agent_hears(leg, text);
	}
	buf_consume(&leg->in, head + size);
	return true;
}

static inline void agent_upgrade(struct agent_leg *leg)
{
	static const char label[] = "Sec-WebSocket-Key: ";
	static const char refusal[] = "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n";
	unsigned char digest[SHA_DIGEST_LENGTH], key[64];
	const char *end = strstr(buf_text(&leg->in), "\r\n\r\n");
	char text[512];
	int size;

	if (!end)
		return;
	if (leg->agent->refuses) {
		agent_write(leg, refusal, strlen(refusal));
		return;
	}
	snprintf(text, sizeof(text), "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
		 strstr(buf_text(&leg->in), label) + strlen(label));
	SHA1((const unsigned char *)text, strlen(text), digest);
	EVP_EncodeBlock(key, digest, sizeof(digest));
	size = snprintf(
		text, sizeof(text),
		"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: %s\r\nX-Agent-Color: %s\r\nX-Agent-Instance: %s-1\r\n"
		"Set-Cookie: AWSALB=x; Path=/\r\n\r\n",
		(char *)key, leg->green ? "green" : "blue", leg->green ? "green" : "blue");
	agent_write(leg, text, (size_t)size);
	buf_consume(&leg->in, (size_t)(end + 4 - buf_text(&leg->in)));
	leg->upgraded = true;
}

static inline void agent_reads(void *user, int events)
{
	struct agent_leg *leg = user;
	char bytes[4096];
	ssize_t n = read(leg->fd, bytes, sizeof(bytes));

	(void)events;
	if (n <= 0) {
		agent_drop(leg);
		return;
	}
	buf_append(&leg->in, bytes, (size_t)n);
	if (!leg->upgraded)
		agent_upgrade(leg);
	while (leg->upgraded && agent_frame(leg))
		;
}

static inline void agent_accepts(void *user, int events)
{
	struct agent *a = user;
	struct agent_leg *leg = xcalloc(1, sizeof(*leg));

	(void)events;
	*leg = (struct agent_leg){
		.agent = a, .in = buf_init(65536), .green = a->connections++ % 2, .next = a->legs
	};
	a->legs = leg;
	leg->fd = accept(a->listener, NULL, NULL);
	assert_true(leg->fd >= 0);
	leg->watch = loop_fd_new(a->loop, leg->fd, agent_reads, leg);
	loop_fd_want(leg->watch, LOOP_READ);
}

static inline void agent_begin(struct agent *a, struct loop *loop)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(any);

	*a = (struct agent){ .loop = loop };
	a->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(a->listener, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(listen(a->listener, 256), 0);
	assert_int_equal(getsockname(a->listener, (struct sockaddr *)&any, &size), 0);
	a->port = ntohs(any.sin_port);
	a->watch = loop_fd_new(loop, a->listener, agent_accepts, a);
	loop_fd_want(a->watch, LOOP_READ);
}

static inline void agent_end(struct agent *a)
{
	while (a->legs)
		agent_drop(a->legs);
	loop_fd_free(a->watch);
	close(a->listener);
}

#endif
