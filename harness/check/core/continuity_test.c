#include "check/core/continuity.h"
#include "check/core/golden.h"

/* Replies ("r") and accepted writes ("w") of turns, at ms; how many turns the writes prove early.
 */
static void only_a_definite_order_convicts(void **state)
{
	static const struct {
		const char *what;
		struct {
			char kind;
			unsigned turn;
			int64_t at;
		} steps[6];
		unsigned early;
		bool pending;
	} rows[] = {
		{ "written, then told", { { 'w', 1, 10 }, { 'r', 1, 20 } }, 0, false },
		{ "told, then written", { { 'r', 1, 10 }, { 'w', 1, 20 } }, 1, false },
		{ "told and written at once", { { 'r', 1, 10 }, { 'w', 1, 10 } }, 0, false },
		{ "told, never written", { { 'r', 1, 10 } }, 0, true },
		{ "a later write holds it too",
		  { { 'r', 1, 10 }, { 'r', 2, 15 }, { 'w', 2, 20 } },
		  2,
		  false },
		{ "the last of two at once",
		  { { 'r', 1, 10 }, { 'r', 2, 20 }, { 'w', 2, 20 } },
		  1,
		  false },
		{ "both told and the first written at once",
		  { { 'r', 1, 10 }, { 'r', 2, 10 }, { 'w', 1, 10 } },
		  0,
		  true },
		{ "an older write does not hold it",
		  { { 'w', 1, 5 }, { 'r', 1, 6 }, { 'r', 2, 10 }, { 'w', 1, 20 } },
		  0,
		  true },
		{ "one written, one not",
		  { { 'r', 1, 10 }, { 'r', 2, 15 }, { 'w', 1, 20 } },
		  1,
		  true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct persist p = { 0 };
		unsigned early = 0, turn = 0;
		int64_t by_ns = 0;
		for (size_t k = 0; k < 6 && rows[i].steps[k].kind; k++) {
			struct event e = event_make(EVENT_REPLY_OK,
						    rows[i].steps[k].at * NS_PER_MS);
			e.turn = e.n = (uint16_t)rows[i].steps[k].turn;
			if (rows[i].steps[k].kind == 'r')
				persist_expect(&p, &e);
			else
				early += persist_written(&p, &e, &turn, &by_ns);
		}
		if (early != rows[i].early || (p.low != 0) != rows[i].pending)
			fail_msg("%s: %u early, %u..%u pending", rows[i].what, early, p.low,
				 p.high);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_definite_order_convicts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
