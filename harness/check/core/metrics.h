/*
 * The latency metrics: one histogram per metric, phase and color, allocated when its first sample
 * comes. Samples that were never answered are kept apart with their age: they are above every
 * budget, and shown with the age.
 *
 *   turn_response  due -> reply      turn_service   sent -> reply
 *   redis_command  one command at the tap, first byte to last byte of its reply
 *   redis_turn     sum of the turn's commands: what the turn waited for Redis (response)
 *   redis_service  the same without the time they stood in line behind earlier commands of their
 *                  connection
 *   redis_agent    the agent's own word for its turn; a 0 is taken for an agent that does not say
 *   redis_control  a GET and a SETEX of our own, past the tap
 *   dial           dial.inv -> 101   resume_gap     leg lost -> ready again
 *
 * A turn belongs to the phase of its due time. Commands belong to the oldest unanswered turn of
 * their call. A command without a reply makes its turn one without, whatever became of the turn:
 * sent again, answered without it or by the state, given up, long over.
 */
#ifndef CHECK_CORE_METRICS_H
#define CHECK_CORE_METRICS_H

#include "check/judge.h"

enum {
	METRIC_TURNS = 4
}; /* unanswered turns of one call whose times are kept; must be a power of two */

struct metric_turn {
	int64_t due_ns, sent_ns;
};

/* The commands of one turn. */
struct metric_redis {
	int64_t took_ns, served_ns; /* with, without standing in line */
	uint16_t commands;
	bool censored; /* one of them got no reply */
};

/* A call's part. */
struct metric_call {
	struct metric_redis redis; /* of the turn under way */
	struct metric_turn turns[METRIC_TURNS];
};

struct metric_row {
	struct histogram answered, unanswered;
	struct histogram cut_short; /* by us: a planned hangup, the end of the run. At their age;
				       proves nothing */
};

/* Until when a connection was busy with earlier commands. Two that share a slot forget each other:
 * then a command counts from its first byte, which is never too little. */
enum { METRIC_LINES = 512 };
struct metric_line {
	uint32_t conn;
	int64_t busy_until_ns;
};

struct metrics {
	struct metric_row *rows[METRIC_COUNT][PHASE_COUNT][COLOR_COUNT];
	uint64_t turns_answered, turns_unanswered;
	struct histogram lag; /* our own: how late turns and dials went out */
	struct metric_line lines[METRIC_LINES];
	int64_t control_ns; /* our own GET, until its SETEX */
	int64_t stall_ns;   /* our own: longest standstill between the callers and Redis */
};

struct world;
struct world_call;

void metrics_free(struct metrics *);
/* Called by the world BEFORE it applies the event to the call. */
void metrics_event(struct world *, struct world_call *, const struct event *);
/* Of no call: control. */
void metrics_control(struct world *, const struct event *);
/* The call is over: its unanswered turns and its unfinished resume are censored at their age. */
void metrics_call_done(struct world *, struct world_call *);
/* The rows with samples, answered and unanswered merged; the caller frees *ret. */
size_t metrics_rows(const struct metrics *, struct latency_row **ret);

#endif
