/*
 * Our end of a TLS connection over a non-blocking socket, to be read and written as the socket
 * itself would be. Whom we trust is a struct tls_client, made once; each connection is a struct
 * tls_end. The peer is verified always: its certificate must come from a trusted issuer, be in
 * force, and be for the name (RFC 6125; an address must be among its addresses). TLS 1.2 at least,
 * no renegotiation. Not a socket: connecting, waiting and closing stay with its owner.
 *
 * Calls return -1 with errno: EAGAIN, to be called again after tls_end_wants, or what ended the
 * connection; tls_end_failure then tells what TLS had to say of it. SIGPIPE must be ignored.
 */
#ifndef NET_TLS_CLIENT_H
#define NET_TLS_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct tls_client;
struct tls_end;

enum { TLS_RECORD_BYTES_MAX = 16384 };

/* name: a host name (sent as SNI) or an IPv4 address. ca_file: the only issuers trusted; NULL:
 * those of the system. ERR_INPUT names the file. */
int tls_client_new(const char *name, const char *ca_file, struct tls_client **ret, struct err *);
void tls_client_free(struct tls_client *);

/* For a socket that is connecting; it stays the caller's. The handshake fails at the deadline; the
 * client outlives its ends. */
struct tls_end *tls_end_new(struct tls_client *, int fd, int64_t deadline_ns);
void tls_end_free(struct tls_end *);
int64_t tls_end_deadline_ns(const struct tls_end *);
/* First of all, until it returns 0. */
int tls_end_shake(struct tls_end *);
/* The same, blocking to the deadline: for before a run and for commands, never on a loop. */
int tls_end_shake_now(struct tls_end *, struct err *);
/* As recv: 0 at the peer's end of stream, close_notify or not, as of a plain one. size: at least
 * TLS_RECORD_BYTES_MAX, so that nothing read waits where no poll can see it. */
ssize_t tls_end_read(struct tls_end *, void *out, size_t size);
/* As send. What was refused comes again, the same bytes first. It waits for room to write only. */
ssize_t tls_end_write(struct tls_end *, const void *data, size_t size);
/* As shutdown(SHUT_WR): close_notify, then the end of the socket's stream; reading goes on. */
int tls_end_finish(struct tls_end *);
/* LOOP_READ or LOOP_WRITE: what a handshake or a read waits for. */
int tls_end_wants(const struct tls_end *);
/* "" while nothing is wrong with TLS; else why, without the address. */
const char *tls_end_failure(const struct tls_end *);

#endif
