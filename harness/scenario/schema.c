#include "scenario/schema.h"

#include "base/clock.h"
#include "scenario/overlay.h"

#define IN(type, member) .offset = offsetof(struct type, member)
#define MAP_OF(array) .fields = (array), .count = sizeof(array) / sizeof *(array)
#define WHOLE_SECONDS .granule_ns = NS_PER_S
#define HOURS(n) ((n) * 3600 * NS_PER_S)

static const char *const stack_kinds[] = { [STACK_NONE] = "none", [STACK_LOCAL] = "local", NULL };
static const char *const redis_kinds[] = { [REDIS_SINGLE] = "single", NULL };
static const char *const color_words[] = { [COLOR_UNKNOWN] = "", [COLOR_BLUE] = "blue", [COLOR_GREEN] = "green", NULL };
static const char *const begin_words[] = {
	[BEGIN_NONE] = "none", [BEGIN_SIGTERM] = "sigterm", [BEGIN_DEREGISTER] = "deregister", NULL,
};
static const char *const lose_words[] = {
	[LOSE_BETWEEN_TURNS] = "between_turns", [LOSE_MID_TURN] = "mid_turn", NULL,
};
static const char *const phase_words[] = {
	[PHASE_BEFORE] = "",      [PHASE_STEADY] = "steady", [PHASE_SMOKE] = "smoke",       [PHASE_SHIFT] = "shift",
	[PHASE_DRAIN] = "drain",  [PHASE_BUFFER] = "buffer", [PHASE_TEARDOWN] = "teardown", [PHASE_ROLLBACK] = "rollback",
	NULL,
};

/* --- stack --- */

/* What the local parts really do, where that is not what the timers declare. */
#define STACK_DEEDS(at)                                                                                              \
	{ .key = "agent_defect", .about = "defect planted in every agent", .offset = (at) + offsetof(struct stack, agent_defect) }, \
	{ .key = "green_defect", .about = "defect planted in green agents", .offset = (at) + offsetof(struct stack, green_defect) }, \
	{ .key = "stickiness", .about = "how long both cookies really live", .type = FIELD_DURATION, .absent = -1,   \
	  .offset = (at) + offsetof(struct stack, stickiness_ns), WHOLE_SECONDS },                                   \
	{ .key = "deregistration_delay", .about = "the delay the balancer really keeps", .type = FIELD_DURATION,     \
	  .absent = -1, .offset = (at) + offsetof(struct stack, deregistration_delay_ns), WHOLE_SECONDS },           \
	{ .key = "idle", .about = "the idle timeout the balancer really keeps", .type = FIELD_DURATION, .absent = -1, \
	  .min = NS_PER_S, .offset = (at) + offsetof(struct stack, idle_ns), WHOLE_SECONDS }

static const struct field stack_fields[] = {
	{ .key = "kind", .about = "local: started by the run; none: a deployed system", .type = FIELD_WORD,
	  .words = stack_kinds, .fallback = "local", IN(stack, kind) },
	{ .key = "instances", .about = "agents per color", .type = FIELD_INTEGER, .fallback = "2", .min = 1, .max = 16,
	  IN(stack, instances) },
	{ .key = "think", .about = "how long an agent thinks about a turn", .type = FIELD_DURATION, .fallback = "30ms",
	  .max = 60 * NS_PER_S, .granule_ns = NS_PER_MS, IN(stack, think_ns) },
	{ .key = "redis", .about = "what holds the state", .type = FIELD_WORD, .words = redis_kinds, .fallback = "single",
	  IN(stack, redis) },
	STACK_DEEDS(0),
};
static const struct map stack_map = { .name = "stack", MAP_OF(stack_fields), .scalar_key = "kind" };

/* --- target, state, balancer --- */

static const struct field direct_fields[] = {
	{ .key = "blue", .about = "URL of blue past the balancer", IN(scenario, target.direct_blue) },
	{ .key = "green", .about = "URL of green past the balancer, for the smoke test", IN(scenario, target.direct_green) },
};
static const struct map direct_map = { .name = "target.direct", MAP_OF(direct_fields) };

static const struct field target_fields[] = {
	{ .key = "url", .about = "where callers dial; ${alb}, ${call} and ${run} are bound late",
	  .fallback = "ws://${alb}/realtime/${call}", .local_fallback = true, IN(scenario, target.url) },
	{ .key = "wire", .about = "the dialect spoken", .fallback = "plain", IN(scenario, target.wire) },
	{ .key = "direct", .about = "each color's own address", .type = FIELD_MAP, .map = &direct_map },
};
static const struct map target_map = { .name = "target", MAP_OF(target_fields) };

static const struct field state_fields[] = {
	{ .key = "redis", .about = "host:port of the Redis that holds the state", .fallback = "${redis}",
	  .local_fallback = true, IN(scenario, state.redis) },
	{ .key = "key", .about = "key of one call's state", .fallback = "call:${call}", IN(scenario, state.key) },
	{ .key = "ttl", .about = "time to live each write sets", .type = FIELD_DURATION, .fallback = "30m", .min = NS_PER_S,
	  WHOLE_SECONDS, IN(scenario, state.ttl_ns) },
	{ .key = "tap", .about = "watch Redis through the tap (local stack)", .type = FIELD_FLAG, .fallback = "on",
	  IN(scenario, state.tap) },
};
static const struct map state_map = { .name = "state", MAP_OF(state_fields) };

static const struct field balancer_fields[] = {
	{ .key = "driver", .about = "the balancer's driver", .fallback = "alb", IN(scenario, balancer.driver) },
	{ .key = "path", .about = "path pattern of the rule that carries the weights", .fallback = "/realtime/*",
	  IN(scenario, balancer.path) },
	{ .key = "endpoint", .about = "URL of the control plane; the local stack brings its own",
	  IN(scenario, balancer.endpoint) },
	{ .key = "rule", .about = "the rule itself (an ARN), instead of finding it by path", IN(scenario, balancer.rule) },
};
static const struct map balancer_map = { .name = "balancer", MAP_OF(balancer_fields) };

/* --- timers --- */

static const struct field stickiness_fields[] = {
	{ .key = "group", .about = "cookie that binds to a color", .type = FIELD_DURATION, .required = true, WHOLE_SECONDS,
	  IN(timers_declared, stickiness_group_ns) },
	{ .key = "target", .about = "cookie that binds to an instance", .type = FIELD_DURATION, .required = true,
	  WHOLE_SECONDS, IN(timers_declared, stickiness_target_ns) },
};
static const struct map stickiness_map = { .name = "stickiness", MAP_OF(stickiness_fields), .scalar_all = true };

static const struct field timers_fields[] = {
	{ .key = "stickiness", .about = "how long an affinity cookie binds; 0 is off", .type = FIELD_MAP,
	  .map = &stickiness_map, .required = true },
	{ .key = "deregistration_delay", .about = "how long a deregistered target keeps its connections",
	  .type = FIELD_DURATION, .required = true, WHOLE_SECONDS, IN(timers_declared, deregistration_delay_ns) },
	{ .key = "idle", .about = "a silent connection is cut after this", .type = FIELD_DURATION, .required = true,
	  .min = NS_PER_S, WHOLE_SECONDS, IN(timers_declared, idle_ns) },
	{ .key = "longest_call", .about = "no call is longer than this", .type = FIELD_DURATION, .required = true,
	  .min = NS_PER_MS, IN(timers_declared, longest_call_ns) },
	{ .key = "propagation", .about = "after this new weights hold everywhere", .type = FIELD_DURATION, .fallback = "1s",
	  IN(timers_declared, propagation_ns) },
	{ .key = "dead_after", .about = "a turn unanswered for longer is a dropped (muted) call", .type = FIELD_DURATION,
	  .fallback = "5s", .min = NS_PER_MS, IN(timers_declared, dead_after_ns) },
	{ .key = "setup_within", .about = "a call not admitted within this is refused", .type = FIELD_DURATION,
	  .fallback = "5s", .min = NS_PER_MS, IN(timers_declared, setup_within_ns) },
};
static const struct map timers_map = { .name = "timers", MAP_OF(timers_fields) };

/* --- calls --- */

#define DIST_FIELDS(at, lognormal_map)                                                                                \
	{ .key = "fixed", .about = "always this", .type = FIELD_DURATION, .tagged = true, .tag = DIST_FIXED,          \
	  .offset = (at) + offsetof(struct dist, mean_ns) },                                                          \
	{ .key = "uniform", .about = "anything between, as 3s..12s", .type = FIELD_RANGE, .tagged = true,             \
	  .tag = DIST_UNIFORM, .offset = (at) + offsetof(struct dist, min_ns) },                                      \
	{ .key = "exponential", .about = "this on average", .type = FIELD_DURATION, .min = NS_PER_MS, .tagged = true, \
	  .tag = DIST_EXPONENTIAL, .offset = (at) + offsetof(struct dist, mean_ns) },                                 \
	{ .key = "lognormal", .about = "mean of the values and sigma of their logarithm", .type = FIELD_MAP,          \
	  .map = (lognormal_map), .tagged = true, .tag = DIST_LOGNORMAL, .offset = (at) },                            \
	{ .key = "min", .about = "a smaller value is drawn again", .type = FIELD_DURATION, .absent = 0,               \
	  .barred = true, .barred_by = DIST_UNIFORM, .offset = (at) + offsetof(struct dist, min_ns) },                \
	{ .key = "max", .about = "a larger value is drawn again", .type = FIELD_DURATION, .absent = INT64_MAX,        \
	  .min = NS_PER_MS, .barred = true, .barred_by = DIST_UNIFORM, .offset = (at) + offsetof(struct dist, max_ns) }

static const struct field lognormal_fields[] = {
	{ .key = "mean", .about = "mean of the values themselves", .type = FIELD_DURATION, .required = true,
	  .min = NS_PER_MS, IN(dist, mean_ns) },
	{ .key = "sigma", .about = "sigma of the logarithm", .type = FIELD_NUMBER, .required = true, .max = 5, IN(dist, sigma) },
};
static const struct map lognormal_map = { .name = "lognormal", MAP_OF(lognormal_fields) };

static const struct field hold_fields[] = { DIST_FIELDS(0, &lognormal_map) };
static const struct map hold_map = {
	.name = "a distribution", MAP_OF(hold_fields), .scalar_key = "fixed", .tagged = true, .tag_offset = offsetof(struct dist, kind),
};

static const struct field silence_fields[] = {
	{ .key = "share", .about = "of turns followed by a silence", .type = FIELD_SHARE, .required = true,
	  IN(calls, silence_share) },
	{ .key = "for", .about = "how long it lasts", .type = FIELD_DURATION, .required = true, IN(calls, silence_ns) },
};
static const struct map silence_map = { .name = "silence", MAP_OF(silence_fields) };

static const struct field turn_fields[] = {
	{ .key = "every", .about = "a turn falls due this often", .type = FIELD_DURATION, .required = true,
	  .min = 10 * NS_PER_MS, IN(calls, turn_every_ns) },
	{ .key = "silence", .about = "silent stretches between turns", .type = FIELD_MAP, .map = &silence_map },
};
static const struct map turn_map = { .name = "turn", MAP_OF(turn_fields), .scalar_key = "every" };

static const struct field lose_leg_fields[] = {
	DIST_FIELDS(offsetof(struct profile_plan, lose_leg), &lognormal_map),
	{ .key = "when", .about = "between turns, or while one is unanswered (a drill)", .type = FIELD_WORD,
	  .words = lose_words, .fallback = "between_turns", IN(profile_plan, when) },
};
static const struct map lose_leg_map = {
	.name = "lose_leg", MAP_OF(lose_leg_fields), .scalar_key = "fixed", .tagged = true,
	.tag_offset = offsetof(struct profile_plan, lose_leg.kind),
};

static const struct field bridge_fields[] = {
	{ .key = "share", .about = "of calls", .type = FIELD_SHARE, .required = true, IN(profile_plan, share) },
};
static const struct map bridge_map = { .name = "bridge", MAP_OF(bridge_fields), .scalar_key = "share" };

static const struct field resumable_fields[] = {
	{ .key = "share", .about = "of calls", .type = FIELD_SHARE, .required = true, IN(profile_plan, share) },
	{ .key = "lose_leg", .about = "the caller's own network failing, from leg to leg", .type = FIELD_MAP,
	  .map = &lose_leg_map, .given_offset = offsetof(struct profile_plan, loses_legs) },
	{ .key = "resume_within", .about = "not back within this is a dropped call", .type = FIELD_DURATION,
	  .fallback = "5s", .min = NS_PER_MS, IN(profile_plan, resume_within_ns) },
	{ .key = "backoff", .about = "between dials: a random part of a doubling wait, as full-jitter 100ms..1s",
	  .type = FIELD_RANGE, .prefix = "full-jitter", .fallback = "full-jitter 100ms..1s", .min = NS_PER_MS,
	  IN(profile_plan, backoff_base_ns) },
};
static const struct map resumable_map = { .name = "resumable", MAP_OF(resumable_fields), .scalar_key = "share" };

static const struct field profiles_fields[] = {
	{ .key = "bridge", .about = "one leg for life: any loss before the planned hangup is a dropped call",
	  .type = FIELD_MAP, .map = &bridge_map, IN(calls, profile[PROFILE_BRIDGE]) },
	{ .key = "resumable", .about = "loses legs and resumes on a new one", .type = FIELD_MAP, .map = &resumable_map,
	  IN(calls, profile[PROFILE_RESUMABLE]) },
};
static const struct map profiles_map = { .name = "profiles", MAP_OF(profiles_fields) };

static const struct field calls_fields[] = {
	{ .key = "live", .about = "calls live at a time, as planned: rate = live / mean(hold)", .type = FIELD_INTEGER,
	  .required = true, .min = 1, .max = 1000000, IN(calls, live) },
	{ .key = "ramp", .about = "the first calls are spread over this", .type = FIELD_DURATION, .fallback = "2s",
	  IN(calls, ramp_ns) },
	{ .key = "hold", .about = "how long a call lasts", .type = FIELD_MAP, .map = &hold_map, .required = true,
	  IN(calls, hold) },
	{ .key = "turn", .about = "pacing of a call's turns", .type = FIELD_MAP, .map = &turn_map, .required = true },
	{ .key = "profiles", .about = "kinds of callers; shares sum to 100 %", .type = FIELD_MAP, .map = &profiles_map,
	  .required = true },
};
static const struct map calls_map = { .name = "calls", MAP_OF(calls_fields) };

/* --- cutover --- */

#define FOR_FIELD { .key = "for", .about = "how long", .type = FIELD_DURATION, .required = true, IN(step, for_ns) }
#define COLOR_FIELD(word)                                                                                            \
	{ .key = "color", .about = "which color", .type = FIELD_WORD, .words = color_words, .fallback = (word), IN(step, color) }
#define SKIP_FIELD { .key = "skip", .about = "announced and not done (a planted defect)", .type = FIELD_FLAG, IN(step, skip) }

static const struct field wait_fields[] = { FOR_FIELD, SKIP_FIELD };
static const struct map wait_map = { .name = "this step", MAP_OF(wait_fields), .scalar_key = "for" };

static const struct field smoke_fields[] = { COLOR_FIELD("green"), SKIP_FIELD };
static const struct map smoke_map = { .name = "smoke", MAP_OF(smoke_fields) };

static const struct field shift_fields[] = {
	{ .key = "blue", .about = "weight of blue", .type = FIELD_INTEGER, .required = true, .max = 999, IN(step, blue) },
	{ .key = "green", .about = "weight of green", .type = FIELD_INTEGER, .required = true, .max = 999, IN(step, green) },
	SKIP_FIELD,
};
static const struct map shift_map = { .name = "shift", MAP_OF(shift_fields) };

static const struct field drain_fields[] = {
	COLOR_FIELD("blue"),
	{ .key = "begin", .about = "what starts it", .type = FIELD_WORD, .words = begin_words, .fallback = "none",
	  IN(step, begin) },
	{ .key = "quiet", .about = "no call for this long without a break; default stickiness + 1s", .type = FIELD_DURATION,
	  .absent = -1, IN(step, quiet_ns) },
	{ .key = "deadline", .about = "stuck after this", .type = FIELD_DURATION, .required = true, .min = NS_PER_MS,
	  IN(step, deadline_ns) },
	SKIP_FIELD,
};
static const struct map drain_map = { .name = "drain", MAP_OF(drain_fields) };

static const struct field teardown_fields[] = {
	COLOR_FIELD("blue"),
	{ .key = "grace", .about = "from SIGTERM to SIGKILL", .type = FIELD_DURATION, .fallback = "1s", IN(step, grace_ns) },
	SKIP_FIELD,
};
static const struct map teardown_map = { .name = "teardown", MAP_OF(teardown_fields) };

static const struct field rollback_fields[] = { SKIP_FIELD };
static const struct map rollback_map = { .name = "rollback", MAP_OF(rollback_fields) };

#define STEP(word, phase_value, step_map, text)                                                                      \
	{ .key = (word), .about = (text), .type = FIELD_MAP, .map = &(step_map), .tagged = true, .tag = (phase_value) }
static const struct field step_fields[] = {
	STEP("steady", PHASE_STEADY, wait_map, "nothing changes"),
	STEP("smoke", PHASE_SMOKE, smoke_map, "one probe call to each instance of a color, past the balancer"),
	STEP("shift", PHASE_SHIFT, shift_map, "new weights at the balancer"),
	STEP("drain", PHASE_DRAIN, drain_map, "wait until no call is left on a color"),
	STEP("buffer", PHASE_BUFFER, wait_map, "wait for stragglers: one of them returns to drain"),
	STEP("teardown", PHASE_TEARDOWN, teardown_map, "deregister, SIGTERM, SIGKILL after grace"),
	STEP("rollback", PHASE_ROLLBACK, rollback_map, "back to the weights before the cutover"),
};
static const struct map step_map = {
	.name = "a step", MAP_OF(step_fields), .tagged = true, .tag_offset = offsetof(struct step, phase),
};

/* --- the whole --- */

static const struct field overlaid_fields[] = {
	{ .key = "name", .about = "the overlay", .required = true, IN(scenario, defect) },
	{ .key = "about", .about = "what it plants", IN(scenario, defect_about) },
};
static const struct map overlaid_map = { .name = "overlay", MAP_OF(overlaid_fields) };

static const struct field scenario_fields[] = {
	{ .key = "name", .about = "letters, digits, - and _; names the folder of its runs", .required = true, IN(scenario, name) },
	{ .key = "about", .about = "one sentence", IN(scenario, about) },
	{ .key = "seed", .about = "seed of every random stream", .type = FIELD_SEED, .fallback = "1", IN(scenario, seed) },
	{ .key = "overlay", .about = "the overlay already applied; written into a run's resolved scenario", .type = FIELD_MAP,
	  .map = &overlaid_map },
	{ .key = "stack", .about = "what is started: local, or none for a deployed system", .type = FIELD_MAP,
	  .map = &stack_map, IN(scenario, stack) },
	{ .key = "target", .about = "what callers dial", .type = FIELD_MAP, .map = &target_map },
	{ .key = "state", .about = "where agents keep the state of calls", .type = FIELD_MAP, .map = &state_map },
	{ .key = "balancer", .about = "what moves the traffic", .type = FIELD_MAP, .map = &balancer_map },
	{ .key = "timers", .about = "declared, then proved", .type = FIELD_MAP, .map = &timers_map, .required = true,
	  IN(scenario, timers) },
	{ .key = "calls", .about = "what callers do", .type = FIELD_MAP, .map = &calls_map, .required = true, IN(scenario, calls) },
	{ .key = "cutover", .about = "what happens to the traffic, step by step", .type = FIELD_LIST, .map = &step_map,
	  .required = true, .element_size = sizeof(struct step), .count_offset = offsetof(struct scenario, step_count),
	  IN(scenario, steps) },
	{ .key = "faults", .about = "reserved: this version knows no faults", .type = FIELD_RESERVED },
	{ .key = "gates", .about = "metric{phase:..,color:..}: list of expressions in k6 grammar", .type = FIELD_GATES,
	  .element_size = sizeof(struct gate), .count_offset = offsetof(struct scenario, gate_count), IN(scenario, gates) },
};
const struct map schema_scenario = { .name = "a scenario", MAP_OF(scenario_fields) };

/* --- overlays --- */

static const struct field overlay_stack_fields[] = { STACK_DEEDS(0) };
static const struct map overlay_stack_map = { .name = "an overlay's stack", MAP_OF(overlay_stack_fields) };

static const struct field overlay_drain_fields[] = {
	{ .key = "begin", .about = "what starts every drain", .type = FIELD_WORD, .words = begin_words, .absent = -1,
	  IN(overlay, begin) },
	{ .key = "deadline", .about = "deadline of every drain", .type = FIELD_DURATION, .absent = -1, .min = NS_PER_MS,
	  IN(overlay, deadline_ns) },
};
static const struct map overlay_drain_map = { .name = "an overlay's drain", MAP_OF(overlay_drain_fields) };

static const struct field expect_fields[] = {
	{ .key = "required", .about = "findings without which the judge has missed it", .type = FIELD_TEXTS,
	  .count_offset = offsetof(struct overlay, expectation.required_count), IN(overlay, expectation.required) },
	{ .key = "allowed", .about = "findings that may come with it", .type = FIELD_TEXTS,
	  .count_offset = offsetof(struct overlay, expectation.allowed_count), IN(overlay, expectation.allowed) },
};
static const struct map expect_map = { .name = "expect", MAP_OF(expect_fields) };

static const struct field overlay_fields[] = {
	{ .key = "defect", .about = "name of a planted defect: the run must fail", IN(overlay, defect) },
	{ .key = "control", .about = "name of a control run: the run must pass", IN(overlay, control) },
	{ .key = "about", .about = "one sentence", .required = true, IN(overlay, expectation.about) },
	{ .key = "stack", .about = "what the local parts really do", .type = FIELD_MAP, .map = &overlay_stack_map,
	  .given_offset = offsetof(struct overlay, has_stack), IN(overlay, stack) },
	{ .key = "drain", .about = "changes to every drain step", .type = FIELD_MAP, .map = &overlay_drain_map },
	{ .key = "skip", .about = "steps announced and not done", .type = FIELD_WORDS, .words = phase_words,
	  IN(overlay, skip) },
	{ .key = "expect", .about = "what the judge must and may find", .type = FIELD_MAP, .map = &expect_map },
};
const struct map schema_overlay = { .name = "an overlay", MAP_OF(overlay_fields) };
