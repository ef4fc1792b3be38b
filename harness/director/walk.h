/*
 * Inside the director: the state of the walk, shared by director.c (order of steps), walk.c
 * (channel, clock, record), steps.c (what each step does), step_script.c, step_rollback.c,
 * step_bake.c, step_tls.c and step_probe.c (probe calls). Not for other rooms.
 */
#ifndef DIRECTOR_WALK_H
#define DIRECTOR_WALK_H

#include <stdbool.h>

#include "director/director.h"
#include "director/stage.h"
#include "director/timeline.h"
#include "driver/driver.h"
#include "net/control.h"
#include "record/lane.h"

enum { WALK_INSTANCES_MAX = 2 * STAGE_INSTANCES_MAX, WALK_LISTEN_MAX = 2 };
enum { PHASE_OK = 0, PHASE_FAILED = 1, PHASE_NOT_REACHED = 2 }; /* flags of phase.end */

struct walk_instance {
	char name[32], address[64];
	int pid; /* 0: not known */
	enum color color;
	bool ended; /* its process is gone: zero calls, known */
	bool unreachable;
	bool told_to_end; /* SIGTERM sent */
	uint32_t active;
	int64_t counted_ns; /* stamp of the last answer; 0 never */
};

struct walk {
	const struct scenario *scenario;
	const char *run_dir;
	int control;
	struct lane *lane;
	struct control_message bind;
	char run6[16];
	struct stage_credentials credentials; /* of the local balancer; empty for a deployed one */
	const struct driver *driver;
	struct driver_session *session;
	struct driver_view snapshot;
	struct walk_instance instances[WALK_INSTANCES_MAX];
	size_t instance_count;
	struct control_counters callers; /* all workers together, the last ones */
	unsigned callers_heard;		 /* how often they came */
	int listen[WALK_LISTEN_MAX];	 /* ends a wait when readable; -1: none */
	struct {
		enum phase phase;
		size_t number;
		bool open;
	} under_way; /* a script goes through several in one step */
	int64_t start_ns;
	int probes;	    /* number of the next probe call */
	bool shifted;	    /* weights differ, or may differ, from the snapshot */
	int64_t weights_ns; /* when they were changed last; 0 never */
	bool deregistered[COLOR_COUNT];
	int64_t drain_deadline_ns; /* of the drain under way; a return to drain keeps it */
	enum color leaving;	   /* the color being drained, buffered, torn down */
	bool drained;		   /* a drain was walked: ... */
	size_t drain_step;	   /* ... this one last; where the buffer returns to */
	bool back_to_drain;	   /* the buffer saw a call */
	bool workers_finished, interrupted, aborted;
	bool signaled;	  /* the supervisor answered the last signal: ... */
	int signal_error; /* ... 0, or the errno of kill */
	bool levered;	  /* the tap answered the last lever: ... */
	bool lever_refused;
	char lever_error[256]; /* ... and why not */
	struct faults *faults; /* of the scenario; NULL: none */
};

/* To the supervisor. */
void walk_tell(struct walk *, enum control_type, int64_t a, int64_t b, const char *text);
/* Serves the channel until `over` (may be NULL) says so, the time has come, something listened to
 * is ready, or the run is interrupted or aborted. */
void walk_wait(struct walk *, int64_t until_ns, bool (*over)(struct walk *));
/* As walk_wait, but an interrupt does not cut it short: what was begun is finished. */
void walk_through(struct walk *, int64_t until_ns, bool (*over)(struct walk *));
int walk_signal(struct walk *, struct walk_instance *, int signo, struct err *);
/* At the tap; tap/lever.h. */
int walk_lever(struct walk *, const char *text, struct err *);
struct walk_instance *walk_instance(struct walk *, const char *name);
/* A line for the terminal. */
void walk_say(struct walk *, const char *text);
void walk_phase_begin(struct walk *, enum phase, size_t number, const char *what);
/* Of the phase under way; nothing when it is over already. */
void walk_phase_end(struct walk *, uint8_t flags, const char *note);

/* The steps. 0, or -1 with the reason in the driver's or agent's words. */
int step_do(struct walk *, const struct step *, struct err *);
int step_bake(struct walk *, const struct step *, struct err *);
int step_script(struct walk *, const struct step *, struct err *);
/* Back to the snapshot, blue's targets included if we took them out, and the proof: fresh dials
 * are served by blue. Fails, and sends nobody anywhere, when blue is gone. An interrupt does not
 * cut it short. */
int step_rollback(struct walk *, int64_t within_ns, struct err *);
/* Is there a blue that could take calls? Else why not, in err. */
int step_blue_is_there(const struct walk *, struct err *);
/* Shared by the steps: action.inv now; step_action_done writes the matching ok or fail and returns
 * the result. A failure after the run was broken off is no answer. */
struct event step_action(struct walk *, enum action, const struct walk_instance *on,
			 const char *what);
int step_action_done(struct walk *, struct event, int result, const struct err *);
/* Two handshakes with a wss target, on record; nothing for a ws one. Never fails the run. */
void step_tls(struct walk *);
/* The CA file a wss target is verified with, maybe in `room`; NULL: the system's. */
const char *walk_ca(const struct walk *, char *room, size_t size);
/* One probe call and its record. */
struct probe_wish {
	const struct walk_instance *on; /* whose address it is, or NULL */
	const char *address;		/* NULL: as a fresh caller would, through the balancer */
	enum color want;		/* who must answer; COLOR_UNKNOWN: anybody */
	int64_t within_ns;		/* 0: TIMELINE_ACTION_S */
	bool hello_only;		/* as in probe_target */
	bool in_series;			/* others follow: its failure alone says nothing */
};
/* ret_color, who answered, may be NULL. */
int step_probe(struct walk *, const struct probe_wish *, enum color *ret_color, struct err *);
/* Each instance of the color, or its direct URL. An error when there is neither. */
int step_smoke(struct walk *, enum color, struct err *);
bool step_can_smoke(const struct walk *, enum color);
/* Fresh dials through the balancer, as wished, until `in_a_row` of them were answered by one of the
 * colors (1 << color). -1: not by until_ns. ret_after_ns: when the first of that row was dialed. */
int step_dials(struct walk *, const struct probe_wish *, unsigned colors, int in_a_row,
	       int64_t until_ns, int64_t *ret_after_ns, struct err *);
/* Asks for weights: once, or (until_ns not 0) again until then should it be refused. */
int step_set_weights(struct walk *, int blue, int green, int64_t until_ns, struct err *);
void step_weight_event(struct walk *, enum event_kind, int64_t t_ns, int blue, int green);
/* Balancer as it is now, recorded as a config event with these flags. */
int step_read_back(struct walk *, uint8_t flags, struct driver_view *ret, struct err *);
void step_config(struct walk *, uint8_t flags, const struct driver_view *);
/* How often the balancer may be looked at. A look is half a dozen calls: AWS throttles who asks all
 * the time, and with him the operator's own calls. */
int64_t step_look_every_ns(const struct walk *);

#endif
