/*
 * One event in words, for explain: what the fields of its kind mean, not what they are called.
 */
#ifndef COMMAND_CORE_EVENT_TEXT_H
#define COMMAND_CORE_EVENT_TEXT_H

#include "base/buf.h"
#include "record/history.h"

void event_describe(const struct history *, const struct event *, struct buf *out);
/* Who saw it: "caller" "redis" "process" "cutover" "observer" "record". */
const char *event_witness(unsigned kind);

#endif
