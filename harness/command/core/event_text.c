#include "command/core/event_text.h"

#include <string.h>

#include "base/hash.h"
#include "net/tls.h"
#include "report/core/format.h"

const char *event_witness(unsigned kind)
{
	if (kind >= EVENT_CALL_START && kind <= EVENT_CALL_END)
		return "caller";
	if (kind >= EVENT_TAP_OPEN && kind <= EVENT_CMD_INFO)
		return "redis";
	if (kind >= EVENT_SPAWN && kind <= EVENT_EXIT)
		return "process";
	if (kind >= EVENT_RUN_START && kind <= EVENT_PROBE_FAIL)
		return "cutover";
	if (kind >= EVENT_BYPASS && kind <= EVENT_BITE)
		return "redis";
	if (kind == EVENT_COUNT || kind == EVENT_KEY || kind == EVENT_CONTROL ||
	    kind == EVENT_REDIS_ROLE || kind == EVENT_REDIS_PURGE)
		return "observer";
	if (kind == EVENT_SAID)
		return "script";
	if (kind == EVENT_RESIDUE)
		return "residue";
	if (kind == EVENT_TLS || kind == EVENT_WITNESS || kind == EVENT_RELOAD)
		return "cutover";
	return "record";
}

static void where(const struct history *history, const struct event *e, struct buf *out)
{
	const char *instance = history_instance(history, e->instance);

	if (*instance)
		buf_printf(out, " on %s", instance);
	else if (e->color != COLOR_UNKNOWN)
		buf_printf(out, " on %s", color_name(e->color));
}

static void note(const struct history *history, const struct event *e, struct buf *out)
{
	const char *text = event_conn_is_note(e->kind) ? history_note(history, e->conn) : "";

	/* Not what the words before it have said: "smoke: smoke", "deregister on blue: blue". */
	if (*text && !strstr(buf_text(out), text))
		buf_printf(out, ": %s", text);
}

static void after(const struct event *e, struct buf *out)
{
	if (e->due_ns > 0)
		buf_printf(out, ", after %s", format_duration(e->t_ns - e->due_ns).s);
}

/* The caller's own lateness, told when it is worth a word. */
static void lateness(const struct event *e, struct buf *out)
{
	enum { worth_telling_ns = 1000000 };

	if (e->due_ns > 0 && e->t_ns - e->due_ns >= worth_telling_ns)
		buf_printf(out, ", %s after it was due", format_duration(e->t_ns - e->due_ns).s);
}

static void state(const struct event *e, uint8_t has_turns, uint8_t has_digest, struct buf *out)
{
	char digest[17];

	if (e->flags & has_turns)
		buf_printf(out, ", state holds %u turns", e->n);
	if (e->flags & has_digest) {
		hash_hex16(e->digest, digest);
		buf_printf(out, ", digest %s", digest);
	}
	if (e->ver)
		buf_printf(out, ", version %u", e->ver);
	if (e->epoch)
		buf_printf(out, ", epoch %u", e->epoch);
}

static void dial(const struct history *history, const struct event *e, struct buf *out)
{
	buf_printf(out, "leg %u", e->leg);
	if (e->kind == EVENT_DIAL_INV) {
		buf_puts(out, e->flags & DIAL_HAS_COOKIE ? " dials with its cookie" :
							   " dials without a cookie");
		lateness(e, out);
		return;
	}
	where(history, e, out);
	if (e->kind == EVENT_DIAL_FAIL) {
		buf_printf(out, " refused: %s", dial_failure_name(e->n));
		if (e->code)
			buf_printf(out, ", HTTP %u", e->code);
		if (e->aux)
			buf_printf(out, ", attempt %u", e->aux);
	} else {
		buf_printf(out, ", HTTP %u", e->code);
		if (e->aux)
			buf_printf(out, " over %s", tls_version_text((uint16_t)e->aux));
		if (e->flags & DIAL_SET_COOKIE)
			buf_puts(out, ", cookie set");
	}
	after(e, out);
}

static void ending(const struct history *history, const struct event *e, struct buf *out)
{
	buf_printf(out, "leg %u", e->leg);
	where(history, e, out);
	buf_printf(out, " ended by the %s: %s", side_name(e->flags), leg_how_name(e->n));
	if (e->code)
		buf_printf(out, " %u", e->code);
	buf_printf(out, ", last byte %u ms before", e->aux);
}

static void command(const struct history *history, const struct event *e, struct buf *out)
{
	buf_printf(out, "%s", verb_name(e->code));
	where(history, e, out);
	if (e->kind == EVENT_CMD_ERR && e->aux)
		buf_printf(out, ", refused by Redis (%s)", redis_error_name(e->aux));
	else if (e->kind == EVENT_CMD_ERR)
		buf_puts(out, ", without effect");
	if (e->kind == EVENT_CMD_INFO)
		buf_puts(out, ", no reply came: effect unknown");
	if (e->flags & CMD_NIL)
		buf_puts(out, ", nil");
	if (e->flags & CMD_HAS_STATE)
		state(e, CMD_HAS_STATE, CMD_HAS_STATE, out);
	if (e->aux && e->kind != EVENT_CMD_ERR)
		buf_printf(out, ", ttl %u s", e->aux);
	buf_printf(out, ", connection %u", e->conn);
	after(e, out);
}

static void weights(const struct event *e, struct buf *out)
{
	buf_printf(out, "blue %u green %u", e->ver, e->epoch);
	if (e->kind == EVENT_WEIGHT_OK)
		after(e, out);
}

static void belief(const struct event *e, struct buf *out)
{
	buf_printf(out, "the cutover believes %s drained: %u live on %u instances",
		   color_name(e->color), e->n, e->aux);
	if (e->digest)
		buf_puts(out, ", some unreachable");
}

static void turn(const struct history *history, const struct event *e, struct buf *out)
{
	buf_printf(out, "turn %u on leg %u", e->turn, e->leg);
	if (e->kind == EVENT_TURN_INV) {
		buf_puts(out, e->flags & TURN_RESENT ? " sent again" : " sent");
		lateness(e, out);
		return;
	}
	buf_puts(out, " answered");
	where(history, e, out);
	state(e, STATE_HAS_TURNS, STATE_HAS_DIGEST, out);
	if (e->aux)
		buf_printf(out, ", %s of it in Redis", format_duration(e->aux * 1000LL).s);
	if (e->due_ns > 0)
		buf_printf(out, ", %s after the turn was due",
			   format_duration(e->t_ns - e->due_ns).s);
}

void event_describe(const struct history *history, const struct event *e, struct buf *out)
{
	switch ((enum event_kind)e->kind) {
	case EVENT_CALL_START:
		buf_printf(out, "%s, %u turns planned, to hold %s", profile_name(e->flags), e->turn,
			   format_duration(e->aux * 1000000LL).s);
		lateness(e, out);
		break;
	case EVENT_DIAL_INV:
	case EVENT_DIAL_OK:
	case EVENT_DIAL_FAIL:
		dial(history, e, out);
		break;
	case EVENT_START_OK:
	case EVENT_RESUME_OK:
		buf_printf(out, "leg %u %s", e->leg,
			   e->kind == EVENT_START_OK ? "admitted" : "resumed");
		where(history, e, out);
		state(e, STATE_HAS_TURNS, STATE_HAS_DIGEST, out);
		if (e->flags & STATE_TWO_ORIGINS)
			buf_puts(out, ", where the 101 had named another place");
		break;
	case EVENT_RESUME_INV:
		buf_printf(out, "leg %u asks to resume: %u turns answered, %u sent", e->leg,
			   e->turn, e->n);
		break;
	case EVENT_TURN_INV:
	case EVENT_REPLY_OK:
		turn(history, e, out);
		break;
	case EVENT_AGENT_NOTICE:
		if (e->code == NOTICE_DRAINING)
			buf_printf(out, "the agent drains within %u ms", e->aux);
		else
			buf_printf(out, "the agent reports an error");
		note(history, e, out);
		break;
	case EVENT_LEG_LOSE:
		buf_printf(out, "leg %u is lost on purpose (%s)", e->leg, e->flags ? "RST" : "FIN");
		break;
	case EVENT_LEG_END:
		ending(history, e, out);
		break;
	case EVENT_HANGUP_INV:
		buf_printf(out, "planned hangup on leg %u after %u turns", e->leg, e->turn);
		break;
	case EVENT_CALL_END:
		buf_printf(out, "%s: %u turns answered, %u legs", call_end_name(e->code), e->turn,
			   e->aux);
		break;
	case EVENT_CMD_INV:
	case EVENT_CMD_OK:
	case EVENT_CMD_ERR:
	case EVENT_CMD_INFO:
		command(history, e, out);
		break;
	case EVENT_SIGNAL:
		buf_printf(out, "%s to %s",
			   sigabbrev_np(e->code) ? sigabbrev_np(e->code) : "signal",
			   history_instance(history, e->instance));
		break;
	case EVENT_EXIT:
		buf_printf(out, "%s ended, status %u", history_instance(history, e->instance),
			   e->code);
		note(history, e, out);
		break;
	case EVENT_PHASE_BEGIN:
	case EVENT_PHASE_END:
		buf_printf(out, "%s", phase_name(e->code));
		note(history, e, out);
		break;
	case EVENT_ACTION_INV:
	case EVENT_ACTION_OK:
	case EVENT_ACTION_FAIL:
		buf_printf(out, "%s", action_name(e->code));
		where(history, e, out);
		note(history, e, out);
		break;
	case EVENT_WEIGHT_INV:
	case EVENT_WEIGHT_OK:
		weights(e, out);
		break;
	case EVENT_BELIEF:
		belief(e, out);
		break;
	case EVENT_PROBE_OK:
	case EVENT_PROBE_FAIL:
		buf_printf(out, "probe");
		where(history, e, out);
		note(history, e, out);
		break;
	case EVENT_KEY:
		buf_puts(out, e->flags & CMD_NIL ? "we saw no state" : "we saw the state");
		if (e->flags & CMD_HAS_STATE)
			buf_printf(out, ", %u turns", e->n);
		if (!(e->flags & CMD_NIL))
			buf_printf(out, ", %u s to live", e->aux);
		break;
	case EVENT_LIMIT:
		buf_printf(out, "a limit of this machine: %u", e->aux);
		note(history, e, out);
		break;
	case EVENT_SAID:
		buf_puts(out, "the script said");
		note(history, e, out);
		break;
	case EVENT_TLS:
		buf_printf(out, "handshake with the listener%s: %s",
			   e->flags & TLS_ONLY_13 ? ", TLS 1.3 only" : "", dial_failure_name(e->n));
		note(history, e, out);
		break;
	case EVENT_WITNESS:
		buf_printf(out, "the balancer's metrics count %u connections", e->aux);
		break;
	case EVENT_BYPASS:
		buf_printf(out, "%u clients spoke to Redis past the tap", e->n);
		note(history, e, out);
		break;
	case EVENT_FAULT_INV:
	case EVENT_FAULT_OK:
	case EVENT_FAULT_HEAL:
	case EVENT_FAULT_FAIL:
		buf_printf(out, "fault %u %s", e->n,
			   e->kind == EVENT_FAULT_INV  ? "is asked for" :
			   e->kind == EVENT_FAULT_OK   ? "is armed" :
			   e->kind == EVENT_FAULT_FAIL ? "failed" :
							 "is over");
		note(history, e, out);
		break;
	case EVENT_RELOAD:
		buf_puts(out, "the balancer took up a new configuration");
		if (e->aux)
			buf_printf(out, ", cuts what is left after %u ms", e->aux);
		note(history, e, out);
		break;
	case EVENT_BITE:
		if (e->n > FAULT_NUMBERS_FROM)
			buf_printf(out, "fault %u shows", e->n);
		else
			buf_printf(out, "fault %u took this %s", e->n, verb_name(e->code));
		where(history, e, out);
		break;
	case EVENT_CONTROL:
		buf_printf(out, "our own %s%s %s", verb_name(e->code),
			   e->flags & CONTROL_UNANSWERED ? ": no answer for" : " took",
			   format_duration(e->aux * 1000LL).s);
		if (e->conn)
			buf_puts(out, ", at another server than before");
		note(history, e, out);
		break;
	case EVENT_REDIS_ROLE:
		if (e->code == REDIS_ROLE_PRIMARY)
			buf_printf(out, "server %u is the primary of %u replicas, offset %llu",
				   e->n + 1, e->aux, (unsigned long long)e->digest);
		else if (e->code == REDIS_ROLE_REPLICA)
			buf_printf(out, "server %u is a replica, offset %llu", e->n + 1,
				   (unsigned long long)e->digest);
		else
			buf_printf(out, "server %u does not say what it is", e->n + 1);
		note(history, e, out);
		break;
	case EVENT_REDIS_PURGE:
		buf_printf(out, "server %u has evicted %llu keys and was flushed %u times",
			   e->n + 1, (unsigned long long)e->digest, e->ver);
		note(history, e, out);
		break;
	case EVENT_RESIDUE:
		if (e->flags & RESIDUE_UNSEEN)
			buf_printf(out, "%s: nobody could look", residue_name(e->code));
		else
			buf_printf(out, "%s: %u of %u are left", residue_name(e->code), e->n,
				   e->aux);
		note(history, e, out);
		break;
	case EVENT_TAP_OPEN:
		buf_printf(out, "connects to Redis server %u", e->aux);
		where(history, e, out);
		break;
	case EVENT_LANE_END:
	case EVENT_HEARTBEAT:
	case EVENT_TAP_CLOSE:
	case EVENT_SPAWN:
	case EVENT_RUN_START:
	case EVENT_RUN_END:
	case EVENT_CONFIG:
	case EVENT_COUNT:
	case EVENT_KIND_COUNT:
		where(history, e, out);
		note(history, e, out);
		break;
	}
}
