/* Crowds of real calls against an agent in the same loop; what is asserted is what is on record. */
#include "sim/test_agent.h"

#include <dirent.h>

#include "base/clock.h"
#include "record/history.h"
#include "sim/crowd.h"

enum { WORKERS_MAX = 2 };
#define MS(n) ((int64_t)(n)*NS_PER_MS)

struct town {
	struct loop *loop;
	struct loop_timer *clock, *guard;
	struct agent agent;
	struct ws_context *ws;
	struct scenario scenario;
	struct lane *lanes[WORKERS_MAX];
	struct crowd *crowds[WORKERS_MAX];
	unsigned workers;
	int64_t stop_ns, grace_ns; /* when arrivals stop; how long those live then may stay */
	bool stopped, timed_out;
	char dir[64], url[64];
	struct history *history;
};

static void on_clock(void *user)
{
	struct town *t = user;
	int64_t now_ns = clock_now_ns();

	for (unsigned i = 0; i < t->workers && !t->stopped && now_ns >= t->stop_ns; i++)
		crowd_stop(t->crowds[i], now_ns + t->grace_ns);
	t->stopped |= now_ns >= t->stop_ns;
	loop_timer_at(t->clock, now_ns + MS(10));
}

static void on_guard(void *user)
{
	struct town *t = user;

	t->timed_out = true;
}

static struct scenario scenario_of(void)
{
	struct scenario sc = {
		.seed = 42,
		.timers = { .dead_after_ns = MS(20000), .setup_within_ns = MS(20000) },
		.calls = { .live = 40,
			   .ramp_ns = MS(200),
			   .hold = { .kind = DIST_UNIFORM, .min_ns = MS(300), .max_ns = MS(900) },
			   .turn_every_ns = MS(100) },
	};

	sc.calls.profile[PROFILE_BRIDGE].share = 0.5;
	sc.calls.profile[PROFILE_RESUMABLE] = (struct profile_plan){
		.share = 0.5,
		.loses_legs = true,
		.lose_leg = { .kind = DIST_EXPONENTIAL, .mean_ns = MS(200), .max_ns = INT64_MAX },
		.resume_within_ns = MS(20000),
		.backoff_base_ns = MS(10),
		.backoff_cap_ns = MS(50),
	};
	return sc;
}

static void build(struct town *t, unsigned workers)
{
	struct ws_settings settings = { .tls_verify = true };
	struct err err = { 0 };

	snprintf(t->dir, sizeof(t->dir), "/tmp/crossfade-crowd-XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	t->workers = workers;
	t->loop = loop_new();
	agent_begin(&t->agent, t->loop);
	snprintf(t->url, sizeof(t->url), "ws://127.0.0.1:%u/realtime/${call}", t->agent.port);
	assert_int_equal(ws_context_new(t->loop, &settings, &t->ws, &err), 0);
	for (unsigned i = 0; i < workers; i++) {
		struct lane_identity identity = {
			.run = "r", .scenario_digest = "d", .role = ROLE_WORKER, .index = i
		};
		struct crowd_settings s = { .scenario = &t->scenario,
					    .loop = t->loop,
					    .ws = t->ws,
					    .wire = wire_find("plain"),
					    .run6 = "abc123",
					    .url = t->url,
					    .worker = i,
					    .workers = workers };

		assert_int_equal(lane_open(t->dir, &identity, &t->lanes[i], &err), 0);
		s.lane = t->lanes[i];
		assert_int_equal(crowd_new(&s, &t->crowds[i], &err), 0);
	}
	t->clock = loop_timer_new(t->loop, on_clock, t);
	t->guard = loop_timer_new(t->loop, on_guard, t);
}

static bool deserted(const struct town *t)
{
	for (unsigned i = 0; i < t->workers; i++)
		if (!crowd_empty(t->crowds[i]))
			return false;
	return true;
}

/* Plays the scenario for a while and then reads what is on record. */
static void play(struct town *t, int64_t for_ns, int64_t grace_ns)
{
	int64_t zero_ns = clock_now_ns();
	struct err err = { 0 };

	t->stop_ns = zero_ns + for_ns;
	t->grace_ns = grace_ns;
	loop_timer_at(t->guard, zero_ns + 120 * NS_PER_S);
	for (unsigned i = 0; i < t->workers; i++)
		crowd_start(t->crowds[i], zero_ns);
	on_clock(t);
	while (!deserted(t) && !t->timed_out)
		loop_run_once(t->loop);
	assert_false(t->timed_out);
	for (unsigned i = 0; i < t->workers; i++)
		assert_int_equal(lane_close(t->lanes[i], &err), 0);
	assert_int_equal(history_open(t->dir, &t->history, &err), 0);
}

static void raze(struct town *t)
{
	DIR *dir = opendir(t->dir);
	struct dirent *entry;

	while ((entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	assert_int_equal(rmdir(t->dir), 0);
	history_free(t->history);
	ws_context_free(t->ws);
	for (unsigned i = 0; i < t->workers; i++)
		crowd_free(t->crowds[i]);
	agent_end(&t->agent);
	loop_timer_free(t->clock);
	loop_timer_free(t->guard);
	loop_free(t->loop);
}

/* What is on record of one call. */
struct seen {
	uint64_t call;
	unsigned starts, ends, end_code, dials, open, lost, turns, replies, resumes, hangups;
	uint64_t digest;
};

struct summary {
	struct seen calls[AGENT_CALLS_MAX];
	size_t count;
};

static struct seen *seen_of(struct summary *s, uint64_t call)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->calls[i].call == call)
			return &s->calls[i];
	assert_true(s->count < AGENT_CALLS_MAX);
	s->calls[s->count].call = call;
	return &s->calls[s->count++];
}

static void note(struct summary *s, const struct event *e)
{
	struct seen *c = e->call ? seen_of(s, e->call) : NULL;

	if (!c)
		return;
	c->starts += e->kind == EVENT_CALL_START;
	c->ends += e->kind == EVENT_CALL_END;
	c->dials += e->kind == EVENT_DIAL_INV;
	c->open += e->kind == EVENT_DIAL_OK;
	c->lost += e->kind == EVENT_LEG_END;
	c->resumes += e->kind == EVENT_RESUME_OK;
	c->hangups += e->kind == EVENT_HANGUP_INV;
	if (e->kind == EVENT_CALL_END)
		c->end_code = e->code;
	if (e->kind == EVENT_TURN_INV && !(e->flags & TURN_RESENT))
		assert_int_equal(e->turn, ++c->turns);
	if (e->kind == EVENT_TURN_INV)
		c->digest = e->digest;
	if (e->kind == EVENT_REPLY_OK) {
		assert_int_equal(e->turn, ++c->replies);
		assert_int_equal(e->digest, c->digest); /* agent and caller chain the same turns */
		assert_int_not_equal(e->color, COLOR_UNKNOWN);
	}
}

static void summarise(struct town *t, struct summary *s)
{
	const struct lane_status *lanes;
	const struct event *e;

	memset(s, 0, sizeof(*s));
	while (history_next(t->history, &e))
		note(s, e);
	assert_int_equal(history_lanes(t->history, &lanes), t->workers);
	for (unsigned i = 0; i < t->workers; i++)
		assert_true(lanes[i].whole);
}

static void every_call_is_on_record_from_its_start_to_its_planned_end(void **unused)
{
	struct summary s;
	struct town t;
	const struct crowd_counts *counts;
	unsigned resumes = 0;

	(void)unused;
	t = (struct town){ .scenario = scenario_of() };
	build(&t, 1);
	play(&t, MS(1000), MS(60000));
	summarise(&t, &s);
	assert_true(s.count >= 40);
	for (size_t i = 0; i < s.count; i++) {
		const struct seen *c = &s.calls[i];

		assert_int_equal(c->starts, 1);
		assert_int_equal(c->ends, 1);
		assert_int_equal(c->hangups, 1);
		assert_int_equal(c->end_code, CALL_COMPLETED);
		assert_int_equal(c->dials, c->open);
		assert_int_equal(c->open, c->lost);
		assert_int_equal(c->open, 1 + c->resumes);
		assert_int_equal(c->turns, c->replies);
		resumes += c->resumes;
	}
	assert_true(resumes > 0);
	counts = crowd_counts(t.crowds[0]);
	assert_int_equal(counts->started, s.count);
	assert_int_equal(counts->ended[CALL_COMPLETED], s.count);
	assert_int_equal(counts->resumes, resumes);
	assert_int_equal(counts->live, 0);
	assert_int_equal(counts->live_by_color[COLOR_BLUE] + counts->live_by_color[COLOR_GREEN], 0);
	raze(&t);
}

static void workers_share_the_calls_by_the_hash_of_their_ids(void **unused)
{
	struct summary s;
	struct town t;

	(void)unused;
	t = (struct town){ .scenario = scenario_of() };
	build(&t, 2);
	play(&t, MS(500), MS(60000));
	summarise(&t, &s);
	assert_true(s.count >= 40);
	for (size_t i = 0; i < s.count; i++)
		assert_int_equal(s.calls[i].starts, 1);
	for (unsigned w = 0; w < 2; w++) {
		unsigned mine = 0;

		for (size_t i = 0; i < s.count; i++)
			mine += s.calls[i].call % 2 == w;
		assert_true(mine > 0);
		assert_int_equal(crowd_counts(t.crowds[w])->started, mine);
	}
	raze(&t);
}

static void those_live_at_the_deadline_are_abandoned(void **unused)
{
	struct summary s;
	struct town t;
	unsigned abandoned = 0;

	(void)unused;
	t = (struct town){ .scenario = scenario_of() };
	t.scenario.calls.hold =
		(struct dist){ .kind = DIST_FIXED, .mean_ns = MS(3600000), .max_ns = INT64_MAX };
	build(&t, 1);
	play(&t, MS(400), 0);
	summarise(&t, &s);
	for (size_t i = 0; i < s.count; i++) {
		assert_int_equal(s.calls[i].ends, 1);
		abandoned += s.calls[i].end_code == CALL_ABANDONED;
	}
	assert_int_equal(abandoned, s.count);
	assert_true(abandoned > 0);
	raze(&t);
}

static void an_agent_that_falls_silent_mutes_its_calls(void **unused)
{
	struct summary s;
	struct town t;
	unsigned muted = 0;

	(void)unused;
	t = (struct town){ .scenario = scenario_of() };
	build(&t, 1);
	t.agent.silent = true;
	t.scenario.timers.dead_after_ns = MS(50);
	t.scenario.calls.profile[PROFILE_RESUMABLE].loses_legs = false;
	play(&t, MS(400), MS(60000));
	summarise(&t, &s);
	for (size_t i = 0; i < s.count; i++) {
		/* A call too short for a turn never finds out. */
		assert_int_equal(s.calls[i].end_code,
				 s.calls[i].turns ? CALL_MUTED : CALL_COMPLETED);
		muted += s.calls[i].end_code == CALL_MUTED;
	}
	assert_true(muted > 0);
	raze(&t);
}

/* In the middle of it the whole process stands still for longer than dead_after and
 * setup_within. */
static void stand_still(void *user)
{
	int64_t until_ns = clock_now_ns() + MS(1500);

	(void)user;
	while (clock_now_ns() < until_ns)
		;
}

static void a_crowd_that_slept_gives_nobody_up_for_it(void **unused)
{
	struct summary s;
	struct town t;
	struct loop_timer *trouble;

	(void)unused;
	t = (struct town){ .scenario = scenario_of() };
	t.scenario.timers.dead_after_ns = t.scenario.timers.setup_within_ns = MS(1000);
	t.scenario.calls.profile[PROFILE_RESUMABLE].resume_within_ns = MS(1000);
	build(&t, 1);
	trouble = loop_timer_new(t.loop, stand_still, NULL);
	loop_timer_at(trouble, clock_now_ns() + MS(400));
	play(&t, MS(800), MS(60000));
	summarise(&t, &s);
	for (size_t i = 0; i < s.count; i++)
		assert_int_equal(s.calls[i].end_code, CALL_COMPLETED);
	loop_timer_free(trouble);
	raze(&t);
}

static void a_target_that_answers_503_refuses_every_call(void **unused)
{
	struct summary s;
	struct town t;

	(void)unused;
	t = (struct town){ .scenario = scenario_of() };
	build(&t, 1);
	t.agent.refuses = true;
	t.scenario.timers.setup_within_ns = MS(200);
	play(&t, MS(300), MS(60000));
	summarise(&t, &s);
	assert_true(s.count >= 40);
	for (size_t i = 0; i < s.count; i++) {
		assert_int_equal(s.calls[i].end_code, CALL_REFUSED);
		assert_int_equal(s.calls[i].open, 0);
		assert_true(s.calls[i].dials >= 1);
	}
	raze(&t);
}

static void a_target_without_a_place_for_the_call_is_refused(void **unused)
{
	struct scenario scenario = scenario_of();
	struct crowd_settings s = { .scenario = &scenario,
				    .run6 = "abc123",
				    .url = "ws://127.0.0.1:1/realtime" };
	struct crowd *crowd = NULL;
	struct err err = { 0 };

	(void)unused;
	assert_int_equal(crowd_new(&s, &crowd, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_null(crowd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_is_on_record_from_its_start_to_its_planned_end),
		cmocka_unit_test(workers_share_the_calls_by_the_hash_of_their_ids),
		cmocka_unit_test(those_live_at_the_deadline_are_abandoned),
		cmocka_unit_test(an_agent_that_falls_silent_mutes_its_calls),
		cmocka_unit_test(a_crowd_that_slept_gives_nobody_up_for_it),
		cmocka_unit_test(a_target_that_answers_503_refuses_every_call),
		cmocka_unit_test(a_target_without_a_place_for_the_call_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
