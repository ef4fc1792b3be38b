/*
 * The floor: the least a WebSocket caller can cost. One process, one epoll, one timer wheel; masks
 * its frames, reads whole replies, records nothing and decides nothing. crossfade's crowd is held
 * against it, and proxies are driven with it.
 *   epoll_client PORT CONNECTIONS EVERY_MS SECONDS [PID]
 * Opens all connections, then sends on each one text frame of 100 bytes every EVERY_MS, the
 * connections spread evenly over the period, or, for an EVERY_MS of 0, as soon as the last one was
 * answered; warms up for two seconds; prints the CPU time per round trip over SECONDS, user and
 * system, as JSON. With the PID of a proxy in between: its CPU time over the same stretch, and by
 * how much its memory (Pss, so none of the kernel's) has grown when all is answered and quiet.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAYLOAD = 100, IN_MAX = 512, EVENTS = 256, DIALS_AT_ONCE = 128 };
enum { WARM_UP_MS = 2000, QUIET_WITHIN_MS = 5000 };

struct connection {
	int fd;
	bool open;
	uint32_t turns;
	uint32_t have;
	unsigned char in[IN_MAX];
};

struct client {
	int epoll, port;
	struct connection *all;
	int count, dialed, opened;
	int64_t every_ms;
	uint32_t random;
	uint64_t sent, replies;
	bool at_once; /* a reply is answered with the next turn */
};

static void die(const char *what)
{
	fprintf(stderr, "epoll_client: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ms(void)
{
	struct timespec t;

	/* tidy: clock_fence: this program is the floor and links nothing of ours */
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void dial(struct client *c)
{
	struct connection *one = &c->all[c->dialed];
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)c->port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event event = { .events = EPOLLOUT, .data.ptr = one };
	int yes = 1;

	one->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (one->fd < 0)
		die("socket");
	setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if ((connect(one->fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS) ||
	    epoll_ctl(c->epoll, EPOLL_CTL_ADD, one->fd, &event) < 0)
		die("connect");
	c->dialed++;
}

static void ask_upgrade(struct client *c, struct connection *one)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = one };
	char head[256];
	int size = snprintf(
		head, sizeof(head),
		"GET /realtime/c-%d HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		(int)(one - c->all), c->port);

	if (send(one->fd, head, (size_t)size, MSG_NOSIGNAL) != size ||
	    epoll_ctl(c->epoll, EPOLL_CTL_MOD, one->fd, &event) < 0)
		die("upgrade");
}

static void send_turn(struct client *c, struct connection *one)
{
	unsigned char frame[2 + 4 + PAYLOAD + 1] = { 0x81, 0x80 | PAYLOAD };
	unsigned char *mask = frame + 2, *text = frame + 6;
	int size;

	c->random = c->random * 1664525 + 1013904223;
	memcpy(mask, &c->random, 4);
	size = snprintf((char *)text, PAYLOAD + 1,
			"{\"type\":\"turn\",\"n\":%" PRIu32 ",\"token\":\"%016" PRIx32 "\"}",
			++one->turns, c->random);
	memset(text + size, ' ', (size_t)(PAYLOAD - size));
	for (int i = 0; i < PAYLOAD; i++)
		text[i] ^= mask[i & 3];
	if (send(one->fd, frame, 6 + PAYLOAD, MSG_NOSIGNAL) != 6 + PAYLOAD)
		die("send");
	c->sent++;
}

/* Takes whole things off the front: first the 101, then replies of less than 126 bytes. */
static void consume(struct client *c, struct connection *one)
{
	uint32_t done = 0;

	if (!one->open) {
		unsigned char *end = memmem(one->in, one->have, "\r\n\r\n", 4);

		if (!end)
			return;
		one->open = true;
		c->opened++;
		done = (uint32_t)(end + 4 - one->in);
	}
	while (one->have - done >= 2 && one->have - done >= 2u + one->in[done + 1]) {
		done += 2u + one->in[done + 1];
		c->replies++;
		if (c->at_once)
			send_turn(c, one);
	}
	one->have -= done;
	memmove(one->in, one->in + done, one->have);
}

static void serve(struct client *c, int timeout_ms)
{
	struct epoll_event events[EVENTS];
	int count = epoll_wait(c->epoll, events, EVENTS, timeout_ms);

	for (int i = 0; i < count; i++) {
		struct connection *one = events[i].data.ptr;
		ssize_t got;

		if (events[i].events & EPOLLOUT) {
			ask_upgrade(c, one);
			continue;
		}
		got = recv(one->fd, one->in + one->have, IN_MAX - one->have, 0);
		if (got <= 0)
			die("receive");
		one->have += (uint32_t)got;
		consume(c, one);
	}
}

/* A slot a millisecond, all periods equal: connection i stays in slot i * every / count. */
static void tick(struct client *c, int64_t slot_ms)
{
	int64_t slot = slot_ms % c->every_ms;
	int64_t first = (slot * c->count + c->every_ms - 1) / c->every_ms;

	for (int64_t i = first; i < c->count && i * c->every_ms / c->count == slot; i++)
		send_turn(c, &c->all[i]);
}

static void pace(struct client *c, int64_t *at_ms, int64_t until_ms)
{
	while (*at_ms < until_ms) {
		int64_t now = now_ms();

		for (; *at_ms < now && *at_ms < until_ms; ++*at_ms)
			if (!c->at_once)
				tick(c, *at_ms);
		serve(c, 1);
	}
}

/* Until every turn has its reply. */
static void calm(struct client *c)
{
	int64_t until_ms = now_ms() + QUIET_WITHIN_MS;

	c->at_once = false;
	while (c->replies < c->sent && now_ms() < until_ms)
		serve(c, 10);
}

static int64_t cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * (int64_t)1000000 + u.ru_utime.tv_usec +
	       u.ru_stime.tv_usec;
}

static FILE *open_proc(const char *pid, const char *name)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	file = fopen(path, "re");
	if (!file)
		die(path);
	return file;
}

static long rss_bytes(void)
{
	FILE *file = open_proc("self", "statm");
	long size = 0, pages = 0;

	if (fscanf(file, "%ld %ld", &size, &pages) != 2)
		die("/proc/self/statm");
	fclose(file);
	return pages * sysconf(_SC_PAGESIZE);
}

/* User and system, in the ticks of proc(5); 0 without a process. The name may hold anything. */
static int64_t cpu_us_of(const char *pid)
{
	long long user, kernel;
	char line[1024], *after;
	FILE *file;

	if (!pid)
		return 0;
	file = open_proc(pid, "stat");
	if (!fgets(line, sizeof(line), file) || !(after = strrchr(line, ')')) ||
	    sscanf(after, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld", &user,
		   &kernel) != 2)
		die("/proc/PID/stat");
	fclose(file);
	return (user + kernel) * (1000000 / sysconf(_SC_CLK_TCK));
}

static long pss_bytes_of(const char *pid)
{
	char line[256];
	long kilobytes = -1;
	FILE *file;

	if (!pid)
		return 0;
	file = open_proc(pid, "smaps_rollup");
	while (kilobytes < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "Pss: %ld kB", &kilobytes);
	fclose(file);
	if (kilobytes < 0)
		die("/proc/PID/smaps_rollup");
	return kilobytes * 1024;
}

static void prepare(struct client *c)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	c->all = calloc((size_t)c->count, sizeof(*c->all));
	if (c->epoll < 0 || !c->all)
		die("start");
}

static void open_all(struct client *c)
{
	while (c->opened < c->count) {
		while (c->dialed < c->count && c->dialed - c->opened < DIALS_AT_ONCE)
			dial(c);
		serve(c, 1000);
	}
}

static double per(int64_t total, uint64_t parts)
{
	return parts ? (double)total / (double)parts : 0;
}

int main(int argc, char **argv)
{
	struct client c = { .random = 1 };
	int64_t at_ms, seconds, cpu, cpu_of_proxy;
	uint64_t replies;
	long idle_bytes, idle_of_proxy;
	const char *pid = argc == 6 ? argv[5] : NULL;

	if (argc != 5 && argc != 6) {
		fprintf(stderr, "usage: epoll_client PORT CONNECTIONS EVERY_MS SECONDS [PID]\n");
		return 104;
	}
	c.port = atoi(argv[1]);
	c.count = atoi(argv[2]);
	c.every_ms = atoi(argv[3]);
	seconds = atoi(argv[4]);
	idle_bytes = rss_bytes();
	idle_of_proxy = pss_bytes_of(pid);
	prepare(&c);
	open_all(&c);
	c.at_once = c.every_ms == 0;
	for (int i = 0; c.at_once && i < c.count; i++)
		send_turn(&c, &c.all[i]);
	at_ms = now_ms();
	pace(&c, &at_ms, at_ms + WARM_UP_MS);
	cpu = cpu_us();
	cpu_of_proxy = cpu_us_of(pid);
	replies = c.replies;
	pace(&c, &at_ms, at_ms + seconds * 1000);
	cpu = cpu_us() - cpu;
	cpu_of_proxy = cpu_us_of(pid) - cpu_of_proxy;
	replies = c.replies - replies;
	calm(&c);
	printf("{\"connections\": %d, \"round_trips\": %" PRIu64 ", \"unanswered\": %" PRIu64
	       ", \"cpu_us\": %.3f, \"bytes_per_connection\": %ld, \"proxy_cpu_us\": %.3f"
	       ", \"proxy_bytes_per_connection\": %ld}\n",
	       c.count, replies, c.sent - c.replies, per(cpu, replies),
	       (rss_bytes() - idle_bytes) / c.count, per(cpu_of_proxy, replies),
	       (pss_bytes_of(pid) - idle_of_proxy) / c.count);
	return 0;
}
