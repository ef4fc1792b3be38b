/*
 * A bare paced Redis client for the bench: one process, one epoll. Sends a command every 1/RATE
 * seconds, whether answers came or not, in turn over its connections: a SETEX of a call's state,
 * then a GET of it, as agents do. The time of a command is from its send to the last byte of its
 * answer, read at once. Not a client library: it knows the length of each answer beforehand.
 *   redis_client PORT CONNECTIONS RATE SECONDS    prints {"commands":N,"p50_us":...,"p99_us":...}
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"

enum { CONNECTIONS_MAX = 256, OPEN_MAX_EACH = 1024, STATE_BYTES = 200 };

struct connection {
	int fd;
	unsigned sent, answered; /* even ones are SETEX, odd ones GET */
	int64_t sent_ns[OPEN_MAX_EACH];
	size_t have; /* bytes of the answer under way */
	char setex[512], get[64];
};

struct client {
	struct connection *connections;
	int epoll, count;
	int64_t *times_ns;
	size_t time_count, time_max;
};

static void die(const char *what)
{
	fprintf(stderr, "redis_client: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void words(struct connection *c, int number)
{
	char state[STATE_BYTES + 1], key[32];
	int n = snprintf(state, sizeof state,
			 "{\"turns\":3,\"digest\":\"00000000000000ff\",\"version\":3,\"text\":\"");

	memset(state + n, 'x', sizeof state - 3 - (size_t)n);
	memcpy(state + STATE_BYTES - 2, "\"}", 3);
	snprintf(key, sizeof key, "call:c-%06d", number);
	snprintf(c->setex, sizeof c->setex,
		 "*4\r\n$5\r\nSETEX\r\n$%zu\r\n%s\r\n$4\r\n1800\r\n$%d\r\n%s\r\n", strlen(key), key,
		 STATE_BYTES, state);
	snprintf(c->get, sizeof c->get, "*2\r\n$3\r\nGET\r\n$%zu\r\n%s\r\n", strlen(key), key);
}

static void connect_all(struct client *k, int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr = { htonl(INADDR_LOOPBACK) },
				  .sin_port = htons((uint16_t)port) };

	for (int i = 0; i < k->count; i++) {
		struct connection *c = &k->connections[i];
		struct epoll_event wanted = { .events = EPOLLIN, .data = { .ptr = c } };
		int on = 1;

		c->fd = socket(AF_INET, SOCK_STREAM, 0);
		if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&at, sizeof at) < 0)
			die("connect");
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		epoll_ctl(k->epoll, EPOLL_CTL_ADD, c->fd, &wanted);
		words(c, i);
	}
}

static void send_one(struct connection *c)
{
	const char *text = c->sent % 2 ? c->get : c->setex;

	if (c->sent - c->answered == OPEN_MAX_EACH)
		return; /* it will be seen in the count */
	c->sent_ns[c->sent++ % OPEN_MAX_EACH] = clock_now_ns();
	if (send(c->fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		die("send");
}

static void receive(struct client *k, struct connection *c)
{
	const size_t answer[] = { 5, 6 + STATE_BYTES + 2 }; /* +OK; $200, the state */
	char bytes[65536];
	ssize_t n = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
	int64_t now_ns = clock_now_ns();

	if (n <= 0)
		die("receive");
	c->have += (size_t)n;
	while (c->answered < c->sent && c->have >= answer[c->answered % 2]) {
		c->have -= answer[c->answered % 2];
		if (k->time_count < k->time_max)
			k->times_ns[k->time_count++] = now_ns -
						       c->sent_ns[c->answered % OPEN_MAX_EACH];
		c->answered++;
	}
}

static void pace(struct client *k, int rate, int seconds)
{
	int64_t begin_ns = clock_now_ns(), every_ns = NS_PER_S / rate, due_ns = begin_ns;
	int next = 0;

	while (due_ns < begin_ns + seconds * NS_PER_S) {
		struct epoll_event events[64];
		int64_t left_ns = due_ns - clock_now_ns();
		struct timespec wait = { .tv_nsec = left_ns > 0 ? left_ns : 0 };
		int n = epoll_pwait2(k->epoll, events, 64, &wait, NULL);

		for (int i = 0; i < n; i++)
			receive(k, events[i].data.ptr);
		while (due_ns <= clock_now_ns()) {
			send_one(&k->connections[next++ % k->count]);
			due_ns += every_ns;
		}
	}
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	struct client k = { .epoll = epoll_create1(0) };
	int rate, seconds;

	if (argc != 5) {
		fprintf(stderr, "usage: redis_client PORT CONNECTIONS RATE SECONDS\n");
		return 1;
	}
	k.count = atoi(argv[2]);
	rate = atoi(argv[3]);
	seconds = atoi(argv[4]);
	ASSERT(k.count > 0 && k.count <= CONNECTIONS_MAX && rate > 0 && seconds > 0);
	k.connections = calloc((size_t)k.count, sizeof *k.connections);
	k.time_max = (size_t)rate * (size_t)seconds;
	k.times_ns = calloc(k.time_max, sizeof *k.times_ns);
	if (!k.connections || !k.times_ns)
		die("memory");
	prctl(PR_SET_TIMERSLACK, 1UL);
	connect_all(&k, atoi(argv[1]));
	pace(&k, rate, seconds);
	if (!k.time_count)
		die("no answer");
	qsort(k.times_ns, k.time_count, sizeof *k.times_ns, by_size);
	printf("{\"commands\":%zu,\"p50_us\":%.1f,\"p99_us\":%.1f}\n", k.time_count,
	       (double)k.times_ns[k.time_count / 2] / 1000,
	       (double)k.times_ns[k.time_count - 1 - k.time_count / 100] / 1000);
	return 0;
}
