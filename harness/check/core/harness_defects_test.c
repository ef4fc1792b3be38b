/*
 * Who judges the judge: the defects a harness may have itself (drills 3.2), and what sees each.
 * Below, the record is what the defective harness would have left of the clean story; none of them
 * may pass. Beside that, the test that reddens when the defect is planted in the code itself.
 *
 *   H1   a 1000 by the agent is taken for the end of a call      sim/call_test, outcome_test
 *   H2   a lane loses a block                                    lane_test, lane_reader_test
 *   H3   an agent reaches Redis past the tap                     state_continuity_test
 *   H4   what was never answered is left out of the histogram    metrics_test, gates_test
 *   H5   a fault is reported, and not injected                   bite_test; ci/e2e/faults.py
 *   H6   nobody looks for turns answered twice                   state_continuity_test
 *   H7   the next turn waits for the answer, not for its time    sim/call_test, honest_harness_test
 *   H8   events of one stamp are merged in reverse               history_test, lane_reader_test
 *   H9   the color of a leg is an older one                      sim/call_test, honest_harness_test
 *   H10  events are let go before late ones came                 lane_reader_test
 */
#include "base/clock.h"
#include "check/core/fold.h"
#include "check/core/story_lanes.h"

enum { CALLS = 62, RESUMABLE = 31, BRIDGE = 40 }; /* the two are live after the shift */

static const struct gate quick = {
	.metric = (char *)"redis_command",
	.phase = GATE_PHASE_ANY,
	.stat = GATE_P,
	.percentile = 95,
	.op = GATE_LT,
	.limit = 5e6,
	.duration = true,
	.expression = (char *)"p(95) < 5ms",
	.key = (char *)"redis_command",
};

static struct judgement *judge_it(const struct story *story)
{
	struct story_scenario s;
	struct fold *fold;
	struct judgement *j;

	story_scenario(&s);
	s.gate = quick;
	s.scenario.gates = &s.gate;
	s.scenario.gate_count = 1;
	fold = fold_new(&s.scenario, NULL);
	fold_events(fold, story->events, story->count);
	j = fold_finish(fold);
	fold_free(fold);
	return j;
}

static void nothing(struct story *s)
{
	(void)s;
}

static bool is_later_of_bridge(const struct event *e, const void *with)
{
	return e->call == story_call(BRIDGE) && e->t_ns > *(const int64_t *)with &&
	       e->kind != EVENT_LEG_END && e->kind != EVENT_CALL_END;
}

/* H1 */
static void take_a_polite_close_for_the_end(struct story *s)
{
	const uint64_t call = story_call(BRIDGE);
	int64_t at_ns = story_find(s, EVENT_DIAL_OK, call, 0)->t_ns + 2500 * NS_PER_MS;
	struct event *end = story_find(s, EVENT_LEG_END, call, 0);

	end->t_ns = at_ns;
	end->flags = SIDE_AGENT;
	story_find(s, EVENT_CALL_END, call, 0)->t_ns = at_ns + 1;
	story_cut(s, is_later_of_bridge, &at_ns);
}

static bool is_command_of_green_2(const struct event *e, const void *with)
{
	(void)with;
	return story_writer(e) == ROLE_TAP && e->instance == STORY_GREEN_2;
}

/* H3, and nobody asked Redis who its clients are */
static void dial_redis_directly(struct story *s)
{
	story_cut(s, is_command_of_green_2, NULL);
}

/* H3, and somebody did */
static void see_a_stranger(struct story *s)
{
	struct event e = event_make(EVENT_BYPASS, story_at(5));

	e.n = 1;
	story_add(s, e);
}

/* H4: one GET in four never had an answer. */
static void leave_commands_unanswered(struct story *s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->count; i++) {
		struct event *e = &s->events[i];
		if (e->kind != EVENT_CMD_OK || e->code != VERB_GET || n++ % 4)
			continue;
		e->kind = EVENT_CMD_INFO;
		e->t_ns = e->due_ns + 6 * NS_PER_MS;
	}
}

/* H6 */
static void answer_twice(struct story *s)
{
	struct event e = *story_find(s, EVENT_REPLY_OK, story_call(BRIDGE), 0);

	e.t_ns += NS_PER_MS;
	story_add(s, e);
}

static bool is_last_turn(const struct event *e, const void *with)
{
	return e->call == *(const uint64_t *)with && e->turn + e->n >= 6 &&
	       (e->kind == EVENT_TURN_INV || e->kind == EVENT_REPLY_OK ||
		story_writer(e) == ROLE_TAP);
}

/* H7: each turn waited for an answer, and for the last one there was no time left. */
static void wait_for_each_answer(struct story *s)
{
	const uint64_t call = story_call(BRIDGE);

	story_cut(s, is_last_turn, &call);
	story_find(s, EVENT_HANGUP_INV, call, 0)->turn = 5;
}

/* H8, H10: the reply stands before its turn. */
static void swap_turn_and_reply(struct story *s)
{
	struct event *turn = story_find(s, EVENT_TURN_INV, story_call(BRIDGE), 0),
		     *reply = story_find(s, EVENT_REPLY_OK, story_call(BRIDGE), 0), was = *turn;

	*turn = *reply;
	*reply = was;
}

/* H9: the leg came back to green, and is told as the one before it. */
static void keep_the_old_color(struct story *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct event *e = &s->events[i];
		if (e->call == story_call(BRIDGE) && e->color == COLOR_GREEN &&
		    story_writer(e) == ROLE_WORKER)
			e->color = COLOR_BLUE;
	}
}

static const struct {
	const char *what;
	void (*spoil)(struct story *);
	enum verdict verdict;
	const char *check;
	const char *says; /* its first anomaly or reason */
} defects[] = {
	{ "none", nothing, VERDICT_PASS, "dropped_calls", "" },
	{ "H1", take_a_polite_close_for_the_end, VERDICT_FAIL, "dropped_calls", "truncated" },
	{ "H3", dial_redis_directly, VERDICT_INCONCLUSIVE, "state_continuity", "no_tap" },
	{ "H3", see_a_stranger, VERDICT_INCONCLUSIVE, "state_continuity", "no_tap" },
	{ "H4", leave_commands_unanswered, VERDICT_FAIL, "latency_budget", "" },
	{ "H6", answer_twice, VERDICT_FAIL, "state_continuity", "double_apply" },
	{ "H7", wait_for_each_answer, VERDICT_INCONCLUSIVE, "honest_harness", "late_generator" },
	{ "H8, H10", swap_turn_and_reply, VERDICT_INCONCLUSIVE, "honest_harness", "source_lost" },
	{ "H9", keep_the_old_color, VERDICT_INCONCLUSIVE, "honest_harness", "no_color" },
};

static bool says(const struct finding *f, const char *word)
{
	bool said = !*word;

	for (size_t i = 0; i < f->reason_count; i++)
		said |= !strcmp(reason_name(f->reasons[i].reason), word);
	for (size_t i = 0; i < f->witness_count; i++)
		said |= !strcmp(anomaly_name(f->witnesses[i].anomaly), word);
	return said;
}

static void no_record_of_a_defective_harness_passes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(defects) / sizeof(*defects); i++) {
		struct story s = story_make(CALLS);
		const struct finding *f;
		struct judgement *j;

		defects[i].spoil(&s);
		if (defects[i].spoil != swap_turn_and_reply)
			story_sort(&s);
		j = judge_it(&s);
		f = golden_finding(j, defects[i].check);
		if (f->verdict != defects[i].verdict || !says(f, defects[i].says) ||
		    (j->verdict == VERDICT_PASS) != (defects[i].verdict == VERDICT_PASS))
			fail_msg("%s: %s %s: %s", defects[i].what, verdict_name(f->verdict),
				 f->name, f->summary);
		/* Of the call whose events are out of order nothing is held against anybody. */
		if (defects[i].spoil == swap_turn_and_reply)
			assert_int_equal(judgement_exit_code(j), EXIT_INCONCLUSIVE);
		judgement_free(j);
		story_free(&s);
	}
}

/* H2: without any one of its blocks but the last, a lane convicts nobody and lets nobody pass. */
static void a_lane_without_one_of_its_blocks_proves_nothing(void **state)
{
	static const char *const names[] = { "worker-0.lane", "worker-1.lane", "tap-0.lane",
					     "supervisor-0.lane", "director-0.lane" };
	struct story s = story_make(CALLS);
	unsigned tried = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct test_dir dir = test_dir_make();
		size_t size, at = sizeof(struct lane_header);
		char path[128], *file, *without;

		story_write(&s, &dir, 2);
		file = test_file_read(test_path(&dir, names[i], path), &size);
		without = xcalloc(1, size);
		while (at < size) {
			struct lane_block block;
			struct judgement *j;
			size_t bytes;

			memcpy(&block, file + at, sizeof(block));
			bytes = sizeof(block) + block.length;
			memcpy(without, file, at);
			memcpy(without + at, file + at + bytes, size - at - bytes);
			test_file_write(path, without, size - bytes);
			j = story_judge_dir(&dir);
			if (block.what == LANE_EVENTS &&
			    judgement_exit_code(j) != EXIT_INCONCLUSIVE)
				fail_msg("%s without its block at %zu: exit %d: %s: %s", names[i],
					 at, judgement_exit_code(j), j->findings[0].name,
					 j->findings[0].summary);
			tried += block.what == LANE_EVENTS;
			judgement_free(j);
			at += bytes;
		}
		free(file);
		free(without);
		test_dir_remove(&dir);
	}
	assert_true(tried > 10);
	story_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_record_of_a_defective_harness_passes),
		cmocka_unit_test(a_lane_without_one_of_its_blocks_proves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
