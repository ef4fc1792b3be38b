/* What can be broken on purpose. */
#include "scenario/schema_rows.h"

/* clang-format off */
#define FAULT_WHEN                                                                                \
	ROW("at", FIELD_WORD, AT(fault_plan, at),                                                 \
	    "begun in the first step of this kind; without: before anybody calls",               \
	    .words = schema_phase_words),                                                         \
	ROW("after", FIELD_DURATION, AT(fault_plan, after_ns), "and this much later",             \
	    .fallback = "0s"),                                                                    \
	ROW("for", FIELD_DURATION, AT(fault_plan, for_ns),                                        \
	    "healed after this; without: at the end of the run", .absent = -1)

static const struct field lever_fields[] = {
	ROW("lever", FIELD_TEXT, AT(fault_plan, lever),
	    "as crossfade tap --lever: \"delay 20ms where color=blue class=write\"",
	    .required = true),
	FAULT_WHEN,
};
static const struct map lever_map = { .name = "redis_lever", MAP_OF(lever_fields) };

static const struct field instance_fault_fields[] = {
	ROW("instance", FIELD_TEXT, AT(fault_plan, instance), "which agent: blue-1",
	    .required = true),
	FAULT_WHEN,
};
static const struct map instance_fault_map = {
	.name = "this fault", MAP_OF(instance_fault_fields),
};

#define FAULT(word, kind_value, fault_map, text)                                                  \
	ROW((word), FIELD_MAP, 0, (text), .map = &(fault_map), .tagged = true,                    \
	    .tag = (kind_value))
static const struct field fault_fields[] = {
	FAULT("freeze", FAULT_FREEZE, instance_fault_map, "an agent is stopped, and goes on"),
	FAULT("kill", FAULT_KILL, instance_fault_map, "an agent is killed"),
	FAULT("redis_lever", FAULT_REDIS_LEVER, lever_map,
	      "the tap delays, holds, refuses, cuts or swallows commands"),
};
const struct map schema_fault = {
	.name = "a fault", MAP_OF(fault_fields), .tagged = true,
	.tag_offset = AT(fault_plan, kind),
};

/* clang-format on */
const char *fault_kind_name(enum fault_kind kind)
{
	for (size_t i = 0; i < schema_fault.count; i++)
		if (fault_fields[i].tag == (int)kind)
			return fault_fields[i].key;
	return "?";
}
