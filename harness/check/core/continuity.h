/*
 * The parts of state_continuity that decide: reading a shown state against the caller's chain, and
 * matching acknowledged turns with the writes that hold them.
 */
#ifndef CHECK_CORE_CONTINUITY_H
#define CHECK_CORE_CONTINUITY_H

#include "check/core/chain.h"
#include "check/core/keeping.h"
#include "check/core/world.h"

/* Acknowledged turns without a write yet: low..high, the last of them acknowledged at last_ns. */
struct persist {
	int64_t written_ns; /* Redis has had a turn of the call since then */
	int64_t first_ns, last_ns;
	uint16_t written;   /* highest n Redis accepted */
	uint16_t low, high; /* 0: none */
	uint8_t instance;   /* that acknowledged the last one */
	uint16_t unsure;    /* up to here a write of unknown outcome may hold them */
	/* Redis refused writes of these turns, and has accepted none since; 0: none */
	uint16_t refused_low, refused_high;
	uint32_t ttl_s;	    /* of the newest accepted write without KEEPTTL; 0: none */
	int64_t newest_ns;  /* when that was acknowledged */
	int64_t held_ns;    /* when Redis was first known to hold `held` turns */
	int64_t fell_ns;    /* a read begun after that showed less, and none since all; 0: none */
	int64_t deleted_ns; /* last time; 0: never */
	uint16_t held, fell_n, surfaced;
	uint8_t fell_instance, deleted_by;
	bool was_early; /* some turn was written after its reply */
};

void persist_expect(struct persist *, const struct event *reply_ok);
/* Redis accepted a write. How many turns it proves early; the first of them and by how much. */
unsigned persist_written(struct persist *, const struct event *cmd_ok, unsigned *ret_turn,
			 int64_t *ret_early_ns);

/* A write that Redis may have accepted, or not. */
void persist_unsure(struct persist *, const struct event *cmd);
/* A write that Redis refused: no read may ever show it. */
void persist_refused(struct persist *, const struct event *cmd);
/* So many turns are shown. True: a write whose outcome was unknown until now took effect, which is
 * legal. */
bool persist_surfaces(struct persist *, uint16_t n);
/* Redis showed the state. */
void persist_read(struct persist *, const struct event *cmd_ok);
/* The state was deleted: nothing that was in it is expected any more. */
void persist_deleted(struct persist *, const struct event *cmd_ok);

struct answers {
	uint32_t turns;	    /* bit k: turn `last` - k was answered; 0: none was */
	uint16_t leg, last; /* highest turn answered */
};

struct continuity_call {
	struct chain chain;
	struct persist persist;
	struct keeping keeping;
	int64_t lost_ns; /* a read showed less than was acknowledged, or nothing; 0: none */
	int64_t lost_from_ns, lost_deleted_ns; /* Redis had held it; and was told to delete it */
	uint32_t version;		       /* highest shown */
	uint32_t lost_ttl_s;		       /* what it had been written with */
	uint16_t acked, shown;		       /* highest reply; highest n shown */
	uint16_t lost_n, lost_acked, lost_leg;
	struct answers answers[2]; /* on the two newest legs that answered, newest first */
	uint8_t lost_color, lost_instance, lost_deleted_by;
	bool found_again; /* a later read had it all */
	bool gone;	  /* Redis had nothing at all */
	bool resent, convicted;
};

struct continuity {
	bool tap;
	uint64_t resumes, crossings, acks, commands, without_digest, undecided;
	uint64_t unseen; /* acknowledged turns of instances the tap never saw */
	/* What convicts only if the tap's lane is whole: nothing that Redis accepted is missing. */
	struct finding missing;
	uint64_t bypassed; /* clients of Redis that came past the tap */
	uint64_t probed;   /* looks of our own at the state of a live call */
	uint64_t surfaced; /* writes of unknown outcome that took effect: legal */
	uint64_t lasting;  /* calls of which is known how long their state still had to live */
	int64_t least_left_ns; /* of theirs */
};

/* One violation; the call is judged no further. */
void continuity_convict(struct continuity_call *, const struct world *, const struct world_call *,
			const struct event *, enum anomaly, struct finding *, const char *fmt, ...)
	__attribute__((format(printf, 7, 8)));
/* (n, digest, version) of a resume.ok or reply.ok against what the caller knows: at least `floor`
 * turns must be in it. */
void continuity_read(struct continuity_call *, const struct world_call *, const struct world *,
		     const struct event *, unsigned floor, struct finding *);
/* The writes of unknown outcome, and those that Redis refused, that a resume shows. */
void continuity_resumed(struct continuity *, struct continuity_call *, const struct world_call *,
			const struct world *, const struct event *resume_ok,
			const struct finding *);
/* Redis has no state of a live call. */
void continuity_gone(struct continuity_call *, const struct world_call *, const struct event *);
/* What was kept back is told, or doubted. */
void continuity_tell_missing(const struct continuity *, bool tap_is_whole, struct finding *);
/* The call is over: losses get their name, turns without a write are told. */
void continuity_settle(struct continuity *, struct continuity_call *, const struct world_call *,
		       const struct world *, struct finding *);

#endif
