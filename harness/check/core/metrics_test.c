#include "check/core/metrics.h"

#include "base/clock.h"
#include "check/core/fold.h"
#include "check/core/golden.h"

static const struct latency_row *row_of(const struct judgement *j, enum metric metric,
					enum phase phase)
{
	for (size_t i = 0; i < j->latency_count; i++) {
		if (j->latency[i].metric == metric && j->latency[i].phase == phase)
			return &j->latency[i];
	}
	fail_msg("no %s in %s", metric_name(metric), phase_name(phase));
	return NULL;
}

/* One bridge call of story.h: sent 1 ms late, two commands of 0.5 ms, answered after 36 ms. */
static struct judgement *judge_one(void (*spoil)(struct story *))
{
	struct story_scenario s;
	struct story story = story_make(1);
	struct fold *fold;
	struct judgement *j;

	story_scenario(&s);
	if (spoil)
		spoil(&story);
	fold = fold_new(&s.scenario, NULL);
	fold_events(fold, story.events, story.count);
	j = fold_finish(fold);
	fold_free(fold);
	story_free(&story);
	return j;
}

static void a_turn_counts_from_its_due_and_its_commands_without_the_thinking(void **state)
{
	static const struct {
		enum metric metric;
		int64_t ns;
		uint64_t count;
	} rows[] = {
		{ METRIC_TURN_RESPONSE, 37 * NS_PER_MS, 6 },
		{ METRIC_TURN_SERVICE, 36 * NS_PER_MS, 6 },
		{ METRIC_REDIS_TURN, NS_PER_MS, 6 },
		{ METRIC_REDIS_COMMAND, NS_PER_MS / 2, 12 },
		{ METRIC_DIAL, 3 * NS_PER_MS, 1 },
	};
	struct judgement *j = judge_one(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct histogram *h = &row_of(j, rows[i].metric, PHASE_STEADY)->histogram;
		assert_int_equal(h->count, rows[i].count);
		assert_int_equal(h->max_ns, rows[i].ns);
		assert_int_equal(h->censored, 0);
	}
	assert_int_equal(j->generator.schedule_lag_p99_ns, NS_PER_MS);
	judgement_free(j);
}

static void due_before_the_start(struct story *s)
{
	struct event *sent = story_find(s, EVENT_TURN_INV, story_call(0), story_at(5));
	struct event *reply = story_find(s, EVENT_REPLY_OK, story_call(0), story_at(5));

	sent->due_ns = reply->due_ns = -1 + story_at(0); /* before the first step */
}

static void a_turn_belongs_to_the_phase_of_its_due(void **state)
{
	struct judgement *j = judge_one(due_before_the_start);

	(void)state;
	assert_int_equal(row_of(j, METRIC_TURN_RESPONSE, PHASE_BEFORE)->histogram.count, 1);
	assert_int_equal(row_of(j, METRIC_TURN_RESPONSE, PHASE_STEADY)->histogram.count, 5);
	judgement_free(j);
}

static void lose_the_last_answer(struct story *s)
{
	/* Sent at 6 s, the agent goes away at 6.2 s. */
	struct event *reply = story_find(s, EVENT_REPLY_OK, story_call(0), story_at(6));
	struct event *hangup = story_find(s, EVENT_HANGUP_INV, story_call(0), 0);

	reply->kind = EVENT_HEARTBEAT;
	hangup->kind = EVENT_LEG_END;
	hangup->n = LEG_FIN;
	hangup->flags = SIDE_AGENT;
	hangup[1].kind = EVENT_HEARTBEAT;
	story_find(s, EVENT_CALL_END, story_call(0), 0)->code = CALL_DROPPED;
}

static void a_turn_without_an_answer_is_there_with_its_age(void **state)
{
	struct judgement *j = judge_one(lose_the_last_answer);
	const struct histogram *h = &row_of(j, METRIC_TURN_RESPONSE, PHASE_STEADY)->histogram;

	(void)state;
	assert_int_equal(h->count, 6);
	assert_int_equal(h->censored, 1);
	assert_int_equal(h->max_ns, 504 * NS_PER_MS);
	judgement_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_turn_counts_from_its_due_and_its_commands_without_the_thinking),
		cmocka_unit_test(a_turn_belongs_to_the_phase_of_its_due),
		cmocka_unit_test(a_turn_without_an_answer_is_there_with_its_age),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
