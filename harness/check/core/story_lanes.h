/*
 * For tests: a story written as the lanes a run of it would have left in a folder, and judged from
 * there. Include after golden.h.
 */
#ifndef CHECK_CORE_STORY_LANES_H
#define CHECK_CORE_STORY_LANES_H

#include "check/core/golden.h"
#include "check/core/story.h"
#include "record/test_lanes.h"

static inline enum lane_role story_writer(const struct event *e)
{
	if (e->kind == EVENT_CMD_INV || e->kind == EVENT_CMD_OK || e->kind == EVENT_CMD_INFO)
		return ROLE_TAP;
	if (e->kind == EVENT_SPAWN || e->kind == EVENT_SIGNAL || e->kind == EVENT_EXIT)
		return ROLE_SUPERVISOR;
	return e->call ? ROLE_WORKER : ROLE_DIRECTOR;
}

/* worker-0 to worker-<workers - 1>, tap-0, supervisor-0 and director-0; up to 8 workers. */
static inline void story_write(const struct story *story, const struct test_dir *dir,
			       unsigned workers)
{
	static const char *const instances[] = { "blue-1", "blue-2", "green-1", "green-2" };
	struct lane *lanes[ROLE_COUNT][8] = { 0 };

	for (enum lane_role role = ROLE_WORKER; role <= ROLE_DIRECTOR; role++)
		for (unsigned n = 0; n < (role == ROLE_WORKER ? workers : 1); n++) {
			lanes[role][n] = test_lane_open(dir, "r1", role, n);
			for (size_t k = 0; k < sizeof(instances) / sizeof(*instances); k++)
				lane_instance(lanes[role][n], instances[k]);
		}
	for (size_t i = 0; i < story->count; i++) {
		const struct event *e = &story->events[i];
		enum lane_role role = story_writer(e);
		struct lane *lane = lanes[role][role == ROLE_WORKER ? e->call % workers : 0];

		lane_event(lane, *e);
		if (i % 50 == 0) /* several blocks a lane */
			lane_flush(lane);
	}
	for (enum lane_role role = ROLE_WORKER; role <= ROLE_DIRECTOR; role++)
		for (unsigned n = 0; n < 8 && lanes[role][n]; n++)
			test_lane_close(lanes[role][n]);
}

static inline struct judgement *story_judge_dir(const struct test_dir *dir)
{
	struct history *history = NULL;
	struct judgement *j = NULL;
	struct story_scenario s;
	struct err err = { 0 };

	story_scenario(&s);
	if (history_open(dir->path, &history, &err) < 0 ||
	    judge(&s.scenario, history, &j, &err) < 0)
		fail_msg("%s", err.text);
	history_free(history);
	return j;
}

#endif
