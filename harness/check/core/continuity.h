/*
 * The parts of state_continuity that decide: reading a shown state against the caller's chain, and
 * matching acknowledged turns with the writes that hold them.
 */
#ifndef CHECK_CORE_CONTINUITY_H
#define CHECK_CORE_CONTINUITY_H

#include "check/core/chain.h"
#include "check/core/world.h"

/* Acknowledged turns without a write yet: low..high, the last of them acknowledged at last_ns. */
struct persist {
	int64_t written_ns; /* Redis has had a turn of the call since then */
	int64_t first_ns, last_ns;
	uint16_t written;   /* highest n Redis accepted */
	uint16_t low, high; /* 0: none */
	uint8_t instance;   /* that acknowledged the last one */
	uint16_t unsure;    /* up to here a write of unknown outcome may hold them */
	bool was_early;	    /* some turn was written after its reply */
};

void persist_expect(struct persist *, const struct event *reply_ok);
/* Redis accepted a write. How many turns it proves early; the first of them and by how much. */
unsigned persist_written(struct persist *, const struct event *cmd_ok, unsigned *ret_turn,
			 int64_t *ret_early_ns);

/* A write that Redis may have accepted, or not. */
void persist_unsure(struct persist *, const struct event *cmd);

struct continuity_call {
	struct chain chain;
	struct persist persist;
	int64_t lost_ns;       /* a read showed less than was acknowledged; 0: none */
	uint32_t version;      /* highest shown */
	uint16_t acked, shown; /* highest reply; highest n shown */
	uint16_t lost_n, lost_acked, lost_leg;
	uint16_t replied, replied_leg; /* highest turn answered on that leg */
	uint32_t answered;	       /* on that leg: bit k for turn `replied` - k */
	uint8_t lost_color, lost_instance;
	bool found_again; /* a later read had it all */
	bool resent, convicted;
};

struct continuity {
	bool tap;
	uint64_t resumes, crossings, acks, commands, without_digest, undecided;
	uint64_t unseen;	 /* acknowledged turns of instances the tap never saw */
	struct witness *missing; /* turns never persisted: convicted only if the tap's lane is whole
				  */
	uint64_t missing_count;
	uint64_t bypassed; /* clients of Redis that came past the tap */
};

/* One violation; the call is judged no further. */
void continuity_convict(struct continuity_call *, const struct world *, const struct world_call *,
			const struct event *, enum anomaly, struct finding *, const char *fmt, ...)
	__attribute__((format(printf, 7, 8)));
/* (n, digest, version) of a resume.ok or reply.ok against what the caller knows: at least `floor`
 * turns must be in it. */
void continuity_read(struct continuity_call *, const struct world_call *, const struct world *,
		     const struct event *, unsigned floor, struct finding *);
/* The call is over: losses get their name, turns without a write are told. */
void continuity_settle(struct continuity *, struct continuity_call *, const struct world_call *,
		       const struct world *, struct finding *);

#endif
