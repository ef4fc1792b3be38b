/* Books, exit codes, gates on calls. */
#include "check/core/fold.h"
#include "check/core/golden.h"

enum { CALLS = 60 };

static bool is_end_of(const struct event *e, const void *with)
{
	return e->kind == EVENT_CALL_END && e->call == *(const uint64_t *)with;
}

static bool is_start_of(const struct event *e, const void *with)
{
	return e->kind == EVENT_CALL_START && e->call == *(const uint64_t *)with;
}

static bool is_hangup_of(const struct event *e, const void *with)
{
	const uint64_t call = *(const uint64_t *)with;

	return e->call == call && (e->kind == EVENT_HANGUP_INV || e->kind == EVENT_CALL_END ||
				   e->kind == EVENT_LEG_END);
}

static void nothing(struct story *s)
{
	(void)s;
}

static void interrupt(struct story *s)
{
	story_find(s, EVENT_RUN_END, 0, 0)->flags = RUN_INTERRUPTED;
}

static void no_end(struct story *s)
{
	story_cut(s, is_hangup_of,
		  (const uint64_t[]){ story_call(CALLS - 2) }); /* on green: blue ends */
}

static void end_without_hangup(struct story *s)
{
	struct event *e = story_find(s, EVENT_HANGUP_INV, story_call(4), 0);

	e->kind = EVENT_HEARTBEAT;
}

static void break_off(struct story *s)
{
	end_without_hangup(s);
	story_find(s, EVENT_RUN_END, 0, 0)->flags = RUN_BROKE | RUN_INTERRUPTED;
}

static void interrupted_drop(struct story *s)
{
	interrupt(s);
	end_without_hangup(s);
}

static void no_start(struct story *s)
{
	story_cut(s, is_start_of, (const uint64_t[]){ story_call(4) });
}

static void end_twice(struct story *s)
{
	story_add(s, *story_find(s, EVENT_CALL_END, story_call(4), 0));
	story_sort(s);
}

static void no_call_end(struct story *s)
{
	story_cut(s, is_end_of, (const uint64_t[]){ story_call(4) });
}

static void the_exit_code_follows_the_precedence(void **state)
{
	static const struct {
		const char *what;
		void (*spoil)(struct story *);
		int exit_code;
		struct ledger ledger;
	} rows[] = {
		{ "clean", nothing, EXIT_PASS, { CALLS, CALLS, 0, 0, 0, 0 } },
		{ "interrupted", interrupt, EXIT_INTERRUPTED, { CALLS, CALLS, 0, 0, 0, 0 } },
		{ "a call has no end",
		  no_end,
		  EXIT_INCONCLUSIVE,
		  { CALLS, CALLS - 1, 0, 0, 1, 0 } },
		{ "hung up is as good as ended",
		  no_call_end,
		  EXIT_PASS,
		  { CALLS, CALLS, 0, 0, 0, 0 } },
		{ "a call ended without its hangup",
		  end_without_hangup,
		  EXIT_FAIL,
		  { CALLS, CALLS - 1, 1, 0, 0, 0 } },
		{ "a fail outranks the interruption",
		  interrupted_drop,
		  EXIT_FAIL,
		  { CALLS, CALLS - 1, 1, 0, 0, 0 } },
		{ "a failure of ours outranks what it may have caused",
		  break_off,
		  EXIT_HARNESS,
		  { CALLS, CALLS - 1, 1, 0, 0, 0 } },
		{ "a call that never began",
		  no_start,
		  EXIT_HARNESS,
		  { CALLS - 1, CALLS - 1, 0, 0, 0, 0 } },
		{ "a call that ended twice",
		  end_twice,
		  EXIT_HARNESS,
		  { CALLS, CALLS, 0, 0, 0, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct story_scenario s;
		struct story story = story_make(CALLS);
		struct ledger sum = { 0 };
		struct judgement *j;

		story_scenario(&s);
		rows[i].spoil(&story);
		j = golden_story(&story, &s.scenario);
		if (judgement_exit_code(j) != rows[i].exit_code)
			fail_msg("%s: exit %d %s", rows[i].what, judgement_exit_code(j),
				 j->harness_text);
		assert_memory_equal(&j->ledger, &rows[i].ledger, sizeof(j->ledger));
		for (unsigned p = 0; p < PHASE_COUNT; p++)
			sum.started += j->by_phase[p].started;
		for (unsigned c = 0; c < COLOR_COUNT; c++)
			sum.completed += j->by_color[c].completed;
		assert_int_equal(sum.started, j->ledger.started);
		assert_int_equal(sum.completed, j->ledger.completed);
		judgement_free(j);
		story_free(&story);
	}
}

static void a_gate_on_calls_counts_them(void **state)
{
	static const struct {
		const char *metric;
		int phase;
		enum gate_op op;
		double limit;
		enum verdict verdict;
	} rows[] = {
		{ "dropped_calls", GATE_PHASE_ANY, GATE_EQ, 0, VERDICT_FAIL },
		{ "dropped_calls", GATE_PHASE_ANY, GATE_LE, 1, VERDICT_PASS },
		{ "dropped_calls", PHASE_STEADY, GATE_EQ, 1, VERDICT_PASS },
		{ "dropped_calls", PHASE_ROLLBACK, GATE_EQ, 0, VERDICT_INCONCLUSIVE },
		{ "refused", GATE_PHASE_ANY, GATE_EQ, 0, VERDICT_PASS },
		{ "cutover", GATE_PHASE_ANY, GATE_EQ, 0, VERDICT_PASS },
		{ "happiness", GATE_PHASE_ANY, GATE_EQ, 0, VERDICT_INCONCLUSIVE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct story_scenario s;
		struct story story = story_make(CALLS);
		struct judgement *j;

		story_scenario(&s);
		s.gate = (struct gate){ .metric = (char *)rows[i].metric,
					.phase = rows[i].phase,
					.op = rows[i].op,
					.stat = GATE_COUNT,
					.limit = rows[i].limit };
		s.scenario.gates = &s.gate;
		s.scenario.gate_count = 1;
		end_without_hangup(&story);
		j = golden_story(&story, &s.scenario);
		if (j->gates[0].verdict != rows[i].verdict)
			fail_msg("row %zu %s: %s %s", i, rows[i].metric,
				 verdict_name(j->gates[0].verdict), j->gates[0].note);
		judgement_free(j);
		story_free(&story);
	}
}

static void a_history_without_events_is_an_error(void **state)
{
	struct story_scenario s;
	struct history *history = NULL;
	struct judgement *j = NULL;
	struct err err = { .kind = ERR_NONE };

	(void)state;
	story_scenario(&s);
	assert_int_equal(history_open_text("empty", "# nothing\n", &history, &err), 0);
	assert_int_equal(judge(&s.scenario, history, &j, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_null(j);
	history_free(history);
	judgement_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_exit_code_follows_the_precedence),
		cmocka_unit_test(a_gate_on_calls_counts_them),
		cmocka_unit_test(a_history_without_events_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
