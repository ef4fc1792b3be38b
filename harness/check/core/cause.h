/*
 * Why a leg ended, by signature and never by neighbourhood: how it ended, on which instance, and
 * how far from that instance's own event. When two signatures fit, the one whose expected moment is
 * nearer; when none fits, unknown.
 *
 *   cut_by_sigkill      no close frame, 0..1 s after SIGKILL of the leg's instance
 *   cut_by_sigterm      any ending by the other side, 0..2 s after SIGTERM of the leg's instance
 *   deregistration_cut  no close frame, at deregistration of the leg's instance + deregistration
 *                       delay (-0.5..+2 s)
 *   idle_cut            no close frame, when nothing was received for the idle timeout (-0.5..+2 s)
 *
 * A signal that is not on record (an operator's script sent it) is known by the exit it brought:
 * the windows then lie around the exit.
 */
#ifndef CHECK_CORE_CAUSE_H
#define CHECK_CORE_CAUSE_H

#include "check/core/world.h"

struct cause {
	enum anomaly anomaly; /* ANOMALY_UNKNOWN when no signature fits */
	int64_t since_ns;     /* the event it is measured from; 0 with unknown */
	int64_t offset_ns;    /* leg's end minus that event */
};

struct cause cause_of_cut(const struct world *, const struct leg_cut *);
/* Of a dial that failed by this enum dial_failure: tls_version, tls_certificate, or unknown. */
enum anomaly cause_of_refused_dial(unsigned failure);
/* "closed 1012 by the agent" and the like, into out. */
enum { CUT_TEXT_MAX = 64 };
const char *cut_text(const struct leg_cut *, char out[CUT_TEXT_MAX]);
/* "0.4 ms after SIGTERM of blue-2"; "" with unknown. */
enum { CAUSE_TEXT_MAX = 120 };
const char *cause_text(const struct world *, const struct leg_cut *, const struct cause *,
		       char out[CAUSE_TEXT_MAX]);

#endif
