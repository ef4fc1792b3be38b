/*
 * Where a stream socket listens or is reached: "HOST:PORT" or "unix:PATH". The host is resolved
 * when the text is read, blocking. Sockets are non-blocking and close on exec. Errors name the
 * text.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/err.h"

enum { ADDRESS_TEXT_MAX = 128 };

struct address {
	struct sockaddr_storage at;
	socklen_t size;
};

/* Port 0 is allowed only where somebody is to listen: `listening`. */
int address_parse(const char *text, bool listening, struct address *ret, struct err *);
/* As it is parsed, with the number of the host. */
void address_text(const struct address *, char out[ADDRESS_TEXT_MAX]);
/* A socket that is connecting, or -1 with errno. TCP_NODELAY is set. */
int address_connect(const struct address *);
/* A listening socket; *at becomes where it really listens. -1 with err. The path of a unix socket
 * is the caller's to unlink. */
int address_listen(struct address *at, int backlog, struct err *);

#endif
