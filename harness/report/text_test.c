#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/sample_test.h"

static int setup(void **state)
{
	*state = sample_new();
	return 0;
}

static int teardown(void **state)
{
	sample_free(*state);
	return 0;
}

static void what_a_terminal_shows_is_this(void **state)
{
	char *text = sample_render(*state, "text"), golden[16384] = "";
	FILE *in = fopen("harness/report/text_test.golden", "r");

	assert_non_null(in);
	golden[fread(golden, 1, sizeof(golden) - 1, in)] = '\0';
	fclose(in);
	if (strcmp(text, golden) != 0)
		fputs(text, stderr); /* the diff of two long strings is for eyes */
	assert_string_equal(text, golden);
	free(text);
}

static void colors_come_only_when_told(void **state)
{
	struct sample *s = *state;
	char *plain = sample_render(s, "text"), *colored;

	assert_null(strchr(plain, '\033'));
	s->input.color = true;
	colored = sample_render(s, "text");
	assert_non_null(strstr(colored, "\033[1;31mFAIL\033[0m"));
	free(plain);
	free(colored);
}

/* harness error and interruption -> first line */
static void the_first_word_is_what_the_exit_code_means(void **state)
{
	static const struct {
		enum verdict verdict;
		bool harness_error, interrupted;
		const char *begins, *exit;
	} table[] = {
		{ VERDICT_PASS, false, false, "PASS   blue_green   seed 42", "exit 0" },
		{ VERDICT_INCONCLUSIVE, false, false, "INCONCLUSIVE   blue_green", "exit 98" },
		{ VERDICT_FAIL, false, false, "FAIL   blue_green", "exit 99" },
		{ VERDICT_PASS, false, true, "INTERRUPTED   blue_green", "exit 105" },
		{ VERDICT_FAIL, false, true, "FAIL   blue_green", "exit 99" },
		{ VERDICT_FAIL, true, false, "HARNESS ERROR   blue_green", "exit 97" },
	};
	struct sample *s = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		s->judgement.verdict = table[i].verdict;
		s->judgement.harness_error = table[i].harness_error;
		s->judgement.interrupted = table[i].interrupted;
		char *text = sample_render(s, "text");
		char *end = strchr(text, '\n');
		assert_memory_equal(text, table[i].begins, strlen(table[i].begins));
		*end = '\0';
		assert_non_null(strstr(text, table[i].exit));
		assert_non_null(strstr(text, "with D30: drain and buffer are skipped"));
		free(text);
	}
}

static void a_gate_without_samples_says_so(void **state)
{
	struct sample *s = *state;

	s->gate_results[0].samples = 0;
	char *text = sample_render(s, "text");
	assert_non_null(strstr(text, "turn_response{phase:shift}: p(95) < 800ms  no samples"));
	free(text);
}

/* the phase, what moved in it -> its label, and what is said of the move */
static void what_is_said_of_a_move_of_weights_is_what_was_seen(void **state)
{
	static const struct {
		enum phase phase;
		uint16_t step; /* 0: the scenario's shift 0/100; 1: its teardown; 2: a script's */
		uint32_t blue, green;
		double asked_s, returned_s, observed_s;
		const char *label, *note; /* "" nothing */
	} table[] = {
		{ PHASE_SHIFT, 0, 0, 100, 1, 1.02, 1.5, "shift blue 0 green 100 ",
		  "answered in 20 ms, last stray new call 480 ms later" },
		{ PHASE_SHIFT, 0, 0, 100, 1, 1.02, 0, "shift blue 0 green 100 ",
		  "answered in 20 ms, no stray new call after" },
		{ PHASE_SHIFT, 0, 0, 100, 1, 0, 0, "shift blue 0 green 100 ",
		  "the balancer did not answer" },
		{ PHASE_SHIFT, 2, 95, 5, 1, 1.02, 0, "shift blue 95 green 5 ",
		  "answered in 20 ms" },
		{ PHASE_SHIFT, 2, 0, 0, 0, 0, 0, "shift ", "" },
		{ PHASE_ROLLBACK, 1, 100, 0, 1, 1.02, 0, "rollback ", "answered in 20 ms" },
		{ PHASE_BAKE, 2, 0, 0, 0, 0, 0, "bake ", "" },
		{ PHASE_SCRIPT, 2, 0, 0, 0, 0, 0, "script ", "" },
	};
	struct sample *s = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct phase_result *p = &s->phases[1];
		char wanted[200];

		*p = (struct phase_result){ .phase = table[i].phase,
					    .step = table[i].step,
					    .blue = table[i].blue,
					    .green = table[i].green,
					    .start_ns = sample_at(1),
					    .end_ns = sample_at(2) };
		p->asked_ns = table[i].asked_s > 0 ? sample_at(table[i].asked_s) : 0;
		p->returned_ns = table[i].returned_s > 0 ? sample_at(table[i].returned_s) : 0;
		p->observed_ns = table[i].observed_s > 0 ? sample_at(table[i].observed_s) : 0;
		snprintf(wanted, sizeof(wanted), "  %-24s  +1.000 s           1 s%s%s\n",
			 table[i].label, *table[i].note ? "   " : "", table[i].note);
		char *text = sample_render(s, "text");
		if (!strstr(text, wanted))
			fail_msg("no line \"%s\" in\n%s", wanted, text);
		free(text);
	}
}

static void the_claim_about_redis_is_a_line_with_what_was_measured(void **state)
{
	static const struct {
		struct redis_claim claim;
		const char *text;
	} table[] = {
		{ { .verdict = VERDICT_PASS,
		    .turns = 5604,
		    .p50_ns = 150000,
		    .p95_ns = 210000,
		    .p99_ns = 270000,
		    .p99_low_ns = 250000,
		    .p99_high_ns = 300000,
		    .service_p99_ns = 260000,
		    .agent_turns = 5604,
		    .agent_p99_ns = 400000,
		    .controls = 300,
		    .control_p99_ns = 120000 },
		  "\nredis   claim of 1-2 ms per turn held: p99 0.27 ms, 99 % interval 0.25..0.30 ms, p50 0.15 ms, p95\n"
		  "        0.21 ms over 5,604 turns; without standing in line p99 0.26 ms; agents say p99 0.40 ms; our\n"
		  "        own GET+SETEX p99 0.12 ms\n" },
		{ { .verdict = VERDICT_FAIL,
		    .turns = 120,
		    .unanswered = 30,
		    .p50_ns = 1000000,
		    .p95_ns = 3000000,
		    .p99_ns = 3000000,
		    .p99_low_ns = 3000000,
		    .p99_high_ns = INT64_MAX,
		    .service_p99_ns = 3000000 },
		  "\nredis   claim of 1-2 ms per turn not held: p99 3.00 ms, 99 % interval 3.00 ms and up, p50 1.00 ms,\n"
		  "        p95 3.00 ms over 120 turns, 30 of them unanswered; without standing in line p99 3.00 ms\n" },
		{ { .verdict = VERDICT_INCONCLUSIVE,
		    .controls = 300,
		    .control_p99_ns = 120000,
		    .note = "no samples" },
		  "\nredis   claim of 1-2 ms per turn not decided (no samples); our own GET+SETEX p99 0.12 ms\n" },
		{ { .verdict = VERDICT_INCONCLUSIVE, .note = "no samples" }, NULL },
	};
	struct sample *s = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char *text;

		s->judgement.redis_claim = table[i].claim;
		text = sample_render(s, "text");
		if (table[i].text ? !strstr(text, table[i].text) : !!strstr(text, "\nredis "))
			fail_msg("%s\nis not in\n%s", table[i].text ? table[i].text : "nothing",
				 text);
		free(text);
	}
}

static void what_was_not_asked_is_said(void **state)
{
	static const struct check tls = { .name = "tls", .why_not = "the target is not wss" },
				  rollback = { .name = "rollback", .why_not = "nobody did" };
	const struct check *unasked[] = { &rollback, &tls };
	struct sample *s = *state;

	s->judgement.unasked = unasked;
	s->judgement.unasked_count = 2;
	char *text = sample_render(s, "text"), *json = sample_render(s, "json");
	assert_non_null(strstr(
		text,
		"  not asked     rollback (nobody did), tls (the target is not wss)\n\ngates\n"));
	assert_non_null(strstr(
		json, "\"not_asked\": [\n    {\n      \"name\": \"rollback\",\n      \"why\": "));
	free(text);
	free(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_a_terminal_shows_is_this, setup, teardown),
		cmocka_unit_test_setup_teardown(colors_come_only_when_told, setup, teardown),
		cmocka_unit_test_setup_teardown(the_first_word_is_what_the_exit_code_means, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_gate_without_samples_says_so, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_claim_about_redis_is_a_line_with_what_was_measured, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_not_asked_is_said, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_said_of_a_move_of_weights_is_what_was_seen,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
