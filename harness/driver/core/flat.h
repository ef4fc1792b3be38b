/*
 * An XML answer of an AWS Query API as flat names and values, in document order and in the
 * spelling in which requests name the same things, so that what was read can be sent back
 * unchanged:
 *
 *   <R><Rules><member><Priority>10</Priority></member></Rules></R>
 *   Rules.member.1.Priority = 10
 *
 * The root's name is left out; an element without children is a pair, an empty list the pair of
 * an empty value. No document type, no network, no entities but XML's own; depth and number are
 * bounded. Not an XML library.
 */
#ifndef DRIVER_CORE_FLAT_H
#define DRIVER_CORE_FLAT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct flat_pair {
	char *name, *value;
};

struct flat {
	struct flat_pair *pair;
	size_t count, cap;
};

int flat_parse(const char *xml, size_t size, struct flat *ret, struct err *);
void flat_free(struct flat *);
/* The value of a printf-made name, or NULL. */
const char *flat_get(const struct flat *, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Is there a pair of this name or below it? How lists are counted: LIST.member.1, .2, ... */
bool flat_has(const struct flat *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
