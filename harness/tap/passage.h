/*
 * One connection through the tap: the bytes of both sides shown to the inspector, then passed on,
 * kept back, dropped or answered as the levers say. Without an armed lever every byte goes on at
 * once; with one, commands go on whole, and a command that is kept back keeps back what follows it
 * on its connection. A command of more than RELAY_CHUNK_BYTES goes on before its end, out of reach
 * of levers. An answer of ours comes in its turn, after those of all commands before it.
 */
#ifndef TAP_PASSAGE_H
#define TAP_PASSAGE_H

#include "tap/inspector.h"
#include "tap/lever.h"
#include "tap/relay.h"

struct passage_listener {
	void (*event)(void *user, const struct event *, const char *id); /* as the inspector's */
	void (*blind)(void *user, const char *why);
	void (*bite)(void *user, const struct event *inv, const struct lever *);
	void (*ended)(void *user); /* both sockets are closed; passage_free is due */
};

struct passage {
	const struct passage_listener *listener;
	void *user;
	struct loop *loop;
	struct levers *levers;
	const char *instance;
	struct inspector inspector;
	struct relay *relay;
	struct loop_timer *timer; /* NULL until something is kept back */
	uint64_t passed;	  /* of the agent's bytes; what was dropped is among them */
	unsigned pulled;	  /* open commands whose answer is ours, or nobody's */
};

/* Takes over both descriptors. Levers, names and pattern outlive the passage. */
void passage_init(struct passage *, struct loop *, const struct passage_listener *, void *user,
		  const struct key_pattern *, struct levers *, const char *instance);
void passage_open(struct passage *, int near, int far);
/* What the lever keeps back goes on. The passage may have ended after it. */
void passage_release(struct passage *, const struct lever *);
/* How many commands were left unanswered. Closes what is still open, without `ended`. */
size_t passage_free(struct passage *);

#endif
