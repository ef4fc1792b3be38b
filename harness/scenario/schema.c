#include "scenario/schema_rows.h"

/* clang-format off */
static const char *const stack_kinds[] = { [STACK_NONE] = "none", [STACK_LOCAL] = "local", NULL };
static const char *const redis_kinds[] = { [REDIS_SINGLE] = "single", [REDIS_SENTINEL] = "sentinel", NULL };
static const char *const store_words[] = {
	[STORE_PUBLISHED] = "published", [STORE_FENCED] = "fenced", NULL,
};
static const char *const switch_words[] = {
	[SWITCH_FOLLOW] = "follow", [SWITCH_REAPPLY] = "reapply", NULL,
};
static const char *const color_words[] = {
	[COLOR_UNKNOWN] = "", [COLOR_BLUE] = "blue", [COLOR_GREEN] = "green", NULL,
};
const char *const schema_begin_words[] = {
	[BEGIN_NONE] = "none", [BEGIN_SIGTERM] = "sigterm", [BEGIN_DEREGISTER] = "deregister", NULL,
};
const char *const schema_certificate_words[] = {
	[CERTIFICATE_GOOD] = "good", [CERTIFICATE_EXPIRED] = "expired",
	[CERTIFICATE_WRONG_NAME] = "wrong_name", [CERTIFICATE_UNTRUSTED] = "untrusted", NULL,
};
static const char *const affinity_words[] = {
	[AFFINITY_COOKIE] = "cookie", [AFFINITY_CLIENT_IP] = "client_ip", NULL,
};
static const char *const lose_words[] = {
	[LOSE_BETWEEN_TURNS] = "between_turns", [LOSE_MID_TURN] = "mid_turn", NULL,
};
const char *const schema_phase_words[] = {
	[PHASE_BEFORE] = "",
	[PHASE_STEADY] = "steady",
	[PHASE_SMOKE] = "smoke",
	[PHASE_SHIFT] = "shift",
	[PHASE_DRAIN] = "drain",
	[PHASE_BUFFER] = "buffer",
	[PHASE_TEARDOWN] = "teardown",
	[PHASE_ROLLBACK] = "rollback",
	[PHASE_AFTER] = "",
	[PHASE_BAKE] = "bake",
	[PHASE_SCRIPT] = "script",
	NULL,
};

/* --- stack --- */

static const struct field stack_fields[] = {
	ROW("kind", FIELD_WORD, AT(stack, kind),
	    "local: started by the run; none: a deployed system", .words = stack_kinds,
	    .fallback = "local"),
	ROW("instances", FIELD_INTEGER, AT(stack, instances), "agents per color", .fallback = "2",
	    .min = 1, .max = 16),
	ROW("think", FIELD_DURATION, AT(stack, think_ns), "how long an agent thinks about a turn",
	    .fallback = "30ms", .max = 60 * NS_PER_S, .granule_ns = NS_PER_MS),
	ROW("redis", FIELD_WORD, AT(stack, redis),
	    "single: one Redis; sentinel: a primary, two replicas, three Sentinels",
	    .words = redis_kinds, .fallback = "single"),
	ROW("after_switch", FIELD_WORD, AT(stack, after_switch),
	    "what an agent does behind a new primary: follow: goes on; reapply: first writes what it acknowledged and the new one lacks",
	    .words = switch_words, .fallback = "follow"),
	ROW("store", FIELD_WORD, AT(stack, store),
	    "published: GET, then SETEX; fenced: compare-and-set with version, epoch and owner",
	    .words = store_words, .fallback = "published"),
	ROW("nodes", FIELD_INTEGER, AT(stack, nodes),
	    "nodes of the balancer; each picks up a rule change by itself", .fallback = "1",
	    .min = 1, .max = 8),
	ROW("affinity", FIELD_WORD, AT(stack, affinity),
	    "cookie: stickiness as declared; client_ip: by source address, as a Kubernetes Service",
	    .words = affinity_words, .fallback = "cookie"),
	ROW("certificate", FIELD_WORD, AT(stack, certificate), "what a TLS listener shows",
	    .words = schema_certificate_words, .fallback = "good"),
	STACK_DEEDS(0),
};
static const struct map stack_map = { .name = "stack", MAP_OF(stack_fields), .scalar_key = "kind" };

/* --- target, state, balancer --- */

static const struct field direct_fields[] = {
	ROW("blue", FIELD_TEXT, AT(scenario, target.direct_blue), "URL of blue past the balancer"),
	ROW("green", FIELD_TEXT, AT(scenario, target.direct_green),
	    "URL of green past the balancer, for the smoke test"),
};
static const struct map direct_map = { .name = "target.direct", MAP_OF(direct_fields) };

static const struct field target_fields[] = {
	ROW("url", FIELD_TEXT, AT(scenario, target.url),
	    "where callers dial; ${alb}, ${call} and ${run} are bound late",
	    .fallback = "ws://${alb}/realtime/${call}", .local_fallback = true),
	ROW("wire", FIELD_TEXT, AT(scenario, target.wire), "the dialect spoken",
	    .fallback = "plain"),
	ROW("direct", FIELD_MAP, 0, "each color's own address", .map = &direct_map),
	ROW("ca", FIELD_TEXT, AT(scenario, target.ca),
	    "PEM file that a wss certificate is verified with; default: the system's, or the local stack's own"),
	ROW("dials_per_second", FIELD_INTEGER, AT(scenario, target.dials_per_second),
	    "that one color takes; without: not judged", .min = 1, .max = 1000000),
};
static const struct map target_map = { .name = "target", MAP_OF(target_fields) };

static const struct field state_fields[] = {
	ROW("redis", FIELD_TEXT, AT(scenario, state.redis),
	    "host:port of the Redis that holds the state", .fallback = "${redis}",
	    .local_fallback = true),
	ROW("key", FIELD_TEXT, AT(scenario, state.key), "key of one call's state",
	    .fallback = "call:${call}"),
	ROW("ttl", FIELD_DURATION, AT(scenario, state.ttl_ns), "time to live each write sets",
	    .fallback = "30m", .min = NS_PER_S, WHOLE_SECONDS),
	ROW("ttl_floor", FIELD_DURATION, AT(scenario, state.ttl_floor_ns),
	    "a live call's state always has so much left of it; without: not judged",
	    .min = NS_PER_S),
	ROW("tap", FIELD_FLAG, AT(scenario, state.tap), "watch Redis through the tap (local stack)",
	    .fallback = "on"),
};
static const struct map state_map = { .name = "state", MAP_OF(state_fields) };

static const struct field balancer_fields[] = {
	ROW("driver", FIELD_TEXT, AT(scenario, balancer.driver), "the balancer's driver",
	    .fallback = "alb"),
	ROW("path", FIELD_TEXT, AT(scenario, balancer.path),
	    "path pattern of the rule that carries the weights", .fallback = "/realtime/*"),
	ROW("endpoint", FIELD_TEXT, AT(scenario, balancer.endpoint),
	    "URL of the control plane; the local stack brings its own"),
	ROW("rule", FIELD_TEXT, AT(scenario, balancer.rule),
	    "the rule itself (an ARN), instead of finding it by path"),
	ROW("blue", FIELD_TEXT, AT(scenario, balancer.blue), "blue's target group",
	    .fallback = "blue"),
	ROW("green", FIELD_TEXT, AT(scenario, balancer.green), "green's target group",
	    .fallback = "green"),
	ROW("settle", FIELD_DURATION, AT(scenario, balancer.settle_ns),
	    "wait before a destructive step; default 0 on the local stack, 120s on a deployed system",
	    .absent = -1),
	ROW("command", FIELD_TEXTS, AT(scenario, balancer.command),
	    "exec: the operator's own script and its arguments, started without a shell",
	    .count_offset = AT(scenario, balancer.command_count)),
	ROW("watch", FIELD_TEXT, AT(scenario, balancer.watch),
	    "exec: the driver that reads the balancer while the script moves it", .fallback = "alb"),
	ROW("script_defect", FIELD_TEXT, AT(scenario, balancer.script_defect),
	    "exec: a defect planted in the script, as --defect"),
};
static const struct map balancer_map = { .name = "balancer", MAP_OF(balancer_fields) };

/* --- timers --- */

static const struct field stickiness_fields[] = {
	ROW("group", FIELD_DURATION, AT(timers_declared, stickiness_group_ns),
	    "cookie that binds to a color", .required = true, WHOLE_SECONDS),
	ROW("target", FIELD_DURATION, AT(timers_declared, stickiness_target_ns),
	    "cookie that binds to an instance", .required = true, WHOLE_SECONDS),
};
static const struct map stickiness_map = {
	.name = "stickiness", MAP_OF(stickiness_fields), .scalar_all = true,
};

static const struct field timers_fields[] = {
	ROW("stickiness", FIELD_MAP, 0, "how long an affinity cookie binds; 0 is off",
	    .map = &stickiness_map, .required = true),
	ROW("deregistration_delay", FIELD_DURATION, AT(timers_declared, deregistration_delay_ns),
	    "how long a deregistered target keeps its connections", .required = true,
	    WHOLE_SECONDS),
	ROW("idle", FIELD_DURATION, AT(timers_declared, idle_ns),
	    "a silent connection is cut after this", .required = true, .min = NS_PER_S,
	    WHOLE_SECONDS),
	ROW("longest_call", FIELD_DURATION, AT(timers_declared, longest_call_ns),
	    "no call is longer than this", .required = true, .min = NS_PER_MS),
	ROW("propagation", FIELD_DURATION, AT(timers_declared, propagation_ns),
	    "after this new weights hold everywhere", .fallback = "1s"),
	ROW("dead_after", FIELD_DURATION, AT(timers_declared, dead_after_ns),
	    "a turn unanswered for longer is a dropped (muted) call", .fallback = "5s",
	    .min = NS_PER_MS),
	ROW("setup_within", FIELD_DURATION, AT(timers_declared, setup_within_ns),
	    "a call not admitted within this is refused", .fallback = "5s", .min = NS_PER_MS),
	ROW("close_spread", FIELD_DURATION, AT(timers_declared, close_spread_ns),
	    "an instance that ends spreads its closes (1001, 1012) over this; without: not judged",
	    .min = NS_PER_MS),
};
static const struct map timers_map = { .name = "timers", MAP_OF(timers_fields) };

/* --- calls --- */

#define DIST_FIELDS(at, lognormal_map)                                                            \
	ROW("fixed", FIELD_DURATION, (at) + AT(dist, mean_ns), "always this",        \
	    .tagged = true, .tag = DIST_FIXED),                                                   \
	ROW("uniform", FIELD_RANGE, (at) + AT(dist, min_ns),                         \
	    "anything between, as 3s..12s", .tagged = true, .tag = DIST_UNIFORM),                 \
	ROW("exponential", FIELD_DURATION, (at) + AT(dist, mean_ns),                 \
	    "this on average", .min = NS_PER_MS, .tagged = true, .tag = DIST_EXPONENTIAL),        \
	ROW("lognormal", FIELD_MAP, (at), "mean of the values and sigma of their logarithm",      \
	    .map = (lognormal_map), .tagged = true, .tag = DIST_LOGNORMAL),                       \
	ROW("min", FIELD_DURATION, (at) + AT(dist, min_ns),                          \
	    "a smaller value is drawn again", .absent = 0, .barred = true,                        \
	    .barred_by = DIST_UNIFORM),                                                           \
	ROW("max", FIELD_DURATION, (at) + AT(dist, max_ns),                          \
	    "a larger value is drawn again", .absent = INT64_MAX, .min = NS_PER_MS,               \
	    .barred = true, .barred_by = DIST_UNIFORM)

static const struct field lognormal_fields[] = {
	ROW("mean", FIELD_DURATION, AT(dist, mean_ns), "mean of the values themselves",
	    .required = true, .min = NS_PER_MS),
	ROW("sigma", FIELD_NUMBER, AT(dist, sigma), "sigma of the logarithm", .required = true,
	    .max = 5),
};
static const struct map lognormal_map = { .name = "lognormal", MAP_OF(lognormal_fields) };

static const struct field hold_fields[] = { DIST_FIELDS(0, &lognormal_map) };
static const struct map hold_map = {
	.name = "a distribution", MAP_OF(hold_fields), .scalar_key = "fixed", .tagged = true,
	.tag_offset = AT(dist, kind),
};

static const struct field silence_fields[] = {
	ROW("share", FIELD_SHARE, AT(calls, silence_share), "of turns followed by a silence",
	    .required = true),
	ROW("for", FIELD_DURATION, AT(calls, silence_ns), "how long it lasts", .required = true),
};
static const struct map silence_map = { .name = "silence", MAP_OF(silence_fields) };

static const struct field turn_fields[] = {
	ROW("every", FIELD_DURATION, AT(calls, turn_every_ns), "a turn falls due this often",
	    .required = true, .min = 10 * NS_PER_MS),
	ROW("silence", FIELD_MAP, 0, "silent stretches between turns", .map = &silence_map),
};
static const struct map turn_map = { .name = "turn", MAP_OF(turn_fields), .scalar_key = "every" };

static const struct field lose_leg_fields[] = {
	DIST_FIELDS(AT(profile_plan, lose_leg), &lognormal_map),
	ROW("when", FIELD_WORD, AT(profile_plan, when),
	    "between turns, or while one is unanswered (a drill)", .words = lose_words,
	    .fallback = "between_turns"),
};
static const struct map lose_leg_map = {
	.name = "lose_leg", MAP_OF(lose_leg_fields), .scalar_key = "fixed", .tagged = true,
	.tag_offset = AT(profile_plan, lose_leg.kind),
};

static const struct field bridge_fields[] = {
	ROW("share", FIELD_SHARE, AT(profile_plan, share), "of calls", .required = true),
};
static const struct map bridge_map = {
	.name = "bridge", MAP_OF(bridge_fields), .scalar_key = "share",
};

static const struct field resumable_fields[] = {
	ROW("share", FIELD_SHARE, AT(profile_plan, share), "of calls", .required = true),
	ROW("lose_leg", FIELD_MAP, 0, "the caller's own network failing, from leg to leg",
	    .map = &lose_leg_map, .given_offset = AT(profile_plan, loses_legs)),
	ROW("resume_within", FIELD_DURATION, AT(profile_plan, resume_within_ns),
	    "not back within this is a dropped call", .fallback = "5s", .min = NS_PER_MS),
	ROW("backoff", FIELD_RANGE, AT(profile_plan, backoff_base_ns),
	    "between dials: a random part of a doubling wait, as full-jitter 100ms..1s",
	    .prefix = "full-jitter", .fallback = "full-jitter 100ms..1s", .min = NS_PER_MS),
	ROW("disturbances", FIELD_INTEGER, AT(profile_plan, disturbances),
	    "how often a call may be made to reconnect; without: not judged", .absent = -1,
	    .max = 1000),
	ROW("dead_air", FIELD_DURATION, AT(profile_plan, dead_air_ns),
	    "how long a call may be without a leg for it, in all; without: not judged",
	    .min = NS_PER_MS),
};
static const struct map resumable_map = {
	.name = "resumable", MAP_OF(resumable_fields), .scalar_key = "share",
};

static const struct field profiles_fields[] = {
	ROW("bridge", FIELD_MAP, AT(calls, profile[PROFILE_BRIDGE]),
	    "one leg for life: any loss before the planned hangup is a dropped call",
	    .map = &bridge_map),
	ROW("resumable", FIELD_MAP, AT(calls, profile[PROFILE_RESUMABLE]),
	    "loses legs and resumes on a new one", .map = &resumable_map),
};
static const struct map profiles_map = { .name = "profiles", MAP_OF(profiles_fields) };

static const struct field calls_fields[] = {
	ROW("live", FIELD_INTEGER, AT(calls, live),
	    "calls live at a time, as planned: rate = live / mean(hold)", .required = true,
	    .min = 1, .max = 1000000),
	ROW("ramp", FIELD_DURATION, AT(calls, ramp_ns), "the first calls are spread over this",
	    .fallback = "2s"),
	ROW("hold", FIELD_MAP, AT(calls, hold), "how long a call lasts", .map = &hold_map,
	    .required = true),
	ROW("turn", FIELD_MAP, 0, "pacing of a call's turns", .map = &turn_map, .required = true),
	ROW("profiles", FIELD_MAP, 0, "kinds of callers; shares sum to 100 %", .map = &profiles_map,
	    .required = true),
};
static const struct map calls_map = { .name = "calls", MAP_OF(calls_fields) };

/* --- cutover --- */

#define FOR_FIELD ROW("for", FIELD_DURATION, AT(step, for_ns), "how long", .required = true)
#define COLOR_FIELD(word)                                                                         \
	ROW("color", FIELD_WORD, AT(step, color), "which color", .words = color_words,            \
	    .fallback = (word))
#define SKIP_FIELD                                                                                \
	ROW("skip", FIELD_FLAG, AT(step, skip), "announced and not done (a planted defect)")

static const struct field wait_fields[] = { FOR_FIELD, SKIP_FIELD };
static const struct map wait_map = {
	.name = "this step", MAP_OF(wait_fields), .scalar_key = "for",
};

static const struct field smoke_fields[] = { COLOR_FIELD("green"), SKIP_FIELD };
static const struct map smoke_map = { .name = "smoke", MAP_OF(smoke_fields) };

static const struct field shift_fields[] = {
	ROW("blue", FIELD_INTEGER, AT(step, blue), "weight of blue", .required = true, .max = 999),
	ROW("green", FIELD_INTEGER, AT(step, green), "weight of green", .required = true,
	    .max = 999),
	ROW("tolerance", FIELD_SHARE, AT(step, tolerance),
	    "how far green's share of fresh dials must be known to be from the weights'",
	    .fallback = "15%"),
	SKIP_FIELD,
};
static const struct map shift_map = { .name = "shift", MAP_OF(shift_fields) };

static const struct field drain_fields[] = {
	COLOR_FIELD("blue"),
	ROW("begin", FIELD_WORD, AT(step, begin), "what starts it", .words = schema_begin_words,
	    .fallback = "none"),
	ROW("quiet", FIELD_DURATION, AT(step, quiet_ns),
	    "no call for this long without a break; default stickiness + 1s", .absent = -1),
	ROW("deadline", FIELD_DURATION, AT(step, deadline_ns), "stuck after this", .required = true,
	    .min = NS_PER_MS),
	SKIP_FIELD,
};
static const struct map drain_map = { .name = "drain", MAP_OF(drain_fields) };

static const struct field teardown_fields[] = {
	COLOR_FIELD("blue"),
	ROW("grace", FIELD_DURATION, AT(step, grace_ns), "from SIGTERM to SIGKILL",
	    .fallback = "1s"),
	SKIP_FIELD,
};
static const struct map teardown_map = { .name = "teardown", MAP_OF(teardown_fields) };

static const struct field rollback_fields[] = {
	ROW("within", FIELD_DURATION, AT(step, deadline_ns), "fresh dials are blue's again by then",
	    .fallback = "10s", .min = NS_PER_MS),
	SKIP_FIELD,
};
static const struct map rollback_map = { .name = "rollback", MAP_OF(rollback_fields) };

static const struct field script_fields[] = {
	ROW("deadline", FIELD_DURATION, AT(step, deadline_ns), "killed after this",
	    .required = true, .min = NS_PER_S),
	SKIP_FIELD,
};
static const struct map script_map = {
	.name = "script", MAP_OF(script_fields), .scalar_key = "deadline",
};

#define STEP(word, phase_value, step_map, text)                                                   \
	ROW((word), FIELD_MAP, 0, (text), .map = &(step_map), .tagged = true,                     \
	    .tag = (phase_value))
static const struct field step_fields[] = {
	STEP("steady", PHASE_STEADY, wait_map, "nothing changes"),
	STEP("smoke", PHASE_SMOKE, smoke_map,
	     "one probe call to each instance of a color, past the balancer"),
	STEP("shift", PHASE_SHIFT, shift_map, "new weights at the balancer"),
	STEP("drain", PHASE_DRAIN, drain_map, "wait until no call is left on a color"),
	STEP("buffer", PHASE_BUFFER, wait_map, "wait for stragglers: one of them returns to drain"),
	STEP("teardown", PHASE_TEARDOWN, teardown_map, "deregister, SIGTERM, SIGKILL after grace"),
	STEP("rollback", PHASE_ROLLBACK, rollback_map, "back to the weights before the cutover"),
	STEP("bake", PHASE_BAKE, wait_map,
	     "weights stand this long; a drop, a refusal or a failed probe meanwhile rolls back"),
	STEP("script", PHASE_SCRIPT, script_map, "the operator's own script (driver exec)"),
};
static const struct map step_map = {
	.name = "a step", MAP_OF(step_fields), .tagged = true, .tag_offset = AT(step, phase),
};

/* --- the whole --- */

static const struct field overlaid_fields[] = {
	ROW("name", FIELD_TEXT, AT(scenario, defect), "the overlay", .required = true),
	ROW("about", FIELD_TEXT, AT(scenario, defect_about), "what it plants"),
};
static const struct map overlaid_map = { .name = "overlay", MAP_OF(overlaid_fields) };

static const struct field scenario_fields[] = {
	ROW("name", FIELD_TEXT, AT(scenario, name),
	    "letters, digits, - and _; names the folder of its runs", .required = true),
	ROW("about", FIELD_TEXT, AT(scenario, about), "one sentence"),
	ROW("seed", FIELD_SEED, AT(scenario, seed), "seed of every random stream", .fallback = "1"),
	ROW("overlay", FIELD_MAP, 0,
	    "the overlay already applied; written into a run's resolved scenario",
	    .map = &overlaid_map),
	ROW("stack", FIELD_MAP, AT(scenario, stack),
	    "what is started: local, or none for a deployed system", .map = &stack_map),
	ROW("target", FIELD_MAP, 0, "what callers dial", .map = &target_map),
	ROW("state", FIELD_MAP, 0, "where agents keep the state of calls", .map = &state_map),
	ROW("balancer", FIELD_MAP, 0, "what moves the traffic", .map = &balancer_map),
	ROW("timers", FIELD_MAP, AT(scenario, timers), "declared, then proved", .map = &timers_map,
	    .required = true),
	ROW("calls", FIELD_MAP, AT(scenario, calls), "what callers do", .map = &calls_map,
	    .required = true),
	ROW("cutover", FIELD_LIST, AT(scenario, steps), "what happens to the traffic, step by step",
	    .map = &step_map, .required = true, .element_size = sizeof(struct step),
	    .count_offset = AT(scenario, step_count)),
	ROW("faults", FIELD_LIST, AT(scenario, faults), "what is broken on purpose, and when",
	    .map = &schema_fault, .element_size = sizeof(struct fault_plan),
	    .count_offset = AT(scenario, fault_count)),
	ROW("gates", FIELD_GATES, AT(scenario, gates),
	    "metric{phase:..,color:..}: list of expressions in k6 grammar",
	    .element_size = sizeof(struct gate),
	    .count_offset = AT(scenario, gate_count)),
};
const struct map schema_scenario = { .name = "a scenario", MAP_OF(scenario_fields) };
