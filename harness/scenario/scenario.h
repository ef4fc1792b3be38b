/*
 * A scenario: what callers do, what the cutover does, what must hold. Parsed once from YAML
 * (libyaml events, exact marks) into this immutable struct; all durations are nanoseconds, shares
 * are fractions of 1.
 *
 *   file ── document (nodes with places, variables replaced) ── schema table ──> struct scenario
 *                                                                          overlay, then validate
 *   canonical text <── schema table ──────────────────────────────────────────────┘
 *
 * One schema table (schema.c) knows every key: it parses, gives defaults, prints the JSON Schema,
 * and writes the resolved scenario back as canonical YAML, so that parse(write(s)) == s and the
 * SHA-256 of that text is its digest.
 *
 * Variables: ${NAME} and ${NAME:-default} in scalars are replaced at load from the given
 * variables; the late ones (alb redis call run color instance) stay and are bound with
 * scenario_bind. Errors are ERR_INPUT and read "FILE:LINE:COLUMN: message" + the offending line +
 * a suggestion. Faults are not part of this version: a `faults:` key with anything in it is an
 * error.
 *
 * The strings and arrays belong to the scenario; scenario_free releases all.
 */
#ifndef SCENARIO_SCENARIO_H
#define SCENARIO_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "record/words.h"

enum stack_kind { STACK_NONE = 0, STACK_LOCAL };
enum redis_kind { REDIS_SINGLE = 0, REDIS_SENTINEL };
enum switch_kind { SWITCH_FOLLOW = 0, SWITCH_REAPPLY };
enum store_kind { STORE_PUBLISHED = 0, STORE_FENCED };
enum dist_kind { DIST_FIXED = 0, DIST_UNIFORM, DIST_EXPONENTIAL, DIST_LOGNORMAL };
enum begin_kind { BEGIN_NONE = 0, BEGIN_SIGTERM, BEGIN_DEREGISTER };
enum certificate_kind { CERTIFICATE_GOOD = 0, CERTIFICATE_EXPIRED, CERTIFICATE_WRONG_NAME,
			CERTIFICATE_UNTRUSTED };
enum affinity_kind { AFFINITY_COOKIE = 0, AFFINITY_CLIENT_IP };
enum lose_when { LOSE_BETWEEN_TURNS = 0, LOSE_MID_TURN };

/* A distribution of durations; values outside min..max are drawn again, never clamped. */
struct dist {
	enum dist_kind kind;
	int64_t mean_ns; /* fixed: the value; uniform: unused */
	double sigma;    /* lognormal: sigma of the logarithm; mean_ns: of the values */
	int64_t min_ns, max_ns; /* 0, INT64_MAX when not given */
};

struct stack {
	enum stack_kind kind;
	int instances;      /* per color */
	int64_t think_ns;
	enum redis_kind redis;
	enum switch_kind after_switch;  /* sentinel: what an agent does behind a new primary */
	enum store_kind store;          /* how an agent writes the state of a call */
	/* What the local parts really do; NULL/-1 = as the timers declare. Set by overlays. */
	char *agent_defect;             /* "D01": passed to the agent as --defect */
	char *green_defect;             /* same, green instances only */
	int64_t stickiness_ns;
	int64_t deregistration_delay_ns;
	int64_t idle_ns;
	int64_t propagation_ns, propagation_jitter_ns; /* of a rule change to a node; -1: at once */
	int nodes;			/* of the edge; each picks up a change by itself */
	char *tls;			/* security policy of the listener; NULL: plain HTTP */
	enum certificate_kind certificate;
	enum affinity_kind affinity;
	char *silent_metrics;		/* instance whose active-calls page does not answer: "blue-1" */
	char **edge_options, **api_faults; /* as the edge's --option and --api-fault take them */
	size_t edge_option_count, api_fault_count;
};

struct timers_declared {
	int64_t stickiness_group_ns, stickiness_target_ns; /* 0: off */
	int64_t deregistration_delay_ns, idle_ns, longest_call_ns;
	int64_t propagation_ns, dead_after_ns, setup_within_ns;
	int64_t close_spread_ns; /* 0: not declared */
};

struct profile_plan {
	double share;       /* of calls */
	bool loses_legs;
	struct dist lose_leg;
	enum lose_when when;
	int64_t resume_within_ns, backoff_base_ns, backoff_cap_ns; /* full jitter */
	int disturbances;    /* losses of a call that it did not plan, at most; -1: no budget */
	int64_t dead_air_ns; /* of a call, in all of them together; 0: no budget */
};

struct calls {
	int live;           /* planned open loop: rate = live / mean(hold) */
	int64_t ramp_ns;
	struct dist hold;
	int64_t turn_every_ns;
	double silence_share; /* of turns followed by a silent stretch */
	int64_t silence_ns;
	struct profile_plan profile[PROFILE_COUNT];
};

struct step {
	enum phase phase;   /* which key it is: steady smoke shift bake drain buffer teardown ... */
	int line;           /* in the source, for messages */
	int64_t for_ns;     /* steady, bake, buffer */
	enum color color;   /* smoke, drain, teardown */
	int blue, green;    /* shift weights */
	double tolerance;   /* shift: how far the observed share of green may be off, as a share */
	enum begin_kind begin; /* drain */
	int64_t quiet_ns;   /* drain */
	int64_t deadline_ns; /* drain, script, rollback */
	int64_t grace_ns;   /* teardown */
	bool skip;          /* set by a defect overlay: the step is announced and not done */
};

/* What is broken on purpose, and when. */
enum fault_kind { FAULT_FREEZE = 0, FAULT_KILL, FAULT_REDIS_LEVER };
struct fault_plan {
	enum fault_kind kind;
	enum phase at;      /* its first step of that kind; PHASE_BEFORE: before anybody calls */
	int64_t after_ns;   /* from there */
	int64_t for_ns;     /* then it is healed; -1: at the end of the run */
	char *lever;        /* redis_lever, without its name */
	char *instance;     /* freeze, kill */
};
const char *fault_kind_name(enum fault_kind); /* as a scenario says it */

/* A gate: metric{phase:..,color:..}: expression in k6 grammar. Each expression is a gate. */
enum gate_stat { GATE_COUNT = 0, GATE_RATE, GATE_AVG, GATE_MIN, GATE_MED, GATE_MAX, GATE_P };
enum gate_op { GATE_LT = 0, GATE_LE, GATE_GT, GATE_GE, GATE_EQ, GATE_NE };
struct gate {
	char *metric;       /* "turn_response" */
	int phase;          /* enum phase, -1 any, GATE_PHASE_CUTOVER */
	enum color color;   /* COLOR_UNKNOWN any */
	enum gate_stat stat;
	double percentile;  /* 0..100 for GATE_P */
	enum gate_op op;
	double limit;       /* nanoseconds when duration, else a plain number */
	bool duration;
	char *expression;   /* as written: "p(95) < 800ms" */
	char *key;          /* as written: "turn_response{phase:drain}" */
	int line;
};
enum { GATE_PHASE_ANY = -1, GATE_PHASE_CUTOVER = -2 /* shift to teardown */ };

struct scenario {
	char *path;         /* as given, for messages */
	char *name, *about;
	uint64_t seed;
	struct stack stack;
	struct {
		char *url, *wire, *direct_blue, *direct_green, *ca; /* ca: PEM file */
		int dials_per_second; /* that one color takes; 0: not declared */
	} target;
	/* ttl_floor_ns 0: none is declared */
	struct { char *redis, *key; int64_t ttl_ns, ttl_floor_ns; bool tap; } state;
	struct {
		char *driver, *path, *endpoint, *rule, *blue, *green;
		int64_t settle_ns;    /* before a destructive step; -1: 0 locally, else 120 s */
		char **command;	      /* exec: the operator's script and its arguments, no shell */
		size_t command_count;
		char *watch;	      /* exec: the driver that reads the balancer meanwhile */
		char *script_defect;  /* exec: handed to the script as --defect. Set by overlays */
	} balancer;
	struct timers_declared timers;
	struct calls calls;
	struct step *steps;
	size_t step_count;
	struct fault_plan *faults;
	size_t fault_count;
	struct gate *gates;
	size_t gate_count;
	char *defect;       /* name of the overlay when one was applied ("D21", "sigterm"), else NULL */
	char *defect_about;
};

struct variable { const char *name, *value; };

struct scenario_source {
	const char *path;             /* the scenario file */
	const struct variable *variables; /* -e first, then the caller adds the environment */
	size_t variable_count;
	const char *overlay_path;     /* scenarios/defects/Dnn.yaml, or NULL */
	const uint64_t *seed;         /* overrides, or NULL */
};

/* Parses, applies the overlay, validates. Warnings (a gate that cannot get its samples, ...) are
 * lines in `warnings`, which may be NULL. */
int scenario_load(const struct scenario_source *, struct scenario **ret, struct buf *warnings,
		  struct err *);
void scenario_free(struct scenario *);
/* Canonical YAML of the resolved scenario; loadable by scenario_load. */
void scenario_write(const struct scenario *, struct buf *out);
/* SHA-256 of the canonical text. */
void scenario_digest(const struct scenario *, char out[65]);
/* JSON Schema of the scenario file. */
void scenario_schema(struct buf *out);

/* What an overlay's `expect:` says: "check:anomaly", "check" or "anomaly" (of any check). A control
 * run expects nothing: it must pass. */
struct expectation {
	char *defect, *about; /* defect: the overlay's name, a control's too */
	char *base;	      /* file beside the overlay's folder it is laid over; NULL: any */
	char **required, **allowed;
	size_t required_count, allowed_count;
};
int expectation_load(const char *overlay_path, struct expectation *ret, struct err *);
void expectation_free(struct expectation *);

/* Replaces ${name} from a list; an unknown name is an error (ERR_INPUT). Result into out. */
int scenario_bind(const char *text, const struct variable *, size_t count, struct buf *out,
		  struct err *);

/* How long a rollback may take that no step plans: the harness walks it, the judge holds it against
 * this. Its proof, fresh dials on blue, comes no sooner than weights may take to hold. */
static inline int64_t scenario_rollback_within_ns(const struct scenario *sc)
{
	return 10 * NS_PER_S + sc->timers.propagation_ns;
}

/* Draws from a distribution; shared by plan and validation. Pure. */
struct rng;
int64_t dist_draw(const struct dist *, struct rng *);
int64_t dist_mean_ns(const struct dist *); /* mean of what is drawn, in closed form */

#endif
