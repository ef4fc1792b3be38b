/*
 * What must not change a verdict does not, and what must does (judgement 2.5, drills 3.3). Said of
 * the clean cutover of story.h and of the same cutover spoilt in one place at a time.
 */
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "check/core/fold.h"
#include "check/core/golden.h"
#include "check/core/story_lanes.h"

/* Starts every half second: turns, dials and ends of many calls share their stamps. */
enum { CALLS = 62 };
enum { BEFORE = 9, AFTER_RESUMABLE = 31, AFTER = 40 }; /* calls before and after the shift */

/* ---- one thing wrong ---- */

static bool is_of(const struct event *e, const void *with)
{
	return e->call == *(const uint64_t *)with;
}

static bool is_reply_of(const struct event *e, const void *with)
{
	return e->kind == EVENT_REPLY_OK && is_of(e, with);
}

static bool is_last_half_of(const struct event *e, const void *with)
{
	return is_of(e, with) && e->kind != EVENT_CALL_START &&
	       (e->turn > 3 || e->n > 3 || e->kind == EVENT_HANGUP_INV ||
		e->kind == EVENT_LEG_END || e->kind == EVENT_CALL_END);
}

static bool is_end_of(const struct event *e, const void *with)
{
	return is_of(e, with) && (e->kind == EVENT_HANGUP_INV || e->kind == EVENT_LEG_END ||
				  e->kind == EVENT_CALL_END);
}

static struct event *nth(struct story *s, enum event_kind kind, uint64_t call, unsigned count)
{
	struct event *e = story_find(s, kind, call, 0);

	while (e && --count)
		e = story_find(s, kind, call, e->t_ns + 1);
	assert_non_null(e);
	return e;
}

static struct event *write_of_turn(struct story *s, uint64_t call, unsigned turn)
{
	for (size_t i = 0; i < s->count; i++) {
		struct event *e = &s->events[i];
		if (e->kind == EVENT_CMD_OK && e->code == VERB_SETEX && e->call == call &&
		    e->n == turn)
			return e;
	}
	fail_msg("no write of turn %u", turn);
	return NULL;
}

static void nothing(struct story *s)
{
	(void)s;
}

static void cut_a_bridge(struct story *s)
{
	const uint64_t call = story_call(AFTER);
	struct event end = *story_find(s, EVENT_LEG_END, call, 0), over = end;

	story_cut(s, is_last_half_of, &call);
	end.t_ns -= 2 * NS_PER_S;
	end.code = 0;
	end.n = LEG_FIN;
	end.flags = SIDE_AGENT;
	over = event_make(EVENT_CALL_END, end.t_ns + NS_PER_MS);
	over.call = call;
	over.code = CALL_DROPPED;
	story_add(s, end);
	story_add(s, over);
}

static void say_nothing(struct story *s)
{
	story_cut(s, is_reply_of, (const uint64_t[]){ story_call(AFTER) });
}

static void show_less(struct story *s)
{
	struct event *e = nth(s, EVENT_RESUME_OK, story_call(AFTER_RESUMABLE), 1);

	e->n--;
	e->digest = nth(s, EVENT_TURN_INV, e->call, e->n)->digest;
}

static void show_a_turn_never_sent(struct story *s)
{
	nth(s, EVENT_RESUME_OK, story_call(AFTER_RESUMABLE), 1)->n++;
}

static void answer_before_the_write(struct story *s)
{
	nth(s, EVENT_REPLY_OK, story_call(AFTER), 2)->t_ns -= 4 * NS_PER_MS;
}

static void read_nothing(struct story *s)
{
	struct event *e = story_find(s, EVENT_RESUME_INV, story_call(AFTER_RESUMABLE), 0);

	e = story_find(s, EVENT_CMD_OK, e->call, e->t_ns);
	e->flags = CMD_CALL_KEY | CMD_NIL;
}

static void put_on(struct story *s, uint64_t call, unsigned leg, enum color color, uint8_t instance)
{
	for (size_t i = 0; i < s->count; i++) {
		struct event *e = &s->events[i];
		if (e->call != call || !e->color || (leg && e->leg != leg))
			continue;
		e->color = color;
		e->instance = instance;
	}
}

static void send_a_new_call_to_blue(struct story *s)
{
	put_on(s, story_call(AFTER), 0, COLOR_BLUE, STORY_BLUE_1);
}

static void send_a_new_call_to_green_too_soon(struct story *s)
{
	put_on(s, story_call(0), 0, COLOR_GREEN, STORY_GREEN_1);
}

static void lose_a_young_cookie(struct story *s)
{
	put_on(s, story_call(1), 2, COLOR_GREEN, STORY_GREEN_2);
}

static void believe_too_early(struct story *s)
{
	story_find(s, EVENT_BELIEF, 0, 0)->n = 3;
}

static void end_a_busy_instance(struct story *s)
{
	story_find(s, EVENT_SIGNAL, 0, 0)->t_ns = story_at(10);
	story_find(s, EVENT_EXIT, 0, 0)->t_ns = story_at(10.04);
}

/* The one the caller left writes once more when the one it went to has written. */
static void write_after_the_caller_left(struct story *s)
{
	const uint64_t call = story_call(AFTER_RESUMABLE);
	struct event e = *write_of_turn(s, call, 5);

	e.instance = write_of_turn(s, call, 3)->instance;
	e.t_ns += 10 * NS_PER_MS;
	e.due_ns += 10 * NS_PER_MS;
	story_add(s, e);
}

static const struct spoilt {
	const char *what;
	void (*spoil)(struct story *);
	const char *check; /* NULL: none fails */
	enum anomaly anomaly;
} spoilt[] = {
	{ "clean", nothing, NULL, ANOMALY_NONE },
	{ "a bridge is cut", cut_a_bridge, "dropped_calls", ANOMALY_UNKNOWN },
	{ "a call hears nothing", say_nothing, "dropped_calls", ANOMALY_MUTED },
	{ "a resume shows less", show_less, "state_continuity", ANOMALY_STALE_RESUME },
	{ "a turn never sent", show_a_turn_never_sent, "state_continuity", ANOMALY_PHANTOM_TURN },
	{ "answered before the write", answer_before_the_write, "state_continuity",
	  ANOMALY_ACK_EARLY },
	{ "the state is gone", read_nothing, "state_continuity", ANOMALY_EVAPORATED },
	{ "a new call on blue", send_a_new_call_to_blue, "new_calls_to_green",
	  ANOMALY_NOT_SHIFTED },
	{ "green too soon", send_a_new_call_to_green_too_soon, "no_green_at_zero",
	  ANOMALY_ZERO_WEIGHT_LEAK },
	{ "a young cookie is lost", lose_a_young_cookie, "sticky_reconnect", ANOMALY_STICKY_LOST },
	{ "believed too early", believe_too_early, "drained_before_teardown", ANOMALY_DRAIN_LIE },
	{ "torn down live", end_a_busy_instance, "drained_before_teardown",
	  ANOMALY_TORN_DOWN_LIVE },
	{ "a write by the one it left", write_after_the_caller_left, "split_brain", ANOMALY_FORK },
};
enum { SPOILT = sizeof(spoilt) / sizeof(*spoilt) };

static struct story make(const struct spoilt *row)
{
	struct story s = story_make(CALLS);

	row->spoil(&s);
	story_sort(&s);
	return s;
}

static struct judgement *judge_events(const struct story *story)
{
	struct story_scenario s;
	struct fold *fold;
	struct judgement *j;

	story_scenario(&s);
	fold = fold_new(&s.scenario, NULL);
	fold_events(fold, story->events, story->count);
	j = fold_finish(fold);
	fold_free(fold);
	return j;
}

/* ---- comparing ---- */

static uint64_t renamed(uint64_t call)
{
	return call ? (call ^ 0x5bd1e9955bd1e995ULL) * 0x9e3779b97f4a7c15ULL : 0;
}

static uint64_t same_name(uint64_t call)
{
	return call;
}

/* Who stands for a whole instance's calls is whoever comes first in a table. */
static bool names_a_call(const struct witness *wit)
{
	return wit->anomaly != ANOMALY_TORN_DOWN_LIVE && wit->anomaly != ANOMALY_DRAIN_LIE;
}

static bool found(const struct finding *f, const struct witness *wit, uint64_t call, int64_t t_ns)
{
	for (size_t i = 0; i < f->witness_count; i++) {
		const struct witness *other = &f->witnesses[i];
		if (other->anomaly == wit->anomaly && other->cause == wit->cause &&
		    other->t_ns == t_ns && (!names_a_call(wit) || other->call == call))
			return true;
	}
	return false;
}

/* The same verdicts for the same reasons; times move by shift_ns, calls are called otherwise. */
static void assert_same(const char *what, const struct judgement *a, const struct judgement *b,
			int64_t shift_ns, uint64_t (*name)(uint64_t))
{
	if (judgement_exit_code(a) != judgement_exit_code(b))
		fail_msg("%s: exit %d, then %d", what, judgement_exit_code(a),
			 judgement_exit_code(b));
	assert_int_equal(a->finding_count, b->finding_count);
	assert_memory_equal(&a->ledger, &b->ledger, sizeof(a->ledger));
	for (size_t i = 0; i < a->finding_count; i++) {
		const struct finding *f = &a->findings[i], *g = golden_finding(b, f->name);
		if (f->verdict != g->verdict || f->exposed != g->exposed ||
		    f->violations != g->violations || f->witness_count != g->witness_count ||
		    memcmp(f->anomalies, g->anomalies, sizeof(f->anomalies)) != 0 ||
		    strcmp(f->summary, g->summary) != 0)
			fail_msg("%s: %s %s: %s, then %s: %s", what, f->name,
				 verdict_name(f->verdict), f->summary, verdict_name(g->verdict),
				 g->summary);
		for (size_t n = 0; n < f->witness_count; n++) {
			const struct witness *wit = &f->witnesses[n];
			if (!found(g, wit, name(wit->call), wit->t_ns + shift_ns))
				fail_msg("%s: %s no longer says: %s", what, f->name, wit->text);
		}
	}
}

/* ---- what changes nothing ---- */

static void calls_by_another_name_are_judged_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < SPOILT; i++) {
		struct story s = make(&spoilt[i]);
		struct judgement *before = judge_events(&s), *after;

		for (size_t n = 0; n < s.count; n++)
			s.events[n].call = renamed(s.events[n].call);
		after = judge_events(&s);
		assert_same(spoilt[i].what, before, after, 0, renamed);
		judgement_free(before);
		judgement_free(after);
		story_free(&s);
	}
}

/* A machine that booted a moment ago, and one that did a year ago. */
static void the_same_at_another_time_is_judged_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < SPOILT; i++) {
		struct story s = make(&spoilt[i]);
		const int64_t shifts[] = { 1 - s.events[0].t_ns, 365 * 86400 * NS_PER_S };
		struct judgement *before = judge_events(&s), *after;

		for (size_t k = 0; k < sizeof(shifts) / sizeof(*shifts); k++) {
			struct story moved = { 0 };
			for (size_t n = 0; n < s.count; n++) {
				struct event e = s.events[n];
				e.t_ns += shifts[k];
				if (e.due_ns >= 0)
					e.due_ns += shifts[k];
				story_add(&moved, e);
			}
			after = judge_events(&moved);
			assert_same(spoilt[i].what, before, after, shifts[k], same_name);
			judgement_free(after);
			story_free(&moved);
		}
		judgement_free(before);
		story_free(&s);
	}
}

/* Events of one stamp and of different calls have no order. */
static size_t shuffle_ties(struct story *s, uint64_t seed)
{
	size_t swaps = 0;

	for (unsigned round = 0; round < 4; round++)
		for (size_t n = 1; n < s->count; n++) {
			struct event *a = &s->events[n - 1], *b = &s->events[n], was = *a;
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			if (a->t_ns != b->t_ns || !a->call || !b->call || a->call == b->call ||
			    seed >> 63)
				continue;
			*a = *b;
			*b = was;
			swaps++;
		}
	return swaps;
}

static void calls_that_act_at_one_moment_have_no_order(void **state)
{
	enum { ORDERS = 8 };

	(void)state;
	for (size_t i = 0; i < SPOILT; i++) {
		struct story s = make(&spoilt[i]);
		struct judgement *before = judge_events(&s), *after;

		for (uint64_t seed = 1; seed <= ORDERS; seed++) {
			assert_true(shuffle_ties(&s, seed) > CALLS);
			after = judge_events(&s);
			assert_same(spoilt[i].what, before, after, 0, same_name);
			judgement_free(after);
		}
		judgement_free(before);
		story_free(&s);
	}
}

/* ---- split lanes ---- */

static struct judgement *judge_lanes(const struct story *story, unsigned workers)
{
	struct test_dir dir = test_dir_make();
	struct judgement *j;

	story_write(story, &dir, workers);
	j = story_judge_dir(&dir);
	test_dir_remove(&dir);
	return j;
}

/* "4 lanes read" is the one thing that is meant to change. */
static void forget_the_lanes(struct judgement *j)
{
	for (size_t i = 0; i < j->finding_count; i++)
		if (!strcmp(j->findings[i].name, "honest_harness"))
			j->findings[i].summary[0] = '\0';
}

static void a_record_in_many_lanes_is_judged_as_in_one(void **state)
{
	static const unsigned workers[] = { 2, 7 };

	(void)state;
	for (size_t i = 0; i < SPOILT; i++) {
		struct story s = make(&spoilt[i]);
		struct judgement *before = judge_lanes(&s, 1), *bare = judge_events(&s);

		forget_the_lanes(before);
		forget_the_lanes(bare);
		assert_same(spoilt[i].what, bare, before, 0, same_name);
		for (size_t k = 0; k < sizeof(workers) / sizeof(*workers); k++) {
			struct judgement *after = judge_lanes(&s, workers[k]);
			forget_the_lanes(after);
			assert_same(spoilt[i].what, before, after, 0, same_name);
			judgement_free(after);
		}
		judgement_free(before);
		judgement_free(bare);
		story_free(&s);
	}
}

/* ---- what changes it, and how far ---- */

static void whatever_contradicts_a_definite_order_fails(void **state)
{
	(void)state;
	for (size_t i = 0; i < SPOILT; i++) {
		const struct spoilt *row = &spoilt[i];
		struct story s = make(row);
		struct judgement *j = judge_events(&s);

		if (!row->check) {
			assert_int_equal(judgement_exit_code(j), EXIT_PASS);
		} else {
			const struct finding *f = golden_finding(j, row->check);
			if (judgement_exit_code(j) != EXIT_FAIL || f->verdict != VERDICT_FAIL ||
			    !f->anomalies[row->anomaly])
				fail_msg("%s: %s %s: %s", row->what, f->name,
					 verdict_name(f->verdict), f->summary);
		}
		judgement_free(j);
		story_free(&s);
	}
}

/* What nobody knows elsewhere: a bound of ours was hit, a reply tells nothing, a call goes on. */
static void a_doubt_elsewhere_hides_no_violation(void **state)
{
	const uint64_t other = story_call(AFTER - 2);

	(void)state;
	for (size_t i = 0; i < SPOILT; i++) {
		struct story s = make(&spoilt[i]);
		struct judgement *j;

		story_add(&s, event_make(EVENT_LIMIT, story_at(1)));
		story_find(&s, EVENT_REPLY_OK, other, 0)->flags = 0;
		story_cut(&s, is_end_of, &other);
		story_sort(&s);
		j = judge_events(&s);
		assert_int_equal(judgement_exit_code(j),
				 spoilt[i].check ? EXIT_FAIL : EXIT_INCONCLUSIVE);
		assert_true(!spoilt[i].check ||
			    golden_finding(j, spoilt[i].check)->anomalies[spoilt[i].anomaly]);
		judgement_free(j);
		story_free(&s);
	}
}

/* Of the finding's violations, those of the call; all witnesses are kept in stories this small. */
static size_t of_call(const struct finding *f, uint64_t call)
{
	size_t count = 0;

	for (size_t i = 0; i < f->witness_count; i++)
		count += f->witnesses[i].call == call;
	return count;
}

/*
 * A reply that is not on record is a thing not heard. So, of whatever is forgotten:
 *   nobody else's violations come or go;
 *   its own call's may go (what was never acknowledged was never lost), none may come,
 *   but one: the caller that heard nothing for longer than dead_after was muted.
 * A pass stays a pass, or becomes inconclusive where the turn was all there was to see.
 */
static void assert_weaker(const char *what, const struct event *reply, const struct judgement *a,
			  const struct judgement *b, bool may_mute)
{
	for (size_t i = 0; i < a->finding_count; i++) {
		const struct finding *f = &a->findings[i], *g = golden_finding(b, f->name);
		size_t own = of_call(f, reply->call), own_after = of_call(g, reply->call);
		bool muted = may_mute && !strcmp(f->name, "dropped_calls") && !own &&
			     own_after == 1 &&
			     g->anomalies[ANOMALY_MUTED] == f->anomalies[ANOMALY_MUTED] + 1;

		if (f->violations - own != g->violations - own_after || (own_after > own && !muted))
			fail_msg("%s without the reply to turn %u: %s %s: %s, then %s: %s", what,
				 reply->turn, f->name, verdict_name(f->verdict), f->summary,
				 verdict_name(g->verdict), g->summary);
	}
	assert_int_equal(a->ledger.started, b->ledger.started);
	assert_false(b->harness_error);
}

static bool is_this(const struct event *e, const void *with)
{
	return e->seq == *(const uint32_t *)with;
}

static void forget_replies(const struct spoilt *row, int64_t dead_after_ns)
{
	struct story_scenario scenario;
	struct judgement *before = NULL, *j;

	story_scenario(&scenario);
	scenario.scenario.timers.dead_after_ns = dead_after_ns;
	for (uint32_t at = 0;; at++) {
		struct story s = make(row);
		struct event reply = { 0 };
		struct fold *fold;

		while (before && at < s.count && s.events[at].kind != EVENT_REPLY_OK)
			at++;
		if (at >= s.count) {
			story_free(&s);
			break;
		}
		if (before) {
			reply = s.events[at];
			story_cut(&s, is_this, &at);
		}
		fold = fold_new(&scenario.scenario, NULL);
		fold_events(fold, s.events, s.count);
		j = fold_finish(fold);
		fold_free(fold);
		story_free(&s);
		if (!before) {
			before = j;
			continue;
		}
		assert_weaker(row->what, &reply, before, j, dead_after_ns < 2 * NS_PER_S);
		judgement_free(j);
	}
	judgement_free(before);
}

static void a_reply_forgotten_only_weakens(void **state)
{
	(void)state;
	for (size_t i = 0; i < SPOILT; i++)
		forget_replies(&spoilt[i], 5 * NS_PER_S);
	forget_replies(&spoilt[0], 1030 * NS_PER_MS); /* the next reply comes 6 ms too late */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_by_another_name_are_judged_the_same),
		cmocka_unit_test(the_same_at_another_time_is_judged_the_same),
		cmocka_unit_test(calls_that_act_at_one_moment_have_no_order),
		cmocka_unit_test(a_record_in_many_lanes_is_judged_as_in_one),
		cmocka_unit_test(whatever_contradicts_a_definite_order_fails),
		cmocka_unit_test(a_doubt_elsewhere_hides_no_violation),
		cmocka_unit_test(a_reply_forgotten_only_weakens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
