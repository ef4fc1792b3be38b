#include "record/event.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *word, *fields;
} kinds[] = {
#define X(NAME, word, fields) [EVENT_##NAME] = { word, fields },
	EVENT_KINDS(X)
#undef X
};
_Static_assert(sizeof(kinds) / sizeof(*kinds) == EVENT_KIND_COUNT,
	       "the table and the enumeration agree");

const char *event_kind_name(unsigned kind)
{
	return kind < EVENT_KIND_COUNT ? kinds[kind].word : "?";
}

int event_kind_parse(const char *word)
{
	for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		if (!strcmp(kinds[kind].word, word))
			return (int)kind;
	}
	return -1;
}

const char *event_kind_fields(unsigned kind)
{
	return kind < EVENT_KIND_COUNT ? kinds[kind].fields : "?";
}

bool event_conn_is_note(unsigned kind)
{
	const uint64_t with_note = 1ULL << EVENT_LIMIT | 1ULL << EVENT_AGENT_NOTICE |
				   1ULL << EVENT_SPAWN | 1ULL << EVENT_EXIT |
				   1ULL << EVENT_PHASE_BEGIN | 1ULL << EVENT_PHASE_END |
				   1ULL << EVENT_ACTION_INV | 1ULL << EVENT_ACTION_OK |
				   1ULL << EVENT_ACTION_FAIL | 1ULL << EVENT_CONFIG |
				   1ULL << EVENT_PROBE_FAIL | 1ULL << EVENT_RUN_END |
				   1ULL << EVENT_SAID | 1ULL << EVENT_TLS | 1ULL << EVENT_BYPASS |
				   1ULL << EVENT_FAULT_INV | 1ULL << EVENT_FAULT_OK |
				   1ULL << EVENT_FAULT_HEAL | 1ULL << EVENT_RELOAD |
				   1ULL << EVENT_RESIDUE | 1ULL << EVENT_REDIS_ROLE |
				   1ULL << EVENT_FAULT_FAIL | 1ULL << EVENT_REDIS_PURGE |
				   1ULL << EVENT_CONTROL;

	return kind < EVENT_KIND_COUNT && (with_note >> kind & 1);
}

struct event event_make(enum event_kind kind, int64_t t_ns)
{
	return (struct event){ .t_ns = t_ns, .due_ns = -1, .kind = (uint8_t)kind };
}
