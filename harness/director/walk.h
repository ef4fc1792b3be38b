/*
 * Inside the director: the state of the walk, shared by director.c (channel, order of steps),
 * steps.c (what each step does) and step_probe.c (probe calls). Not for other rooms.
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

enum { WALK_INSTANCES_MAX = 2 * STAGE_INSTANCES_MAX };

struct walk_instance {
	char name[32], address[64];
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
	int64_t start_ns;
	int probes;   /* number of the next probe call */
	bool shifted; /* weights differ, or may differ, from the snapshot */
	bool deregistered[COLOR_COUNT];
	int64_t drain_deadline_ns; /* of the drain under way; a return to drain keeps it */
	enum color leaving;	   /* the color being drained, buffered, torn down */
	bool drained;		   /* a drain was walked: ... */
	size_t drain_step;	   /* ... this one last; where the buffer returns to */
	bool back_to_drain;	   /* the buffer saw a call */
	bool workers_finished, interrupted, aborted;
	bool signaled;	  /* the supervisor answered the last signal: ... */
	int signal_error; /* ... 0, or the errno of kill */
};

/* Serves the channel until `over` (may be NULL) says so, the time has come, or the run is
 * interrupted or aborted. */
void walk_wait(struct walk *, int64_t until_ns, bool (*over)(struct walk *));
/* As walk_wait, but an interrupt does not cut it short: what was begun is finished. */
void walk_through(struct walk *, int64_t until_ns, bool (*over)(struct walk *));
int walk_signal(struct walk *, struct walk_instance *, int signo, struct err *);

/* The steps. 0, or -1 with the reason in the driver's or agent's words. */
int step_do(struct walk *, const struct step *, struct err *);
int step_rollback(struct walk *, struct err *);
/* Shared by the steps: action.inv now; step_action_done writes the matching ok or fail and returns
 * the result. */
struct event step_action(struct walk *, enum action, const struct walk_instance *on,
			 const char *what);
int step_action_done(struct walk *, struct event, int result, const struct err *);
/* One probe call and its record. address NULL: as a fresh caller would, through the balancer. */
int step_probe(struct walk *, const struct walk_instance *on, const char *address, enum color want,
	       struct err *);
int step_smoke(struct walk *, const struct step *, struct err *);
/* Two handshakes with a wss target, on record; nothing for a ws one. Never fails the run. */
void step_tls(struct walk *);
/* The CA file a wss target is verified with, maybe in `room`; NULL: the system's. */
const char *walk_ca(const struct walk *, char *room, size_t size);
/* Balancer as it is now, recorded as a config event with these flags. */
int step_read_back(struct walk *, uint8_t flags, struct driver_view *ret, struct err *);

#endif
