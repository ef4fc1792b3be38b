/*
 * How a Redis behind the tap is reached: at its address, or through a tunnel of TLS to it.
 */
#ifndef TAP_UPSTREAM_H
#define TAP_UPSTREAM_H

#include "net/address.h"
#include "net/tls_tunnel.h"

struct upstream {
	struct address at;
	struct tls_tunnels *tls; /* NULL: it speaks without */
};

/* A socket that is connecting, or -1 with errno. *ret_seen is the descriptor whose address Redis
 * sees: the same, or the tunnel's. */
int upstream_connect(const struct upstream *, int *ret_seen);

#endif
