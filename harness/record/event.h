/*
 * An event: one fact with a time and a source, 64 bytes on disk and in memory, native byte order
 * (the lane header says which). What a field means depends on the kind; the X table below is the
 * one place that says so.
 *
 *   caller ── worker lane ─┐
 *   Redis  ── tap lane ────┤
 *   agents ── observer lane┼── merged by t_ns ──> history ──> checkers
 *   cutover ─ director lane┤
 *   children─ supervisor ──┘
 *
 * Stamps: a send is stamped before the write call, a receive after the read, each by its own
 * clock_now_ns().
 */
#ifndef RECORD_EVENT_H
#define RECORD_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "record/words.h"

struct event {
	int64_t t_ns;     /* CLOCK_MONOTONIC */
	int64_t due_ns;   /* when the plan wanted it; -1 if nobody planned it */
	uint64_t call;    /* hash_id of the call id; 0 when the event is of no call */
	uint64_t digest;
	uint32_t ver, epoch, seq; /* seq: gap-free per lane, from 0, set by the lane writer */
	uint32_t conn;    /* connection number, or a note (interned text), per kind */
	uint32_t aux;
	uint16_t turn, n, code, leg;
	uint8_t kind, color, instance, flags; /* instance: interned name, 0 = none */
};
_Static_assert(sizeof(struct event) == 64, "an event is 64 bytes");

/*
 * X(NAME, word, fields). `word` is the NDJSON kind. Fields not named are 0 (due_ns: -1).
 *
 * Common: due_ns = planned time; color/instance as said by the 101 or the first message.
 */
#define EVENT_KINDS(X)                                                                           \
	/* --- lane housekeeping (every lane) --- */                                             \
	X(LANE_END, "lane.end",                                                                  \
	  "aux: events lost for lack of room; ver: names in the lane, 0 not said. The last "     \
	  "event of a whole lane")                                                               \
	X(HEARTBEAT, "heartbeat",                                                                \
	  "aux: loop lag us since the last one; ver: cpu ms so far; epoch: rss KiB; n: "         \
	  "descriptors; code: enum lane_role, leg: index of the lane")                           \
	X(LIMIT, "limit",                                                                        \
	  "a bound of ours was hit. conn: note; aux: the limit; call/leg if of one")             \
	/* --- callers (worker lanes): call and leg always set --- */                            \
	X(CALL_START, "call.start",                                                              \
	  "due; flags: profile; turn: planned turns; aux: planned hold ms")                      \
	X(DIAL_INV, "dial.inv",                                                                  \
	  "due; leg; flags: DIAL_HAS_COOKIE when an affinity cookie was sent")                   \
	X(DIAL_OK, "dial.ok",                                                                    \
	  "leg; code: 101; color, instance; due: t of dial.inv; aux: TLS version (0x0304), "     \
	  "0 without; flags: DIAL_* below")                                                      \
	X(DIAL_FAIL, "dial.fail",                                                                \
	  "leg; code: HTTP status or 0; n: enum dial_failure; aux: attempt; due: t of "          \
	  "dial.inv")                                                                            \
	X(START_OK, "start.ok",                                                                  \
	  "leg 0 is admitted (ready): color, instance, n: turns, digest, ver, epoch; "           \
	  "flags: STATE_*")                                                                      \
	X(RESUME_INV, "resume.inv",                                                              \
	  "leg >= 1: first frame sent; turn: acked A; n: highest turn sent S")                   \
	X(RESUME_OK, "resume.ok",                                                                \
	  "leg >= 1 ready: color, instance, n: turns, digest, ver, epoch; flags: "               \
	  "STATE_*")                                                                             \
	X(TURN_INV, "turn.inv",                                                                  \
	  "due; turn: i; leg; digest: expected chain after i; ver,epoch: token high, "           \
	  "low 32 bits; flags: TURN_RESENT")                                                     \
	X(REPLY_OK, "reply.ok",                                                                  \
	  "turn: i; leg; color, instance; n: turns; digest, ver, epoch; aux: redis_us; "         \
	  "due: t of the turn.inv's due; flags: STATE_*")                                        \
	X(AGENT_NOTICE, "agent.notice",                                                          \
	  "draining or error from the agent: code 1 draining (aux: within ms), 2 error "         \
	  "(conn: note)")                                                                        \
	X(LEG_LOSE, "leg.lose",                                                                  \
	  "the caller's own planned loss, before the close: due; leg; flags: 1 RST, 0 "          \
	  "FIN")                                                                                 \
	X(LEG_END, "leg.end",                                                                    \
	  "leg; code: close code (0 without a frame); n: enum leg_how; flags: enum "             \
	  "side; color, instance; aux: ms since the last byte received on it")                   \
	X(HANGUP_INV, "hangup.inv",                                                              \
	  "planned hangup: bye is about to be sent. due; leg; turn: turns sent")                 \
	X(CALL_END, "call.end",                                                                  \
	  "code: enum call_end; leg: last leg; turn: turns answered; aux: legs used")            \
	/* --- Redis tap --- conn: connection; call: hash_id of the id in the key; flags: CMD_*  \
	 * --- */                                                                                \
	X(TAP_OPEN, "tap.open",                                                                  \
	  "conn, instance, color: an agent connected; aux: to which server, from 0")             \
	X(TAP_CLOSE, "tap.close", "conn, instance, color, aux; n: commands unanswered")          \
	X(CMD_INV, "cmd.inv",                                                                    \
	  "conn, instance, color, code: enum verb, aux: ttl s (0 none), n: turns, "              \
	  "digest, ver, epoch of the value written; turn: how many fields it has, leg: which, "  \
	  "as a set of 16 bits (tap/command.h); flags: CMD_*")                                   \
	X(CMD_OK, "cmd.ok",                                                                      \
	  "same; due: t of its cmd.inv; GET: n, digest, ver, epoch, fields of the value read, "  \
	  "flags: CMD_NIL")                                                                      \
	X(CMD_ERR, "cmd.err",                                                                    \
	  "same as cmd.inv; due: t of its cmd.inv; an error reply that guarantees no "           \
	  "effect; aux: enum redis_error")                                                                              \
	X(CMD_INFO, "cmd.info",                                                                  \
	  "same; due: t of its cmd.inv; the connection ended before a reply: effect "            \
	  "unknown")                                                                             \
	/* --- supervisor: processes --- */                                                      \
	X(SPAWN, "spawn", "instance or note of the program in conn; color; aux: pid")            \
	X(SIGNAL, "signal", "just before kill: instance, color, code: signal number")            \
	X(EXIT, "exit",                                                                          \
	  "instance, color, conn: note of the program, aux: pid; code: exit status, or "         \
	  "128 + signal")                                                                        \
	/* --- director --- */                                                                   \
	X(RUN_START, "run.start",                                                                \
	  "the schedule's zero: all due_ns of the plan count from t_ns. n: workers")             \
	X(RUN_END, "run.end",                                                                    \
	  "flags: 1 interrupted, 2 early (a step failed, nothing to wait for), 4 a failure "     \
	  "of ours, 8 a deployed system that would not have us begin; conn notes which. The "    \
	  "supervisor's own comes before it ends the stack")                                     \
	X(PHASE_BEGIN, "phase.begin",                                                            \
	  "code: enum phase; n: step number; conn: note with its words")                         \
	X(PHASE_END, "phase.end",                                                                \
	  "code: enum phase; n: step number; flags: 0 ok, 1 failed, 2 not reached; "             \
	  "conn: note of the error")                                                             \
	X(ACTION_INV, "action.inv", "code: enum action; instance, color if of one; conn: note")  \
	X(ACTION_OK, "action.ok", "same; due: t of its action.inv")                              \
	X(ACTION_FAIL, "action.fail", "same; due: t of its action.inv; conn: note of the error") \
	X(WEIGHT_INV, "weight.inv", "before asking: ver: blue weight, epoch: green weight")      \
	X(WEIGHT_OK, "weight.ok", "the balancer said yes: same; due: t of its weight.inv")       \
	X(CONFIG, "config",                                                                      \
	  "effective configuration read back: ver, epoch: weights; aux: group "                  \
	  "stickiness s (0 off); turn: target stickiness s (0 off, capped 65535); n: "           \
	  "deregistration delay s; code: idle timeout s (0 not known); conn: note with all of "  \
	  "it; digest: hash of that text; flags: 1 the snapshot before the cutover, 2 equals the snapshot")               \
	X(BELIEF, "belief",                                                                      \
	  "a claim `drained`: color; n: claimed live; aux: instances asked; digest: bit"         \
	  " set of unreachable ones")                                                            \
	X(PROBE_OK, "probe.ok",                                                                  \
	  "smoke or rollback dial: call, instance, color; n: turns read back from "              \
	  "Redis; aux: us")                                                                      \
	X(PROBE_FAIL, "probe.fail",                                                              \
	  "call, instance, color; conn: note of the error; flags: 1 one of a series, which the "  \
	  "action it belongs to speaks for")                                                      \
	/* --- observer --- */                                                                   \
	X(COUNT, "count",                                                                        \
	  "active calls an instance says: instance, color, n; flags: 1 unreachable")             \
	X(KEY, "key",                                                                            \
	  "a probe read of a call's key: call, n, digest; aux: remaining ttl s; flags: "         \
	  "CMD_NIL, CMD_HAS_STATE; due: when it was asked")                                                                             \
	/* --- director, since the first version: kinds are only ever appended --- */           \
	X(SAID, "said", "a line of the operator's script, as it came. conn: note")               \
	X(TLS, "tls",                                                                            \
	  "a handshake of our own with the listener: code: version agreed on (0x0304), 0 "       \
	  "none; n: enum dial_failure (ok, tls_version, tls_cert, ...); flags: TLS_*; due: "     \
	  "its begin; aux: days the certificate is still good; conn: note: all of it, or why "   \
	  "not")                                                                                 \
	X(WITNESS, "witness",                                                                    \
	  "active connections as the balancer's own metrics count them, both sides: aux; "       \
	  "flags: 1 no data point")                                                              \
	/* --- Redis tap, again --- */                                                           \
	X(BYPASS, "bypass",                                                                      \
	  "clients of Redis that did not come through the tap and are none of ours. n: new; "    \
	  "aux: connections of the tap; conn: note: address, name and last command of one")      \
	/* --- faults: what was asked for, done and ended; a bite is evidence of its own --- */  \
	X(FAULT_INV, "fault.inv",                                                                \
	  "before arming: n: number of the fault; conn: note with its words; color if of one")   \
	X(FAULT_OK, "fault.ok", "armed: n; color; conn: note; due: t of its fault.inv")          \
	X(FAULT_HEAL, "fault.heal",                                                              \
	  "over: n; color; conn: note; aux: how often it bit; due: t of its fault.inv")          \
	X(BITE, "bite",                                                                          \
	  "a fault took effect: n: its number; conn, instance, color, call, code: enum verb of " \
	  "the command; due: t of its cmd.inv")                                                  \
	/* --- observer, again --- */                                                            \
	X(CONTROL, "control",                                                                    \
	  "a command of our own on a key of our own, straight to Redis: code: enum verb; aux: us; " \
	  "flags: CONTROL_UNANSWERED, then aux is its age; conn: note: the server, of the first "  \
	  "command to another than before")                                                        \
	/* --- director, again --- */                                                            \
	X(RELOAD, "reload",                                                                      \
	  "the balancer took up a new configuration in new workers; the old ones serve on. aux: " \
	  "ms until they are cut off, 0: never; conn: note")                             \
	/* --- supervisor, at its end --- */                                                     \
	X(RESIDUE, "residue",                                                                    \
	  "what a run leaves behind: code: enum residue; aux: how many were looked at; n: how "  \
	  "many of them are left; conn: note: which, or why nobody could look; flags: "          \
	  "RESIDUE_UNSEEN")                                                                      \
	/* --- observer, once more --- */                                                        \
	X(REDIS_ROLE, "redis.role",                                                              \
	  "what a server behind Sentinel says it is: n: its number, from 0 as in tap.open; "     \
	  "code: enum redis_role; aux: connected replicas; digest: its replication offset; "     \
	  "ver: the first 32 bits of its replication id; conn: note: its address")              \
	/* --- director: faults of the scenario, numbered from FAULT_NUMBERS_FROM + 1 --- */     \
	X(FAULT_FAIL, "fault.fail",                                                              \
	  "could not be begun, or not be healed: n; conn: note of the error; due: t of its "     \
	  "fault.inv")                                                                          \
	/* --- observer, a third time --- */                                                     \
	X(REDIS_PURGE, "redis.purge",                                                            \
	  "a look at what Redis counts of the keys it threw away. digest: evicted; ver: times "  \
	  "it was flushed; n: its server, from 0 as in tap.open; due: when it was asked before " \
	  "this; aux: us it took to answer; conn: note: its limit of memory and policy")

enum event_kind {
#define X(NAME, word, fields) EVENT_##NAME,
	EVENT_KINDS(X)
#undef X
	EVENT_KIND_COUNT
};
_Static_assert(EVENT_KIND_COUNT <= 64, "checkers name the kinds they want in one 64-bit set");

/* The tap numbers its levers; above them are the scenario's faults, in its order, from 1. One that
 * is a lever is called by its number there: "cut as fault-1". */
enum { FAULT_NUMBERS_FROM = 64 };
#define FAULT_LEVER_NAME "fault-"
/* flags of run.end */
enum { RUN_INTERRUPTED = 1, RUN_EARLY = 2, RUN_BROKE = 4, RUN_REFUSED = 8 };
/* flags of dial.inv and dial.ok */
enum {
	DIAL_HAS_COOKIE = 1, /* an affinity cookie went out with the dial */
	DIAL_SET_COOKIE = 2  /* the 101 (re)issued an affinity cookie */
};
/* flags of start.ok, resume.ok, reply.ok: which fields the agent really sent */
enum {
	STATE_HAS_DIGEST = 1,
	STATE_HAS_VER = 2,
	STATE_HAS_EPOCH = 4,
	STATE_HAS_TURNS = 8,
	STATE_TWO_ORIGINS = 16 /* ready: the 101 had named another color or instance */
};
/* code of agent.notice */
enum { NOTICE_DRAINING = 1, NOTICE_ERROR = 2 };
enum { TURN_RESENT = 1 };
/* flags of control */
enum { CONTROL_UNANSWERED = 1 };
/* flags of residue: nobody could look */
enum { RESIDUE_UNSEEN = 1 };
/* code of redis.role */
enum redis_role { REDIS_ROLE_SILENT = 0, REDIS_ROLE_PRIMARY, REDIS_ROLE_REPLICA };
/* flags of tls: what the handshake offered */
enum { TLS_ONLY_13 = 1 };
/* flags of cmd.* */
enum {
	CMD_NIL = 1,       /* the reply was nil */
	CMD_HAS_STATE = 2, /* n and digest were found in the value */
	CMD_PROBE = 4,     /* the key is a probe's (id p-...) */
	CMD_CALL_KEY = 8,  /* the key matches the scenario's state.key; call is set */
	CMD_KEEP_TTL = 16, /* KEEPTTL: what is left of the time to live stays */
	CMD_TTL_AT = 32    /* EXAT, PXAT: until a time of day; how long that is, is not said */
};

const char *event_kind_name(unsigned kind);   /* "dial.ok"; "?" outside */
int event_kind_parse(const char *word);       /* or -1 */
const char *event_kind_fields(unsigned kind); /* the table's text */
bool event_conn_is_note(unsigned kind);       /* `conn` is a note of the lane, not a connection */
/* Zeroed event with kind and stamp, due -1. */
struct event event_make(enum event_kind kind, int64_t t_ns);

#endif
