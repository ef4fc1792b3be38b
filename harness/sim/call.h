/*
 * One simulated call: what the caller does next. Pure: time, bytes and ids come in, actions go out;
 * leg.c and crowd.c carry them out. Not a socket, not a schedule of many calls.
 *
 *   start ─> DIALING ─101─> OPENING ─ready─> LIVE ─hangup due─> LEAVING ─end of leg─> OVER
 *               ^  └─fail──┐     │            │ └─planned loss─> LOSING ─┐
 *               └─backoff─ WAITING <──────────┴──end of leg (resumable) ─┘
 *
 * A bridge never comes back: any end of its leg before the hangup ends the call. Every way to OVER
 * records call.end once.
 *
 * How a call ends (style.md, "Truth tables"):
 *   planned hangup sent                                    completed
 *   leg lost (bridge) or not back within resume_within     dropped; truncated for a bridge that
 *                                                          the agent closed with 1000 or 1001
 *   a turn unanswered past dead_after                      muted
 *   never admitted within setup_within                     refused
 *   we ended it                                            abandoned
 */
#ifndef SIM_CALL_H
#define SIM_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/event.h"
#include "sim/traffic.h"
#include "wire/wire.h"

enum call_state {
	CALL_DIALING, /* a dial is under way */
	CALL_OPENING, /* the 101 came, the agent has not said ready */
	CALL_LIVE,    /* admitted and on a leg */
	CALL_LOSING,  /* the caller's network was cut by plan, the leg has not ended yet */
	CALL_WAITING, /* between two dials */
	CALL_LEAVING, /* bye is sent, the leg has not ended yet */
	CALL_ENDING,  /* given up; the leg or dial has not ended yet */
	CALL_OVER,
};

struct call {
	const struct scenario *scenario;
	struct call_plan plan;
	uint64_t id;	  /* hash_id of the id text */
	int64_t start_ns; /* due, monotonic */
	enum call_state state;
	enum call_end end; /* why, from CALL_ENDING on */
	bool admitted;
	bool reset; /* the planned loss of this leg is a RST */
	uint8_t dial_flags; /* DIAL_* of the last dial */
	uint16_t tls;	    /* version of the current leg, 0 without */
	uint16_t leg;	    /* number of the current, or next, leg; 0 until one was admitted */
	uint16_t legs;	    /* that were up */
	uint8_t instance;   /* of this leg; 0 unknown */
	enum color color;   /* of this leg; unknown also when it contradicts itself */
	unsigned attempt;   /* dials in vain since the last ready */
	int64_t dialed_ns, redial_ns;
	int64_t limit_ns; /* when setting up or coming back is given up */
	int64_t lose_ns;  /* planned loss of this leg; INT64_MAX never */
	int64_t heard_ns; /* the last byte on this leg */
	struct pacing pacing;
	struct losses losses;
	struct rng tokens, redial;
	int64_t turn_due_ns;  /* of the next turn, from start_ns */
	uint32_t sent, acked; /* highest turn sent, answered; sent - acked is 0 or 1 */
	int64_t asked_ns;     /* when the open turn was last sent */
	int64_t asked_due_ns; /* its due time, monotonic */
	uint64_t token;	      /* its token */
	uint64_t digest;      /* the chain after `sent` turns, as it should be */
	int64_t wake_ns;      /* when it wants INPUT_TIMER; INT64_MAX never */
};

enum call_input_kind {
	INPUT_START,   /* its due time has come */
	INPUT_OPEN,    /* the 101 */
	INPUT_MEANING, /* something understood from the agent */
	INPUT_END,     /* the dial failed or the leg ended; comes once per DO_DIAL */
	INPUT_TIMER,   /* wake_ns has come */
	INPUT_ABANDON, /* the run ends it */
};

struct call_input {
	enum call_input_kind kind;
	enum color color; /* OPEN, MEANING: as said there; unknown when not said */
	uint8_t instance; /* interned; 0 when not said */
	bool set_cookie;  /* OPEN */
	uint16_t tls;	  /* OPEN: version agreed on, 0 without */
	bool has_cookie;  /* START, TIMER: a dial would carry a cookie now */
	const struct meaning *meaning;
	bool established; /* END: of a leg; else of a dial */
	enum dial_failure failure;
	enum leg_how how;
	enum side side;
	uint16_t code; /* close code or HTTP status */
};

enum call_action_kind {
	/* append the event; `text` is its note, if not NULL; `sends`: stamp it again, right before
	 * the next action */
	DO_RECORD,
	DO_DIAL,
	DO_OPEN,   /* first frames of a call */
	DO_REOPEN, /* first frames of a later leg */
	DO_TURN,
	DO_BYE,	  /* the last frames, then close 1000 */
	DO_ABORT, /* no close frame; `reset` for RST */
	DO_END,	  /* nothing more will come: the call may be freed */
};

struct call_action {
	enum call_action_kind kind;
	struct event event;
	const char *text;
	struct wire_turn turn;
	bool reset, sends;
};

enum { CALL_ACTIONS_MAX = 12 };
struct call_actions {
	size_t count;
	struct call_action list[CALL_ACTIONS_MAX];
};

/* `id` is the id text (c-<run>-<number>), `zero_ns` the schedule's zero. */
struct call call_begin(const struct scenario *, const struct call_plan *, const char *id,
		       int64_t zero_ns);
/* The only way a call changes. Appends to `out`, whose count the caller has set to 0; then look at
 * wake_ns. */
void call_step(struct call *, const struct call_input *, int64_t now_ns, struct call_actions *out);
/* We were asleep for so long: what the agent said meanwhile was not heard, so its deadlines move.
 * What the call itself had to do stays due when it was. */
void call_forgive(struct call *, int64_t asleep_ns);
/* The stamp its open turn was given when it really went out: dead_after counts from there. */
static inline void call_asked(struct call *c, int64_t t_ns)
{
	c->asked_ns = t_ns;
}

#endif
