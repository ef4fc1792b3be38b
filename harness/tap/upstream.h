/*
 * One Redis behind the tap: where it is, how it is spoken to, and who else speaks to it. Not a
 * connection to it. Plain data, filled in by the tap; at rest it holds no socket but its census's.
 */
#ifndef TAP_UPSTREAM_H
#define TAP_UPSTREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "net/address.h"
#include "net/tls_client.h"

struct census;

struct upstream {
	struct address at;
	struct tls_client *tls; /* NULL: plain; ours */
	struct census *census;	/* NULL: nobody looks */
	uint64_t refusal;	/* the last one told, as a hash; 0: none */
};

/* A socket that is connecting, or -1 with errno; *ret_tls is the caller's to free, NULL: plain. */
int upstream_connect(const struct upstream *, struct tls_end **ret_tls);
/* Frees a connection's TLS. Writes why it failed, with the address; false when it did not, or for
 * the same reason as the one before: agents dial again and again. */
bool upstream_over(struct upstream *, struct tls_end *, char out[ERR_TEXT_MAX]);
void upstream_free(struct upstream *); /* what it holds */

#endif
