/*
 * A bare WebSocket server for the bench: one process, one epoll, no library but SHA-1. Says 101 to
 * every upgrade, 200 to any other request, `ready` to a `start`, a reply of 100 bytes to a turn of
 * the dialect `plain`, and anything else back as it came. It keeps no state and is no agent: it
 * costs next to nothing, so that what is measured is the caller, or a proxy in between.
 *   echo_peer    prints its port on 127.0.0.1, serves until its stdin is closed
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IN_MAX = 2048, REPLY_BYTES = 100, EVENTS = 256, BACKLOG = 4096 };
enum { OP_TEXT = 1, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

struct peer {
	bool upgraded;
	size_t have;
	unsigned char in[IN_MAX];
};

struct server {
	int epoll, listener;
	struct peer **peers; /* by descriptor */
	size_t peer_max;
};

static void die(const char *what)
{
	fprintf(stderr, "echo_peer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void drop(struct server *s, int fd)
{
	free(s->peers[fd]);
	s->peers[fd] = NULL;
	close(fd);
}

/* All of it or nothing: a caller who does not read is not worth waiting for. */
static bool put(int fd, const void *data, size_t size)
{
	return send(fd, data, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static bool put_frame(int fd, unsigned opcode, const void *data, size_t size)
{
	unsigned char frame[IN_MAX + 4] = { (unsigned char)(0x80 | opcode) };
	size_t head = 2;

	if (size < 126) {
		frame[1] = (unsigned char)size;
	} else {
		frame[1] = 126;
		frame[2] = (unsigned char)(size >> 8);
		frame[3] = (unsigned char)size;
		head = 4;
	}
	memcpy(frame + head, data, size);
	return put(fd, frame, head + size);
}

static bool upgrade(int fd, const char *head)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	static const char healthy[] =
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
	const char *key = strcasestr(head, "\nSec-WebSocket-Key:");
	unsigned char digest[SHA_DIGEST_LENGTH], accept[32];
	char text[128], answer[256];

	if (!key) /* a health check: answered, then hung up on */
		return put(fd, healthy, strlen(healthy)) && false;
	key += strlen("\nSec-WebSocket-Key:");
	key += strspn(key, " \t");
	snprintf(text, sizeof(text), "%.*s%s", (int)strcspn(key, " \t\r\n"), key, guid);
	SHA1((unsigned char *)text, strlen(text), digest);
	EVP_EncodeBlock(accept, digest, sizeof(digest));
	int size = snprintf(
		answer, sizeof(answer),
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: %s\r\nX-Agent-Color: blue\r\nX-Agent-Instance: blue-1\r\n\r\n",
		(char *)accept);
	return put(fd, answer, (size_t)size);
}

/* What a message is answered with. The digest is of no turn: nobody checks it here. */
static bool answer(int fd, const char *text, size_t size)
{
	const char *n = memmem(text, size, "\"n\":", 4);
	char out[REPLY_BYTES + 1];
	int length;

	if (memmem(text, size, "\"start\"", 7))
		length = snprintf(
			out, sizeof(out),
			"{\"type\":\"ready\",\"color\":\"blue\",\"instance\":\"blue-1\",\"turns\":0,"
			"\"digest\":\"0000000000000000\"}");
	else if (memmem(text, size, "\"turn\"", 6) && n)
		length = snprintf(
			out, sizeof(out),
			"{\"type\":\"reply\",\"n\":%1$ld,\"color\":\"blue\",\"instance\":\"blue-1\",\"turns\":%1$ld,"
			"\"digest\":\"0000000000000000\"}",
			strtol(n + 4, NULL, 10));
	else
		return memmem(text, size, "\"bye\"", 5) || put_frame(fd, OP_TEXT, text, size);
	if (length < REPLY_BYTES)
		memset(out + length, ' ', (size_t)(REPLY_BYTES - length));
	return put_frame(fd, OP_TEXT, out, REPLY_BYTES);
}

/* One frame at the front of what came in: its size, 0 when it is not whole, -1 to hang up. */
static ssize_t frame(int fd, unsigned char *in, size_t have)
{
	size_t head = 2, size, whole;
	unsigned char *mask;

	if (have < 2)
		return 0;
	size = in[1] & 0x7f;
	if (size == 126) {
		if (have < 4)
			return 0;
		size = (size_t)in[2] << 8 | in[3];
		head = 4;
	}
	if (!(in[1] & 0x80) || size > IN_MAX - 8)
		return -1;
	mask = in + head;
	head += 4;
	whole = head + size;
	if (have < whole)
		return 0;
	for (size_t i = 0; i < size; i++)
		in[head + i] ^= mask[i & 3];
	switch (in[0] & 0x0f) {
	case OP_CLOSE:
		put_frame(fd, OP_CLOSE, in + head, size);
		return -1;
	case OP_PING:
		return put_frame(fd, OP_PONG, in + head, size) ? (ssize_t)whole : -1;
	case OP_PONG:
		return (ssize_t)whole;
	default:
		return answer(fd, (char *)in + head, size) ? (ssize_t)whole : -1;
	}
}

/* False to hang up. */
static bool consume(int fd, struct peer *p)
{
	size_t done = 0;

	if (!p->upgraded) {
		char *end = memmem(p->in, p->have, "\r\n\r\n", 4);

		if (!end)
			return p->have < IN_MAX;
		*end = 0;
		if (!upgrade(fd, (char *)p->in))
			return false;
		p->upgraded = true;
		done = (size_t)(end + 4 - (char *)p->in);
	}
	for (ssize_t size; (size = frame(fd, p->in + done, p->have - done)); done += (size_t)size) {
		if (size < 0)
			return false;
	}
	p->have -= done;
	memmove(p->in, p->in + done, p->have);
	return p->have < IN_MAX;
}

static void readable(struct server *s, int fd)
{
	struct peer *p = s->peers[fd];
	ssize_t got = recv(fd, p->in + p->have, IN_MAX - p->have, 0);

	if (got < 0 && errno == EAGAIN)
		return;
	if (got > 0)
		p->have += (size_t)got;
	if (got <= 0 || !consume(fd, p))
		drop(s, fd);
}

static void accept_all(struct server *s)
{
	int fd, one = 1;

	while ((fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if ((size_t)fd >= s->peer_max || !(s->peers[fd] = calloc(1, sizeof(struct peer))) ||
		    epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
			die("accept");
	}
	if (errno != EAGAIN && errno != ECONNABORTED)
		die("accept");
}

static void listen_anywhere(struct server *s)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event event = { .events = EPOLLIN, .data.fd = 0 };
	socklen_t size = sizeof(address);
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	s->peer_max = limit.rlim_max;
	s->peers = calloc(s->peer_max, sizeof(*s->peers));
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (!s->peers || s->epoll < 0 || s->listener < 0 ||
	    bind(s->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(s->listener, BACKLOG) < 0 ||
	    getsockname(s->listener, (struct sockaddr *)&address, &size) < 0 ||
	    epoll_ctl(s->epoll, EPOLL_CTL_ADD, 0, &event) < 0)
		die("listen");
	event.data.fd = s->listener;
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener, &event) < 0)
		die("listen");
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
}

int main(void)
{
	struct server s = { 0 };

	listen_anywhere(&s);
	for (;;) {
		struct epoll_event events[EVENTS];
		int count = epoll_wait(s.epoll, events, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == 0)
				return 0; /* whoever started us is gone */
			if (events[i].data.fd == s.listener)
				accept_all(&s);
			else
				readable(&s, events[i].data.fd);
		}
	}
}
