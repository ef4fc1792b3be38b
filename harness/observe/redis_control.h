/*
 * A control stream: commands of our own on a key of our own, straight to Redis and past the tap, so
 * that what the tap and the agents add can be seen beside what they say. Blocking, to a short
 * deadline; not a judgement. The key goes when the control is closed, and by itself a while after.
 */
#ifndef OBSERVE_REDIS_CONTROL_H
#define OBSERVE_REDIS_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/words.h"

struct redis_control;

/* One command; without an answer, or refused, took_ns is how long it was waited for. */
struct redis_control_step {
	enum verb verb;
	int64_t began_ns, took_ns;
	bool answered;
};
enum { REDIS_CONTROL_STEPS = 2 };

/* Connects when it is first asked. Both texts are copied. */
struct redis_control *redis_control_new(const char *address, const char *key);
/* NULL is fine. Deletes the key, if Redis can be reached. */
void redis_control_free(struct redis_control *);
/* From now on this server is asked, which another program may have made the primary. False: it was
 * before. */
bool redis_control_turn(struct redis_control *, const char *address);
/* GET, then SETEX; how many of them were tried: after one without an answer no other. A Redis that
 * cannot be reached is a GET without an answer; one that is no primary refuses the SETEX. */
size_t redis_control_ask(struct redis_control *,
			 struct redis_control_step ret[REDIS_CONTROL_STEPS]);

#endif
