#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rng.h"
#include "scenario/duration.h"
#include "scenario/schema.h"
#include "scenario/testing.h"

/*
 * Equality by the table, member by member: what the writer forgets, and what the parser misreads,
 * both show. The walk is this test's own, not the writer's.
 */
static bool same_map(const struct map *map, const void *a, const void *b);

static bool same_field(const struct field *f, const void *a, const void *b)
{
	const void *x = field_at(f, a), *y = field_at(f, b);

	switch (f->type) {
	case FIELD_TEXT: {
		const char *s = *(char *const *)x, *t = *(char *const *)y;

		return s && t ? !strcmp(s, t) : s == t;
	}
	case FIELD_DURATION:
		return *(const int64_t *)x == *(const int64_t *)y;
	case FIELD_RANGE:
		return !memcmp(x, y, 2 * sizeof(int64_t));
	case FIELD_INTEGER:
	case FIELD_WORD:
		return *(const int *)x == *(const int *)y;
	case FIELD_SEED:
		return *(const uint64_t *)x == *(const uint64_t *)y;
	case FIELD_SHARE:
	case FIELD_NUMBER:
		return *(const double *)x == *(const double *)y;
	case FIELD_FLAG:
		return *(const bool *)x == *(const bool *)y;
	case FIELD_MAP:
		return same_map(f->map, x, y);
	case FIELD_LIST: {
		size_t n = *(const size_t *)((const char *)a + f->count_offset),
		       m = *(const size_t *)((const char *)b + f->count_offset);
		bool same = n == m;

		for (size_t i = 0; same && i < n; i++)
			same = same_map(f->map, *(char *const *)x + i * f->element_size,
					*(char *const *)y + i * f->element_size);
		return same;
	}
	case FIELD_GATES: {
		const struct scenario *s = a, *t = b;
		bool same = s->gate_count == t->gate_count;

		for (size_t i = 0; same && i < s->gate_count; i++)
			same = !strcmp(s->gates[i].key, t->gates[i].key) &&
			       s->gates[i].limit == t->gates[i].limit &&
			       !strcmp(s->gates[i].expression, t->gates[i].expression) &&
			       s->gates[i].stat == t->gates[i].stat;
		return same;
	}
	case FIELD_TEXTS: {
		size_t n = *(const size_t *)((const char *)a + f->count_offset),
		       m = *(const size_t *)((const char *)b + f->count_offset);
		bool same = n == m;

		for (size_t i = 0; same && i < n; i++)
			same = !strcmp((*(char **const *)x)[i], (*(char **const *)y)[i]);
		return same;
	}
	case FIELD_WORDS:
		break;
	}
	return true;
}

static bool same_map(const struct map *map, const void *a, const void *b)
{
	int tag = map->tagged ? *(const int *)((const char *)a + map->tag_offset) : 0;

	if (map->tagged && tag != *(const int *)((const char *)b + map->tag_offset))
		return false;
	for (size_t i = 0; i < map->count; i++) {
		const struct field *f = &map->fields[i];

		if (!f->tagged || f->tag == tag)
			if (!same_field(f, a, b))
				return false;
		if (f->given_offset &&
		    *((const bool *)a + f->given_offset) != *((const bool *)b + f->given_offset))
			return false;
	}
	return true;
}

/* --- random scenarios, as text in every form the parser takes --- */

static const char *duration(struct rng *rng, int64_t low_ns, int64_t high_ns,
			    char out[DURATION_TEXT_MAX])
{
	duration_format(low_ns + (int64_t)rng_below(rng, (uint64_t)(high_ns - low_ns) + 1), out);
	return out;
}

static void random_dist(struct rng *rng, struct buf *out, const char *max, const char *more)
{
	const int64_t ms = 1000000;
	char a[DURATION_TEXT_MAX], b[DURATION_TEXT_MAX];

	switch (rng_below(rng, 4)) {
	case 0:
		buf_printf(out, "%s", duration(rng, ms, 8000 * ms, a));
		return;
	case 1:
		buf_printf(out, "{ uniform: %s..%s%s }", duration(rng, ms, 900 * ms, a),
			   duration(rng, 901 * ms, 8000 * ms, b), more);
		return;
	case 2:
		buf_printf(out, "{ exponential: %s", duration(rng, 3000 * ms, 8000 * ms, a));
		break;
	default:
		buf_printf(out, "{ lognormal: { mean: %s, sigma: %.3f }",
			   duration(rng, 3000 * ms, 8000 * ms, a), 0.2 + rng_unit(rng));
		break;
	}
	if (rng_below(rng, 2))
		buf_printf(out, ", min: %s", duration(rng, 1, 800 * ms, a));
	buf_printf(out, "%s%s }", max, more);
}

static void random_scenario(struct rng *rng, struct buf *out)
{
	static const char *const abouts[] = { "plain",
					      "\"q \\\" \\\\ \\n \\t '\"",
					      "'#: {}[]&*!|>%@`'",
					      "\"\xc3\xa4\xe2\x82\xac\"",
					      "\"  spaced  \"",
					      "\"123\"",
					      "\"yes\"",
					      "\"~\"",
					      "'- x: y'",
					      "\"${call} ${run}\"" };
	const int64_t s = 1000000000;
	char a[DURATION_TEXT_MAX], b[DURATION_TEXT_MAX];
	int share = (int)rng_below(rng, 101);

	buf_printf(out, "name: n%llu\n", (unsigned long long)rng_below(rng, 1000));
	if (rng_below(rng, 2))
		buf_printf(out, "about: %s\n",
			   abouts[rng_below(rng, sizeof abouts / sizeof *abouts)]);
	if (rng_below(rng, 2))
		buf_printf(out, "seed: %llu\n", (unsigned long long)rng_u64(rng));
	if (rng_below(rng, 2))
		buf_printf(
			out,
			"stack: { instances: %d, think: %dms, agent_defect: D0%d, stickiness: %dh }\n",
			1 + (int)rng_below(rng, 16), (int)rng_below(rng, 1000),
			(int)rng_below(rng, 9), (int)rng_below(rng, 99));
	if (rng_below(rng, 3) == 0)
		buf_puts(out, "overlay: { name: D21, about: \"x: y\" }\n");
	if (rng_below(rng, 2))
		buf_printf(out, "state: { tap: %s, key: \"k:${run}:${call}\", ttl: %dm }\n",
			   rng_below(rng, 2) ? "off" : "yes, ttl_floor: 59s",
			   1 + (int)rng_below(rng, 60));
	if (rng_below(rng, 2))
		buf_puts(
			out,
			"target: { direct: { blue: \"ws://x/${call}\" }, dials_per_second: 9 }\nbalancer: { rule: \"arn:aws:x/y\", endpoint: http://e }\n");
	buf_printf(
		out,
		"timers: { stickiness: %s, deregistration_delay: %dm, idle: %ds, longest_call: 1h, propagation: %s%s }\n",
		rng_below(rng, 2) ? "1s" : "{ group: 0s, target: 1s }", (int)rng_below(rng, 60),
		1 + (int)rng_below(rng, 99), duration(rng, 0, 100 * s, a),
		rng_below(rng, 2) ? ", close_spread: 1500ms" : "");
	buf_printf(out, "calls:\n  live: %d\n  hold: ", 1 + (int)rng_below(rng, 1000000));
	random_dist(rng, out, ", max: 50m", "");
	buf_printf(out, "\n  turn: { every: %s", duration(rng, 10000000, 100 * s, a));
	if (rng_below(rng, 2))
		buf_printf(out, ", silence: { share: %d%%, for: %s }", (int)rng_below(rng, 101),
			   duration(rng, 0, s, a));
	buf_printf(
		out,
		" }\n  profiles:\n    bridge: { share: %d%% }\n    resumable:\n      share: %d%%\n",
		share, 100 - share);
	if (rng_below(rng, 2)) {
		buf_puts(out, "      lose_leg: ");
		random_dist(rng, out, rng_below(rng, 2) ? ", max: 59m" : "",
			    rng_below(rng, 2) ? ", when: mid_turn" : "");
		buf_puts(out, "\n");
	}
	buf_printf(out, "      resume_within: %s\n      backoff: full-jitter %s..%s\n",
		   duration(rng, 9 * s, 99 * s, a), duration(rng, 1000000, s, b), "2s");
	if (rng_below(rng, 2))
		buf_printf(out, "      disturbances: %d\n      dead_air: %s\n",
			   (int)rng_below(rng, 3), duration(rng, 1000000, 9 * s, a));
	buf_printf(out, "cutover:\n  - steady: %s\n  - shift: { blue: 0, green: %d, skip: %s }\n",
		   duration(rng, 0, 99 * s, a), 1 + (int)rng_below(rng, 999),
		   rng_below(rng, 2) ? "on" : "off");
	if (rng_below(rng, 2))
		buf_printf(out, "  - drain: { begin: %s, deadline: %s }\n",
			   rng_below(rng, 2) ? "sigterm" : "deregister",
			   duration(rng, 9 * s, 99 * s, a));
	buf_puts(out, rng_below(rng, 2) ? "  - teardown: { grace: 1500ms, skip: on }\n" :
					  "  - rollback: {}\n");
	if (rng_below(rng, 2))
		buf_printf(
			out,
			"gates:\n  \"dial{phase:drain}\": \"p(%d) < %s\"\n  refused: [ \"rate < %d%%\", 'count==0' ]\n",
			(int)rng_below(rng, 101), duration(rng, 0, 99 * s, a),
			(int)rng_below(rng, 101));
	if (rng_below(rng, 4) == 0)
		buf_puts(out, "faults: []\n");
	else if (rng_below(rng, 2))
		buf_printf(out,
			   "faults:\n  - freeze: { instance: green-1, at: steady, after: %s }\n"
			   "  - kill: { instance: blue-1, for: %s }\n",
			   duration(rng, 0, 9 * s, a), duration(rng, 1, 99 * s, b));
}

static void what_is_written_is_read_back_as_the_same_scenario(void **state)
{
	struct rng rng = rng_split(7, 0, "scenarios");

	(void)state;
	for (int i = 0; i < 600; i++) {
		struct buf source = buf_init(1 << 16), text = buf_init(1 << 16);
		struct err err = { .kind = ERR_NONE };
		struct scenario *sc, *back;
		char digest[2][65];

		random_scenario(&rng, &source);
		if (testing_load_text(source.data, &sc, &err) < 0)
			fail_msg("%s\n%s", err.text, source.data);
		scenario_write(sc, &text);
		if (testing_load_text(text.data, &back, &err) < 0)
			fail_msg("%s\n%s", err.text, text.data);
		if (!same_map(&schema_scenario, sc, back))
			fail_msg("not the same:\n%s\n%s", source.data, text.data);
		scenario_digest(sc, digest[0]);
		scenario_digest(back, digest[1]);
		assert_string_equal(digest[0], digest[1]);
		scenario_free(sc);
		scenario_free(back);
		buf_free(&source);
		buf_free(&text);
	}
}

static void a_value_from_a_variable_survives_as_the_text_it_is(void **state)
{
	static const char value[] = "x\"y\\z: {#}\n\t- \xc3\xa4 $A";
	const struct variable v[] = { { "ABOUT", value } };
	char *text = testing_edit(TESTING_BASE, "name: small", "name: small\nabout: ${ABOUT}");
	struct buf out = buf_init(1 << 16);
	struct err err = { .kind = ERR_NONE };
	struct scenario *sc, *back;

	(void)state;
	assert_int_equal(testing_load(text, strlen(text), v, 1, NULL, &sc, NULL, &err), 0);
	assert_string_equal(sc->about, value);
	scenario_write(sc, &out);
	if (testing_load_text(buf_text(&out), &back, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(back->about, value);
	assert_string_equal(back->target.url, "ws://${alb}/realtime/${call}");
	scenario_free(sc);
	scenario_free(back);
	buf_free(&out);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_back_as_the_same_scenario),
		cmocka_unit_test(a_value_from_a_variable_survives_as_the_text_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
