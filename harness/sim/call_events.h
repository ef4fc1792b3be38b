/*
 * What a call puts on record: one function an event, each field as record/event.h says. Used by
 * call.c only; decides nothing. "Sends" are stamped again by who carries them out.
 */
#ifndef SIM_CALL_EVENTS_H
#define SIM_CALL_EVENTS_H

#include "sim/call.h"

struct call_action *call_act(struct call_actions *, enum call_action_kind);

void say_start(const struct call *, int64_t now_ns, struct call_actions *);
void say_dial(const struct call *, int64_t now_ns, struct call_actions *);
void say_open(const struct call *, int64_t now_ns, struct call_actions *);
void say_resume(const struct call *, int64_t now_ns, struct call_actions *);
/* agrees: the 101 had named no other place */
void say_ready(const struct call *, const struct meaning *, bool agrees, int64_t now_ns,
	       struct call_actions *);
void say_turn(const struct call *, uint8_t flags, int64_t now_ns, struct call_actions *);
void say_reply(const struct call *, const struct call_input *, bool awaited, int64_t now_ns,
	       struct call_actions *);
void say_notice(const struct call *, const struct meaning *, int64_t now_ns, struct call_actions *);
void say_lose(const struct call *, int64_t now_ns, struct call_actions *);
void say_hangup(const struct call *, int64_t now_ns, struct call_actions *);
/* Of a dial or a leg. timed_out: we cut it because its time was over. */
void say_end(const struct call *, const struct call_input *, bool timed_out, int64_t now_ns,
	     struct call_actions *);
void say_over(const struct call *, int64_t now_ns, struct call_actions *);

#endif
