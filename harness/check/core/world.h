/*
 * The world as the events tell it: which calls live where, what the weights are, what happened to
 * each instance, which phase it is. Facts only: nothing here is good or bad. Updated by the fold
 * before the checks see an event; checks read it.
 *
 *   caller's view of a call:   dialing -> open (101) -> ready -> hung up | lost -> dialing ...
 *   live leg of an instance:   from dial.ok to the earliest of hangup.inv, leg.lose, leg.end
 *
 * Times are CLOCK_MONOTONIC nanoseconds; 0 means "has not happened" unless said otherwise.
 */
#ifndef CHECK_CORE_WORLD_H
#define CHECK_CORE_WORLD_H

#include "check/check.h"
#include "check/core/load.h"
#include "check/core/metrics.h"
#include "check/core/phases.h"
#include "check/core/purges.h"
#include "check/core/settings.h"
#include "check/core/table.h"

/* flags of a call */
enum {
	CALL_ENDED = 1,		 /* call.end was seen */
	CALL_LATE_RESUME = 2,	 /* was without a leg for longer than resume_within */
	CALL_WAS_MUTED = 4,	 /* a turn was unanswered past dead_after while the leg was up */
	CALL_LOCAL_LIMIT = 8,	 /* a dial of it failed for lack of our own descriptors or ports */
	CALL_COUNTED = 16,	 /* its leg is in the live count of its instance */
	CALL_ON_GREEN = 32,	 /* has ever been on green */
	CALL_CROSSED_SHIFT = 64, /* was live when the weights moved to green */
	CALL_PLANNED_LOSS = 128, /* the caller itself cut the leg it is without now */
	CALL_SAW_COOKIE = 256	 /* some 101 of it carried a Set-Cookie */
};

/* How a leg ended. */
struct leg_cut {
	int64_t t_ns;
	uint32_t silent_ms; /* since the last byte received on it */
	uint16_t leg, code;
	uint8_t how, side, color, instance;
};

struct world_call {
	uint64_t id;
	struct world_call *next_done; /* finished calls, in the order of their end */
	int64_t start_ns, admitted_ns, hangup_ns, end_ns;
	int64_t dial_ns;	/* last dial.inv */
	int64_t open_ns;	/* dial.ok of the current leg */
	uint64_t placed_event;	/* number of the event that told the leg's color */
	int64_t cookie_ns;	/* last 101 with Set-Cookie; without any, the last 101 */
	int64_t cookie_dial_ns; /* the dial it answered: the cookie is no older than this */
	int64_t lost_ns;	/* no ready leg since; 0: has one, or never had */
	int64_t waiting_ns;	/* the oldest unanswered turn on this leg was sent then; 0: none */
	int64_t muted_ns;	/* longest time a turn was unanswered past dead_after */
	int64_t late_from_ns, late_to_ns; /* of what made it muted, or late to resume */
	int64_t free_ns;    /* last time the caller became free to send: ready, or a reply */
	struct leg_cut cut; /* the end that began the current, or last, loss */
	uint16_t planned_turns, leg, sent, acked;
	uint16_t flags, dial_status, dial_failures;
	uint8_t profile, start_phase, first_color, color, instance, cookie_color, cookie_instance,
		end_code;
	uint8_t dial_failure;		   /* class of the last dial.fail */
	uint8_t unready_how, unready_side; /* the end of the last leg that never got ready */
	uint16_t unready_code;
	uint8_t dial_flags;  /* DIAL_* of the last dial */
	uint8_t refused_by;  /* enum redis_error of the last command of it that Redis refused */
	bool unheard;	     /* muted, and its instance answered nobody while others did */
	int64_t refused_ns;  /* when that was; 0: none was */
	int64_t error_ns;    /* when the agent last said an error on it; 0: never did */
	uint32_t error_note; /* which */
	/* Its instance found no state of the call that goes on, or had its write refused as out of
	 * date, and has not answered it since; 0: no */
	int64_t denied_ns;
	struct metric_call metric;
};

struct world_instance {
	bool seen;
	uint8_t color;
	/* No signal of ours ended it: what the exit says about one is all there is of it. */
	bool ended_by_others;
	bool died; /* it ended, for no signal of ours nor of a script */
	uint16_t exit_code;
	uint32_t live; /* legs, by the callers' view */
	int64_t sigterm_ns, sigkill_ns, exit_ns, deregister_inv_ns, deregister_ok_ns;
	int64_t stopped_ns, resumed_ns; /* last frozen and thawed */
	int64_t replied_ns;		/* its last reply to anybody */
	int64_t gap_from_ns, gap_to_ns; /* the last time it answered nobody past dead_after */
	uint32_t redis;			/* the server it last turned to, from 1; 0: to none yet */
	bool answered;			/* its SIGTERM, by ending a leg */
	int64_t goodbye_ns; /* first hangup on it after its SIGTERM that found it unanswered */
	/* The first legs it lost since that, a moment apart each: from, to, how many. */
	int64_t burst_from_ns, burst_to_ns;
	uint32_t burst;
};

/* The interval of the command that gave blue 0 and green everything, and when weights moved away
 * again (0: never). */
struct world_shift {
	int64_t inv_ns, ok_ns, until_ns;
	size_t phase; /* where it was answered */
};

struct world_config {
	bool seen;
	int64_t t_ns;
	uint32_t blue, green, stickiness_s;
	uint16_t target_stickiness_s, deregistration_delay_s, idle_s; /* idle_s 0: not known */
};

enum { LATE_CALLS_MAX = 64 };

struct world {
	const struct scenario *scenario;
	const struct history *names; /* may be NULL: numbers are printed instead */
	struct table calls;
	struct world_call *done_first, *done_last;
	int64_t grace_ns;		      /* a finished call's entry stays that long */
	struct world_instance instances[256]; /* 0 collects what did not say its instance */
	struct phases phases;
	struct metrics metrics;
	struct load load;
	struct world_shift shift;
	struct world_config config;
	bool weights_pending, weights_asked; /* a command is under way; ever was */
	int64_t weights_asked_ns;	     /* last weight.inv */
	int64_t zero_since_ns[COLOR_COUNT];  /* definitely at weight 0 since; 0: not */
	int64_t first_ns, last_ns, start_ns; /* first and last event, run.start */
	int64_t director_ns;		     /* last event of the cutover's walk */
	int64_t run_end_ns;
	uint8_t run_end_flags;
	int64_t reload_ns, hard_stop_ns; /* last reload of the balancer; 0 none, 0 never */
	int64_t redis_ended_ns;		 /* last end of a Redis server */
	/* Since when, and until when, two Redis servers said they were the primary; 0: never, or it
	 * is not over. Bit i: server i says so. */
	int64_t two_primaries_ns, two_primaries_until_ns;
	uint32_t primaries;
	struct purges purges;
	int64_t redis_moved_ns[2]; /* first and last time an agent turned to another one */
	bool scripted; /* somebody else acts: signals that are not on record are to be expected */
	const char *failure; /* of ours, that ended the run; NULL: none */
	const char *refused; /* by the deployed system, before anybody called; NULL: not */
	uint64_t events, turns, resumes, crossings;
	uint64_t started, admitted, crossed_shift;
	uint64_t legs_without_color; /* that got ready and had said none, or: */
	uint64_t legs_of_two;	     /* whose 101 named another place than their first message */
	uint64_t orphans;	     /* events of a call without a call.start */
	uint64_t doubles;	     /* a second call.start or call.end */
	uint64_t late_events;	     /* came after one with a later stamp, by that much at most: */
	int64_t latest_by_ns;
	uint64_t late_calls[LATE_CALLS_MAX]; /* of them: theirs, as far as there is room */
	unsigned late_call_count;
	uint64_t two_colors;   /* times an instance was said to be of another color than before */
	uint8_t two_colored;   /* the last of them */
	int64_t fresh_blue_ns; /* last fresh dial.inv of the shift that ended on blue; 0: none */
	uint64_t tap_commands; /* on call keys */
	bool tap_saw[256];     /* instances with such commands */
};

void world_init(struct world *, const struct scenario *, const struct history *names,
		size_t entry_bytes);
void world_free(struct world *);
/* Kinds that tell the world nothing: cmd.inv says nothing that its cmd.ok does not say again. What
 * no check wants of them need only be counted. */
#define WORLD_DEAF KIND(CMD_INV)
/* Applies one event. Its call's entry, or NULL. */
struct world_call *world_event(struct world *, const struct event *);
/* An event tells an instance's color; COLOR_UNKNOWN: only that it is there. */
void world_instance_color(struct world *, uint8_t instance, uint8_t color);
/* After the checks saw the event: what must still have been readable for them. Needed when the
 * event placed the call's leg, and for these kinds. */
#define WORLD_SETTLES (KIND(LEG_END) | KIND(HANGUP_INV) | KIND(LEG_LOSE))
void world_settle(struct world *, struct world_call *, const struct event *);
/* The oldest finished call whose grace is over at now_ns, unlinked but still in the table; NULL
 * when there is none. */
struct world_call *world_pop_done(struct world *, int64_t now_ns);
void world_forget(struct world *, struct world_call *);

/* This very event told the color of the call's current leg: at dial.ok, or at ready when the 101
 * did not say. */
static inline bool world_placed(const struct world *w, const struct world_call *c)
{
	return c && c->placed_event == w->events;
}
/* Legs that are live on a color, by the callers' view. */
uint32_t world_live(const struct world *, enum color);
/* Admitted, and neither hung up nor ended. */
bool world_call_lives(const struct world_call *);

/* Seconds since run.start, as printed. */
double world_s(const struct world *, int64_t t_ns);
/* "an unnamed instance" when 0. */
const char *world_instance_name(const struct world *, uint8_t instance);
const char *world_note(const struct world *, uint32_t note);
/* The id of a call into out: its text, or 16 hex digits. */
enum { CALL_NAME_MAX = 64 };
const char *world_call_name(const struct world *, uint64_t call, char out[CALL_NAME_MAX]);
/* What the balancer does by its own words, else what was declared. */
int64_t world_stickiness_ns(const struct world *);
int64_t world_deregistration_delay_ns(const struct world *);
int64_t world_idle_ns(const struct world *);
/* The fresh dials that must go to green: those after this; 0 when there was no shift, or it is over
 * at t_ns. */
int64_t world_green_only_after_ns(const struct world *, int64_t t_ns);
/* No instance of the color was signalled, deregistered or has ended. */
bool world_serving(const struct world *, enum color);

#endif
