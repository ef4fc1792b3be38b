#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/rng.h"
#include "scenario/testing.h"

#define S NS_PER_S

static struct scenario *load(const char *path, const char *overlay)
{
	const struct variable variables[] = {
		{ "HOST", "voice.example" },
		{ "GREEN", "10.0.0.1:80" },
		{ "REDIS", "10.0.0.2:6379" },
		{ "ENDPOINT", "https://balancer.example" },
	};
	const struct scenario_source source = {
		.path = path,
		.variables = variables,
		.variable_count = 4,
		.overlay_path = overlay,
	};
	struct buf warnings = buf_init(4096);
	struct err err = { .kind = ERR_NONE };
	struct scenario *sc = NULL;

	if (scenario_load(&source, &sc, &warnings, &err) < 0)
		fail_msg("%s", err.text);
	if (!overlay && warnings.len)
		fail_msg("%s", buf_text(&warnings));
	buf_free(&warnings);
	return sc;
}

static void the_example_of_the_interface_means_what_it_says(void **state)
{
	struct scenario *sc = load("scenarios/blue_green.yaml", NULL);
	const struct profile_plan *resumable = &sc->calls.profile[PROFILE_RESUMABLE];

	(void)state;
	assert_string_equal(sc->name, "blue_green");
	assert_string_equal(sc->about, "Move live calls from blue to green and lose none.");
	assert_int_equal(sc->seed, 42);
	assert_int_equal(sc->stack.kind, STACK_LOCAL);
	assert_int_equal(sc->stack.instances, 2);
	assert_int_equal(sc->stack.think_ns, 30 * NS_PER_MS);
	assert_int_equal(sc->stack.store, STORE_PUBLISHED);
	assert_null(sc->stack.agent_defect);
	assert_int_equal(sc->stack.idle_ns, -1);
	assert_string_equal(sc->target.url, "ws://${alb}/realtime/${call}");
	assert_string_equal(sc->target.wire, "plain");
	assert_string_equal(sc->state.redis, "${redis}");
	assert_int_equal(sc->state.ttl_ns, 1800 * S);
	assert_true(sc->state.tap);
	assert_null(sc->balancer.rule);
	assert_int_equal(sc->timers.stickiness_group_ns, 2 * S);
	assert_int_equal(sc->timers.stickiness_target_ns, 2 * S);
	assert_int_equal(sc->timers.longest_call_ns, 12 * S);
	assert_int_equal(sc->calls.live, 200);
	assert_int_equal(sc->calls.hold.kind, DIST_LOGNORMAL);
	assert_int_equal(sc->calls.hold.mean_ns, 6 * S);
	assert_true(sc->calls.hold.sigma == 0.6);
	assert_int_equal(sc->calls.hold.min_ns, 3 * S);
	assert_int_equal(sc->calls.hold.max_ns, 12 * S);
	assert_true(sc->calls.silence_share == 0.05);
	assert_int_equal(sc->calls.silence_ns, 4 * S);
	assert_true(sc->calls.profile[PROFILE_BRIDGE].share == 0.5);
	assert_false(sc->calls.profile[PROFILE_BRIDGE].loses_legs);
	assert_true(resumable->loses_legs);
	assert_int_equal(resumable->lose_leg.kind, DIST_EXPONENTIAL);
	assert_int_equal(resumable->lose_leg.mean_ns, 4 * S);
	assert_int_equal(resumable->lose_leg.max_ns, INT64_MAX);
	assert_int_equal(resumable->when, LOSE_BETWEEN_TURNS);
	assert_int_equal(resumable->backoff_base_ns, 100 * NS_PER_MS);
	assert_int_equal(resumable->backoff_cap_ns, S);
	assert_int_equal(sc->step_count, 7);
	assert_int_equal(sc->steps[2].phase, PHASE_SHIFT);
	assert_int_equal(sc->steps[2].green, 100);
	assert_int_equal(sc->steps[3].quiet_ns, 3 * S);
	assert_int_equal(sc->steps[3].color, COLOR_BLUE);
	assert_int_equal(sc->steps[5].grace_ns, S);
	assert_int_equal(sc->gate_count, 4);
	assert_int_equal(sc->gates[2].phase, PHASE_DRAIN);
	assert_true(sc->gates[2].limit == 8e8);
	scenario_free(sc);
}

static void a_short_scenario_gets_the_defaults(void **state)
{
	static const char text[] =
		"name: tiny\ntimers: { stickiness: { group: 4s, target: 1s }, deregistration_delay: 0, idle: 9s, longest_call: 9s }\n"
		"calls: { live: 1, hold: 1s, turn: 1s, profiles: { bridge: 100% } }\n"
		"cutover: [ shift: { blue: 0, green: 1 }, drain: { deadline: 9s } ]\n";
	struct err err = { .kind = ERR_NONE };
	struct scenario *sc;

	(void)state;
	if (testing_load_text(text, &sc, &err) < 0)
		fail_msg("%s", err.text);
	assert_null(sc->about);
	assert_int_equal(sc->seed, 1);
	assert_int_equal(sc->stack.kind, STACK_LOCAL);
	assert_string_equal(sc->target.url, "ws://${alb}/realtime/${call}");
	assert_string_equal(sc->balancer.driver, "alb");
	assert_int_equal(sc->timers.propagation_ns, S);
	assert_int_equal(sc->timers.dead_after_ns, 5 * S);
	assert_int_equal(sc->steps[1].quiet_ns,
			 5 * S); /* the longer of the two stickinesses and a second */
	assert_int_equal(sc->steps[1].line, 4);
	assert_int_equal(sc->calls.hold.kind, DIST_FIXED);
	assert_int_equal(sc->gate_count, 0);
	scenario_free(sc);
}

static void the_seed_given_outranks_the_file_and_changes_the_digest(void **state)
{
	const uint64_t seed = UINT64_MAX;
	const struct scenario_source source = { .path = "scenarios/blue_green.yaml",
						.seed = &seed };
	struct scenario *a = load("scenarios/blue_green.yaml", NULL),
			*b = load("scenarios/blue_green.yaml", NULL), *c;
	char digest[3][65];

	(void)state;
	assert_int_equal(scenario_load(&source, &c, NULL, NULL), 0);
	assert_true(c->seed == UINT64_MAX);
	scenario_digest(a, digest[0]);
	scenario_digest(b, digest[1]);
	scenario_digest(c, digest[2]);
	assert_string_equal(digest[0], digest[1]);
	assert_string_not_equal(digest[0], digest[2]);
	scenario_free(a);
	scenario_free(b);
	scenario_free(c);
}

/* Every shipped file loads, alone and under every overlay, and so does its resolved text. */
static void reload(const struct scenario *sc)
{
	struct buf text = buf_init(1 << 20), again = buf_init(1 << 20);
	struct err err = { .kind = ERR_NONE };
	struct scenario *back;

	scenario_write(sc, &text);
	if (testing_load_text(buf_text(&text), &back, &err) < 0)
		fail_msg("%s: %s\n%s", sc->path, err.text, buf_text(&text));
	scenario_write(back, &again);
	assert_string_equal(buf_text(&text), buf_text(&again));
	assert_int_equal(sc->step_count, back->step_count);
	for (size_t i = 0; i < sc->step_count; i++)
		assert_int_equal(sc->steps[i].skip, back->steps[i].skip);
	if (sc->defect)
		assert_string_equal(sc->defect, back->defect);
	scenario_free(back);
	buf_free(&text);
	buf_free(&again);
}

/* An overlay that names a base is laid over that one only. */
static bool is_made_for(const char *overlay, const char *path)
{
	struct expectation e;
	struct err err = { .kind = ERR_NONE };
	bool fits;

	if (expectation_load(overlay, &e, &err) < 0)
		fail_msg("%s", err.text);
	fits = !e.base || !strcmp(e.base, path + strlen("scenarios/"));
	expectation_free(&e);
	return fits;
}

static int with_overlays_of(const char *folder, const char *path)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		char overlay[512];
		struct scenario *sc;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(overlay, sizeof overlay, "%s/%s", folder, entry->d_name);
		if (!is_made_for(overlay, path))
			continue;
		sc = load(path, overlay);
		assert_true(!strncmp(entry->d_name, sc->defect,
				     strlen(sc->defect))); /* the file is named after it */
		reload(sc);
		scenario_free(sc);
		count++;
	}
	closedir(dir);
	return count;
}

static void every_shipped_scenario_loads_without_a_warning_and_under_every_overlay(void **state)
{
	static const struct {
		const char *path;
		int defects;
	} local[] = {
		{ "scenarios/blue_green.yaml", 6 }, { "scenarios/demo.yaml", 6 },
		{ "scenarios/bench_5000.yaml", 6 }, { "scenarios/rollback.yaml", 6 },
		{ "scenarios/canary.yaml", 6 },	    { "scenarios/tls.yaml", 10 },
	};
	struct scenario *deployed = load("scenarios/deployed.yaml", NULL);

	(void)state;
	assert_string_equal(deployed->target.direct_green, "ws://10.0.0.1:80/realtime/${call}");
	assert_null(deployed->balancer.rule);
	reload(deployed);
	scenario_free(deployed);
	for (size_t i = 0; i < sizeof local / sizeof *local; i++) {
		struct scenario *sc = load(local[i].path, NULL);

		reload(sc);
		scenario_free(sc);
		assert_true(with_overlays_of("scenarios/defects", local[i].path) >=
			    local[i].defects);
		assert_true(with_overlays_of("scenarios/controls", local[i].path) >= 2);
	}
}

/* Bytes cut and pieces put in anywhere: an error or a scenario, never a crash; and what is accepted
 * can be written and read again. */
static void a_mutated_scenario_is_an_error_or_a_scenario(void **state)
{
	static const char *const pieces[] = {
		"0",  "-1",	      "1e9",  "{",    "}",	 "[",  "]",
		":",  "\n",	      "  ",   "${",   "${X:-1}", "\"", "#",
		"%",  "99999999999h", "- ",   "5s",   "null",	 "~",  "&a ",
		"*a", "\xc3\xa4",     "\xff", "blue", "p(",	 "..", ","
	};
	struct rng rng = rng_split(6, 0, "mutations");
	int accepted = 0;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		size_t size = strlen(TESTING_BASE);
		char text[4096];
		struct err err = { .kind = ERR_NONE };
		struct scenario *sc;

		memcpy(text, TESTING_BASE, size);
		for (uint64_t n = 1 + rng_below(&rng, 3); n > 0; n--) {
			const char *piece = pieces[rng_below(&rng, sizeof pieces / sizeof *pieces)];
			size_t at = rng_below(&rng, size), cut = rng_below(&rng, 12),
			       put = strlen(piece) * rng_below(&rng, 2);

			if (at + cut > size)
				cut = size - at;
			memmove(text + at + put, text + at + cut, size - at - cut);
			memcpy(text + at, piece, put);
			size = size - cut + put;
		}
		if (testing_load(text, size, NULL, 0, NULL, &sc, NULL, &err) < 0) {
			assert_int_equal(err.kind, ERR_INPUT);
			assert_non_null(strchr(err.text, ':'));
			continue;
		}
		reload(sc);
		scenario_free(sc);
		accepted++;
	}
	assert_true(accepted > 20); /* else the mutations are too wild to say anything */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_the_interface_means_what_it_says),
		cmocka_unit_test(a_short_scenario_gets_the_defaults),
		cmocka_unit_test(the_seed_given_outranks_the_file_and_changes_the_digest),
		cmocka_unit_test(
			every_shipped_scenario_loads_without_a_warning_and_under_every_overlay),
		cmocka_unit_test(a_mutated_scenario_is_an_error_or_a_scenario),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
