/*
 * What a write of a call's state keeps, and for how long; judgement I2 g and h. Part of
 * state_continuity; nothing here depends on what the state says of turns.
 *
 *   g  a color goes on from what the other wrote: every field of that is still there, those it
 *      does not know included (field_strip). Only a definite order convicts, and only what is gone
 *      for certain
 *   h  a write sets the declared time to live, in the same command: with none the state stays for
 *      ever, or until a second command comes that a crash may keep from coming (ttl_missing); less
 *      is ttl_short, and so is KEEPTTL once it has become less; more is ttl_long. A script's time
 *      to live is known when it is among its arguments, a time of day (EXAT) never is: neither is
 *      judged without
 *   h  the least that was ever left to live while the call lived, which is before a command set it
 *      anew, or at the call's end; less than the declared floor is ttl_low. It rests on commands
 *      that were not there: only a tap that saw all of them can tell
 *
 * Each is told once a call. The time to live is not judged where none is declared, nor is the least
 * without a floor.
 */
#ifndef CHECK_CORE_KEEPING_H
#define CHECK_CORE_KEEPING_H

#include "check/core/world.h"

struct keeping {
	int64_t done_ns;    /* of the newest accepted write of a state; 0: none */
	int64_t ttl_ns;	    /* from then on the state had ttl_s to live; 0: not known */
	int64_t without_ns; /* of an accepted write that set none; 0: none is open */
	int64_t least_ns, least_left_ns; /* when the least was left, and how much; 0: not known */
	uint32_t version, ttl_s;
	uint16_t n, names, fields;
	uint8_t color, instance, without_instance;
	bool told_fields, told_ttl;
};

/* An accepted command on the call's key, but DEL; of reads, one that sets a time to live. */
void keeping_command(struct keeping *, const struct world_call *, const struct world *,
		     const struct event *cmd_ok, struct finding *);
/* Somebody may have set another time to live, or taken the state away. */
void keeping_unsure(struct keeping *);
/* The call is over. Into `missing` goes what holds only if the tap saw everything. */
void keeping_settle(struct keeping *, const struct world_call *, const struct world *,
		    struct finding *, struct finding *missing);

#endif
