#include "report/core/words.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/hash.h"

const char *claim_word(enum verdict verdict)
{
	static const char *const words[] = { [VERDICT_PASS] = "held",
					     [VERDICT_INCONCLUSIVE] = "not decided",
					     [VERDICT_FAIL] = "not held" };

	return words[verdict];
}

const char *run_outcome(const struct judgement *judgement)
{
	switch (judgement_exit_code(judgement)) {
	case EXIT_PASS:
		return "pass";
	case EXIT_FAIL:
		return "fail";
	case EXIT_INCONCLUSIVE:
		return "inconclusive";
	case EXIT_INTERRUPTED:
		return "interrupted";
	default:
		return "harness_error";
	}
}

static const char *const anomalies[] = {
	[ANOMALY_NONE] = "",
	[ANOMALY_FORK] = "two writers went on from the same state (P4, lost update)",
	[ANOMALY_ACK_LOST] = "a turn the caller saw answered is gone from the state (lost write)",
	[ANOMALY_REGRESS] = "an older state was shown after a newer one (monotonic reads violated)",
	[ANOMALY_STALE_RESUME] = "resumed from an old state although a newer one existed (stale read: read-your-writes violated)",
	[ANOMALY_PHANTOM_TURN] = "the state holds a turn nobody sent (garbage read), or one whose write was refused (G1a, aborted read)",
	[ANOMALY_TORN_STATE] = "turn count and digest are from different versions (G1b, intermediate read)",
	[ANOMALY_DIRTY_WRITE] = "two writers' keys are interleaved (G0, dirty write): a call kept in one key cannot have it",
	[ANOMALY_DOUBLE_APPLY] = "a turn was applied twice (duplicate element: a retry without a token)",
	[ANOMALY_REORDER] = "turns were applied in another order than sent (monotonic writes violated)",
	[ANOMALY_FIELD_STRIP] = "the other color's fields were lost in a rewrite (lost update of a field)",
	[ANOMALY_CROSS_CALL] = "another call's conversation appeared in this one (garbage read across keys)",
	[ANOMALY_EVAPORATED] = "the state of a live call was not there (expired, evicted or gone with its server)",
	[ANOMALY_ZOMBIE_WRITE] = "a fenced-off owner's write was accepted (fencing failure)",
	[ANOMALY_ACK_EARLY] = "answered before Redis had acknowledged the state (premature acknowledgement)",
	[ANOMALY_NEVER_PERSISTED] = "answered, and the state never reached Redis (premature acknowledgement)",
	[ANOMALY_INFO_SURFACED] = "a write of unknown outcome took effect later (legal: recovered)",
	[ANOMALY_TTL_MISSING] = "the state was written without its time to live",
	[ANOMALY_CUT_BY_SIGTERM] = "cut when its instance got SIGTERM",
	[ANOMALY_CUT_BY_SIGKILL] = "cut when its instance was killed",
	[ANOMALY_DEREGISTRATION_CUT] = "cut by the balancer when the deregistration delay ran out",
	[ANOMALY_IDLE_CUT] = "cut by the balancer's idle timeout",
	[ANOMALY_RELOAD_CUT] = "cut by a reload of the balancer",
	[ANOMALY_DRAIN_CAP_CUT] = "cut by a cap on the drain",
	[ANOMALY_TORN_DOWN_LIVE] = "torn down before it was drained",
	[ANOMALY_DRAIN_STUCK] = "the drain did not end within its deadline",
	[ANOMALY_DRAIN_LIE] = "the cutover believed it drained while calls were live",
	[ANOMALY_STICKY_DEBT] =
		"a cookie outlived its declared duration and pulled a call to the old color",
	[ANOMALY_STICKY_LOST] = "a valid cookie did not bring the call back to its color",
	[ANOMALY_ZERO_WEIGHT_LEAK] = "a color at weight 0 took new calls",
	[ANOMALY_NOT_SHIFTED] = "new calls still went to the old color after the shift",
	[ANOMALY_BLACK_WINDOW] = "new calls were answered with errors during the shift",
	[ANOMALY_MUTED] = "the leg was up and the caller heard nothing",
	[ANOMALY_TRUNCATED] = "the agent closed politely before the call's planned end",
	[ANOMALY_BLOCKED] = "the call was not admitted, or not again",
	[ANOMALY_UNKNOWN] = "no event of the record explains it",
	[ANOMALY_CONFIG_DRIFT] = "the effective configuration is not the intended one",
	[ANOMALY_ROLLBACK_FAILED] = "the rollback did not bring back what was before",
	[ANOMALY_BLUE_GONE] = "blue was gone: there was nothing to roll back to",
	[ANOMALY_SPLIT_OFF] = "fresh dials did not follow the weights",
	[ANOMALY_TLS_VERSION] = "the listener cannot speak TLS 1.3",
	[ANOMALY_TLS_CERTIFICATE] = "the listener's certificate is not valid for the callers",
	[ANOMALY_DOUBLE_VOICE] = "two instances spoke to the caller at a time",
	[ANOMALY_DISTURBED] = "made to reconnect more often than the scenario allows",
	[ANOMALY_DEAD_AIR] = "without a leg for longer than the scenario allows",
	[ANOMALY_DIAL_STORM] = "more dials within a second than the color takes",
	[ANOMALY_CLOSE_STORM] = "callers were sent away all at once, to dial again all at once",
	[ANOMALY_TTL_SHORT] = "the state was left less time to live than declared",
	[ANOMALY_FROZEN] = "its instance stood still",
	[ANOMALY_REDIS_REFUSED] = "Redis had refused a command of the call",
	[ANOMALY_FENCED_OFF] =
		"its agent found the state of the call gone, or another's, and let it go",
	[ANOMALY_TWO_PRIMARIES] =
		"acknowledged by a Redis that had been replaced as primary and did not know it",
	[ANOMALY_REDIS_ENDED] = "a Redis server ended, and with it what it alone knew",
	[ANOMALY_INSTANCE_DIED] = "its instance ended although nobody had told it to",
	[ANOMALY_DRAIN_CUT_SHORT] =
		"its instance ended its drain while the call was live",
	[ANOMALY_MEMORY_ONLY] = "no write of the call reached Redis: its state was kept in a process",
	[ANOMALY_STATE_DELETED] = "an agent had deleted the state of the live call",
	[ANOMALY_TTL_LONG] = "the state was given more time to live than declared",
	[ANOMALY_TTL_LOW] = "less of the time to live was left than the scenario allows",
	[ANOMALY_PROCESS_LEFT] = "a process of the run did not end by itself",
	[ANOMALY_KEY_LEFT] = "the state of a call outlives it for longer than declared",
	[ANOMALY_CLIENTS_PAUSED] = "Redis was left holding its clients back",
	[ANOMALY_FAULT_LEFT] = "a fault was not healed",
	[ANOMALY_DESCRIPTORS_LEFT] = "an instance without calls holds more descriptors than at first",
	[ANOMALY_REDIS_EVICTED] = "Redis threw keys away to make room",
	[ANOMALY_REDIS_FLUSHED] = "Redis was told to throw all its keys away",
	[ANOMALY_STEP_FAILED] = "a step of the cutover did not do what it was to do",
	[ANOMALY_AGENT_ERROR] = "its agent answered with an error",
	[ANOMALY_NEVER_READY] = "a leg was opened, and its agent never said a word on it",
	[ANOMALY_STATE_EXPIRED] = "nobody had given the state more time to live",
	[ANOMALY_REDIS_FAILOVER] = "agents turned to another Redis server, which lacks what the old one had",
};
_Static_assert(sizeof(anomalies) / sizeof(*anomalies) == ANOMALY_COUNT,
	       "every anomaly has its sentence");

static const char *const reasons[] = {
	[REASON_NONE] = "",
	[REASON_VACUOUS] = "too little came into the window it speaks about",
	[REASON_SOURCE_LOST] = "a source of the record is incomplete",
	[REASON_LATE_GENERATOR] = "our own callers were late, so lateness proves nothing",
	[REASON_LOCAL_LIMIT] = "a limit of this machine was hit",
	[REASON_UNFINISHED] = "calls were still live when the run ended",
	[REASON_NO_COLOR] = "legs did not say which color they are on",
	[REASON_NO_TAP] = "the Redis commands were not seen",
	[REASON_NO_DIGEST] = "the agent sends no digest: only counts could be compared",
	[REASON_RESOLUTION] = "too few samples to decide",
	[REASON_UNREACHABLE] = "one who had to answer did not, or refused",
	[REASON_NO_PHASE] = "the cutover never got there",
	[REASON_INTERRUPTED] = "the run was interrupted",
	[REASON_NO_BITE] = "a fault did not take effect: what it should have tried was not tried",
	[REASON_NO_FENCE] = "writes carry no epoch: a stale one cannot be told from a good one",
};
_Static_assert(sizeof(reasons) / sizeof(*reasons) == REASON_COUNT, "every reason has its sentence");

const char *anomaly_sentence(enum anomaly anomaly)
{
	return (unsigned)anomaly < ANOMALY_COUNT ? anomalies[anomaly] : "";
}

const char *reason_sentence(enum reason reason)
{
	return (unsigned)reason < REASON_COUNT ? reasons[reason] : "";
}

struct formatted call_label(const struct report_input *input, uint64_t call)
{
	const char *id = input->history ? history_call(input->history, call) : "";
	struct formatted f = { "" };

	if (*id)
		snprintf(f.s, sizeof(f.s), "%s", id);
	else if (call)
		hash_hex16(call, f.s);
	return f;
}

const char *instance_label(const struct report_input *input, uint8_t instance)
{
	return input->history && instance ? history_instance(input->history, instance) : "";
}

struct formatted phase_label(const struct scenario *scenario, const struct phase_result *phase)
{
	const char *name = phase_name(phase->phase);
	const struct step *step = NULL;
	struct formatted f;

	if (phase->step < scenario->step_count &&
	    scenario->steps[phase->step].phase == phase->phase)
		step = &scenario->steps[phase->step];
	if (step && phase->phase == PHASE_SHIFT)
		snprintf(f.s, sizeof(f.s), "%s blue %d green %d", name, step->blue, step->green);
	else if (phase->phase == PHASE_SHIFT && phase->asked_ns) /* a script's */
		snprintf(f.s, sizeof(f.s), "%s blue %u green %u", name, phase->blue, phase->green);
	else if (step && step->color != COLOR_UNKNOWN)
		snprintf(f.s, sizeof(f.s), "%s %s", name, color_name(step->color));
	else
		snprintf(f.s, sizeof(f.s), "%s", name);
	return f;
}

struct formatted gate_value(const struct gate *gate, double value)
{
	return gate->duration ? format_duration((int64_t)value) : format_number(value);
}

struct formatted run_date(const struct report_input *input)
{
	const struct lane_header *header = input->history ? history_header(input->history) : NULL;
	struct formatted none = { "" };

	if (!header)
		return none;
	return format_utc(header->realtime_ns + input->judgement->start_ns - header->monotonic_ns);
}

char *text_clean(const char *text)
{
	char *copy = xstrdup(text);

	text_scrub(copy);
	return copy;
}
