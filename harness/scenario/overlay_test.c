#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "scenario/overlay.h"
#include "scenario/testing.h"

static int load_over(const char *text, const char *overlay_text, struct scenario **ret,
		     struct err *err)
{
	struct testing_file overlay = testing_write(overlay_text, strlen(overlay_text));
	int result = testing_load(text, strlen(text), NULL, 0, overlay.path, ret, NULL, err);

	unlink(overlay.path);
	return result;
}

static void an_overlay_changes_what_is_done_and_not_what_is_declared(void **state)
{
	static const char text[] =
		"defect: D99\nabout: all of it\n"
		"stack: { agent_defect: D1, green_defect: D2, stickiness: 24h, deregistration_delay: 3s, idle: 4s }\n"
		"drain: { begin: deregister, deadline: 20s }\nskip: [ steady, teardown ]\n"
		"expect: { required: [ dropped_calls ] }\n";
	struct scenario *plain, *sc;
	struct err err = { .kind = ERR_NONE };

	(void)state;
	assert_int_equal(testing_load_text(TESTING_BASE, &plain, &err), 0);
	assert_null(plain->defect);
	assert_int_equal(plain->stack.stickiness_ns, -1);
	if (load_over(TESTING_BASE, text, &sc, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(sc->defect, "D99");
	assert_string_equal(sc->defect_about, "all of it");
	assert_string_equal(sc->stack.agent_defect, "D1");
	assert_string_equal(sc->stack.green_defect, "D2");
	assert_int_equal(sc->stack.stickiness_ns, 24 * 3600 * NS_PER_S);
	assert_int_equal(sc->stack.deregistration_delay_ns, 3 * NS_PER_S);
	assert_int_equal(sc->stack.idle_ns, 4 * NS_PER_S);
	assert_int_equal(sc->steps[2].begin, BEGIN_DEREGISTER);
	assert_int_equal(sc->steps[2].deadline_ns, 20 * NS_PER_S);
	assert_true(sc->steps[0].skip && sc->steps[3].skip);
	assert_false(sc->steps[1].skip || sc->steps[2].skip);
	assert_memory_equal(&sc->timers, &plain->timers, sizeof sc->timers);
	scenario_free(plain);
	scenario_free(sc);
}

static void an_overlay_that_cannot_be_laid_over_says_why(void **state)
{
	static const char drain[] =
		"defect: D9\nabout: x\ndrain: { begin: sigterm }\nexpect: { required: [ a ] }\n";
	char *deployed = testing_edit(
		TESTING_BASE, "stack: local",
		"stack: none\ntarget: { url: \"ws://h/\" }\nstate: { redis: r }\nbalancer: { endpoint: e }");
	char *no_drain = testing_edit(TESTING_BASE, "  - drain: { color: blue, deadline: 25s }\n",
				      "");
	char *done = testing_edit(TESTING_BASE, "stack: local", "overlay: { name: D21 }");
	char *short_drain = testing_edit(drain, "begin: sigterm", "deadline: 1s");
	const struct {
		const char *text, *overlay, *why;
	} rows[] = {
		{ deployed, drain, "changes the local stack; this scenario's stack is none" },
		{ no_drain, drain, "changes the drain; this cutover has none" },
		{ done, drain, "overlay D21 is already applied; D9 cannot be laid over it" },
		{ TESTING_BASE, short_drain, "the deadline is shorter than quiet (3s)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err err = { .kind = ERR_NONE };
		struct scenario *sc;

		assert_int_equal(load_over(rows[i].text, rows[i].overlay, &sc, &err), -1);
		assert_int_equal(err.kind, ERR_INPUT);
		if (!strstr(err.text, rows[i].why))
			fail_msg("%s", err.text);
	}
	free(deployed);
	free(no_drain);
	free(done);
	free(short_drain);
}

static void a_wrong_overlay_is_refused_at_its_place(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "about: x\n", ":1:1: an overlay needs a name" },
		{ "defect: a\ncontrol: b\nabout: x\n", "an overlay needs a name" },
		{ "defect: D1\nexpect: { required: [ a ] }\n",
		  "an overlay needs the key \"about\"" },
		{ "defect: D1\nabout: x\n", "a defect needs expect.required" },
		{ "control: c\nabout: x\nexpect: { allowed: [ a ] }\n", "a control run must pass" },
		{ "defect: D1\nabout: x\nexpect: { required: [ \"a:cut_by_sigtem\" ] }\n",
		  ":3:23: unknown anomaly \"cut_by_sigtem\"\n    expect: { required: [ \"a:cut_by_sigtem\" ] }\n"
		  "                          ^\ndid you mean \"cut_by_sigterm\"?" },
		{ "defect: D1\nabout: x\nexpect: { required: [ \"a:none\" ] }\n",
		  "unknown anomaly \"none\"" },
		{ "defect: D1\nabout: x\nexpect: { required: [ a ], allowed: [ \"A b\" ] }\n",
		  "neither a check nor check:anomaly" },
		{ "defect: D1\nabout: x\nexpect: { required: [ \":fork\" ] }\n",
		  "neither a check nor check:anomaly" },
		{ "defect: D1\nabout: x\nexpect: { required: a }\n",
		  ":3:21: required: expected a list" },
		{ "defect: D1\nabout: x\nskip: [ drian ]\n",
		  ":3:9: skip: unknown word \"drian\"; did you mean \"drain\"?" },
		{ "defect: D1\nabout: x\nskip: drain\n", ":3:7: skip: expected a list" },
		{ "defect: D1\nabout: x\nstack: { think: 5s }\n",
		  ":3:10: an overlay's stack has no key \"think\"" },
		{ "defect: D1\nabout: x\ntimers: {}\n", ":3:1: an overlay has no key \"timers\"" },
		{ "defect: ${X}\n", "${X} is not defined" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct testing_file file = testing_write(rows[i].text, strlen(rows[i].text));
		struct expectation e = { .defect = NULL };
		struct err err = { .kind = ERR_NONE };

		assert_int_equal(expectation_load(file.path, &e, &err), -1);
		assert_null(e.required);
		assert_int_equal(err.kind, ERR_INPUT);
		if (!strstr(err.text, rows[i].why))
			fail_msg("wanted %s\ngot %s", rows[i].why, err.text);
		unlink(file.path);
	}
}

static void an_overlay_names_the_scenario_it_is_made_for(void **state)
{
	static const struct {
		const char *text, *base;
	} rows[] = {
		{ "control: c\nabout: x\n", NULL },
		{ "control: c\nabout: x\nbase: tls.yaml\n", "tls.yaml" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct testing_file file = testing_write(rows[i].text, strlen(rows[i].text));
		struct expectation e;
		struct err err = { .kind = ERR_NONE };

		if (expectation_load(file.path, &e, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(!e.base, !rows[i].base);
		if (e.base)
			assert_string_equal(e.base, rows[i].base);
		expectation_free(&e);
		unlink(file.path);
	}
}

static void what_a_shipped_overlay_expects_is_read(void **state)
{
	struct expectation e;
	struct err err = { .kind = ERR_NONE };

	(void)state;
	if (expectation_load("scenarios/defects/D21.yaml", &e, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(e.defect, "D21");
	assert_int_equal(e.required_count, 2);
	assert_string_equal(e.required[0], "dropped_calls:cut_by_sigterm");
	assert_string_equal(e.required[1], "drained_before_teardown");
	assert_true(e.allowed_count > 0);
	assert_string_equal(e.allowed[0], "disturbed");
	expectation_free(&e);
	assert_int_equal(expectation_load("scenarios/controls/sigterm.yaml", &e, &err), 0);
	assert_string_equal(e.defect, "sigterm");
	assert_int_equal(e.required_count + e.allowed_count, 0);
	expectation_free(&e);
	expectation_free(NULL);
	assert_int_equal(expectation_load("scenarios/defects/D00.yaml", &e, &err), -1);
	assert_non_null(strstr(err.text, "No such file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_overlay_changes_what_is_done_and_not_what_is_declared),
		cmocka_unit_test(an_overlay_that_cannot_be_laid_over_says_why),
		cmocka_unit_test(a_wrong_overlay_is_refused_at_its_place),
		cmocka_unit_test(an_overlay_names_the_scenario_it_is_made_for),
		cmocka_unit_test(what_a_shipped_overlay_expects_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
