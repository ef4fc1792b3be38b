/*
 * The schema: one table that knows every key of a scenario and of an overlay. It is walked to
 * parse, to give defaults, to write the canonical text, to print the JSON Schema and to free. No
 * code knows a key by name but the table.
 *
 *   map ── fields ──┬ plain value  -> a member of the struct at `offset`
 *                   ├ map          -> another table row set, same struct base + offset
 *                   └ list of maps -> an array of structs
 *
 * A "tagged" map holds exactly one of its alternatives and an int says which (the phase of a step,
 * the kind of a distribution). What two keys may not say together is validate.c's business, not
 * the table's.
 */
#ifndef SCENARIO_SCHEMA_H
#define SCENARIO_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "scenario/document.h"
#include "scenario/scenario.h"

enum field_type {
	FIELD_TEXT = 0, /* char *; NULL when not given */
	FIELD_DURATION, /* int64_t */
	FIELD_INTEGER,	/* int */
	FIELD_SEED,	/* uint64_t */
	FIELD_SHARE,	/* double, fraction of 1 */
	FIELD_NUMBER,	/* double > 0 */
	FIELD_FLAG,	/* bool: on, off */
	FIELD_WORD,	/* enum: index into words */
	FIELD_WORDS,	/* unsigned: a set of words, one bit each */
	FIELD_RANGE,	/* int64_t[2]: "[prefix ]a..b" */
	FIELD_TEXTS,	/* char **, size_t at count_offset */
	FIELD_MAP,	/* the map's own fields, at offset */
	FIELD_LIST,	/* array of the map's structs, size_t at count_offset */
	FIELD_GATES, /* struct gate array, size_t at count_offset: keys are metrics */
};

struct field {
	const char *key;
	enum field_type type;
	size_t offset;
	const char *about;
	bool required;       /* when its map is given */
	bool local_fallback; /* the fallback holds for `stack: local` only; required otherwise */
	const char *fallback; /* as written in a scenario; NULL: none */
	int64_t absent;      /* without fallback: the value that means "not given" */
	int64_t min, max;    /* durations and integers; max 0: DURATION_MAX_NS, INT_MAX */
	int64_t granule_ns;  /* durations: whole multiples only; 0: any */
	const char *const *words; /* ends with NULL; "" is a value that cannot be written */
	const char *prefix;  /* range */
	const struct map *map;
	size_t given_offset; /* map: bool that says the key was there; 0: none */
	size_t count_offset, element_size;
	bool tagged;         /* one alternative of a tagged map */
	int tag;
	bool barred;         /* not together with the alternative barred_by */
	int barred_by;
};

struct map {
	const char *name; /* for messages: "a step", "calls" */
	const struct field *fields;
	size_t count;
	const char *scalar_key; /* a plain value stands for { scalar_key: value } */
	bool scalar_all;	/* a plain value stands for that value under every key */
	bool tagged;
	size_t tag_offset;
};

extern const struct map schema_scenario; /* base: struct scenario */
extern const struct map schema_overlay;	 /* base: struct overlay */
extern const struct map schema_fault;	 /* base: struct fault_plan; part of a scenario */

enum { SCHEMA_LIST_MAX = 64 };

/* Fills a zeroed struct from a document. On failure what was allocated is left for schema_free. */
int schema_parse(const struct map *, const struct document *, void *base, struct err *);
/* Canonical YAML: every key, block style, texts quoted. */
void schema_write(const struct map *, const void *base, struct buf *out);
void schema_free(const struct map *, void *base);

/* Plain values; the error names key, value and limit, not the place. */
int value_parse(const struct field *, const char *text, void *at, struct err *);
void value_format(const struct field *, const void *at, struct buf *out);
bool value_absent(const struct field *, const void *at); /* nothing to write */

static inline void *field_at(const struct field *f, const void *base)
{
	return (char *)base + f->offset;
}

#endif
