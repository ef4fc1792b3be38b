#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "record/verdict.h"

static void violate(struct finding *f, int times, enum anomaly anomaly)
{
	for (int i = 0; i < times; i++) {
		struct witness witness = { .call = (uint64_t)i + 1, .anomaly = anomaly };
		verdict_violation(f, &witness);
	}
}

static void the_worse_verdict_wins(void **state)
{
	(void)state;
	for (unsigned a = VERDICT_PASS; a <= VERDICT_FAIL; a++) {
		for (unsigned b = VERDICT_PASS; b <= VERDICT_FAIL; b++)
			assert_int_equal(verdict_worse((enum verdict)a, (enum verdict)b),
					 a > b ? a : b);
	}
	assert_string_equal(verdict_name(VERDICT_PASS), "pass");
	assert_string_equal(verdict_name(VERDICT_INCONCLUSIVE), "inconclusive");
	assert_string_equal(verdict_name(VERDICT_FAIL), "fail");
}

/* exposed, need, violations, doubts -> verdict */
static void a_verdict_is_decided_by_this_table(void **state)
{
	static const struct {
		uint64_t exposed, need;
		int violations, doubts;
		enum verdict verdict;
		bool vacuous;
	} table[] = {
		{ 100, 1, 0, 0, VERDICT_PASS, false },
		{ 100, 100, 0, 0, VERDICT_PASS, false },
		{ 99, 100, 0, 0, VERDICT_INCONCLUSIVE, true },
		{ 0, 1, 0, 0, VERDICT_INCONCLUSIVE, true },
		{ 0, 0, 0, 0, VERDICT_INCONCLUSIVE, true },
		{ 100, 1, 0, 1, VERDICT_INCONCLUSIVE, false },
		{ 100, 1, 1, 0, VERDICT_FAIL, false },
		{ 100, 1, 1, 1, VERDICT_FAIL, false },
		{ 0, 1, 1, 0, VERDICT_FAIL, true },
		{ 1, 100, 1, 1, VERDICT_FAIL, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct finding f = { .name = "x" };
		verdict_saw(&f, table[i].exposed, table[i].need);
		violate(&f, table[i].violations, ANOMALY_FORK);
		if (table[i].doubts)
			verdict_doubt(&f, REASON_SOURCE_LOST, "worker-1");
		verdict_finish(&f);
		assert_int_equal(f.verdict, table[i].verdict);
		size_t reasons = (size_t)table[i].doubts + table[i].vacuous;
		assert_int_equal(f.reason_count, reasons);
		if (table[i].vacuous)
			assert_int_equal(f.reasons[reasons - 1].reason, REASON_VACUOUS);
		finding_free(&f);
	}
}

static void a_check_that_says_nothing_does_not_pass(void **state)
{
	struct finding f = { .name = "silent" };

	(void)state;
	verdict_finish(&f);
	assert_int_equal(f.verdict, VERDICT_INCONCLUSIVE);
	assert_string_equal(f.reasons[0].text, "saw 0, needs 1");
}

enum { ALIKE = WITNESS_MAX - WITNESS_SPARE };

static void witnesses_past_the_limit_are_counted(void **state)
{
	struct finding f = { 0 };

	(void)state;
	violate(&f, ALIKE + 7, ANOMALY_ACK_LOST);
	violate(&f, 2, ANOMALY_REGRESS); /* of another anomaly: it has a limit of its own */
	assert_int_equal(f.violations, ALIKE + 9);
	assert_int_equal(f.witness_count, ALIKE + 2);
	for (unsigned i = 0; i < ALIKE; i++)
		assert_int_equal(f.witnesses[i].call, i + 1);
	assert_int_equal(f.witnesses[ALIKE + 1].anomaly, ANOMALY_REGRESS);
	assert_int_equal(f.anomalies[ANOMALY_ACK_LOST], ALIKE + 7);
	assert_int_equal(f.anomalies[ANOMALY_REGRESS], 2);
	finding_free(&f);
}

static void a_cause_without_a_witness_finds_room(void **state)
{
	struct finding f = { 0 };

	(void)state;
	violate(&f, 1000, ANOMALY_ACK_LOST);
	for (unsigned a = 1; a < ANOMALY_COUNT; a++) {
		struct witness witness = { .anomaly = ANOMALY_ACK_LOST, .cause = (enum anomaly)a };

		for (int twice = 0; twice < 2; twice++)
			verdict_violation(&f, &witness);
	}
	assert_int_equal(f.witness_count, WITNESS_MAX);
	assert_int_equal(f.anomalies[ANOMALY_ACK_LOST], f.violations);
	for (size_t i = ALIKE + 1; i < WITNESS_MAX; i++)
		assert_int_not_equal(f.witnesses[i].cause, f.witnesses[i - 1].cause);
	finding_free(&f);
}

static void what_is_added_keeps_its_witnesses_and_counts(void **state)
{
	struct finding f = { 0 }, other = { 0 };

	(void)state;
	violate(&f, 3, ANOMALY_REGRESS);
	violate(&other, ALIKE + 5, ANOMALY_REGRESS);
	violate(&other, 1, ANOMALY_FORK);
	verdict_add(&f, &other);
	assert_int_equal(f.violations, 3 + ALIKE + 5 + 1);
	assert_int_equal(f.anomalies[ANOMALY_REGRESS], 3 + ALIKE + 5);
	assert_int_equal(f.anomalies[ANOMALY_FORK], 1);
	assert_int_equal(f.witness_count, ALIKE + 1);
	assert_int_equal(f.witnesses[ALIKE].anomaly, ANOMALY_FORK);
	finding_free(&other);
	finding_free(&f);
}

static void a_doubt_is_told_once_and_first_text_stays(void **state)
{
	struct finding f = { 0 };

	(void)state;
	verdict_doubt(&f, REASON_NO_TAP, "%d connections", 3);
	verdict_doubt(&f, REASON_NO_TAP, "again");
	verdict_doubt(&f, REASON_NO_COLOR, "leg 1");
	assert_int_equal(f.reason_count, 2);
	assert_string_equal(f.reasons[0].text, "3 connections");
	for (unsigned reason = 1; reason < REASON_COUNT; reason++)
		verdict_doubt(&f, (enum reason)reason, "many");
	assert_int_equal(f.reason_count, REASON_MAX);
}

static void long_texts_of_doubt_are_cut(void **state)
{
	struct finding f = { 0 };

	(void)state;
	verdict_doubt(&f, REASON_NO_TAP, "%0500d", 1);
	assert_int_equal(strlen(f.reasons[0].text), FINDING_TEXT_MAX - 1);
}

static void the_upper_bound_is_three_over_n_or_wilsons(void **state)
{
	static const struct {
		uint64_t exposed;
		int violations;
		double bound;
	} cases[] = {
		{ 0, 0, 1.0 },       { 2, 0, 1.0 },       { 1000, 0, 0.003 },
		{ 100, 10, 0.1604 }, { 1000, 1, 0.0046 }, { 10, 10, 1.0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct finding f = { 0 };
		verdict_saw(&f, cases[i].exposed, 1);
		violate(&f, cases[i].violations, ANOMALY_FORK);
		verdict_finish(&f);
		if (fabs(f.upper_bound_95 - cases[i].bound) > 0.0002)
			fail_msg("%d of %d: %f", cases[i].violations, (int)cases[i].exposed,
				 f.upper_bound_95);
		finding_free(&f);
	}
}

static void the_call_in_focus_keeps_its_witness(void **state)
{
	struct finding f = { .name = "test", .focus = WITNESS_MAX + 3 };

	(void)state;
	violate(&f, WITNESS_MAX + 7, ANOMALY_ACK_LOST);
	assert_int_equal(f.witness_count, ALIKE + 1);
	assert_int_equal(f.violations, WITNESS_MAX + 7);
	assert_int_equal(f.witnesses[ALIKE].call, WITNESS_MAX + 3);
	assert_int_equal(f.witnesses[ALIKE - 1].call, ALIKE);
	for (int i = 0; i < 1000; i++) {
		struct witness witness = { .call = f.focus, .anomaly = ANOMALY_ACK_LOST };
		verdict_violation(&f, &witness);
	}
	assert_int_equal(f.witness_count, 2 * ALIKE);
	finding_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_call_in_focus_keeps_its_witness),
		cmocka_unit_test(a_cause_without_a_witness_finds_room),
		cmocka_unit_test(what_is_added_keeps_its_witnesses_and_counts),
		cmocka_unit_test(the_worse_verdict_wins),
		cmocka_unit_test(a_verdict_is_decided_by_this_table),
		cmocka_unit_test(a_check_that_says_nothing_does_not_pass),
		cmocka_unit_test(witnesses_past_the_limit_are_counted),
		cmocka_unit_test(a_doubt_is_told_once_and_first_text_stays),
		cmocka_unit_test(long_texts_of_doubt_are_cut),
		cmocka_unit_test(the_upper_bound_is_three_over_n_or_wilsons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
