/*
 * The words of the program: one meaning each (the same words as the scenario and the reports).
 * Enumerations that are written to disk are only ever appended to.
 */
#ifndef RECORD_WORDS_H
#define RECORD_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum color { COLOR_UNKNOWN = 0, COLOR_BLUE, COLOR_GREEN, COLOR_COUNT };

enum profile {
	/* one leg for life: any loss before the planned hangup is a dropped call */
	PROFILE_BRIDGE = 0,
	PROFILE_RESUMABLE,  /* loses legs, resumes on a new one */
	PROFILE_COUNT
};

/* Phases are steps of the cutover, in the scenario's words; `before` is start-up, `after` the wait
 * for the last call. */
enum phase {
	PHASE_BEFORE = 0,
	PHASE_STEADY,
	PHASE_SMOKE,
	PHASE_SHIFT,
	PHASE_DRAIN,
	PHASE_BUFFER,
	PHASE_TEARDOWN,
	PHASE_ROLLBACK,
	PHASE_AFTER,
	PHASE_BAKE,   /* weights stand; the gate at its end decides whether to go on */
	PHASE_SCRIPT, /* the operator's own script carries out what it announces, or does not */
	PHASE_COUNT
};

/* Why a dial did not become a leg. */
enum dial_failure {
	DIAL_OK = 0,
	DIAL_RESOLVE,     /* the name has no address */
	DIAL_REFUSED,     /* nobody listens */
	DIAL_RESET,       /* closed before the 101 */
	DIAL_TIMEOUT,     /* no 101 within setup_within */
	DIAL_TLS_VERSION, /* no common protocol version */
	DIAL_TLS_CERT,    /* certificate expired, wrong name, unknown issuer */
	DIAL_HTTP_STATUS, /* an answer other than 101; the status is in `code` */
	/* our own descriptors or ports ran out: inconclusive, never the target's fault */
	DIAL_LOCAL_LIMIT,
	DIAL_FAILURE_COUNT
};

/* How a leg ended on the wire. */
enum leg_how {
	LEG_CLOSE_FRAME = 0, /* a close frame; its code is in `code` (1005: frame without a code) */
	LEG_FIN,             /* end of stream without a close frame: the 1006 of other tools */
	LEG_RST,
	LEG_TIMEOUT,         /* we gave up waiting */
	LEG_HOW_COUNT
};

/* Which side ended it. */
enum side { SIDE_CALLER = 0, SIDE_AGENT, SIDE_COUNT };

/* How a call ended, as the simulator saw it (judgement 2.3 I1; style.md truth table). Checkers form
 * their own view. */
enum call_end {
	CALL_COMPLETED = 0, /* the script ran to its planned hangup */
	CALL_DROPPED,	    /* bridge: lost its leg; resumable: not back within resume_within */
	CALL_MUTED,	    /* leg up, a turn unanswered past dead_after */
	CALL_TRUNCATED,	    /* clean close 1000/1001 by the agent before the script's end */
	CALL_REFUSED,	    /* never admitted within setup_within */
	CALL_ABANDONED,	    /* we ended it: interrupt, or the run's end came first */
	CALL_END_COUNT
};

/* Redis verbs the tap tells apart. */
enum verb {
	VERB_OTHER = 0,
	VERB_GET,
	VERB_SET,
	VERB_SETEX,
	VERB_DEL,
	VERB_EXPIRE,
	VERB_EVAL,
	VERB_PING,
	/* families are named after their best known: HGETALL is an hget, RPUSH an lpush */
	VERB_FCALL,
	VERB_MGET,
	VERB_MSET,
	VERB_EXISTS,
	VERB_TTL,
	VERB_PERSIST,
	VERB_INCR,
	VERB_APPEND,
	VERB_HGET,
	VERB_HSET,
	VERB_LPUSH,
	VERB_LPOP,
	VERB_LRANGE,
	VERB_BLPOP,
	VERB_SADD,
	VERB_SPOP,
	VERB_SMEMBERS,
	VERB_ZADD,
	VERB_ZPOP,
	VERB_ZRANGE,
	VERB_XADD,
	VERB_XREAD,
	VERB_PUBLISH,
	VERB_SUBSCRIBE,
	VERB_UNSUBSCRIBE,
	VERB_MULTI,
	VERB_EXEC,
	VERB_DISCARD,
	VERB_WATCH,
	VERB_SELECT,
	VERB_AUTH,
	VERB_HELLO,
	VERB_CLIENT,
	VERB_INFO,
	VERB_CONFIG,
	VERB_WAIT,
	VERB_SCAN,
	VERB_SCRIPT,
	VERB_MONITOR,
	VERB_COUNT
};

/* Error replies of Redis, by their first word; none: not answered by an error of its own. */
enum redis_error {
	REDIS_ERROR_NONE = 0,
	REDIS_ERROR_OTHER,
	REDIS_ERROR_READONLY, /* a replica, or no longer the primary */
	REDIS_ERROR_OOM,
	REDIS_ERROR_NOREPLICAS,
	REDIS_ERROR_LOADING,
	REDIS_ERROR_BUSY,
	REDIS_ERROR_MISCONF,
	REDIS_ERROR_MASTERDOWN,
	REDIS_ERROR_CLUSTERDOWN,
	REDIS_ERROR_NOAUTH,
	REDIS_ERROR_NOPERM,
	REDIS_ERROR_WRONGTYPE,
	REDIS_ERROR_COUNT
};

/* Things the director asks of the world; each has action.inv and action.ok or action.fail. */
enum action {
	ACTION_NONE = 0,
	ACTION_SNAPSHOT, /* read the balancer before the cutover */
	ACTION_SMOKE,
	ACTION_SET_WEIGHTS,
	ACTION_READ_BACK, /* effective configuration after a change */
	ACTION_DRAIN,
	ACTION_DEREGISTER,
	ACTION_SIGTERM,
	ACTION_SIGKILL,
	ACTION_ROLLBACK,
	ACTION_FRESH_DIAL, /* rollback proof: a fresh dial is served by blue */
	ACTION_RESIDUE,	   /* probe keys deleted */
	ACTION_REREGISTER, /* what we deregistered goes back */
	ACTION_BAKE,	   /* the gate of a canary step */
	ACTION_SCRIPT,	   /* the operator's script, from its start to its exit */
	ACTION_PROPAGATION, /* fresh dials until new weights hold for all of them */
	ACTION_SETTLE,	   /* the wait before a destructive step */
	ACTION_TLS,	   /* look at the listener's certificate and versions */
	ACTION_COUNT
};

/* What a run may leave behind (judgement I12). */
enum residue {
	RESIDUE_PROCESSES = 0, /* had to be killed, or were children nobody had started */
	RESIDUE_KEYS,	       /* states of its calls that outlive their declared time */
	RESIDUE_CLIENTS,       /* Redis still holds its clients back */
	RESIDUE_DESCRIPTORS,   /* of instances without calls: more than when they began */
	RESIDUE_COUNT
};

/* Anomalies and causes (judgement 2.4): what a witness is called and why it happened. */
enum anomaly {
	ANOMALY_NONE = 0,
	/* state */
	ANOMALY_FORK,
	ANOMALY_ACK_LOST,
	ANOMALY_REGRESS,
	ANOMALY_STALE_RESUME,
	ANOMALY_PHANTOM_TURN,
	ANOMALY_TORN_STATE,
	ANOMALY_DIRTY_WRITE,
	ANOMALY_DOUBLE_APPLY,
	ANOMALY_REORDER,
	ANOMALY_FIELD_STRIP,
	ANOMALY_CROSS_CALL,
	ANOMALY_EVAPORATED,
	ANOMALY_ZOMBIE_WRITE,
	ANOMALY_ACK_EARLY,
	ANOMALY_NEVER_PERSISTED,
	ANOMALY_INFO_SURFACED,
	ANOMALY_TTL_MISSING,
	/* control plane and calls */
	ANOMALY_CUT_BY_SIGTERM,
	ANOMALY_CUT_BY_SIGKILL,
	ANOMALY_DEREGISTRATION_CUT,
	ANOMALY_IDLE_CUT,
	ANOMALY_RELOAD_CUT,
	ANOMALY_DRAIN_CAP_CUT,
	ANOMALY_TORN_DOWN_LIVE,
	ANOMALY_DRAIN_STUCK,
	ANOMALY_DRAIN_LIE,
	ANOMALY_STICKY_DEBT,
	ANOMALY_STICKY_LOST,
	ANOMALY_ZERO_WEIGHT_LEAK,
	ANOMALY_NOT_SHIFTED,
	ANOMALY_BLACK_WINDOW,
	ANOMALY_MUTED,
	ANOMALY_TRUNCATED,
	ANOMALY_BLOCKED,
	ANOMALY_UNKNOWN,
	ANOMALY_CONFIG_DRIFT,	 /* effective is not what was intended */
	ANOMALY_ROLLBACK_FAILED, /* after it: another config, or fresh dials not served by blue */
	ANOMALY_BLUE_GONE,	 /* there was nothing left to roll back to */
	ANOMALY_SPLIT_OFF,	 /* fresh dials do not follow the weights */
	ANOMALY_TLS_VERSION,	 /* the listener cannot do TLS 1.3 */
	ANOMALY_TLS_CERTIFICATE, /* expired, of another name, or of an unknown issuer */
	ANOMALY_DOUBLE_VOICE,	 /* an instance the caller has left still speaks to it */
	ANOMALY_DISTURBED,	 /* a call lost its leg more often than it may, and came back */
	ANOMALY_DEAD_AIR,	 /* a call was without a leg for longer than it may be */
	ANOMALY_DIAL_STORM,	 /* more dials a second than a color takes */
	ANOMALY_CLOSE_STORM,	 /* an instance sent its callers away all at once */
	ANOMALY_TTL_SHORT,	 /* a write leaves a state less time to live than declared */
	ANOMALY_TTL_LONG,	 /* or more */
	ANOMALY_TTL_LOW,	 /* less of it was left than may be, while the call lived */
	/* causes */
	ANOMALY_FROZEN,		 /* its instance stood still */
	ANOMALY_REDIS_REFUSED,	 /* Redis answered a command of the call with an error */
	ANOMALY_REDIS_ENDED,	 /* a Redis server ended, and what it knew with it */
	ANOMALY_INSTANCE_DIED,	 /* its instance ended, and nobody had told it to */
	ANOMALY_DRAIN_CUT_SHORT, /* its instance took another call's end for the last */
	ANOMALY_MEMORY_ONLY,	 /* the tap saw no write of the call: kept in a process only */
	ANOMALY_STATE_DELETED,	 /* an agent had deleted the state of the call */
	ANOMALY_PROCESS_LEFT,	 /* did not end, or was nobody's */
	ANOMALY_KEY_LEFT,	 /* a state outlives its call for longer than declared */
	ANOMALY_CLIENTS_PAUSED,	 /* Redis still holds clients back */
	ANOMALY_FAULT_LEFT,	 /* a fault was not healed, or bit after it was */
	ANOMALY_DESCRIPTORS_LEFT, /* an instance without calls holds more than when it began */
	ANOMALY_TWO_PRIMARIES,	 /* two Redis servers took themselves for the primary */
	ANOMALY_REDIS_FAILOVER,	 /* agents turned to another Redis server */
	ANOMALY_REDIS_EVICTED,	 /* Redis threw keys away to make room */
	ANOMALY_REDIS_FLUSHED,	 /* Redis was told to throw all keys away */
	ANOMALY_STATE_EXPIRED,	 /* the state had had its time to live */
	ANOMALY_FENCED_OFF,	 /* its agent found the state gone, or another's, and let it go */
	ANOMALY_STEP_FAILED,	 /* a step of the cutover did not do what it was to do */
	ANOMALY_AGENT_ERROR,	 /* its agent answered with an error */
	ANOMALY_NEVER_READY,	 /* a leg was opened, and its agent said nothing on it */
	ANOMALY_COUNT
};

/* Why a verdict is inconclusive. */
enum reason {
	REASON_NONE = 0,
	REASON_VACUOUS,	       /* nobody was exposed */
	REASON_SOURCE_LOST,    /* a lane has no end mark, a gap or a bad block */
	REASON_LATE_GENERATOR, /* we were late, not they */
	REASON_LOCAL_LIMIT,
	REASON_UNFINISHED,  /* calls still live at the end */
	REASON_NO_COLOR,    /* legs did not say their color */
	REASON_NO_TAP,	    /* Redis commands not seen */
	REASON_NO_DIGEST,   /* agent echoes no digest: only counts were judged */
	REASON_RESOLUTION,  /* quantile interval straddles the budget */
	REASON_UNREACHABLE, /* poller unreachable */
	REASON_NO_PHASE,    /* the cutover never got there */
	REASON_INTERRUPTED,
	REASON_NO_FENCE, /* writes carry no epoch: stale ones cannot be told */
	REASON_NO_BITE,	 /* nothing shows that a planned fault took effect */
	REASON_COUNT
};

/* All name tables: the printed word for a value; "?" outside the range. */
const char *color_name(unsigned v);
const char *profile_name(unsigned v);
const char *phase_name(unsigned v);
const char *dial_failure_name(unsigned v);
const char *leg_how_name(unsigned v);
const char *side_name(unsigned v);
const char *call_end_name(unsigned v);
const char *verb_name(unsigned v);
const char *redis_error_name(unsigned v);
const char *action_name(unsigned v);
const char *residue_name(unsigned v);
const char *anomaly_name(unsigned v);
const char *reason_name(unsigned v);
/* The value for a word, or -1. */
int color_parse(const char *word);
int phase_parse(const char *word);
int verb_parse(const char *word);
/* Of an error reply's text, of any length; what is not in the table is REDIS_ERROR_OTHER. */
enum redis_error redis_error_of(const char *text, size_t size);
int anomaly_parse(const char *word);
/* `cutover` in gates: from the first move of weights to the last of teardown. */
bool phase_of_cutover(unsigned v);

#endif
