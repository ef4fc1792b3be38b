/*
 * The Redis tap: a transparent proxy before a real Redis, with one listening socket per instance,
 * so that who speaks is known by the door and not guessed. It writes what it saw to a lane:
 *
 *   blue-1 ──> 127.0.0.1:P1 ─┐              ┌─> tap.open, cmd.inv, cmd.ok ..., tap.close
 *   green-1 ─> 127.0.0.1:P2 ─┴─ inspector ──┤
 *                                           └─> Redis, byte for byte
 *
 * Levers, pulled for faults, are told as fault.inv, fault.ok, bite and fault.heal; a client of
 * Redis that did not come through a door is a bypass.
 *
 * What goes into the record: verbs, times, calls and the state's counters. Never a password, never
 * a value.
 */
#ifndef TAP_REDIS_TAP_H
#define TAP_REDIS_TAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/address.h"
#include "net/loop.h"
#include "record/lane.h"

enum { REDIS_TAP_CONNECTIONS_MAX = 4096, REDIS_TAP_DOORS_MAX = 256, REDIS_TAP_SERVERS_MAX = 8 };

struct redis_tap;
struct tls_tunnels;

/* key: the scenario's state.key. Loop and lane outlive the tap. */
int redis_tap_new(struct loop *, struct lane *, const char *key, const struct address *redis,
		  struct redis_tap **ret, struct err *);
/* One more Redis behind the tap: a replica that may become the primary. Servers are counted from 0,
 * the one it was made with; REDIS_TAP_SERVERS_MAX at most. */
void redis_tap_behind(struct redis_tap *, const struct address *redis);
/* The first of them speaks TLS: it is reached through these, which outlive the tap. Before the
 * first connection. */
void redis_tap_through(struct redis_tap *, struct tls_tunnels *);
/* Opens a door for an instance, to that server; *at becomes where it really is. */
int redis_tap_listen(struct redis_tap *, size_t server, const char *instance, enum color,
		     struct address *at, struct err *);
/* Looks for clients past the tap, from now on every second; when it does already: once more. First
 * called before the first connection. */
void redis_tap_watch(struct redis_tap *);
/* A line of tap/lever.h: arms it, or disarms. */
int redis_tap_lever(struct redis_tap *, const char *text, struct err *);
size_t redis_tap_connections(const struct redis_tap *);
uint64_t redis_tap_commands(const struct redis_tap *);	/* seen so far */
uint64_t redis_tap_bypassing(const struct redis_tap *); /* clients told so far */
/* Closes doors and connections; what is unanswered is recorded as such. */
void redis_tap_free(struct redis_tap *);

#endif
