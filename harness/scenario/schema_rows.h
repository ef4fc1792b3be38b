/*
 * What the two tables of keys are written with: schema.c (a scenario) and schema_overlay.c (what
 * may be laid over one). Not for readers of a table: they include schema.h.
 */
#ifndef SCENARIO_SCHEMA_ROWS_H
#define SCENARIO_SCHEMA_ROWS_H

#include "base/clock.h"
#include "scenario/schema.h"

/* Words both tables know; index is the enum's value. */
extern const char *const schema_begin_words[], *const schema_certificate_words[],
	*const schema_phase_words[];

/* clang-format off */
#define ROW(key_, type_, at, text, ...)                                                           \
	{ .key = (key_), .type = (type_), .offset = (at), .about = (text), ##__VA_ARGS__ }
#define AT(type, member) offsetof(struct type, member)
#define MAP_OF(array) .fields = (array), .count = sizeof(array) / sizeof *(array)
#define WHOLE_SECONDS .granule_ns = NS_PER_S

/* What the local parts really do, where that is not what the timers declare. */
#define STACK_DEEDS(at)                                                                           \
	ROW("agent_defect", FIELD_TEXT, (at) + AT(stack, agent_defect),              \
	    "defect planted in every agent"),                                                     \
	ROW("green_defect", FIELD_TEXT, (at) + AT(stack, green_defect),              \
	    "defect planted in green agents"),                                                    \
	ROW("stickiness", FIELD_DURATION, (at) + AT(stack, stickiness_ns),           \
	    "how long both cookies really live", .absent = -1, WHOLE_SECONDS),                    \
	ROW("deregistration_delay", FIELD_DURATION,                                               \
	    (at) + AT(stack, deregistration_delay_ns),                               \
	    "the delay the balancer really keeps", .absent = -1, WHOLE_SECONDS),                  \
	ROW("idle", FIELD_DURATION, (at) + AT(stack, idle_ns),                       \
	    "the idle timeout the balancer really keeps", .absent = -1, .min = NS_PER_S,          \
	    WHOLE_SECONDS),                                                                       \
	ROW("propagation", FIELD_DURATION, (at) + AT(stack, propagation_ns),                      \
	    "how long a rule change really takes to a node", .absent = -1,                        \
	    .max = 600 * NS_PER_S, .granule_ns = NS_PER_MS),                                      \
	ROW("propagation_jitter", FIELD_DURATION, (at) + AT(stack, propagation_jitter_ns),        \
	    "and up to this longer", .absent = -1, .max = 600 * NS_PER_S,                         \
	    .granule_ns = NS_PER_MS),                                                             \
	ROW("tls", FIELD_TEXT, (at) + AT(stack, tls),                                             \
	    "the listener speaks TLS by this security policy: target.url begins with wss"),      \
	ROW("silent_metrics", FIELD_TEXT, (at) + AT(stack, silent_metrics),                       \
	    "whose active-calls page does not answer: an instance (blue-1) or a color (blue)"),                       \
	ROW("edge_options", FIELD_TEXTS, (at) + AT(stack, edge_options),                          \
	    "doubtful points of the balancer, NAME=VALUE each",                                   \
	    .count_offset = (at) + AT(stack, edge_option_count)),                                 \
	ROW("api_faults", FIELD_TEXTS, (at) + AT(stack, api_faults),                              \
	    "calls of the control plane that fail, ACTION:NUMBER:CODE each",                      \
	    .count_offset = (at) + AT(stack, api_fault_count))

#endif
