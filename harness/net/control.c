#include "net/control.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

/* A datagram carries the fixed part and only the used part of the text. */
static size_t wire_size(const struct control_message *m)
{
	return offsetof(struct control_message, text) + m->text_size;
}

int control_send(int fd, const struct control_message *m)
{
	ssize_t n;

	do
		n = send(fd, m, wire_size(m), MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}

int control_receive(int fd, struct control_message *ret)
{
	ssize_t n;

	/* A reset, told once, is a peer that ended with messages of ours unread: what it had said
	 * itself comes behind it, then the end. */
	do
		n = recv(fd, ret, sizeof *ret, 0);
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n <= 0)
		return (int)n;
	if ((size_t)n < offsetof(struct control_message, text) ||
	    ret->text_size >= CONTROL_TEXT_MAX || (size_t)n != wire_size(ret)) {
		errno = EPROTO;
		return -1;
	}
	ret->text[ret->text_size] = '\0';
	return 1;
}

int control_wait(int fd, int64_t deadline_ns, struct control_message *ret)
{
	for (;;) {
		int64_t left_ns = deadline_ns - clock_now_ns();
		struct pollfd p = { .fd = fd, .events = POLLIN };
		struct timespec t = { .tv_sec = left_ns / NS_PER_S, .tv_nsec = left_ns % NS_PER_S };
		int n;

		if (left_ns < 0)
			t = (struct timespec){ 0 };
		n = ppoll(&p, 1, &t, NULL);
		if (n > 0)
			return control_receive(fd, ret);
		if (n == 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (errno != EINTR)
			return -1;
	}
}

struct control_message control_make(enum control_type type, int64_t a, int64_t b)
{
	struct control_message m;

	memset(&m, 0, offsetof(struct control_message, text) + 1);
	m.type = type;
	m.a = a;
	m.b = b;
	return m;
}

void control_text(struct control_message *m, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(m->text, sizeof m->text, fmt, ap);
	va_end(ap);
	m->text_size = n < 0 ? 0 : n >= CONTROL_TEXT_MAX ? CONTROL_TEXT_MAX - 1 : (uint32_t)n;
}

bool control_value(const struct control_message *m, const char *name, char *out, size_t size)
{
	size_t length = strlen(name);

	for (const char *line = m->text; *line;) {
		size_t whole = strcspn(line, "\n");

		if (whole > length && line[length] == '=' && !strncmp(line, name, length)) {
			size_t value = whole - length - 1;

			if (value >= size)
				return false;
			memcpy(out, line + length + 1, value);
			out[value] = '\0';
			return true;
		}
		line += whole + (line[whole] == '\n');
	}
	return false;
}
