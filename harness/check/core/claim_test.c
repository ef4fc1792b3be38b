#include "check/core/claim.h"

#include <stdlib.h>

#include "check/core/golden.h"

static void the_claim_is_held_or_not_or_not_decided_as_its_history_says(void **state)
{
	static const struct {
		const char *name;
		enum verdict verdict;
		uint64_t turns, controls;
		double p99_ms, agent_p99_ms;
	} rows[] = {
		{ "held", VERDICT_PASS, 528, 3, 1, 1.1 },
		{ "not-held", VERDICT_FAIL, 120, 3, 3, 3.1 },
		{ "not-decided", VERDICT_INCONCLUSIVE, 40, 3, 1, 1.1 },
	};
	struct story_scenario story;

	(void)state;
	story_scenario(&story);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct judgement *j = golden_judge("redis_claim", rows[i].name, &story.scenario);
		const struct redis_claim *c = &j->redis_claim;

		if (c->verdict != rows[i].verdict)
			fail_msg("%s: %s %s", rows[i].name, verdict_name(c->verdict), c->note);
		assert_int_equal(c->turns, rows[i].turns);
		assert_int_equal(c->unanswered, 0);
		assert_int_equal(c->controls, rows[i].controls);
		assert_int_equal(c->agent_turns, rows[i].turns);
		assert_int_equal(c->p99_ns, (int64_t)(rows[i].p99_ms * NS_PER_MS));
		assert_int_equal(c->service_p99_ns, c->p99_ns);
		assert_int_equal(c->agent_p99_ns, (int64_t)(rows[i].agent_p99_ms * NS_PER_MS));
		assert_int_equal(c->control_p99_ns, 250 * NS_PER_US);
		assert_true(c->p99_low_ns <= c->p99_ns && c->p99_ns <= c->p99_high_ns);
		assert_int_equal(!*c->note, rows[i].verdict != VERDICT_INCONCLUSIVE);
		judgement_free(j);
	}
}

/* 1 ms each, the late ones 3 ms, the lost ones given up after 0.5 ms. */
static void measure(struct metrics *m, unsigned good, unsigned late, unsigned lost)
{
	struct metric_row *blue = xcalloc(1, sizeof(*blue)), *green = xcalloc(1, sizeof(*green));

	m->rows[METRIC_REDIS_TURN][PHASE_STEADY][COLOR_BLUE] = blue;
	m->rows[METRIC_REDIS_TURN][PHASE_DRAIN][COLOR_GREEN] = green;
	for (unsigned i = 0; i < good; i++)
		histogram_add(i % 2 ? &blue->answered : &green->answered, NS_PER_MS);
	for (unsigned i = 0; i < late; i++)
		histogram_add(&green->answered, 3 * NS_PER_MS);
	for (unsigned i = 0; i < lost; i++)
		histogram_add_censored(&green->unanswered, NS_PER_MS / 2);
}

static void the_99_percent_interval_of_the_p99_decides_and_no_answer_is_above_it(void **state)
{
	static const struct {
		const char *what;
		unsigned good, late, lost;
		int64_t stall_ns;
		enum verdict verdict;
	} rows[] = {
		{ "nobody spoke", 0, 0, 0, 0, VERDICT_INCONCLUSIVE },
		{ "one too few", 527, 0, 0, 0, VERDICT_INCONCLUSIVE },
		{ "just enough, over phases and colors", 528, 0, 0, 0, VERDICT_PASS },
		{ "just enough, one late", 527, 1, 0, 0, VERDICT_INCONCLUSIVE },
		{ "just enough, one lost", 527, 0, 1, 0, VERDICT_INCONCLUSIVE },
		{ "one of more is lost", 1999, 0, 1, 0, VERDICT_PASS },
		{ "5 % late", 570, 30, 0, 0, VERDICT_FAIL },
		{ "5 % lost, each in less than the budget", 570, 0, 30, 0, VERDICT_FAIL },
		{ "5 % late while we stood still", 570, 30, 0, 2 * NS_PER_MS,
		  VERDICT_INCONCLUSIVE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct metrics m = { .stall_ns = rows[i].stall_ns };
		struct judgement j = { .latency = NULL };

		measure(&m, rows[i].good, rows[i].late, rows[i].lost);
		j.latency_count = metrics_rows(&m, &j.latency);
		claim_judge(&m, &j);
		if (j.redis_claim.verdict != rows[i].verdict)
			fail_msg("%s: %s %s", rows[i].what, verdict_name(j.redis_claim.verdict),
				 j.redis_claim.note);
		assert_int_equal(j.redis_claim.turns, rows[i].good + rows[i].late + rows[i].lost);
		assert_int_equal(j.redis_claim.unanswered, rows[i].lost);
		assert_int_equal(j.redis_claim.budget_ns, 2 * NS_PER_MS);
		assert_true(j.redis_claim.p99_low_ns <= j.redis_claim.p99_ns);
		free(j.latency);
		metrics_free(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_claim_is_held_or_not_or_not_decided_as_its_history_says),
		cmocka_unit_test(
			the_99_percent_interval_of_the_p99_decides_and_no_answer_is_above_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
