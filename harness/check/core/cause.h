/*
 * Why a call came to harm, by signature and never by neighbourhood: how its leg ended, on which
 * instance, and how far from that instance's own event. When two signatures fit, the one whose
 * expected moment is nearer; when none fits, unknown.
 *
 *   leg ended by the other side       expected
 *   cut_by_sigterm      any ending    at SIGTERM of the leg's instance, 0..2 s late
 *   cut_by_sigkill      bare          at its SIGKILL, 0..1 s late
 *   deregistration_cut  bare          deregistration + delay, -0.5..+2 s
 *   idle_cut            bare          last byte + idle timeout, -0.5..+2 s
 *   reload_cut          bare          reload of the balancer + its hard stop, -0.5..+2 s
 *   drain_cut_short     any ending    when another call on it hung up after its SIGTERM, before
 *                                     it had ended any leg for that, 0..0.25 s late
 *   instance_died       any ending    at its end, which nobody had asked for, +-1 s
 *   and when none of these fits:
 *   drain_cap_cut       any ending    one of several legs that end together, over 2 s after its
 *                                     SIGTERM and before any SIGKILL
 *   drain_cut_short     any ending    at its end after a SIGTERM of ours, +-1 s
 *   redis_refused       any ending    Redis refused a command of the call, 0..2 s late
 *   fenced_off          any ending    its agent found no state of a call that goes on, or had its
 *                                     write refused as out of date, 0..0.25 s late
 *   agent_error         any ending    its agent answered it with an error, and no more, 0..2 s late
 *
 * Bare: FIN or RST without a close frame. A signal that is not on record (an operator's script sent
 * it) is known by the exit it brought: the windows then lie around the exit.
 *
 *   call muted          meanwhile
 *   frozen              its instance was stopped (SIGSTOP, a `freeze` fault), or answered nobody
 *                       while others answered
 *   redis_refused       Redis refused a command of the call
 *   redis_ended         a Redis server ended
 *   agent_error         its agent said an error
 *
 *   turns lost from the state
 *   memory_only         no write of the call ever reached Redis
 *   state_deleted       an agent deleted it between the two
 *   redis_failover      an agent turned to another Redis server between the two
 *   redis_ended         a Redis server ended between the acknowledgement and the loss
 *   redis_flushed       Redis was flushed between the two, by its own counters
 *   redis_refused       Redis refused a command of the call between the two
 *   two_primaries       acknowledged while two Redis servers said they were the primary
 *   redis_evicted       Redis evicted keys between the two, by its own counters
 *   state_expired       it was there for as long as it had been given, and then was not
 *   ack_early           nothing of all this, and turns were answered before they were written
 *
 *   never served        of a call whose leg ended for no known cause, or that was never admitted:
 *                       core/unserved.h
 *   tls_version, tls_certificate, blocked      its last dial failed
 *   redis_refused, agent_error, never_ready    it brought a leg that did not get ready
 */
#ifndef CHECK_CORE_CAUSE_H
#define CHECK_CORE_CAUSE_H

#include "check/core/world.h"

struct signature;

struct cause {
	enum anomaly anomaly; /* ANOMALY_UNKNOWN when no signature fits */
	int64_t since_ns;     /* the event it is measured from; 0 when there is none */
	int64_t offset_ns;    /* the harm minus that event */
	const struct signature *signature; /* the row that fits; NULL when it is none of a cut */
	uint8_t refused_by;   /* enum redis_error, with redis_refused */
	uint32_t note;	      /* with agent_error: what it said */
};

struct cause cause_of_cut(const struct world *, const struct leg_cut *);
/* Of a call that lost its leg for good: what cut the leg, else what kept it from coming back. */
struct cause cause_of_drop(const struct world *, const struct world_call *);
/* Of a call that heard nothing. */
struct cause cause_of_silence(const struct world *, const struct world_call *);
/* Of acknowledged turns that the state had at from_ns, or should have had, and not at to_ns. */
struct cause cause_of_loss(const struct world *, const struct world_call *, int64_t from_ns,
			   int64_t to_ns);
/* The same of what was there and is not any more: nothing that Redis refused. */
struct cause cause_of_vanishing(const struct world *, int64_t from_ns, int64_t to_ns);
/* Written while two servers said they were the primary, and missed since. */
bool cause_is_two_primaries(const struct world *, int64_t written_ns, int64_t read_ns);
/* Of an instance's end: by an unrecorded signal, of itself; unknown when we had asked for it. */
enum anomaly cause_of_exit(const struct world_instance *);
/* Of a dial that failed by this enum dial_failure: tls_version, tls_certificate, or unknown. */
enum anomaly cause_of_refused_dial(unsigned failure);
/* "closed 1012 by the agent" and the like, into out. */
enum { CUT_TEXT_MAX = 64 };
const char *cut_text(const struct leg_cut *, char out[CUT_TEXT_MAX]);
/* ", 0.4 ms after SIGTERM of blue-2"; "" with unknown. */
enum { CAUSE_TEXT_MAX = 160 };
const char *cause_text(const struct world *, const struct leg_cut *, const struct cause *,
		       char out[CAUSE_TEXT_MAX]);
/* Of a silence or a loss: "; Redis had refused a command of it (readonly) at +12.300 s"; "" with
 * unknown. */
const char *silence_text(const struct world *, const struct world_call *, const struct cause *,
			 char out[CAUSE_TEXT_MAX]);

#endif
