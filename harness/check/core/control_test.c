#include "check/core/control.h"

#include "check/core/golden.h"

static struct event at(enum event_kind kind, int64_t ms)
{
	return event_make(kind, ms * NS_PER_MS);
}

static void give(struct world *w, struct event e)
{
	struct world_call *c = world_event(w, &e);

	world_settle(w, c, &e);
}

static void begin(struct world *w, enum phase phase, int64_t ms)
{
	struct event e = at(EVENT_PHASE_BEGIN, ms);

	e.code = (uint16_t)phase;
	give(w, e);
}

static void weights(struct world *w, enum event_kind kind, int64_t ms, uint32_t blue,
		    uint32_t green)
{
	struct event e = at(kind, ms);

	e.ver = blue;
	e.epoch = green;
	give(w, e);
}

/* A fresh call is dialed then and given to the color 5 ms later. */
static void dial(struct world *w, uint64_t call, int64_t ms, enum color color)
{
	struct event e = at(EVENT_CALL_START, ms);

	e.call = call;
	give(w, e);
	e.kind = EVENT_DIAL_INV;
	give(w, e);
	e = at(EVENT_DIAL_OK, ms + 5);
	e.call = call;
	e.color = (uint8_t)color;
	e.instance = (uint8_t)color;
	give(w, e);
}

static void open_world(struct world *w, struct story_scenario *story)
{
	story_scenario(story);
	world_init(w, &story->scenario, NULL, sizeof(struct world_call));
}

/* asked at, phase begins at, answered at -> where both are told */
static void a_move_of_weights_is_of_the_phase_that_answered_it(void **state)
{
	static const struct {
		const char *what;
		int64_t asked, begun, answered;
		int64_t before_asked, shift_asked, shift_returned;
	} table[] = {
		{ "within the shift", 110, 100, 120, 0, 110, 120 },
		{ "a script's, asked before it announced its shift", 90, 100, 120, 0, 90, 120 },
		{ "never answered", 110, 100, 0, 0, 110, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		bool early = table[i].asked < table[i].begun;
		struct story_scenario story;
		struct world w;

		open_world(&w, &story);
		begin(&w, PHASE_SMOKE, 50);
		if (early)
			weights(&w, EVENT_WEIGHT_INV, table[i].asked, 95, 5);
		begin(&w, PHASE_SHIFT, table[i].begun);
		if (!early)
			weights(&w, EVENT_WEIGHT_INV, table[i].asked, 95, 5);
		if (table[i].answered)
			weights(&w, EVENT_WEIGHT_OK, table[i].answered, 95, 5);
		const struct phase_result *smoke = &w.phases.list[1], *shift = &w.phases.list[2];
		if (smoke->asked_ns != table[i].before_asked * NS_PER_MS ||
		    shift->asked_ns != table[i].shift_asked * NS_PER_MS ||
		    shift->returned_ns != table[i].shift_returned * NS_PER_MS ||
		    shift->blue != 95 || shift->green != 5)
			fail_msg("%s", table[i].what);
		world_free(&w);
	}
}

/* Weights 50/50, 0/100, back to 100/0, 0/100: fresh calls given to blue at these times. */
static void a_stray_is_told_of_the_shift_that_gave_blue_nothing(void **state)
{
	static const struct {
		int64_t dialed;
		int64_t observed; /* by the shift to 0/100; 0 none */
	} table[] = {
		{ 150, 0 }, /* blue's share of 50/50 */
		{ 205, 205 },
		{ 207, 207 },
		{ 290, 290 },
		{ 310, 0 }, /* the rollback has begun */
		{ 390, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		static const struct {
			enum phase phase;
			uint32_t blue, green;
		} moves[] = { { PHASE_SHIFT, 50, 50 },
			      { PHASE_SHIFT, 0, 100 },
			      { PHASE_ROLLBACK, 100, 0 },
			      { PHASE_SHIFT, 0, 100 } };
		struct story_scenario story;
		struct world w;

		open_world(&w, &story);
		for (size_t k = 0; k < 4; k++) {
			int64_t ms = 100 * (int64_t)(k + 1);

			begin(&w, moves[k].phase, ms);
			weights(&w, EVENT_WEIGHT_INV, ms + 1, moves[k].blue, moves[k].green);
			weights(&w, EVENT_WEIGHT_OK, ms + 4, moves[k].blue, moves[k].green);
			if (table[i].dialed / 100 == (int64_t)k + 1)
				dial(&w, 1, table[i].dialed, COLOR_BLUE);
		}
		for (size_t k = 0; k < 4; k++) {
			int64_t observed = w.phases.list[k + 1].observed_ns;

			if (observed != (k == 1 ? table[i].observed * NS_PER_MS : 0))
				fail_msg("dialed at %d: phase %zu says %d", (int)table[i].dialed, k,
					 (int)(observed / NS_PER_MS));
		}
		world_free(&w);
	}
}

static void what_is_put_back_is_registered_and_what_failed_is_not_under_way(void **state)
{
	struct event e = at(EVENT_ACTION_INV, 10);
	struct story_scenario story;
	struct world w;

	(void)state;
	open_world(&w, &story);
	dial(&w, 1, 1, COLOR_BLUE);
	e.code = ACTION_DEREGISTER;
	e.color = COLOR_BLUE;
	give(&w, e);
	assert_false(world_serving(&w, COLOR_BLUE));
	e = at(EVENT_ACTION_OK, 20);
	e.code = ACTION_REREGISTER;
	e.color = COLOR_BLUE;
	give(&w, e);
	assert_true(world_serving(&w, COLOR_BLUE));
	weights(&w, EVENT_WEIGHT_INV, 30, 0, 100);
	assert_true(w.weights_pending);
	e = at(EVENT_ACTION_FAIL, 40);
	e.code = ACTION_SET_WEIGHTS;
	give(&w, e);
	assert_false(w.weights_pending);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_move_of_weights_is_of_the_phase_that_answered_it),
		cmocka_unit_test(a_stray_is_told_of_the_shift_that_gave_blue_nothing),
		cmocka_unit_test(what_is_put_back_is_registered_and_what_failed_is_not_under_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
