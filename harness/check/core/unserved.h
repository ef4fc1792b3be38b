/*
 * A call that wants a leg and gets none: what became of its last dial, when it never came back or
 * was never admitted.
 */
#ifndef CHECK_CORE_UNSERVED_H
#define CHECK_CORE_UNSERVED_H

#include "check/core/cause.h"

/* The cause by which the last dial did not serve the call; unknown when there was none since it
 * lost its leg, or for lack of our own descriptors or ports. */
struct cause unserved_cause(const struct world_call *);
/* "its last dial failed by status 503" and the like; "" when there was none. */
enum { UNSERVED_TEXT_MAX = 160 };
const char *unserved_text(const struct world *, const struct world_call *,
			  char out[UNSERVED_TEXT_MAX]);

#endif
