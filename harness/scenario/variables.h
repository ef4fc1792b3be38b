/*
 * ${NAME} and ${NAME:-default} in the scalars of a scenario. They are replaced after YAML has been
 * parsed, one pass, so that a value can never become structure, nor another variable: a value with
 * "${" in it is an error. Late names (alb redis call run color instance) stay as they are until
 * scenario_bind.
 */
#ifndef SCENARIO_VARIABLES_H
#define SCENARIO_VARIABLES_H

#include <stdbool.h>

#include "base/buf.h"
#include "scenario/place.h"
#include "scenario/scenario.h"

/* Text of the scalar at `mark` with its variables replaced, appended to out. */
int variables_replace(const struct source *, struct mark, const char *text, const struct variable *,
		      size_t count, struct buf *out, struct err *);
/* Does the text speak of this late name? */
bool variables_mention(const char *text, const char *name);

#endif
