#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "command/core/expect.h"

struct fails {
	const char *check;
	enum anomaly anomaly;
};

struct row {
	const char *what;
	const char *required[3], *allowed[3];
	struct fails fails[3];
	int exit_code;
	bool want;
};

static const struct row rows[] = {
	{ "a clean run that passes", { 0 }, { 0 }, { { 0 } }, EXIT_PASS, true },
	{ "a clean run that fails",
	  { 0 },
	  { 0 },
	  { { "dropped_calls", ANOMALY_UNKNOWN } },
	  EXIT_FAIL,
	  false },
	{ "the defect is named",
	  { "dropped_calls:cut_by_sigterm" },
	  { 0 },
	  { { "dropped_calls", ANOMALY_CUT_BY_SIGTERM } },
	  EXIT_FAIL,
	  true },
	{ "another cause is not it",
	  { "dropped_calls:cut_by_sigterm" },
	  { 0 },
	  { { "dropped_calls", ANOMALY_UNKNOWN } },
	  EXIT_FAIL,
	  false },
	{ "a bare check takes any anomaly",
	  { "dropped_calls" },
	  { 0 },
	  { { "dropped_calls", ANOMALY_UNKNOWN } },
	  EXIT_FAIL,
	  true },
	{ "beyond what is allowed",
	  { "dropped_calls" },
	  { 0 },
	  { { "dropped_calls", ANOMALY_UNKNOWN }, { "sticky_reconnect", ANOMALY_STICKY_DEBT } },
	  EXIT_FAIL,
	  false },
	{ "an allowed anomaly under any check",
	  { "dropped_calls" },
	  { "sticky_debt" },
	  { { "dropped_calls", ANOMALY_UNKNOWN }, { "sticky_reconnect", ANOMALY_STICKY_DEBT } },
	  EXIT_FAIL,
	  true },
	{ "found but not failed by exit code",
	  { "dropped_calls" },
	  { 0 },
	  { { "dropped_calls", ANOMALY_UNKNOWN } },
	  EXIT_INCONCLUSIVE,
	  false },
	{ "nothing found", { "dropped_calls" }, { 0 }, { { 0 } }, EXIT_PASS, false },
};

static size_t count(const char *const *words)
{
	size_t n = 0;

	while (n < 3 && words[n])
		n++;
	return n;
}

static void judgements_are_held_against_the_promise(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		struct finding findings[3] = { { .name = "dropped_calls", .exposed = 1 },
					       { .name = "sticky_reconnect", .exposed = 1 },
					       { .name = "cutover", .exposed = 1 } };
		struct judgement j = { .findings = findings, .finding_count = 3 };
		struct expectation e = { .required = (char **)r->required,
					 .required_count = count(r->required),
					 .allowed = (char **)r->allowed,
					 .allowed_count = count(r->allowed) };
		struct buf told = buf_init(4096);

		for (int k = 0; k < 3 && r->fails[k].check; k++)
			for (int f = 0; f < 3; f++)
				if (!strcmp(findings[f].name, r->fails[k].check)) {
					findings[f].verdict = VERDICT_FAIL;
					findings[f].anomalies[r->fails[k].anomaly]++;
				}
		if (expect_judge(&e, &j, r->exit_code, &told) != r->want)
			fail_msg("%s: %s", r->what, buf_text(&told));
		buf_free(&told);
	}
}

static void a_clean_pass_without_exposure_is_no_pass(void **state)
{
	struct finding f = { .name = "dropped_calls", .exposed = 0 };
	struct judgement j = { .findings = &f, .finding_count = 1 };
	struct expectation e = { .required_count = 0 };
	struct buf told = buf_init(4096);

	(void)state;
	assert_false(expect_judge(&e, &j, EXIT_PASS, &told));
	assert_non_null(strstr(buf_text(&told), "nobody was exposed"));
	buf_free(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judgements_are_held_against_the_promise),
		cmocka_unit_test(a_clean_pass_without_exposure_is_no_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
