#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "scenario/gate.h"

static void gates_of_the_grammar_are_read(void **state)
{
	static const struct {
		const char *key, *expression;
		struct gate want;
	} rows[] = {
		{ "dropped_calls",
		  "count == 0",
		  { .phase = GATE_PHASE_ANY, .stat = GATE_COUNT, .op = GATE_EQ } },
		{ "refused",
		  "rate < 0.01",
		  { .phase = GATE_PHASE_ANY, .stat = GATE_RATE, .op = GATE_LT, .limit = 0.01 } },
		{ "refused",
		  "rate<=1%",
		  { .phase = GATE_PHASE_ANY, .stat = GATE_RATE, .op = GATE_LE, .limit = 0.01 } },
		{ "turn_response{phase:drain}",
		  "p(95) < 800ms",
		  { .phase = PHASE_DRAIN,
		    .stat = GATE_P,
		    .percentile = 95,
		    .op = GATE_LT,
		    .limit = 8e8,
		    .duration = true } },
		{ "turn_service{phase:cutover,color:green}",
		  "p(99.9)<1s",
		  { .phase = GATE_PHASE_CUTOVER,
		    .color = COLOR_GREEN,
		    .stat = GATE_P,
		    .percentile = 99.9,
		    .limit = 1e9,
		    .op = GATE_LT,
		    .duration = true } },
		{ " redis_turn { color : blue , phase : steady } ",
		  " avg  >=  2ms ",
		  { .phase = PHASE_STEADY,
		    .color = COLOR_BLUE,
		    .stat = GATE_AVG,
		    .op = GATE_GE,
		    .limit = 2e6,
		    .duration = true } },
		{ "redis_command",
		  "med != 1us",
		  { .phase = GATE_PHASE_ANY,
		    .stat = GATE_MED,
		    .op = GATE_NE,
		    .limit = 1e3,
		    .duration = true } },
		{ "dial",
		  "max > 1m30s",
		  { .phase = GATE_PHASE_ANY,
		    .stat = GATE_MAX,
		    .op = GATE_GT,
		    .limit = 9e10,
		    .duration = true } },
		{ "resume_gap",
		  "min < 0",
		  { .phase = GATE_PHASE_ANY,
		    .stat = GATE_MIN,
		    .op = GATE_LT,
		    .limit = 0,
		    .duration = true } },
		{ "dial",
		  "p(0) < 1s",
		  { .phase = GATE_PHASE_ANY,
		    .stat = GATE_P,
		    .op = GATE_LT,
		    .limit = 1e9,
		    .duration = true } },
		{ "dial",
		  "p(100) < 1s",
		  { .phase = GATE_PHASE_ANY,
		    .stat = GATE_P,
		    .percentile = 100,
		    .op = GATE_LT,
		    .limit = 1e9,
		    .duration = true } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct gate *want = &rows[i].want;
		struct err err = { .kind = ERR_NONE };
		struct gate gate;
		bool in_key;

		if (gate_parse(rows[i].key, rows[i].expression, &gate, &in_key, &err) < 0)
			fail_msg("%s: %s", rows[i].expression, err.text);
		assert_int_equal(gate.phase, want->phase);
		assert_int_equal(gate.color, want->color);
		assert_int_equal(gate.stat, want->stat);
		assert_int_equal(gate.op, want->op);
		assert_true(gate.percentile == want->percentile);
		assert_true(gate.limit == want->limit);
		assert_int_equal(gate.duration, want->duration);
		assert_string_equal(gate.key, rows[i].key);
		assert_string_equal(gate.expression, rows[i].expression);
		gate_free(&gate);
	}
}

static void what_is_no_gate_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *key, *expression, *why;
		bool in_key;
	} rows[] = {
		{ "turn_respnse", "p(95) < 1s",
		  "unknown metric \"turn_respnse\"; did you mean \"turn_response\"?", true },
		{ "redis_servise", "p(95) < 1s",
		  "unknown metric \"redis_servise\"; did you mean \"redis_service\"?", true },
		{ "redis_agents", "p(95) < 1s",
		  "unknown metric \"redis_agents\"; did you mean \"redis_agent\"?", true },
		{ "redis_controll", "p(95) < 1s",
		  "unknown metric \"redis_controll\"; did you mean \"redis_control\"?", true },
		{ "", "p(95) < 1s", "does not begin with a metric", true },
		{ "latency", "p(95) < 1s", "one of: turn_response,", true },
		{ "dial{phase:drian}", "p(95) < 1s",
		  "unknown phase \"drian\"; did you mean \"drain\"?", true },
		{ "dial{phase:before}", "p(95) < 1s", "unknown phase \"before\"", true },
		{ "dial{color:red}", "p(95) < 1s", "unknown color \"red\"", true },
		{ "dial{color:unknown}", "p(95) < 1s", "unknown color \"unknown\"", true },
		{ "dial{colour:blue}", "p(95) < 1s", "unknown filter \"colour\"", true },
		{ "dial{phase:drain,phase:shift}", "p(95) < 1s", "\"phase\" is given twice", true },
		{ "dial{color:blue,color:blue}", "p(95) < 1s", "\"color\" is given twice", true },
		{ "dial{", "p(95) < 1s", "a filter reads", true },
		{ "dial{}", "p(95) < 1s", "a filter reads", true },
		{ "dial{phase}", "p(95) < 1s", "a filter reads", true },
		{ "dial{phase:drain", "p(95) < 1s", "a filter reads", true },
		{ "dial{phase:drain} x", "p(95) < 1s", "nothing may follow", true },
		{ "dial", "p(101) < 1s", "the percentile 101 is outside 0 to 100", false },
		{ "dial", "p(-1) < 1s", "outside 0 to 100", false },
		{ "dial", "p(x) < 1s", "a percentile reads p(95)", false },
		{ "dial", "p95 < 1s", "a percentile reads p(95)", false },
		{ "dial", "p(95 < 1s", "a percentile reads p(95)", false },
		{ "dial", "p(95) < 800", "has no unit", false },
		{ "dial", "p(95) < 5sec", "unknown unit \"sec\"", false },
		{ "dial", "p(95) < ", "has no limit", false },
		{ "dial", "p(95)", "expected a comparison", false },
		{ "dial", "p(95) = 1s", "expected a comparison", false },
		{ "dial", "p(95) << 1s", "expected a comparison", false },
		{ "dial", "count == 0",
		  "dial has no statistic \"count\"; one of: avg min med max p(N)", false },
		{ "dropped_calls", "p(95) < 1s",
		  "dropped_calls has no statistic \"p\"; one of: count rate", false },
		{ "dropped_calls", "count == zero", "is not a number", false },
		{ "dropped_calls", "count == 0 or so", "is not a number", false },
		{ "dropped_calls", "count < -1", "a count is never -1", false },
		{ "dropped_calls", "count < 1ms", "is not a number", false },
		{ "dropped_calls", "rate < 2", "outside", false },
		{ "dropped_calls", "", "has no statistic", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err err = { .kind = ERR_NONE };
		struct gate gate;
		bool in_key;

		assert_int_equal(gate_parse(rows[i].key, rows[i].expression, &gate, &in_key, &err),
				 -1);
		assert_int_equal(err.kind, ERR_INPUT);
		assert_int_equal(in_key, rows[i].in_key);
		if (!strstr(err.text, rows[i].why))
			fail_msg("%s %s: %s", rows[i].key, rows[i].expression, err.text);
	}
}

static void percentiles_need_the_samples_that_bound_their_interval(void **state)
{
	static const struct {
		enum gate_stat stat;
		double percentile, want;
	} rows[] = {
		{ GATE_P, 95, 104 }, { GATE_P, 99, 528 }, { GATE_P, 99.9, 5296 },
		{ GATE_MED, 0, 8 },  { GATE_MAX, 0, 1 },  { GATE_P, 0, 1 },
	};
	const struct gate impossible = { .stat = GATE_P, .percentile = 100, .duration = true };
	const struct gate count = { .stat = GATE_COUNT };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct gate gate = { .stat = rows[i].stat,
					   .percentile = rows[i].percentile,
					   .duration = true };

		assert_true(gate_samples_needed(&gate) == rows[i].want);
	}
	assert_true(isinf(gate_samples_needed(&impossible)));
	assert_true(gate_samples_needed(&count) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gates_of_the_grammar_are_read),
		cmocka_unit_test(what_is_no_gate_is_refused_with_the_reason),
		cmocka_unit_test(percentiles_need_the_samples_that_bound_their_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
