#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/resolve.h"

static int parse_unix(const char *text, struct address *ret, struct err *err)
{
	const char *path = text + 5;
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	if (!*path || strlen(path) >= sizeof at.sun_path)
		return err_set(err, ERR_INPUT, "%s: a path of 1 to %zu bytes is needed", text,
			       sizeof at.sun_path - 1);
	strcpy(at.sun_path, path);
	*ret = (struct address){ .size = sizeof at };
	memcpy(&ret->at, &at, sizeof at);
	return 0;
}

int address_parse(const char *text, bool listening, struct address *ret, struct err *err)
{
	const char *colon = strrchr(text, ':');
	struct sockaddr_in at;
	char host[256], *end = NULL;
	long port;

	if (!strncmp(text, "unix:", 5))
		return parse_unix(text, ret, err);
	port = colon && colon[1] >= '0' && colon[1] <= '9' ? strtol(colon + 1, &end, 10) : -1;
	if (port < !listening || port > 65535 || *end || colon == text ||
	    (size_t)(colon - text) >= sizeof host)
		return err_set(err, ERR_INPUT, "%s: not HOST:PORT or unix:PATH", text);
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	if (resolve_ipv4(host, (uint16_t)port, &at, err) < 0)
		return -1;
	*ret = (struct address){ .size = sizeof at };
	memcpy(&ret->at, &at, sizeof at);
	return 0;
}

void address_text(const struct address *a, char out[ADDRESS_TEXT_MAX])
{
	char host[INET_ADDRSTRLEN] = "?";
	struct sockaddr_in in;
	struct sockaddr_un un;

	if (a->at.ss_family == AF_UNIX) {
		memcpy(&un, &a->at, sizeof un);
		snprintf(out, ADDRESS_TEXT_MAX, "unix:%s", un.sun_path);
		return;
	}
	memcpy(&in, &a->at, sizeof in);
	inet_ntop(AF_INET, &in.sin_addr, host, sizeof host);
	snprintf(out, ADDRESS_TEXT_MAX, "%s:%u", host, ntohs(in.sin_port));
}

static int stream_socket(const struct address *a)
{
	int fd = socket(a->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (fd >= 0 && a->at.ss_family == AF_INET)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

int address_connect(const struct address *a)
{
	int fd = stream_socket(a), why;

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&a->at, a->size) < 0 && errno != EINPROGRESS) {
		why = errno;
		close(fd);
		errno = why;
		return -1;
	}
	return fd;
}

int address_listen(struct address *at, int backlog, struct err *err)
{
	int fd = stream_socket(at), on = 1;
	char text[ADDRESS_TEXT_MAX];
	struct address real = { .size = sizeof real.at };

	address_text(at, text);
	if (fd >= 0 && at->at.ss_family == AF_INET)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&at->at, at->size) < 0 ||
	    listen(fd, backlog) < 0 ||
	    getsockname(fd, (struct sockaddr *)&real.at, &real.size) < 0) {
		err_errno(err, ERR_WORLD, errno, "listen on %s", text);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if (at->at.ss_family == AF_INET)
		*at = real;
	return fd;
}
