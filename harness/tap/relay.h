/*
 * Two sockets joined: every byte passed on unchanged and in order, both ways, at the pace of the
 * slower side, unless the owner keeps it back or drops it. Half-closes and resets are passed on as
 * what they are. It holds at most RELAY_QUEUE_BYTES_MAX of what came from a side and is kept back,
 * and three times that of what is to be written to one; a side whose other side does not read is
 * not read either.
 *
 *   near ──read──> owner ──relay_send──> far       (and back)
 *
 * Everything happens on the loop. After `ended` the relay is gone, sockets closed.
 */
#ifndef TAP_RELAY_H
#define TAP_RELAY_H

#include <stdbool.h>
#include <stddef.h>

#include "net/loop.h"

enum relay_side { RELAY_NEAR = 0, RELAY_FAR, RELAY_SIDES };
enum { RELAY_CHUNK_BYTES = 65536, RELAY_QUEUE_BYTES_MAX = 2 * RELAY_CHUNK_BYTES };

struct relay_owner {
	/* Bytes that came from a side and are not done with, the oldest first; `last`: no more will
	 * come. Passes on what shall go on by relay_send, and returns how many bytes are done with;
	 * the rest is offered again with what comes after it, or by relay_go_on. */
	size_t (*came)(void *user, enum relay_side from, const char *data, size_t size, bool last);
	void (*ended)(void *user);
};

struct relay;

/* Takes over both descriptors, non-blocking; far may still be connecting. `ended` is never called
 * from here. */
struct relay *relay_new(struct loop *, int near, int far, const struct relay_owner *, void *user);
void relay_free(struct relay *); /* closes both, without `ended` */

/* Only from `came`. */
void relay_send(struct relay *, enum relay_side to, const char *data, size_t size);
void relay_forget(struct relay *); /* what came is secret: it is overwritten once written */
void relay_cut(struct relay *);	   /* both sides are reset when `came` has returned */
/* Only from elsewhere: offers what is kept back once more. The relay may have ended after it. */
void relay_go_on(struct relay *, enum relay_side from);

#endif
