/*
 * Two sockets joined: every byte passed on unchanged and in order, both ways, at the pace of the
 * slower side. Half-closes and resets are passed on as what they are. It holds at most
 * RELAY_QUEUE_BYTES_MAX each way; a side whose other side does not read is not read either.
 *
 *   near ──read──> owner sees the bytes ──> far       (and back)
 *
 * Everything happens on the loop. After `ended` the relay is gone, sockets closed.
 */
#ifndef TAP_RELAY_H
#define TAP_RELAY_H

#include <stddef.h>

#include "net/loop.h"

enum relay_side { RELAY_NEAR = 0, RELAY_FAR, RELAY_SIDES };
enum { RELAY_CHUNK_BYTES = 65536, RELAY_QUEUE_BYTES_MAX = 2 * RELAY_CHUNK_BYTES };

struct relay_owner {
	/* Bytes that came from a side, before they are passed on. */
	void (*pass)(void *user, enum relay_side from, const char *data, size_t size);
	void (*ended)(void *user);
};

struct relay;

/* Takes over both descriptors, non-blocking; far may still be connecting. `ended` is never called
 * from here. */
struct relay *relay_new(struct loop *, int near, int far, const struct relay_owner *, void *user);
void relay_free(struct relay *); /* closes both, without `ended` */

#endif
