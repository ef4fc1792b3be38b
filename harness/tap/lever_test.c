#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "tap/lever.h"

static const struct {
	const char *text;
	struct lever lever;
} good[] = {
	{ "delay 50ms", { .action = LEVER_DELAY, .for_ns = 50 * NS_PER_MS } },
	{ "hold", { .action = LEVER_HOLD } },
	{ "hold 2s", { .action = LEVER_HOLD, .for_ns = 2 * NS_PER_S } },
	{ "hold where verb=get", { .action = LEVER_HOLD, .verb = VERB_GET } },
	{ "hold as h", { .action = LEVER_HOLD, .name = "h" } },
	{ "cut where color=green count=1",
	  { .action = LEVER_CUT, .color = COLOR_GREEN, .left = 1 } },
	{ "swallow where class=write instance=blue-1 call=c-* key=call:* share=10% seed=7 as s",
	  { .action = LEVER_SWALLOW,
	    .class = LEVER_WRITES,
	    .instance = "blue-1",
	    .call = "c-*",
	    .key = "call:*",
	    .share = 0.1,
	    .name = "s" } },
	{ "error oom where class=read",
	  { .action = LEVER_ERROR,
	    .class = LEVER_READS,
	    .error = "OOM command not allowed when used memory > 'maxmemory'." } },
	{ " delay  1ms  where  verb=eval ",
	  { .action = LEVER_DELAY, .for_ns = NS_PER_MS, .verb = VERB_EVAL } },
};

static void a_line_says_what_is_done_and_to_which_commands(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		const struct lever *w = &good[i].lever;
		struct err err = { .kind = ERR_NONE };
		struct lever l;

		if (lever_parse(good[i].text, &l, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(l.action, w->action);
		assert_int_equal(l.for_ns, w->for_ns);
		assert_int_equal(l.class, w->class);
		assert_int_equal(l.verb, w->verb ? w->verb : -1);
		assert_int_equal(l.color, w->color);
		assert_string_equal(l.instance, w->instance);
		assert_string_equal(l.call, w->call);
		assert_string_equal(l.key, w->key);
		assert_true(l.left == (w->left ? w->left : UINT64_MAX));
		assert_true(l.share == (w->share > 0 ? w->share : 1));
		assert_string_equal(l.name, w->name);
		assert_string_equal(l.error ? l.error : "", w->error ? w->error : "");
	}
}

static const struct {
	const char *text, *why;
} bad[] = {
	{ "", "lever \"\": nothing: not delay, hold, error, cut or swallow" },
	{ "drop", "drop: not delay, hold" },
	{ "delay", "delay needs a time" },
	{ "delay soon", "soon" },
	{ "delay 0", "0: a time above 0" },
	{ "delay where verb=get", "where" },
	{ "error", "error needs the word" },
	{ "error EEK", "error EEK: not one of OOM" },
	{ "cut verb=get", "verb=get: not where or as" },
	{ "cut where get", "get: not NAME=VALUE" },
	{ "cut where colour=blue", "colour: not class, verb" },
	{ "cut where color=red", "red: not blue or green" },
	{ "cut where verb=zap", "verb zap: no such word" },
	{ "cut where class=both", "both: not read or write" },
	{ "cut where count=0", "0: a lever for no command" },
	{ "cut where count=-1", "-1: not a whole number" },
	{ "cut where count=1x", "1x: not a whole number" },
	{ "cut where share=101%", "101%" },
	{ "cut where call=", "\"\": 1 to 63 bytes" },
	{ "cut as", "\"\": 1 to 63 bytes" },
	{ "cut as a b", "b: after the name" },
};

static void a_line_with_a_mistake_is_refused_with_the_word(void **state)
{
	struct lever l;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err err = { .kind = ERR_NONE };
		char begin[64];

		assert_int_equal(lever_parse(bad[i].text, &l, &err), -1);
		assert_int_equal(err.kind, ERR_INPUT);
		snprintf(begin, sizeof begin, "lever \"%s\"", bad[i].text);
		if (!strstr(err.text, bad[i].why) || strncmp(err.text, begin, strlen(begin)) != 0)
			fail_msg("%s: %s", bad[i].text, err.text);
	}
}

/* A setex of blue-1 for call c-1, or a get of green-2 of a key that is no call's. */
static const struct command setex = {
	.verb = VERB_SETEX, .writes = true, .key = "call:c-1 60", .key_size = 8, .id = "c-1"
};
static const struct command get = { .verb = VERB_GET, .reads = true, .key = "x", .key_size = 1 };
static const struct command ping = { .verb = VERB_PING };

static const struct {
	const char *text;
	bool setex, get, ping;
} meant[] = {
	{ "cut", true, true, true },
	{ "cut where class=write", true, false, false },
	{ "cut where class=read", false, true, false },
	{ "cut where verb=setex", true, false, false },
	{ "cut where color=green", false, true, true },
	{ "cut where instance=blue-1", true, false, false },
	{ "cut where call=c-?", true, false, false },
	{ "cut where call=d-*", false, false, false },
	{ "cut where key=call:c-1", true, false, false },
	{ "cut where key=*", true, true, false },
	{ "cut where key=x color=blue", false, false, false },
	{ "cut where share=0%", false, false, false },
};

static void a_lever_takes_what_meets_all_its_conditions(void **state)
{
	const struct lever_subject subjects[] = { { &setex, "blue-1", COLOR_BLUE },
						  { &get, "green-2", COLOR_GREEN },
						  { &ping, "green-2", COLOR_GREEN } };

	(void)state;
	for (size_t i = 0; i < sizeof meant / sizeof *meant; i++) {
		const bool wanted[] = { meant[i].setex, meant[i].get, meant[i].ping };

		for (size_t k = 0; k < 3; k++) {
			struct lever l;

			assert_int_equal(lever_parse(meant[i].text, &l, NULL), 0);
			assert_false(lever_takes(&l, &subjects[k], 0));
			l.armed = true;
			if (lever_takes(&l, &subjects[k], 0) != wanted[k])
				fail_msg("%s: command %zu", meant[i].text, k);
		}
	}
}

static void a_count_runs_out_a_share_is_drawn_and_a_hold_with_a_time_ends(void **state)
{
	const struct lever_subject s = { &setex, "blue-1", COLOR_BLUE };
	struct lever l, again;
	unsigned taken = 0, differs = 0;

	(void)state;
	assert_int_equal(lever_parse("cut where count=2", &l, NULL), 0);
	l.armed = true;
	assert_true(lever_takes(&l, &s, 0));
	assert_true(l.armed);
	assert_true(lever_takes(&l, &s, 0));
	assert_false(l.armed);
	assert_false(lever_takes(&l, &s, 0));

	assert_int_equal(lever_parse("cut where share=10% seed=7", &l, NULL), 0);
	l.armed = true;
	again = l;
	for (int i = 0; i < 10000; i++) {
		bool took = lever_takes(&l, &s, 0);

		taken += took;
		differs += took != lever_takes(&again, &s, 0);
	}
	assert_in_range(taken, 850, 1150);
	assert_int_equal(differs, 0);

	assert_int_equal(lever_parse("hold 1s", &l, NULL), 0);
	l.armed = true;
	assert_true(lever_takes(&l, &s, 5));
	assert_int_equal(l.hold_until_ns, 5 + NS_PER_S);
	assert_true(lever_takes(&l, &s, 4 + NS_PER_S));
	assert_false(lever_takes(&l, &s, 5 + NS_PER_S));
	assert_false(l.armed);
}

static void the_first_armed_lever_has_the_command_and_names_are_unique_among_the_armed(void **state)
{
	const struct lever_subject s = { &setex, "blue-1", COLOR_BLUE };
	struct levers *levers = xcalloc(1, sizeof *levers);
	struct err err = { .kind = ERR_NONE };
	char name[LEVER_WORD_MAX];
	struct lever *l;

	(void)state;
	assert_int_equal(levers->armed, 0);
	assert_int_equal(levers_arm(levers, "cut where count=1 as a", &l, &err), 0);
	assert_int_equal(l->number, 1);
	assert_int_equal(levers_arm(levers, "swallow as a", &l, &err), -1);
	assert_non_null(strstr(err.text, "one called a is armed"));
	assert_int_equal(levers_arm(levers, "swallow as b", &l, &err), 0);
	assert_int_equal(levers_take(levers, &s, 0)->action, LEVER_CUT);
	assert_int_equal(levers_take(levers, &s, 0)->action, LEVER_SWALLOW);
	assert_int_equal(levers->armed, 1);
	while (levers->count < LEVERS_MAX)
		assert_int_equal(levers_arm(levers, "cut", &l, &err), 0);
	assert_int_equal(levers_arm(levers, "cut", &l, &err), -1);
	assert_non_null(strstr(err.text, "more than 64"));
	free(levers);
	assert_true(lever_disarms("disarm", name));
	assert_string_equal(name, "");
	assert_true(lever_disarms("disarm slow", name));
	assert_string_equal(name, "slow");
	assert_false(lever_disarms("disarmed", name));
	assert_false(lever_disarms("cut", name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_says_what_is_done_and_to_which_commands),
		cmocka_unit_test(a_line_with_a_mistake_is_refused_with_the_word),
		cmocka_unit_test(a_lever_takes_what_meets_all_its_conditions),
		cmocka_unit_test(a_count_runs_out_a_share_is_drawn_and_a_hold_with_a_time_ends),
		cmocka_unit_test(
			the_first_armed_lever_has_the_command_and_names_are_unique_among_the_armed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
