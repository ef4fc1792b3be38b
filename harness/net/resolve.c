#include "net/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/clock.h"

static const struct scheme {
	const char *text;
	bool tls;
	uint16_t port;
} schemes[] = {
	{ "ws://", false, 80 },
	{ "wss://", true, 443 },
	{ "http://", false, 80 },
	{ "https://", true, 443 },
};

static const struct scheme *scheme_of(const char *text)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (!strncmp(text, schemes[i].text, strlen(schemes[i].text)))
			return &schemes[i];
	return NULL;
}

/* Digits up to the end of the authority, 1..65535; 0 for anything else. */
static uint16_t port_of(const char *text, size_t length)
{
	unsigned long v = 0;

	if (!length || length > 5)
		return 0;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		v = 10 * v + (unsigned long)(text[i] - '0');
	}
	return v <= UINT16_MAX ? (uint16_t)v : 0;
}

/* A path goes into a request line: a space or a control character would end it. */
static bool printable(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text == 0x7f)
			return false;
	return true;
}

int url_parse(const char *text, struct url *ret, struct err *err)
{
	const struct scheme *scheme = scheme_of(text);
	struct url url = { .tls = false };
	const char *host, *colon;
	size_t length, host_length, slash;

	if (!scheme)
		return err_set(err, ERR_INPUT,
			       "%s: not a ws://, wss://, http:// or https:// address", text);
	if (!printable(text))
		return err_set(err, ERR_INPUT,
			       "%s: an address holds no spaces or control characters", text);
	host = text + strlen(scheme->text);
	length = strcspn(host, "/?#");
	if (memchr(host, '@', length))
		return err_set(err, ERR_INPUT, "%s: credentials in an address are not supported",
			       scheme->text);
	colon = memchr(host, ':', length);
	host_length = colon ? (size_t)(colon - host) : length;
	if (!host_length || host_length >= sizeof(url.host) || *host == '[')
		return err_set(err, ERR_INPUT,
			       "%s: the host must be a name or an IPv4 address, up to %zu bytes",
			       text, sizeof(url.host) - 1);
	url.tls = scheme->tls;
	url.port = colon ? port_of(colon + 1, length - host_length - 1) : scheme->port;
	if (!url.port)
		return err_set(err, ERR_INPUT, "%s: the port must be a number from 1 to 65535",
			       text);
	memcpy(url.host, host, host_length);
	memcpy(url.authority, host, url.port == scheme->port ? host_length : length);
	host += length;
	length = strcspn(host, "#");
	slash = *host != '/'; /* as it is sent */
	if (slash + length >= sizeof(url.path))
		return err_set(err, ERR_INPUT, "the path is longer than %zu bytes: %s",
			       sizeof(url.path) - 1, text);
	url.path[0] = '/';
	memcpy(url.path + slash, host, length);
	*ret = url;
	return 0;
}

int resolve_ipv4(const char *host, uint16_t port, struct sockaddr_in *ret, struct err *err)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found = NULL;
	int failed = getaddrinfo(host, NULL, &hints, &found);

	if (failed)
		return err_set(err, ERR_WORLD, "%s: %s", host, gai_strerror(failed));
	*ret = *(const struct sockaddr_in *)(const void *)found->ai_addr;
	ret->sin_port = htons(port);
	freeaddrinfo(found);
	return 0;
}

/* Its parts are the resolver's until it has answered. */
struct question {
	struct gaicb ask;
	struct addrinfo hints;
	char host[256];
};

static bool answered(struct gaicb *ask, int64_t timeout_ns)
{
	const struct gaicb *const list[] = { ask };
	int64_t deadline_ns = clock_now_ns() + timeout_ns, left_ns;

	while (gai_error(ask) == EAI_INPROGRESS && (left_ns = deadline_ns - clock_now_ns()) > 0) {
		struct timespec left = { .tv_sec = left_ns / NS_PER_S,
					 .tv_nsec = left_ns % NS_PER_S };

		gai_suspend(list, 1, &left);
	}
	return gai_error(ask) != EAI_INPROGRESS;
}

int resolve_ipv4_within(const char *host, uint16_t port, int64_t timeout_ns,
			struct sockaddr_in *ret, struct err *err)
{
	struct question *q = xcalloc(1, sizeof *q);
	struct gaicb *list[] = { &q->ask };
	int failed;

	snprintf(q->host, sizeof q->host, "%s", host);
	q->hints = (struct addrinfo){ .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
	q->ask = (struct gaicb){ .ar_name = q->host, .ar_request = &q->hints };
	failed = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
	if (!failed && !answered(&q->ask, timeout_ns)) {
		if (gai_cancel(&q->ask) == EAI_CANCELED) /* else it stays the resolver's */
			free(q);
		return err_set(err, ERR_WORLD, "%s: no answer of the name servers within %lld ms",
			       host, (long long)((timeout_ns + NS_PER_MS - 1) / NS_PER_MS));
	}
	if (!failed)
		failed = gai_error(&q->ask);
	if (!failed) {
		*ret = *(const struct sockaddr_in *)(const void *)q->ask.ar_result->ai_addr;
		ret->sin_port = htons(port);
		freeaddrinfo(q->ask.ar_result);
	}
	free(q);
	return failed ? err_set(err, ERR_WORLD, "%s: %s", host, gai_strerror(failed)) : 0;
}

int ipv4_range(const char *text, uint32_t *ret_first, uint32_t *ret_count, struct err *err)
{
	const char *dash = strchr(text, '-');
	char first_text[INET_ADDRSTRLEN] = "";
	struct in_addr first, last;

	if (dash && dash - text < INET_ADDRSTRLEN)
		memcpy(first_text, text, (size_t)(dash - text));
	if (!dash || inet_pton(AF_INET, first_text, &first) != 1 ||
	    inet_pton(AF_INET, dash + 1, &last) != 1 || ntohl(last.s_addr) < ntohl(first.s_addr))
		return err_set(err, ERR_INPUT, "%s: not FIRST-LAST, two IPv4 addresses in order",
			       text);
	*ret_first = ntohl(first.s_addr);
	*ret_count = ntohl(last.s_addr) - ntohl(first.s_addr) + 1;
	return 0;
}
