#include "check/core/fold.h"

#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "check/core/golden.h"

enum { CALLS = 60 };

/* "check:anomaly check:anomaly ..." of all failing checks, in the registry's order. */
static void failures(const struct judgement *j, struct buf *out)
{
	for (size_t i = 0; i < j->finding_count; i++) {
		const struct finding *f = &j->findings[i];
		for (unsigned a = 0; f->verdict == VERDICT_FAIL && a < ANOMALY_COUNT; a++) {
			if (f->anomalies[a])
				buf_printf(out, "%s%s:%s", out->len ? " " : "", f->name,
					   anomaly_name(a));
		}
	}
}

static void a_clean_cutover_passes_every_check_and_every_check_saw_something(void **state)
{
	struct story_scenario s;
	struct story story = story_make(CALLS);
	struct judgement *j;
	struct buf all = buf_init(65536), unused = buf_init(1024);

	(void)state;
	story_scenario(&s);
	s.gate = (struct gate){ .metric = (char *)"turn_response",
				.phase = GATE_PHASE_ANY,
				.stat = GATE_P,
				.percentile = 50,
				.op = GATE_LT,
				.limit = 10.0 * NS_PER_S,
				.duration = true,
				.key = (char *)"turn_response",
				.expression = (char *)"p(50) < 10s" };
	s.scenario.gates = &s.gate;
	s.scenario.gate_count = 1;
	j = golden_story(&story, &s.scenario);
	for (size_t i = 0; i < j->finding_count; i++) {
		golden_tell(&j->findings[i], &unused, &all);
		if (j->findings[i].verdict != VERDICT_PASS || !j->findings[i].exposed)
			fail_msg("%s", buf_text(&all));
	}
	assert_int_equal(j->finding_count, 11);
	assert_int_equal(judgement_exit_code(j), EXIT_PASS);
	assert_int_equal(j->ledger.started, CALLS);
	assert_int_equal(j->ledger.completed, CALLS);
	assert_int_equal(j->resumes, CALLS);
	assert_true(j->crossings > 0 && j->turns == 6 * CALLS);
	assert_int_equal(j->phases[0].phase, PHASE_BEFORE);
	assert_int_equal(j->phases[j->phase_count - 1].phase, PHASE_AFTER);
	judgement_free(j);
	story_free(&story);
	buf_free(&all);
	buf_free(&unused);
}

/* No 101 sets a cookie and no dial has one: a leg dialed after the shift is green's. */
static void forget_cookies(struct story *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct event *e = &s->events[i];

		if (e->kind == EVENT_DIAL_INV || e->kind == EVENT_DIAL_OK)
			e->flags &= (uint8_t) ~(DIAL_HAS_COOKIE | DIAL_SET_COOKIE);
		if (e->kind == EVENT_CONFIG)
			e->aux = e->turn = 0;
		if (e->kind != EVENT_DIAL_INV || !e->leg || e->t_ns < story_at(9.2))
			continue;
		for (size_t later = i + 1; later < s->count; later++) {
			struct event *on = &s->events[later];

			if (on->call != e->call || on->color != COLOR_BLUE)
				continue;
			on->color = COLOR_GREEN;
			on->instance = (uint8_t)(on->instance + STORY_GREEN_1 - STORY_BLUE_1);
		}
	}
}

static void without_stickiness_nobody_is_asked_for_it_and_a_run_can_pass(void **state)
{
	struct story_scenario s;
	struct story story = story_make(CALLS);
	struct judgement *j;
	bool said = false;

	(void)state;
	story_scenario(&s);
	s.scenario.timers.stickiness_group_ns = s.scenario.timers.stickiness_target_ns = 0;
	forget_cookies(&story);
	j = golden_story(&story, &s.scenario);
	for (size_t i = 0; i < j->finding_count; i++) {
		const struct finding *f = &j->findings[i];

		assert_string_not_equal(f->name, "sticky_reconnect");
		if (f->verdict != VERDICT_PASS)
			fail_msg("%s: %s: %s", f->name, f->summary,
				 f->witness_count ? f->witnesses[0].text : "");
	}
	for (size_t i = 0; i < j->unasked_count; i++)
		said |= !strcmp(j->unasked[i]->name, "sticky_reconnect");
	assert_true(said);
	assert_int_equal(j->finding_count + j->unasked_count, check_count());
	judgement_free(j);
	story_free(&story);
}

/* ---- defects ---- */

struct after {
	uint64_t call;
	int64_t t_ns;
};

static bool is_after(const struct event *e, const void *with)
{
	const struct after *after = with;

	return e->call == after->call && e->t_ns > after->t_ns;
}

static bool is_command(const struct event *e, const void *with)
{
	(void)with;
	return e->kind == EVENT_CMD_INV || e->kind == EVENT_CMD_OK;
}

static bool is_of_kind(const struct event *e, const void *with)
{
	return e->kind == *(const enum event_kind *)with;
}

static bool is_drain(const struct event *e, const void *with)
{
	(void)with;
	return e->kind == EVENT_BELIEF || e->kind == EVENT_SIGNAL || e->kind == EVENT_EXIT ||
	       ((e->kind == EVENT_PHASE_BEGIN || e->kind == EVENT_PHASE_END) &&
		e->t_ns > story_at(8.105) && e->t_ns < story_at(27.1));
}

/* The blue legs of bridge calls end at that moment; resumable callers of that time never were. */
static void cut_blue(struct story *s, double at_s, enum leg_how how, unsigned code)
{
	for (size_t i = 0; i < CALLS; i++) {
		struct after after = { .call = story_call(i), .t_ns = story_at(at_s) };
		struct event *start = story_find(s, EVENT_DIAL_OK, after.call, 0);
		struct event *hangup = story_find(s, EVENT_HANGUP_INV, after.call, 0), leg;
		if (start->t_ns > after.t_ns || hangup->t_ns < after.t_ns ||
		    start->color != COLOR_BLUE)
			continue;
		leg = *start;
		if (i % 2)
			after.t_ns = 0;
		story_cut(s, is_after, &after);
		if (i % 2)
			continue;
		leg.kind = EVENT_LEG_END;
		leg.t_ns = story_at(at_s + 0.002);
		leg.n = (uint16_t)how;
		leg.code = (uint16_t)code;
		leg.flags = SIDE_AGENT;
		leg.aux = 100;
		story_add(s, leg);
		leg.kind = EVENT_CALL_END;
		leg.t_ns += NS_PER_MS;
		leg.code = CALL_DROPPED;
		story_add(s, leg);
	}
}

static void tell_blue(struct story *s, enum event_kind kind, double at_s, unsigned code)
{
	for (uint8_t i = STORY_BLUE_1; i <= STORY_BLUE_2; i++) {
		struct event e = event_make(kind, story_at(at_s));
		e.instance = i;
		e.color = COLOR_BLUE;
		e.code = (uint16_t)code;
		story_add(s, e);
	}
}

static void in_memory_only(struct story *s, struct story_scenario *scenario)
{
	(void)scenario;
	story_cut(s, is_command, NULL);
	for (size_t i = 0; i < s->count; i++) {
		struct event *e = &s->events[i];
		if (e->kind == EVENT_RESUME_OK && e->leg == 1) {
			e->n = 0;
			e->digest = story_find(s, EVENT_START_OK, e->call, 0)->digest;
		} else if (e->leg >= 1 &&
			   (e->kind == EVENT_REPLY_OK || e->kind == EVENT_RESUME_OK)) {
			e->n = (uint16_t)(e->n - 3);
			e->digest ^= 1;
		}
	}
}

static void write_behind(struct story *s, struct story_scenario *scenario)
{
	(void)scenario;
	for (size_t i = 0; i < s->count; i++) {
		if (s->events[i].kind == EVENT_CMD_OK && s->events[i].code == VERB_SETEX)
			s->events[i].t_ns += 40 * NS_PER_MS;
	}
}

static void closes_on_sigterm(struct story *s, struct story_scenario *scenario)
{
	(void)scenario;
	story_cut(s, is_drain, NULL);
	tell_blue(s, EVENT_SIGNAL, 8.2, SIGTERM);
	tell_blue(s, EVENT_EXIT, 8.25, 0);
	cut_blue(s, 8.2, LEG_CLOSE_FRAME, 1012);
	for (unsigned step = 3; step < 6; step++) {
		struct event e = event_make(EVENT_PHASE_BEGIN, story_at(8.11 + step));
		e.code = (uint16_t)scenario->steps[step].phase;
		e.n = (uint16_t)step;
		e.t_ns = step == 3 ? story_at(8.11) : story_at(20 + step);
		story_add(s, e);
		e.kind = EVENT_PHASE_END;
		e.t_ns = story_at(20.9 + step);
		story_add(s, e);
	}
}

static void not_drained(struct story *s, struct story_scenario *scenario)
{
	story_cut(s, is_drain, NULL);
	for (unsigned step = 3; step < 6; step++) {
		struct event e = event_make(EVENT_PHASE_BEGIN, story_at(8.11 + step / 1000.0));
		e.code = (uint16_t)scenario->steps[step].phase;
		e.n = (uint16_t)step;
		story_add(s, e);
		e.kind = EVENT_PHASE_END;
		e.flags = scenario->steps[step].phase == PHASE_TEARDOWN ? 0 : 2;
		e.t_ns += e.flags ? 0 : 2 * NS_PER_S;
		story_add(s, e);
		scenario->steps[step].skip = e.flags != 0;
	}
	tell_blue(s, EVENT_SIGNAL, 8.2, SIGTERM);
	tell_blue(s, EVENT_SIGNAL, 9.2, SIGKILL);
	tell_blue(s, EVENT_EXIT, 9.201, 128 + SIGKILL);
	cut_blue(s, 9.2, LEG_FIN, 0);
}

static void day_cookies(struct story *s, struct story_scenario *scenario)
{
	(void)scenario;
	for (size_t i = 0; i < s->count; i++) {
		struct event *e = &s->events[i];
		if (e->kind == EVENT_CONFIG)
			e->aux = 86400, e->turn = UINT16_MAX;
	}
}

static void short_deregistration(struct story *s, struct story_scenario *scenario)
{
	struct event e = event_make(EVENT_ACTION_INV, story_at(8.12));

	(void)scenario;
	e.code = ACTION_DEREGISTER;
	e.color = COLOR_BLUE;
	story_add(s, e);
	cut_blue(s, 11.13, LEG_FIN, 0);
	for (size_t i = 0; i < s->count; i++) {
		if (s->events[i].kind == EVENT_CONFIG)
			s->events[i].n = 3;
	}
}

/* A script's kills are on record as exits only, seen after they are felt. */
static void killed_by_a_script(struct story *s, struct story_scenario *scenario)
{
	static const enum event_kind signals = EVENT_SIGNAL;

	not_drained(s, scenario);
	struct event script = event_make(EVENT_ACTION_INV, story_at(8));

	script.code = ACTION_SCRIPT;
	story_cut(s, is_of_kind, &signals);
	story_add(s, script);
	for (size_t i = 0; i < s->count; i++)
		if (s->events[i].kind == EVENT_EXIT)
			s->events[i].t_ns = story_at(9.205);
}

static void believes_too_soon(struct story *s, struct story_scenario *scenario)
{
	(void)scenario;
	story_find(s, EVENT_BELIEF, 0, 0)->t_ns = story_at(9);
}

/* It said yes, and has something else. */
static void lost_a_change(struct story *s, struct story_scenario *scenario)
{
	struct event *config = story_find(s, EVENT_CONFIG, 0, story_at(8));

	(void)scenario;
	config->ver = config->epoch = 50;
}

static void a_defect_is_named_and_nothing_else_is(void **state)
{
	static const struct {
		const char *defect;
		void (*spoil)(struct story *, struct story_scenario *);
		const char *failures;
	} rows[] = {
		{ "D01", in_memory_only, "state_continuity:ack_lost" },
		{ "D02", write_behind, "state_continuity:ack_early" },
		{ "D21", closes_on_sigterm,
		  "drained_before_teardown:torn_down_live dropped_calls:cut_by_sigterm" },
		{ "D30", not_drained,
		  "drained_before_teardown:torn_down_live dropped_calls:cut_by_sigkill" },
		{ "D30 by a script", killed_by_a_script,
		  "drained_before_teardown:torn_down_live dropped_calls:cut_by_sigkill" },
		{ "D31", believes_too_soon, "drained_before_teardown:drain_lie" },
		{ "D34", lost_a_change, "config:config_drift" },
		{ "D40", day_cookies, "config:config_drift sticky_reconnect:sticky_debt" },
		{ "D42", short_deregistration,
		  "config:config_drift drained_before_teardown:torn_down_live dropped_calls:deregistration_cut" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct story_scenario s;
		struct story story = story_make(CALLS);
		struct buf got = buf_init(4096);
		struct judgement *j;

		story_scenario(&s);
		rows[i].spoil(&story, &s);
		story_sort(&story);
		j = golden_story(&story, &s.scenario);
		failures(j, &got);
		if (strcmp(buf_text(&got), rows[i].failures) != 0)
			fail_msg("%s: expected %s, got %s %s", rows[i].defect, rows[i].failures,
				 buf_text(&got), j->harness_text);
		assert_int_equal(judgement_exit_code(j), EXIT_FAIL);
		judgement_free(j);
		story_free(&story);
		buf_free(&got);
	}
}

static void another_epoch_gives_the_same_judgement(void **state)
{
	struct story_scenario s;
	struct story story = story_make(CALLS);
	struct judgement *a, *b;

	(void)state;
	story_scenario(&s);
	write_behind(&story, &s);
	story_sort(&story);
	a = golden_story(&story, &s.scenario);
	for (size_t i = 0; i < story.count; i++) {
		story.events[i].t_ns += 77 * NS_PER_S;
		if (story.events[i].due_ns >= 0)
			story.events[i].due_ns += 77 * NS_PER_S;
	}
	b = golden_story(&story, &s.scenario);
	assert_int_equal(a->finding_count, b->finding_count);
	for (size_t i = 0; i < a->finding_count; i++) {
		assert_string_equal(a->findings[i].summary, b->findings[i].summary);
		assert_int_equal(a->findings[i].violations, b->findings[i].violations);
	}
	judgement_free(a);
	judgement_free(b);
	story_free(&story);
}

/* A count of violations without what it is worth is half the news. */
static void every_count_of_chances_is_told_with_its_bound(void **state)
{
	struct story_scenario s;
	struct story story = story_make(CALLS);
	struct judgement *j;
	unsigned told = 0;

	(void)state;
	story_scenario(&s);
	j = golden_story(&story, &s.scenario);
	for (size_t i = 0; i < j->finding_count; i++) {
		const struct finding *f = &j->findings[i];
		const char *trials = check_find(f->name)->trials;
		char expected[64];

		if (!trials)
			continue;
		told++;
		snprintf(expected, sizeof(expected), "; 95 %% bound %.3g %% of %s",
			 300.0 / (double)f->exposed, trials);
		if (!strstr(f->summary, expected))
			fail_msg("%s: %s in %s", f->name, expected, f->summary);
	}
	assert_in_range(told, 6, j->finding_count);
	judgement_free(j);
	story_free(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clean_cutover_passes_every_check_and_every_check_saw_something),
		cmocka_unit_test(without_stickiness_nobody_is_asked_for_it_and_a_run_can_pass),
		cmocka_unit_test(a_defect_is_named_and_nothing_else_is),
		cmocka_unit_test(another_epoch_gives_the_same_judgement),
		cmocka_unit_test(every_count_of_chances_is_told_with_its_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
