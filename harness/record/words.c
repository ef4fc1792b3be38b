#include "record/words.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof(*(table)))
/* A table names every value of its enumeration, or it does not compile. */
#define AGREE(table, count) _Static_assert(COUNT(table) == (count), #table " names every value")

static const char *const colors[] = {
	[COLOR_UNKNOWN] = "unknown",
	[COLOR_BLUE] = "blue",
	[COLOR_GREEN] = "green",
};
AGREE(colors, COLOR_COUNT);

static const char *const profiles[] = {
	[PROFILE_BRIDGE] = "bridge",
	[PROFILE_RESUMABLE] = "resumable",
};
AGREE(profiles, PROFILE_COUNT);

static const char *const phases[] = {
	[PHASE_BEFORE] = "before",
	[PHASE_STEADY] = "steady",
	[PHASE_SMOKE] = "smoke",
	[PHASE_SHIFT] = "shift",
	[PHASE_DRAIN] = "drain",
	[PHASE_BUFFER] = "buffer",
	[PHASE_TEARDOWN] = "teardown",
	[PHASE_ROLLBACK] = "rollback",
	[PHASE_AFTER] = "after",
	[PHASE_BAKE] = "bake",
	[PHASE_SCRIPT] = "script",
};
AGREE(phases, PHASE_COUNT);

static const char *const dial_failures[] = {
	[DIAL_OK] = "ok",
	[DIAL_RESOLVE] = "resolve",
	[DIAL_REFUSED] = "refused",
	[DIAL_RESET] = "reset",
	[DIAL_TIMEOUT] = "timeout",
	[DIAL_TLS_VERSION] = "tls_version",
	[DIAL_TLS_CERT] = "tls_cert",
	[DIAL_HTTP_STATUS] = "http_status",
	[DIAL_LOCAL_LIMIT] = "local_limit",
};
AGREE(dial_failures, DIAL_FAILURE_COUNT);

static const char *const leg_hows[] = {
	[LEG_CLOSE_FRAME] = "close_frame",
	[LEG_FIN] = "fin",
	[LEG_RST] = "rst",
	[LEG_TIMEOUT] = "timeout",
};
AGREE(leg_hows, LEG_HOW_COUNT);

static const char *const sides[] = {
	[SIDE_CALLER] = "caller",
	[SIDE_AGENT] = "agent",
};
AGREE(sides, SIDE_COUNT);

static const char *const call_ends[] = {
	[CALL_COMPLETED] = "completed",
	[CALL_DROPPED] = "dropped",
	[CALL_MUTED] = "muted",
	[CALL_TRUNCATED] = "truncated",
	[CALL_REFUSED] = "refused",
	[CALL_ABANDONED] = "abandoned",
};
AGREE(call_ends, CALL_END_COUNT);

static const char *const verbs[] = {
	[VERB_OTHER] = "other",
	[VERB_GET] = "get",
	[VERB_SET] = "set",
	[VERB_SETEX] = "setex",
	[VERB_DEL] = "del",
	[VERB_EXPIRE] = "expire",
	[VERB_EVAL] = "eval",
	[VERB_PING] = "ping",
	[VERB_FCALL] = "fcall",
	[VERB_MGET] = "mget",
	[VERB_MSET] = "mset",
	[VERB_EXISTS] = "exists",
	[VERB_TTL] = "ttl",
	[VERB_PERSIST] = "persist",
	[VERB_INCR] = "incr",
	[VERB_APPEND] = "append",
	[VERB_HGET] = "hget",
	[VERB_HSET] = "hset",
	[VERB_LPUSH] = "lpush",
	[VERB_LPOP] = "lpop",
	[VERB_LRANGE] = "lrange",
	[VERB_BLPOP] = "blpop",
	[VERB_SADD] = "sadd",
	[VERB_SPOP] = "spop",
	[VERB_SMEMBERS] = "smembers",
	[VERB_ZADD] = "zadd",
	[VERB_ZPOP] = "zpop",
	[VERB_ZRANGE] = "zrange",
	[VERB_XADD] = "xadd",
	[VERB_XREAD] = "xread",
	[VERB_PUBLISH] = "publish",
	[VERB_SUBSCRIBE] = "subscribe",
	[VERB_UNSUBSCRIBE] = "unsubscribe",
	[VERB_MULTI] = "multi",
	[VERB_EXEC] = "exec",
	[VERB_DISCARD] = "discard",
	[VERB_WATCH] = "watch",
	[VERB_SELECT] = "select",
	[VERB_AUTH] = "auth",
	[VERB_HELLO] = "hello",
	[VERB_CLIENT] = "client",
	[VERB_INFO] = "info",
	[VERB_CONFIG] = "config",
	[VERB_WAIT] = "wait",
	[VERB_SCAN] = "scan",
	[VERB_SCRIPT] = "script",
	[VERB_MONITOR] = "monitor",
};
AGREE(verbs, VERB_COUNT);

static const char *const redis_errors[] = {
	[REDIS_ERROR_NONE] = "none",
	[REDIS_ERROR_OTHER] = "other",
	[REDIS_ERROR_READONLY] = "readonly",
	[REDIS_ERROR_OOM] = "oom",
	[REDIS_ERROR_NOREPLICAS] = "noreplicas",
	[REDIS_ERROR_LOADING] = "loading",
	[REDIS_ERROR_BUSY] = "busy",
	[REDIS_ERROR_MISCONF] = "misconf",
	[REDIS_ERROR_MASTERDOWN] = "masterdown",
	[REDIS_ERROR_CLUSTERDOWN] = "clusterdown",
	[REDIS_ERROR_NOAUTH] = "noauth",
	[REDIS_ERROR_NOPERM] = "noperm",
	[REDIS_ERROR_WRONGTYPE] = "wrongtype",
};
AGREE(redis_errors, REDIS_ERROR_COUNT);

static const char *const actions[] = {
	[ACTION_NONE] = "none",
	[ACTION_SNAPSHOT] = "snapshot",
	[ACTION_SMOKE] = "smoke",
	[ACTION_SET_WEIGHTS] = "set_weights",
	[ACTION_READ_BACK] = "read_back",
	[ACTION_DRAIN] = "drain",
	[ACTION_DEREGISTER] = "deregister",
	[ACTION_SIGTERM] = "sigterm",
	[ACTION_SIGKILL] = "sigkill",
	[ACTION_ROLLBACK] = "rollback",
	[ACTION_FRESH_DIAL] = "fresh_dial",
	[ACTION_RESIDUE] = "residue",
	[ACTION_REREGISTER] = "reregister",
	[ACTION_BAKE] = "bake",
	[ACTION_SCRIPT] = "script",
	[ACTION_PROPAGATION] = "propagation",
	[ACTION_SETTLE] = "settle",
	[ACTION_TLS] = "tls",
};
AGREE(actions, ACTION_COUNT);

static const char *const residues[] = {
	[RESIDUE_PROCESSES] = "processes",
	[RESIDUE_KEYS] = "keys",
	[RESIDUE_CLIENTS] = "clients",
	[RESIDUE_DESCRIPTORS] = "descriptors",
};
AGREE(residues, RESIDUE_COUNT);

static const char *const anomalies[] = {
	[ANOMALY_NONE] = "none",
	[ANOMALY_FORK] = "fork",
	[ANOMALY_ACK_LOST] = "ack_lost",
	[ANOMALY_REGRESS] = "regress",
	[ANOMALY_STALE_RESUME] = "stale_resume",
	[ANOMALY_PHANTOM_TURN] = "phantom_turn",
	[ANOMALY_TORN_STATE] = "torn_state",
	[ANOMALY_DIRTY_WRITE] = "dirty_write",
	[ANOMALY_DOUBLE_APPLY] = "double_apply",
	[ANOMALY_REORDER] = "reorder",
	[ANOMALY_FIELD_STRIP] = "field_strip",
	[ANOMALY_CROSS_CALL] = "cross_call",
	[ANOMALY_EVAPORATED] = "evaporated",
	[ANOMALY_ZOMBIE_WRITE] = "zombie_write",
	[ANOMALY_ACK_EARLY] = "ack_early",
	[ANOMALY_NEVER_PERSISTED] = "never_persisted",
	[ANOMALY_INFO_SURFACED] = "info_surfaced",
	[ANOMALY_TTL_MISSING] = "ttl_missing",
	[ANOMALY_CUT_BY_SIGTERM] = "cut_by_sigterm",
	[ANOMALY_CUT_BY_SIGKILL] = "cut_by_sigkill",
	[ANOMALY_DEREGISTRATION_CUT] = "deregistration_cut",
	[ANOMALY_IDLE_CUT] = "idle_cut",
	[ANOMALY_RELOAD_CUT] = "reload_cut",
	[ANOMALY_DRAIN_CAP_CUT] = "drain_cap_cut",
	[ANOMALY_TORN_DOWN_LIVE] = "torn_down_live",
	[ANOMALY_DRAIN_STUCK] = "drain_stuck",
	[ANOMALY_DRAIN_LIE] = "drain_lie",
	[ANOMALY_STICKY_DEBT] = "sticky_debt",
	[ANOMALY_STICKY_LOST] = "sticky_lost",
	[ANOMALY_ZERO_WEIGHT_LEAK] = "zero_weight_leak",
	[ANOMALY_NOT_SHIFTED] = "not_shifted",
	[ANOMALY_BLACK_WINDOW] = "black_window",
	[ANOMALY_MUTED] = "muted",
	[ANOMALY_TRUNCATED] = "truncated",
	[ANOMALY_BLOCKED] = "blocked",
	[ANOMALY_UNKNOWN] = "unknown",
	[ANOMALY_CONFIG_DRIFT] = "config_drift",
	[ANOMALY_ROLLBACK_FAILED] = "rollback_failed",
	[ANOMALY_BLUE_GONE] = "blue_gone",
	[ANOMALY_SPLIT_OFF] = "split_off",
	[ANOMALY_TLS_VERSION] = "tls_version",
	[ANOMALY_TLS_CERTIFICATE] = "tls_certificate",
	[ANOMALY_DOUBLE_VOICE] = "double_voice",
	[ANOMALY_DISTURBED] = "disturbed",
	[ANOMALY_DEAD_AIR] = "dead_air",
	[ANOMALY_DIAL_STORM] = "dial_storm",
	[ANOMALY_CLOSE_STORM] = "close_storm",
	[ANOMALY_TTL_SHORT] = "ttl_short",
	[ANOMALY_TTL_LONG] = "ttl_long",
	[ANOMALY_TTL_LOW] = "ttl_low",
	[ANOMALY_FROZEN] = "frozen",
	[ANOMALY_REDIS_REFUSED] = "redis_refused",
	[ANOMALY_FENCED_OFF] = "fenced_off",
	[ANOMALY_REDIS_ENDED] = "redis_ended",
	[ANOMALY_TWO_PRIMARIES] = "two_primaries",
	[ANOMALY_INSTANCE_DIED] = "instance_died",
	[ANOMALY_DRAIN_CUT_SHORT] = "drain_cut_short",
	[ANOMALY_MEMORY_ONLY] = "memory_only",
	[ANOMALY_STATE_DELETED] = "state_deleted",
	[ANOMALY_PROCESS_LEFT] = "process_left",
	[ANOMALY_KEY_LEFT] = "key_left",
	[ANOMALY_CLIENTS_PAUSED] = "clients_paused",
	[ANOMALY_FAULT_LEFT] = "fault_left",
	[ANOMALY_DESCRIPTORS_LEFT] = "descriptors_left",
	[ANOMALY_REDIS_FAILOVER] = "redis_failover",
	[ANOMALY_REDIS_EVICTED] = "redis_evicted",
	[ANOMALY_REDIS_FLUSHED] = "redis_flushed",
	[ANOMALY_STATE_EXPIRED] = "state_expired",
	[ANOMALY_STEP_FAILED] = "step_failed",
	[ANOMALY_AGENT_ERROR] = "agent_error",
	[ANOMALY_NEVER_READY] = "never_ready",
};
AGREE(anomalies, ANOMALY_COUNT);

static const char *const reasons[] = {
	[REASON_NONE] = "none",
	[REASON_VACUOUS] = "vacuous",
	[REASON_SOURCE_LOST] = "source_lost",
	[REASON_LATE_GENERATOR] = "late_generator",
	[REASON_LOCAL_LIMIT] = "local_limit",
	[REASON_UNFINISHED] = "unfinished",
	[REASON_NO_COLOR] = "no_color",
	[REASON_NO_TAP] = "no_tap",
	[REASON_NO_DIGEST] = "no_digest",
	[REASON_RESOLUTION] = "resolution",
	[REASON_UNREACHABLE] = "unreachable",
	[REASON_NO_PHASE] = "no_phase",
	[REASON_INTERRUPTED] = "interrupted",
	[REASON_NO_FENCE] = "no_fence",
	[REASON_NO_BITE] = "no_bite",
};
AGREE(reasons, REASON_COUNT);

static const char *name(const char *const *table, size_t count, unsigned v)
{
	return v < count ? table[v] : "?";
}

static int parse(const char *const *table, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(table[i], word))
			return (int)i;
	}
	return -1;
}

#define NAME_FUNCTION(function, table)                  \
	const char *function(unsigned v)                \
	{                                               \
		return name(table, COUNT(table), v);    \
	}
#define PARSE_FUNCTION(function, table)                 \
	int function(const char *word)                  \
	{                                               \
		return parse(table, COUNT(table), word); \
	}

NAME_FUNCTION(color_name, colors)
NAME_FUNCTION(profile_name, profiles)
NAME_FUNCTION(phase_name, phases)
NAME_FUNCTION(dial_failure_name, dial_failures)
NAME_FUNCTION(leg_how_name, leg_hows)
NAME_FUNCTION(side_name, sides)
NAME_FUNCTION(call_end_name, call_ends)
NAME_FUNCTION(verb_name, verbs)
NAME_FUNCTION(redis_error_name, redis_errors)
NAME_FUNCTION(action_name, actions)
NAME_FUNCTION(residue_name, residues)
NAME_FUNCTION(anomaly_name, anomalies)
NAME_FUNCTION(reason_name, reasons)

PARSE_FUNCTION(color_parse, colors)
PARSE_FUNCTION(phase_parse, phases)
PARSE_FUNCTION(verb_parse, verbs)
PARSE_FUNCTION(anomaly_parse, anomalies)

enum redis_error redis_error_of(const char *text, size_t size)
{
	for (unsigned v = REDIS_ERROR_READONLY; v < REDIS_ERROR_COUNT; v++) {
		size_t length = strlen(redis_errors[v]);

		if (size >= length && !strncasecmp(text, redis_errors[v], length) &&
		    (size == length || text[length] == ' '))
			return (enum redis_error)v;
	}
	return REDIS_ERROR_OTHER;
}

bool phase_of_cutover(unsigned v)
{
	return v == PHASE_SHIFT || v == PHASE_BAKE || v == PHASE_DRAIN || v == PHASE_BUFFER ||
	       v == PHASE_TEARDOWN || v == PHASE_SCRIPT;
}
