/*
 * Interned texts: the same text gets the same number, numbers count from 1. The lane writer numbers
 * the names of one process with it, the history those of the whole run. Grows up to `max` texts;
 * past that intern returns 0. call_names is the other direction: the id string behind a call's
 * 64-bit hash.
 */
#ifndef RECORD_NAMES_H
#define RECORD_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct names {
	char **text;    /* text[number - 1] */
	uint32_t *slot; /* open addressing by hash of the text; 0 is free */
	uint32_t count, cap, slots, max;
};

struct names names_init(uint32_t max);
void names_free(struct names *);
/* The number of the text, or 0 when it is new and there are `max` already. *ret_new may be NULL. */
uint32_t names_intern(struct names *, const char *text, size_t length, bool *ret_new);
const char *names_text(const struct names *, uint32_t number); /* "" when there is none */

struct call_names {
	struct call_name {
		uint64_t call; /* 0 is free */
		char *id;
	} *slot;
	size_t count, slots;
};

void call_names_free(struct call_names *);
/* The first id of a call wins. */
void call_names_add(struct call_names *, uint64_t call, const char *id, size_t length);
const char *call_names_id(const struct call_names *, uint64_t call); /* "" when unknown */

#endif
