/*
 * The stage: every process of a run, who it is, whether it is ready, how it ended. Owned by the
 * supervisor, which is the parent of all of them. Starts, signals and reaps; records spawn,
 * signal and exit. It knows nothing of cutovers.
 *
 *            ┌ control channel (ready, counters, finished) ─> on_message
 *   member ──┤
 *            └ pidfd (exit) ────────────────────────────────> on_exit
 *
 * A member whose channel ends is told dead by its pidfd soon after; a member that outlives its
 * usefulness is killed by stage_end. Nothing is left: members die with the supervisor by
 * parent-death signal.
 */
#ifndef DIRECTOR_STAGE_H
#define DIRECTOR_STAGE_H

#include <stdbool.h>

#include "net/control.h"
#include "net/loop.h"
#include "net/process.h"
#include "record/lane.h"
#include "scenario/scenario.h"

enum member_kind {
	MEMBER_REDIS,
	MEMBER_TAP,
	MEMBER_AGENT,
	MEMBER_BALANCER,
	MEMBER_OBSERVER,
	MEMBER_WORKER,
	MEMBER_DIRECTOR
};
enum { MEMBERS_MAX = 96, STAGE_INSTANCES_MAX = 16 };

#define STAGE_REDIS_MASTER "crossfade" /* what the Sentinels call the primary */
#define STAGE_REGION "us-east-1"       /* where the local balancer says it is */

struct stage;

struct member {
	struct stage *stage;
	enum member_kind kind;
	char name[32];	  /* blue-1, redis, sentinel-1, alb, tap, worker-0 */
	char address[32]; /* of a Redis or Sentinel: HOST:PORT */
	enum color color;
	struct process process;
	struct loop_fd *control_watch, *exit_watch;
	bool ready, finished, ended;
	bool forced;	 /* stage_end had to kill it */
	int descriptors; /* of an agent, before the first call */
	int status;			  /* once ended */
	struct control_counters counters; /* the last ones */
	struct control_message *greeting; /* its READY or FAILED */
	struct control_message *unsent;	  /* what its full channel did not take yet, in order */
	size_t unsent_count;
};

struct stage_owner {
	void (*on_message)(void *user, struct member *, const struct control_message *);
	void (*on_exit)(void *user, struct member *);
};

/* Of the local balancer's control plane, made anew for each stack. A secret: for the processes that
 * need it alone, never in argv, on disk or in a log. key_id is empty while there are none. */
struct stage_credentials {
	char key_id[20 + 1], secret[40 + 1];
};

struct stage {
	struct loop *loop;
	struct lane *lane; /* NULL: no record */
	const char *run_dir;
	const struct stage_owner *owner;
	void *user;
	bool cancelled; /* set by the owner: every await gives up at once */
	struct stage_credentials credentials;
	bool unsigned_control;	     /* no credentials are made: the edge takes anybody's */
	uint16_t port, control_port; /* of the edge; 0 any free one */
	char ca[4096]; /* of the local listener: who is to be believed; "" without TLS */
	struct member members[MEMBERS_MAX];
	size_t count;
};

struct member_spec {
	enum member_kind kind;
	const char *name;
	enum color color;
	const char *program; /* absolute path */
	const char *const *argv;
	const char *const *environment; /* as in process_spec */
	bool control;
	bool prompt; /* as in process_spec */
};

/* Starts a program; its output goes to RUNDIR/<name>.log. */
int stage_start(struct stage *, const struct member_spec *, struct member **ret, struct err *);
/* Runs the loop until the member said READY; its FAILED, its exit, the deadline or a cancel is an
 * error. */
int stage_await_ready(struct member *, int64_t timeout_ns, struct err *);
struct member *stage_find(struct stage *, const char *name);
/* Records the signal, then sends it. */
int stage_signal(struct member *, int signo);
/* Never blocks. A member that does not read for a while (a driver's call takes up to 10 s) gets the
 * message later, behind those before it; only progress, which the next one replaces, is dropped. */
int stage_send(struct member *, const struct control_message *);
/* To every living member of the kind. */
void stage_broadcast(struct stage *, enum member_kind, const struct control_message *);
/* Asks all members of the kind to end (ABORT on the channel, SIGTERM without one), kills at the
 * deadline, reaps. */
void stage_end(struct stage *, enum member_kind, int64_t grace_ns);
bool stage_all(const struct stage *, enum member_kind, bool (*is)(const struct member *));
void stage_free(struct stage *); /* everything must have ended */

/* Brings up the local stack (redis-server, tap, agents of both colors, edge) and appends its late
 * variables, one "name=value" line each, to bindings: redis, alb (HOST:PORT), balancer (URL of its
 * control plane), instances ("NAME:COLOR:HOST:PORT,..."), pids (of them, in the same order),
 * ca (with TLS), load_balancer, listener, rule, blue, green (ARNs); with Sentinel also
 * redis_servers and sentinels ("HOST:PORT,..."; the first server is the primary, to begin with) and
 * redis_master (its name). The credentials stay in the stage; surroundings.h makes an environment
 * of both. */
int stage_local_up(struct stage *, const struct scenario *, struct buf *bindings, struct err *);

#endif
