#include "director/test_walk.h"

#include "base/clock.h"

struct row {
	const char *script; /* W: moves the weights without a word */
	int result;
	bool shifted;
	const char *record, *why;
};

/* One script step, as director.c would walk it. */
static int walk(struct test_walk *t, const char *script, int64_t deadline_ns, struct err *err)
{
	static const char moves[] = "W() { echo \"$1 $2\" > $0/w; mv $0/w $0/weights; }\n";
	char *text = xasprintf("%s%s", moves, script);
	const char *argv[] = { "/bin/sh", "-c", text, t->dir, NULL };
	struct step step = { .phase = PHASE_SCRIPT, .deadline_ns = deadline_ns };
	int result;

	t->command[0] = (char *)"cut";
	t->balancer.argv = argv;
	walk_phase_begin(&t->w, PHASE_SCRIPT, 0, "script");
	result = step_script(&t->w, &step, err);
	walk_phase_end(&t->w, result < 0 ? PHASE_FAILED : PHASE_OK, err->text);
	free(text);
	return result;
}

#define SCRIPT "phase.begin:script "

static void what_a_script_says_and_does_is_on_record(void **state)
{
	static const struct row rows[] = {
		{ "", 0, false, SCRIPT "action.ok phase.end:script:0 ", "" },
		{ "echo hello", 0, false, SCRIPT "said:hello action.ok phase.end:script:0 ", "" },
		{ "exit 3", -1, false, SCRIPT "action.fail phase.end:script:1 ",
		  "the script exited with 3" },
		{ "kill -9 $$", -1, false, SCRIPT "action.fail phase.end:script:1 ",
		  "the script was ended by signal 9" },
		{ "echo 'crossfade: phase smoke'; echo 'crossfade: phase drain'\n"
		  "echo 'crossfade: drained blue 1 3 2'",
		  0, false,
		  SCRIPT "said:crossfade: phase smoke phase.end:script:0 phase.begin:smoke "
			 "said:crossfade: phase drain phase.end:smoke:0 phase.begin:drain "
			 "said:crossfade: drained blue 1 3 2 belief:blue:1:3:3 action.ok "
			 "phase.end:drain:0 ",
		  "" },
		{ "echo 'crossfade: phase smoke'; exit 1", -1, false,
		  SCRIPT "said:crossfade: phase smoke phase.end:script:0 phase.begin:smoke "
			 "action.fail phase.end:smoke:1 ",
		  "the script exited with 1" },
		{ "echo 'crossfade: phase smoke'; echo 'crossfade: failed no green'\n"
		  "echo 'crossfade: phase rollback'; exit 1",
		  -1, false,
		  SCRIPT
		  "said:crossfade: phase smoke phase.end:script:0 phase.begin:smoke "
		  "said:crossfade: failed no green action.fail phase.end:smoke:1 "
		  "said:crossfade: phase rollback phase.begin:rollback phase.end:rollback:0 ",
		  "no green" },
		{ "echo 'crossfade: weights 0 100'; W 0 100; echo 'crossfade: weights-ok 0 100'", 0,
		  true,
		  SCRIPT "weight.inv:0/100 said:crossfade: weights 0 100 "
			 "said:crossfade: weights-ok 0 100 weight.ok:0/100 action.ok "
			 "phase.end:script:0 ",
		  "" },
		/* It died between asking and telling: what it left is what counts. */
		{ "echo 'crossfade: weights 0 100'; exit 1", -1, false,
		  SCRIPT "weight.inv:0/100 said:crossfade: weights 0 100 action.fail "
			 "weight.ok:100/0 phase.end:script:1 ",
		  "the script exited with 1" },
		/* Without a word. */
		{ "W 0 '100 1'", 0, true,
		  SCRIPT "weight.inv:0/100 weight.ok:0/100 action.ok phase.end:script:0 ", "" },
		{ "W 0 '100 0'", 0, true,
		  SCRIPT "weight.inv:0/100 weight.ok:0/100 action.ok:deregister:blue action.ok "
			 "phase.end:script:0 ",
		  "" },
		{ "W 50 50", 0, true,
		  SCRIPT "weight.inv:50/50 weight.ok:50/50 action.ok phase.end:script:0 ", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err err = { .kind = ERR_NONE };
		struct buf record = buf_init(8192);
		struct test_walk t;

		test_walk_open(&t);
		if (walk(&t, rows[i].script, 30 * NS_PER_S, &err) != rows[i].result ||
		    strcmp(err.text, rows[i].why) != 0)
			fail_msg("%s: %s", rows[i].script, err.text);
		assert_int_equal(t.w.shifted, rows[i].shifted);
		test_walk_record(&t, &record);
		if (strcmp(buf_text(&record), rows[i].record) != 0)
			fail_msg("%s\n%s\n%s", rows[i].script, buf_text(&record), rows[i].record);
		buf_free(&record);
		test_walk_close(&t);
	}
}

static void a_script_past_its_deadline_is_killed_though_it_minds_no_signal(void **state)
{
	struct err err = { .kind = ERR_NONE };
	struct test_walk t;

	(void)state;
	test_walk_open(&t);
	assert_int_equal(walk(&t, "trap '' TERM; W 0 100; sleep 600 & wait; sleep 600",
			      300 * NS_PER_MS, &err),
			 -1);
	assert_string_equal(err.text, "the script did not end within 0.3 s and was killed");
	assert_true(t.w.shifted);
	test_walk_close(&t);
}

static void the_key_to_the_balancer_stays_out_of_the_log(void **state)
{
	char path[128], text[256] = "";
	struct err err = { .kind = ERR_NONE };
	struct test_walk t;
	FILE *log;

	(void)state;
	test_walk_open(&t);
	setenv("AWS_SECRET_ACCESS_KEY", "sesame", 1);
	setenv("AWS_SESSION_TOKEN", "simsim", 1);
	assert_int_equal(walk(&t,
			      "say() { echo \"key=$AWS_SECRET_ACCESS_KEY/$AWS_SESSION_TOKEN.\"; }; "
			      "say; say >&2",
			      30 * NS_PER_S, &err),
			 0);
	unsetenv("AWS_SECRET_ACCESS_KEY");
	unsetenv("AWS_SESSION_TOKEN");
	snprintf(path, sizeof path, "%s/script.log", t.dir);
	log = fopen(path, "re");
	assert_non_null(log);
	for (int i = 0; i < 2; i++) { /* what it says, and its standard error */
		assert_non_null(fgets(text, sizeof text, log));
		assert_string_equal(text, "key=******/******.\n");
	}
	fclose(log);
	test_walk_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_script_says_and_does_is_on_record),
		cmocka_unit_test(a_script_past_its_deadline_is_killed_though_it_minds_no_signal),
		cmocka_unit_test(the_key_to_the_balancer_stays_out_of_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
