#include "check/core/gates.h"
#include "check/core/golden.h"

static struct metric_row *row_of(struct metrics *m, enum phase phase, enum color color)
{
	struct metric_row **row = &m->rows[METRIC_TURN_RESPONSE][phase][color];

	if (!*row)
		*row = xcalloc(1, sizeof(**row));
	return *row;
}

/* 10 ms each, the late ones 1 s, the lost ones never (given up after 20 ms), the short ones cut by
 * us after 20 ms. */
static struct metrics measured(unsigned good, unsigned late, unsigned lost, unsigned cut)
{
	struct metrics m = { 0 };

	for (unsigned i = 0; i < good; i++)
		histogram_add(&row_of(&m, PHASE_DRAIN, COLOR_GREEN)->answered, 10 * NS_PER_MS);
	for (unsigned i = 0; i < late; i++)
		histogram_add(&row_of(&m, PHASE_DRAIN, COLOR_BLUE)->answered, NS_PER_S);
	for (unsigned i = 0; i < lost; i++)
		histogram_add_censored(&row_of(&m, PHASE_DRAIN, COLOR_GREEN)->unanswered,
				       20 * NS_PER_MS);
	for (unsigned i = 0; i < cut; i++)
		histogram_add_censored(&row_of(&m, PHASE_DRAIN, COLOR_GREEN)->cut_short,
				       20 * NS_PER_MS);
	return m;
}

static void a_percentile_passes_and_fails_only_beyond_doubt(void **state)
{
	static const struct {
		const char *what;
		double percentile;
		unsigned good, late, lost, cut;
		enum gate_op op;
		enum verdict verdict;
	} rows[] = {
		{ "all good", 95, 200, 0, 0, 0, GATE_LT, VERDICT_PASS },
		{ "too few for p95", 95, 103, 0, 0, 0, GATE_LT, VERDICT_INCONCLUSIVE },
		{ "just enough for p95", 95, 104, 0, 0, 0, GATE_LT, VERDICT_PASS },
		{ "too few for p99", 99, 527, 0, 0, 0, GATE_LT, VERDICT_INCONCLUSIVE },
		{ "just enough for p99", 99, 528, 0, 0, 0, GATE_LT, VERDICT_PASS },
		{ "a fifth late", 95, 160, 40, 0, 0, GATE_LT, VERDICT_FAIL },
		{ "a twentieth late", 95, 190, 10, 0, 0, GATE_LT, VERDICT_INCONCLUSIVE },
		{ "a fifth never answered", 95, 160, 0, 40, 0, GATE_LT, VERDICT_FAIL },
		{ "a fifth cut short by us: who knows", 95, 160, 0, 0, 40, GATE_LT,
		  VERDICT_INCONCLUSIVE },
		{ "two cut short by us", 95, 998, 0, 0, 2, GATE_LT, VERDICT_PASS },
		{ "two never answered", 95, 998, 0, 2, 0, GATE_LT, VERDICT_PASS },
		{ "a floor that all are under", 50, 200, 0, 0, 0, GATE_GT, VERDICT_FAIL },
		{ "a floor that all are over", 50, 0, 200, 0, 0, GATE_GT, VERDICT_PASS },
		{ "nobody spoke", 95, 0, 0, 0, 0, GATE_LT, VERDICT_INCONCLUSIVE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct metrics m = measured(rows[i].good, rows[i].late, rows[i].lost, rows[i].cut);
		const struct gate gate = { .metric = (char *)"turn_response",
					   .phase = PHASE_DRAIN,
					   .stat = GATE_P,
					   .percentile = rows[i].percentile,
					   .op = rows[i].op,
					   .limit = 100e6,
					   .duration = true };
		struct gate_result result;
		gate_latency(&gate, &m, &result);
		if (result.verdict != rows[i].verdict)
			fail_msg("%s: %s %s", rows[i].what, verdict_name(result.verdict),
				 result.note);
		assert_int_equal(result.samples,
				 rows[i].good + rows[i].late + rows[i].lost + rows[i].cut);
		metrics_free(&m);
	}
}

static void a_gate_sees_only_what_its_filter_lets_through(void **state)
{
	static const struct {
		int phase;
		enum color color;
		uint64_t samples;
	} rows[] = {
		{ GATE_PHASE_ANY, COLOR_UNKNOWN, 30 }, { GATE_PHASE_CUTOVER, COLOR_UNKNOWN, 30 },
		{ PHASE_DRAIN, COLOR_GREEN, 20 },      { PHASE_DRAIN, COLOR_BLUE, 10 },
		{ PHASE_STEADY, COLOR_UNKNOWN, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct metrics m = measured(20, 10, 0, 0);
		const struct gate gate = { .metric = (char *)"turn_response",
					   .phase = rows[i].phase,
					   .color = rows[i].color,
					   .stat = GATE_COUNT,
					   .op = GATE_GT };
		struct gate_result result;
		gate_latency(&gate, &m, &result);
		assert_int_equal(result.samples, rows[i].samples);
		metrics_free(&m);
	}
}

static void a_maximum_means_little_while_some_were_cut_short(void **state)
{
	const struct gate gate = { .metric = (char *)"turn_response",
				   .phase = GATE_PHASE_ANY,
				   .stat = GATE_MAX,
				   .op = GATE_LT,
				   .limit = 100e6,
				   .duration = true };
	struct metrics whole = measured(5, 0, 0, 0), torn = measured(5, 0, 0, 1),
		       late = measured(5, 0, 1, 0);
	struct gate_result result;

	(void)state;
	gate_latency(&gate, &whole, &result);
	assert_int_equal(result.verdict, VERDICT_PASS);
	gate_latency(&gate, &torn, &result);
	assert_int_equal(result.verdict, VERDICT_INCONCLUSIVE);
	gate_latency(&gate, &late, &result);
	assert_int_equal(result.verdict, VERDICT_FAIL);
	metrics_free(&whole);
	metrics_free(&torn);
	metrics_free(&late);
}

static void a_standstill_of_ours_excuses_lateness_of_its_length_and_no_more(void **state)
{
	static const struct {
		int64_t stall_ms;
		enum gate_op op;
		enum verdict verdict;
	} rows[] = {
		{ 0, GATE_LT, VERDICT_FAIL },
		{ 850, GATE_LT, VERDICT_FAIL }, /* 1 s is 900 ms too late */
		{ 1000, GATE_LT, VERDICT_INCONCLUSIVE },
		{ 1000, GATE_GT, VERDICT_PASS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct gate gate = { .metric = (char *)"turn_response",
					   .phase = GATE_PHASE_ANY,
					   .stat = GATE_P,
					   .percentile = 95,
					   .op = rows[i].op,
					   .limit = 100e6,
					   .duration = true };
		struct metrics m = measured(160, 40, 0, 0);
		struct gate_result result;

		m.stall_ns = rows[i].stall_ms * NS_PER_MS;
		gate_latency(&gate, &m, &result);
		assert_int_equal(result.verdict, rows[i].verdict);
		assert_int_equal(result.ours, rows[i].verdict == VERDICT_INCONCLUSIVE);
		metrics_free(&m);
	}
}

static void an_agents_own_word_is_called_that_whatever_it_proves(void **state)
{
	static const struct {
		unsigned samples;
		enum verdict verdict;
		const char *note;
	} rows[] = {
		{ 0, VERDICT_INCONCLUSIVE, "no samples" },
		{ 1, VERDICT_INCONCLUSIVE,
		  "resolution: 1 samples (0 unanswered) do not bound it above; the agent's own word" },
		{ 104, VERDICT_PASS, "the agent's own word" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct gate gate = { .metric = (char *)"redis_agent",
					   .phase = GATE_PHASE_ANY,
					   .stat = GATE_P,
					   .percentile = 95,
					   .op = GATE_LT,
					   .limit = 2e6,
					   .duration = true };
		struct metrics m = { 0 };
		struct gate_result result;

		m.rows[METRIC_REDIS_AGENT][PHASE_STEADY][COLOR_BLUE] = xcalloc(
			1, sizeof(struct metric_row));
		for (unsigned n = 0; n < rows[i].samples; n++)
			histogram_add(
				&m.rows[METRIC_REDIS_AGENT][PHASE_STEADY][COLOR_BLUE]->answered,
				NS_PER_MS);
		gate_latency(&gate, &m, &result);
		assert_int_equal(result.verdict, rows[i].verdict);
		assert_string_equal(result.note, rows[i].note);
		metrics_free(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_percentile_passes_and_fails_only_beyond_doubt),
		cmocka_unit_test(a_gate_sees_only_what_its_filter_lets_through),
		cmocka_unit_test(a_maximum_means_little_while_some_were_cut_short),
		cmocka_unit_test(a_standstill_of_ours_excuses_lateness_of_its_length_and_no_more),
		cmocka_unit_test(an_agents_own_word_is_called_that_whatever_it_proves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
