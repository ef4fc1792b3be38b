/*
 * Looks at a few calls' states in Redis again and again, as any other client would: whether they
 * are there, what they hold, how long they have to live. A sample, not a census: a few keys at a
 * time, each a few times, then others. Not a judgement: which calls are live is not known here, but
 * a state that nobody has written for ten seconds, by what it has left to live, is passed over.
 * Blocking, to a short deadline.
 */
#ifndef OBSERVE_KEY_PROBE_H
#define OBSERVE_KEY_PROBE_H

#include "observe/call_state.h"

enum { KEY_PROBE_KEYS = 16, KEY_PROBE_READS = 8, KEY_PROBE_ID_MAX = 64 };

struct key_probe;

/* One read: what was there at some moment from began to ended. */
struct key_probe_read {
	char id[KEY_PROBE_ID_MAX]; /* of the call */
	int64_t began_ns, ended_ns;
	struct call_state state;
};

/* `key` is the scenario's state.key, of which the calls of a run are looked at; ttl_s: what a write
 * gives them to live, 0 when not known. Texts are copied. Connects when it is first asked. */
int key_probe_new(const char *address, const char *key, int64_t ttl_s, const char *run6,
		  struct key_probe **ret, struct err *);
void key_probe_free(struct key_probe *); /* NULL is fine */
/* From now on this server is asked; the keys it follows stay the same. */
void key_probe_turn(struct key_probe *, const char *address);
/* Reads the keys it follows, and as many new ones as there is room for. How many were read; one
 * that is gone is told once. What cannot be read is not told: no answer says nothing of a key. */
size_t key_probe_ask(struct key_probe *, struct key_probe_read ret[KEY_PROBE_KEYS]);

#endif
