#include "check/core/golden.h"

static const struct golden rows[] = {
	{ "pass", VERDICT_PASS, "", "", "" },
	{ "fail-processes", VERDICT_FAIL, "process_left", "", "" },
	{ "fail-keys", VERDICT_FAIL, "key_left", "", "" },
	{ "fail-clients", VERDICT_FAIL, "clients_paused", "", "" },
	{ "fail-descriptors", VERDICT_FAIL, "descriptors_left", "", "" },
	{ "inconclusive-not-seen", VERDICT_INCONCLUSIVE, "", "", "unreachable" },
	{ "fail-a-part-not-seen", VERDICT_FAIL, "process_left", "", "" },
	{ "pass-healed", VERDICT_PASS, "", "", "" },
	{ "fail-not-healed", VERDICT_FAIL, "fault_left", "", "" },
	{ "fail-bit-afterwards", VERDICT_FAIL, "fault_left", "", "" },
	{ "inconclusive-nobody-looked", VERDICT_INCONCLUSIVE, "", "", "source_lost" },
};

static void nothing_is_left_when_all_is_over(void **state)
{
	(void)state;
	golden_all("residue", rows, sizeof(rows) / sizeof(*rows), NULL);
}

static void what_is_said_counts_and_names(void **state)
{
	static const struct {
		const char *name, *text;
	} said[] = {
		{ "pass",
		  "14 processes, 1,200 states, 0 faults: 0 are left (limit 0); 95 % bound 0.247 % of things looked at" },
		{ "fail-processes", "1 of 14 processes did not end by themselves: green-2" },
		{ "fail-keys",
		  "3 of 1200 states never expire, or later than declared: call:c-run" },
		{ "fail-clients",
		  "1 of 1 writes of ours was held back: redis 127.0.0.1:6379: DEL" },
		{ "fail-descriptors",
		  "1 of 2 instances hold more descriptors than at first: green-1" },
		{ "fail-not-healed",
		  "fault 1 (pause writes), armed at +2.000 s, was never healed" },
		{ "fail-bit-afterwards",
		  "fault 1 (pause writes) bit 0.001 ms after it was healed" },
	};
	struct story_scenario story;

	(void)state;
	story_scenario(&story);
	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
		struct judgement *j = golden_judge("residue", said[i].name, &story.scenario);
		const struct finding *f = golden_finding(j, "residue");
		const char *text = f->witness_count ? f->witnesses[0].text : f->summary;

		if (!strstr(text, said[i].text))
			fail_msg("%s: %s", said[i].name, text);
		if (!strcmp(said[i].name, "fail-keys"))
			assert_true(f->violations == 3 && f->anomalies[ANOMALY_KEY_LEFT] == 3);
		judgement_free(j);
	}
}

static void a_record_of_before_anybody_looked_is_not_judged(void **state)
{
	struct story_scenario story;
	struct judgement *j;
	bool told = false;

	(void)state;
	story_scenario(&story);
	j = golden_judge("dropped_calls", "pass", &story.scenario);
	for (size_t i = 0; i < j->unasked_count; i++)
		told |= !strcmp(j->unasked[i]->name, "residue");
	assert_true(told);
	judgement_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_left_when_all_is_over),
		cmocka_unit_test(what_is_said_counts_and_names),
		cmocka_unit_test(a_record_of_before_anybody_looked_is_not_judged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
