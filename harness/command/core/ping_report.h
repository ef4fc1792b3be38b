/*
 * A ping as text for people and as JSON for machines. Pure: from the arguments and the result.
 */
#ifndef COMMAND_CORE_PING_REPORT_H
#define COMMAND_CORE_PING_REPORT_H

#include <stdbool.h>

#include "command/core/ping_call.h"

void ping_text(const struct ping_args *, const struct ping_result *, bool color, struct buf *out);
/* Schema crossfade.ping/1: keys may be added, never renamed. */
void ping_json(const struct ping_args *, const struct ping_result *, struct buf *out);

#endif
