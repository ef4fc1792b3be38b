#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "command/core/judge_run.h"

static const char scenario_text[] =
	"name: tiny\n"
	"timers: { stickiness: 1s, deregistration_delay: 20s, idle: 10s, longest_call: 4s, propagation: 1s,\n"
	"          dead_after: 5s, setup_within: 5s }\n"
	"calls:\n"
	"  live: 2\n"
	"  hold: 3s\n"
	"  turn: { every: 1s }\n"
	"  profiles: { bridge: { share: 100% } }\n"
	"cutover:\n"
	"  - steady: { for: 2s }\n";

static void write_text(const char *folder, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", folder, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	free(path);
}

static char *read_text(const char *folder, const char *name)
{
	char *path = xasprintf("%s/%s", folder, name), *text = calloc(1, 1 << 20);
	FILE *file = fopen(path, "r");
	size_t size = 0;

	if (file) {
		size = fread(text, 1, (1 << 20) - 1, file);
		fclose(file);
	}
	text[size] = '\0';
	free(path);
	return text;
}

static bool exists(const char *folder, const char *name)
{
	char *path = xasprintf("%s/%s", folder, name);
	bool found = access(path, F_OK) == 0;

	free(path);
	return found;
}

/* A run in which one call was asked for and nothing else was seen. */
static int setup(void **state)
{
	char *folder = strdup("/tmp/judge-run-XXXXXX");
	struct lane_identity identity = { .run = "tiny-1", .role = ROLE_DIRECTOR };
	struct lane *lane;
	struct err err = { 0 };

	hash_sha256_hex(scenario_text, strlen(scenario_text), identity.scenario_digest);
	if (!mkdtemp(folder) || lane_open(folder, &identity, &lane, &err) < 0)
		return -1;
	struct event e = event_make(EVENT_RUN_START, NS_PER_S);
	lane_event(lane, e);
	e = event_make(EVENT_RUN_END, 5 * NS_PER_S);
	lane_event(lane, e);
	if (lane_close(lane, &err) < 0)
		return -1;
	write_text(folder, "scenario.yaml", scenario_text);
	*state = folder;
	return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

static int teardown(void **state)
{
	nftw(*state, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(*state);
	return 0;
}

static void every_report_asked_for_is_written_whole(void **state)
{
	const char *folder = *state;
	char *json = xasprintf("json=%s/a.json", folder),
	     *junit = xasprintf("junit=%s/b.xml", folder);
	char *ndjson = xasprintf("ndjson=%s/c.ndjson", folder),
	     *text = xasprintf("text=%s/d.txt", folder);
	const char *const outs[] = { json, junit, ndjson, text };
	struct judge_request request = {
		.run_dir = folder, .outs = outs, .out_count = 4, .silent = true, .keep = true
	};
	struct err err = { 0 };
	int code = -1;

	assert_int_equal(run_facts_write(folder, "crossfade run 'a b.yaml' --seed 1", &err), 0);
	assert_int_equal(judge_outs_check(outs, 4, &err), 0);
	if (judge_and_report(&request, &code, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_not_equal(code, EXIT_PASS); /* nothing was seen, so nothing is proved */
	static const struct {
		const char *file, *holds;
	} table[] = {
		{ "result.json", "\"again\": \"crossfade run 'a b.yaml' --seed 1\"" },
		{ "a.json", "\"cores\": " },
		{ "b.xml", "<testsuite name=\"crossfade.tiny\"" },
		{ "c.ndjson", "\"run.start\"" },
		{ "d.txt", "again:  crossfade run 'a b.yaml' --seed 1\n" },
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char *written = read_text(folder, table[i].file);

		if (!strstr(written, table[i].holds))
			fail_msg("%s lacks %s:\n%s", table[i].file, table[i].holds, written);
		free(written);
	}
	assert_false(exists(folder, "a.json.new"));
	free(json);
	free(junit);
	free(ndjson);
	free(text);
}

static void a_check_changes_nothing_in_the_run(void **state)
{
	struct judge_request request = { .run_dir = *state, .silent = true };
	struct err err = { 0 };
	int code = -1;

	assert_int_equal(judge_and_report(&request, &code, &err), 0);
	assert_false(exists(*state, "result.json"));
}

static void one_bad_place_does_not_cost_the_other_reports(void **state)
{
	const char *folder = *state;
	char *bad = xasprintf("json=%s/missing/a.json", folder),
	     *good = xasprintf("text=%s/d.txt", folder);
	const char *const outs[] = { bad, good };
	struct judge_request request = {
		.run_dir = folder, .outs = outs, .out_count = 2, .silent = true
	};
	struct err err = { 0 };
	int code = 12345;

	assert_int_equal(judge_and_report(&request, &code, &err), -1);
	assert_int_equal(code, 12345);
	assert_non_null(strstr(err.text, "missing/a.json: No such file"));
	assert_true(exists(folder, "d.txt"));
	free(bad);
	free(good);
}

static void a_misspelt_report_is_refused_before_the_run(void **state)
{
	static const struct {
		const char *out, *sentence;
	} table[] = {
		{ "jsn=a", "--out jsn=a: no report \"jsn\"; did you mean \"json\"?" },
		{ "json", "--out json: write TYPE=FILE, for example json=result.json" },
		{ "json=", "--out json=: write TYPE=FILE, for example json=result.json" },
		{ "json=/no/such/folder/a",
		  "--out: folder /no/such/folder of /no/such/folder/a: No such file or directory" },
		{ "json=/tmp", "--out: /tmp cannot be written" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct err err = { 0 };

		assert_int_equal(judge_outs_check(&table[i].out, 1, &err), -1);
		assert_int_equal(err.kind, ERR_INPUT);
		assert_string_equal(err.text, table[i].sentence);
	}
}

/* A limit that was changed after the run would turn its verdict round. */
static void another_scenario_than_the_recorded_one_is_refused(void **state)
{
	const char *folder = *state;
	char *text = strdup(scenario_text);
	struct judged_run run;
	struct err err = { 0 };

	if (judged_run_load(folder, &run, &err) < 0)
		fail_msg("%s", err.text);
	judged_run_free(&run);
	strstr(text, "live: 2")[6] = '3';
	write_text(folder, "scenario.yaml", text);
	assert_int_equal(judged_run_load(folder, &run, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_non_null(strstr(err.text, "scenario.yaml: not what the run was recorded with"));
	free(text);
}

static void what_is_no_run_is_refused_with_its_place(void **state)
{
	struct judged_run run = { 0 };
	struct err err = { 0 };

	assert_int_equal(judged_run_open("/no/such/run", &run, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_string_equal(err.text, "run directory /no/such/run: No such file or directory");
	char *scenario = xasprintf("%s/scenario.yaml", (char *)*state);
	assert_int_equal(unlink(scenario), 0);
	assert_int_equal(judged_run_open(*state, &run, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_non_null(strstr(err.text, "is not a run directory"));
	assert_null(run.judgement);
	free(scenario);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_report_asked_for_is_written_whole, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_check_changes_nothing_in_the_run, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_bad_place_does_not_cost_the_other_reports,
						setup, teardown),
		cmocka_unit_test_setup_teardown(another_scenario_than_the_recorded_one_is_refused,
						setup, teardown),
		cmocka_unit_test(a_misspelt_report_is_refused_before_the_run),
		cmocka_unit_test_setup_teardown(what_is_no_run_is_refused_with_its_place, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
