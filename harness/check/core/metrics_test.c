#include "check/core/metrics.h"

#include "base/clock.h"
#include "base/hash.h"
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

/* ---- Redis: the commands of one call, written as words ---- */

/*
 * The call's own turns and commands give way to these, milliseconds after its first second:
 *   turn AT            sent again AT     reply AT [US]   resumed AT     (US: the agent's own word)
 *   ok CONN AT LASTED  a command that was answered       lost CONN AT LASTED  the connection ended
 *   foreign CONN AT LASTED   an answered command of another call
 * It hangs up after 5,500.
 */
static void play_word(struct story *s, const char **at)
{
	enum { BEGAN_MS = 1000 };
	char word[16];
	int a = 0, b = 0, c = 0, used = 0;
	struct event e = { .call = story_call(0), .color = COLOR_BLUE, .instance = STORY_BLUE_1 };

	if (sscanf(*at, " %15[a-z] %d %d %d%n", word, &a, &b, &c, &used) < 4 &&
	    sscanf(*at, " %15[a-z] %d %d%n", word, &a, &b, &used) < 3 &&
	    sscanf(*at, " %15[a-z] %d%n", word, &a, &used) < 2)
		fail_msg("\"%s\" is no word of this play", *at);
	*at += used;
	e.t_ns = story_at(0) + NS_PER_MS + (BEGAN_MS + a) * NS_PER_MS;
	e.due_ns = -1;
	e.turn = e.n = 1;
	if (!strcmp(word, "turn") || !strcmp(word, "again")) {
		e.kind = EVENT_TURN_INV;
		e.flags = *word == 'a' ? TURN_RESENT : 0;
	} else if (!strcmp(word, "reply")) {
		e.kind = EVENT_REPLY_OK;
		e.aux = (uint32_t)b;
	} else if (!strcmp(word, "resumed")) {
		e.kind = EVENT_RESUME_OK;
	} else {
		e.kind = *word == 'l' ? EVENT_CMD_INFO : EVENT_CMD_OK;
		if (*word == 'f')
			e.call = hash_id("c-other", 7);
		e.conn = (uint32_t)a;
		e.code = VERB_GET;
		e.due_ns = story_at(0) + NS_PER_MS + (BEGAN_MS + b) * NS_PER_MS;
		e.t_ns = e.due_ns + c * NS_PER_MS;
		e.flags = CMD_CALL_KEY;
	}
	story_add(s, e);
}

static bool is_replaced(const struct event *e, const void *with)
{
	(void)with;
	return e->kind == EVENT_TURN_INV || e->kind == EVENT_REPLY_OK || e->kind == EVENT_CMD_INV ||
	       e->kind == EVENT_CMD_OK;
}

static struct judgement *judge_play(const char *play)
{
	struct story_scenario s;
	struct story story = story_make(1);
	struct fold *fold;
	struct judgement *j;

	story_scenario(&s);
	story_cut(&story, is_replaced, NULL);
	while (*play)
		play_word(&story, &play);
	story_sort(&story);
	fold = fold_new(&s.scenario, NULL);
	fold_events(fold, story.events, story.count);
	j = fold_finish(fold);
	fold_free(fold);
	story_free(&story);
	return j;
}

/* Over all phases. */
static struct histogram all_of(const struct judgement *j, enum metric metric)
{
	struct histogram h = { 0 };

	for (size_t i = 0; i < j->latency_count; i++)
		if (j->latency[i].metric == metric)
			histogram_merge(&h, &j->latency[i].histogram);
	return h;
}

static void a_command_without_an_answer_counts_whatever_became_of_its_turn(void **state)
{
	static const struct {
		const char *what, *play;
		uint64_t count, unanswered;
		int64_t longest_ms;
	} rows[] = {
		{ "all answered", "turn 0 ok 1 2 1 ok 1 4 2 reply 10", 1, 0, 3 },
		{ "answered without it", "turn 0 ok 1 2 1 lost 1 3 6 reply 10", 1, 1, 7 },
		{ "sent again", "turn 0 lost 1 2 6 again 20 ok 2 22 1 reply 30", 1, 1, 7 },
		{ "sent again, its first try answered: counted anew",
		  "turn 0 ok 1 2 6 again 20 ok 2 22 1 reply 30", 1, 0, 1 },
		{ "answered by the state", "turn 0 lost 1 2 6 resumed 20", 1, 1, 6 },
		{ "answered by the state, and no command is open: no whole turn",
		  "turn 0 ok 1 2 6 resumed 20", 0, 0, 0 },
		{ "the call ends", "turn 0 lost 1 2 6", 1, 1, 6 },
		{ "the call ends, and no command is open", "turn 0 ok 1 2 6", 0, 0, 0 },
		{ "the call ends before the command", "turn 0 lost 1 2 9000", 1, 1, 9000 },
		{ "replied before it was persisted", "turn 0 ok 1 2 1 reply 5 lost 1 4 6", 2, 1,
		  6 },
		{ "before the first turn", "lost 1 -900 6 turn 0 ok 1 2 1 reply 10", 1, 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct judgement *j = judge_play(rows[i].play);
		struct histogram turn = all_of(j, METRIC_REDIS_TURN),
				 service = all_of(j, METRIC_REDIS_SERVICE);

		if (turn.count != rows[i].count || turn.censored != rows[i].unanswered ||
		    turn.max_ns != rows[i].longest_ms * NS_PER_MS)
			fail_msg("%s: %llu turns, %llu unanswered, longest %lld ns", rows[i].what,
				 (unsigned long long)turn.count, (unsigned long long)turn.censored,
				 (long long)turn.max_ns);
		assert_int_equal(service.count, rows[i].count);
		assert_int_equal(service.censored, rows[i].unanswered);
		judgement_free(j);
	}
}

static void service_leaves_out_standing_in_line_on_the_same_connection(void **state)
{
	static const struct {
		const char *what, *play;
		int64_t turn_ms, service_ms;
	} rows[] = {
		{ "one after the other", "turn 0 ok 1 2 4 ok 1 6 4 reply 20", 8, 8 },
		{ "both at once on one connection", "turn 0 ok 1 2 4 ok 1 3 4 reply 20", 8, 5 },
		{ "at once on two", "turn 0 ok 1 2 4 ok 2 3 4 reply 20", 8, 8 },
		{ "behind another call", "turn 0 foreign 1 1 4 ok 1 3 4 reply 20", 4, 2 },
		{ "two in one slot forget each other", "turn 0 ok 1 2 4 ok 513 3 4 reply 20", 8,
		  8 },
		{ "behind one that was never answered", "turn 0 lost 1 2 4 ok 1 4 4 reply 20", 8,
		  6 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct judgement *j = judge_play(rows[i].play);
		struct histogram turn = all_of(j, METRIC_REDIS_TURN),
				 service = all_of(j, METRIC_REDIS_SERVICE);

		if (turn.max_ns != rows[i].turn_ms * NS_PER_MS ||
		    service.max_ns != rows[i].service_ms * NS_PER_MS)
			fail_msg("%s: %lld ns, served %lld ns", rows[i].what,
				 (long long)turn.max_ns, (long long)service.max_ns);
		judgement_free(j);
	}
}

static void an_agents_own_word_is_a_figure_of_its_own_and_0_is_none(void **state)
{
	struct judgement *said = judge_play("turn 0 ok 1 2 1 reply 10 450"),
			 *silent = judge_play("turn 0 ok 1 2 1 reply 10 0");
	struct histogram h = all_of(said, METRIC_REDIS_AGENT);

	(void)state;
	assert_int_equal(h.count, 1);
	assert_int_equal(h.max_ns, 450 * NS_PER_US);
	assert_int_equal(all_of(silent, METRIC_REDIS_AGENT).count, 0);
	judgement_free(said);
	judgement_free(silent);
}

static void a_control_is_a_get_and_its_setex_or_the_one_without_an_answer(void **state)
{
	static const struct {
		enum verb verb;
		uint32_t us;
		uint8_t flags;
		uint64_t count, unanswered; /* after it */
		int64_t longest_us;
	} steps[] = {
		{ VERB_GET, 100, 0, 0, 0, 0 },
		{ VERB_SETEX, 150, 0, 1, 0, 250 },
		{ VERB_GET, 5000, CONTROL_UNANSWERED, 2, 1, 5000 },
		{ VERB_GET, 1000, 0, 2, 1, 5000 }, /* its SETEX is not on record */
		{ VERB_GET, 100, 0, 2, 1, 5000 },
		{ VERB_SETEX, 9000, CONTROL_UNANSWERED, 3, 2, 9100 },
	};
	struct story_scenario s;
	struct story story = story_make(0);

	(void)state;
	story_scenario(&s);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct event e = { .kind = EVENT_CONTROL,
				   .t_ns = story_at(1) + (int64_t)i * NS_PER_S,
				   .due_ns = -1,
				   .code = (uint16_t)steps[i].verb,
				   .aux = steps[i].us,
				   .flags = steps[i].flags };
		struct fold *fold = fold_new(&s.scenario, NULL);
		struct judgement *j;
		struct histogram h;

		story_add(&story, e);
		story_sort(&story);
		fold_events(fold, story.events, story.count);
		j = fold_finish(fold);
		h = all_of(j, METRIC_REDIS_CONTROL);
		assert_int_equal(h.count, steps[i].count);
		assert_int_equal(h.censored, steps[i].unanswered);
		assert_int_equal(h.max_ns, steps[i].longest_us * NS_PER_US);
		judgement_free(j);
		fold_free(fold);
	}
	story_free(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_turn_counts_from_its_due_and_its_commands_without_the_thinking),
		cmocka_unit_test(a_turn_belongs_to_the_phase_of_its_due),
		cmocka_unit_test(a_turn_without_an_answer_is_there_with_its_age),
		cmocka_unit_test(a_command_without_an_answer_counts_whatever_became_of_its_turn),
		cmocka_unit_test(service_leaves_out_standing_in_line_on_the_same_connection),
		cmocka_unit_test(an_agents_own_word_is_a_figure_of_its_own_and_0_is_none),
		cmocka_unit_test(a_control_is_a_get_and_its_setex_or_the_one_without_an_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
