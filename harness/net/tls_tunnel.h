/*
 * TLS to a server for code that knows nothing of it: a tunnel is a plain socket here, whose bytes
 * go out encrypted to the server there, and back.
 *
 *   user's socket <== bytes ==> tunnel <== TLS ==> server
 *
 * The server's certificate must hold for its host, always; TLS 1.2 is the least. A half-close is
 * passed on as close_notify and back; whatever else ends one side ends the other, a reset as an end
 * of stream. A tunnel holds at most a record's worth of bytes each way. All of it happens on the
 * loop; errors name files and hosts, never a key.
 */
#ifndef NET_TLS_TUNNEL_H
#define NET_TLS_TUNNEL_H

#include <stdint.h>

#include "base/err.h"
#include "net/address.h"
#include "net/loop.h"

struct tls_tunnels;

/* All to one server. Texts are the caller's for as long as they are. */
struct tls_tunnels_spec {
	struct address server;
	const char *host;	      /* what the certificate must be for */
	const char *ca_file;	      /* the only issuers trusted; NULL: those of the system */
	const char *certificate_file; /* our own, and its key; NULL: none is shown */
	const char *key_file;
	int64_t shaken_within_ns; /* from dialing to the end of the handshake */
	/* TLS failed on a tunnel, which is given up, and why; its socket's end follows. Never from
	 * inside of open. */
	void (*failed)(void *user, const char *reason);
	void *user;
};

/* Reads the files. */
int tls_tunnels_new(struct loop *, const struct tls_tunnels_spec *, struct tls_tunnels **ret,
		    struct err *);
/* Ends those there still are. NULL is fine. */
void tls_tunnels_free(struct tls_tunnels *);
/* The user's socket, non-blocking, the caller's to close; it may be written to at once. *ret_fd is
 * the tunnel's own towards the server, to be looked at only. -1 with errno. */
int tls_tunnel_open(struct tls_tunnels *, int *ret_fd);

/* Opens one for a moment, says hello, and waits for the first byte that comes back: whether the
 * server would have us. Runs the loop. */
int tls_tunnel_try(struct loop *, const struct tls_tunnels_spec *, const char *hello,
		   int64_t timeout_ns, struct err *);

#endif
