#include "check/core/golden.h"
#include "check/core/outcome.h"

/* The truth table of outcome.h; seconds, 0 never. The record ends at 100 s. */
static const struct {
	const char *what;
	enum profile profile;
	int admitted, hangup, lost;
	enum leg_how how;
	unsigned code;
	enum side side;
	unsigned flags;
	int end;
	enum call_end end_code;
	unsigned outcome;
} rows[] = {
	{ "never admitted", PROFILE_BRIDGE, 0, 0, 0, 0, 0, 0, CALL_ENDED, 90, CALL_REFUSED,
	  CALL_REFUSED },
	{ "not admitted yet", PROFILE_BRIDGE, 0, 0, 0, 0, 0, 0, 0, 0, 0, OUTCOME_LIVE },
	{ "given up before admitted", PROFILE_BRIDGE, 0, 0, 0, 0, 0, 0, CALL_ENDED, 90,
	  CALL_ABANDONED, CALL_ABANDONED },
	{ "hung up", PROFILE_BRIDGE, 1, 80, 0, 0, 0, 0, CALL_ENDED, 81, CALL_COMPLETED,
	  CALL_COMPLETED },
	{ "hung up after silence", PROFILE_BRIDGE, 1, 80, 0, 0, 0, 0, CALL_ENDED | CALL_WAS_MUTED,
	  81, CALL_COMPLETED, CALL_MUTED },
	{ "hung up after a late resume", PROFILE_RESUMABLE, 1, 80, 0, LEG_FIN, 0, SIDE_AGENT,
	  CALL_ENDED | CALL_LATE_RESUME, 81, CALL_COMPLETED, CALL_DROPPED },
	{ "a bridge loses its leg", PROFILE_BRIDGE, 1, 0, 80, LEG_FIN, 0, SIDE_AGENT, CALL_ENDED,
	  81, CALL_DROPPED, CALL_DROPPED },
	{ "and has no end yet", PROFILE_BRIDGE, 1, 0, 99, LEG_FIN, 0, SIDE_AGENT, 0, 0, 0,
	  CALL_DROPPED },
	{ "a polite 1000 that the simulator takes for the end", PROFILE_BRIDGE, 1, 0, 80,
	  LEG_CLOSE_FRAME, 1000, SIDE_AGENT, CALL_ENDED, 81, CALL_COMPLETED, CALL_TRUNCATED },
	{ "1012 is not polite", PROFILE_BRIDGE, 1, 0, 80, LEG_CLOSE_FRAME, 1012, SIDE_AGENT,
	  CALL_ENDED, 81, CALL_DROPPED, CALL_DROPPED },
	{ "we closed it, silent", PROFILE_BRIDGE, 1, 0, 80, LEG_TIMEOUT, 0, SIDE_CALLER, CALL_ENDED,
	  80, CALL_MUTED, CALL_MUTED },
	{ "we closed it, the run was over", PROFILE_BRIDGE, 1, 0, 80, LEG_CLOSE_FRAME, 1001,
	  SIDE_CALLER, CALL_ENDED, 80, CALL_ABANDONED, CALL_ABANDONED },
	{ "lost by the agent, then the run was over", PROFILE_BRIDGE, 1, 0, 80, LEG_FIN, 0,
	  SIDE_AGENT, CALL_ENDED, 80, CALL_ABANDONED, CALL_DROPPED },
	{ "still trying to come back", PROFILE_RESUMABLE, 1, 0, 98, LEG_FIN, 0, SIDE_AGENT, 0, 0, 0,
	  OUTCOME_LIVE },
	{ "trying to the last moment", PROFILE_RESUMABLE, 1, 0, 95, LEG_FIN, 0, SIDE_AGENT, 0, 0, 0,
	  OUTCOME_LIVE },
	{ "trying for too long", PROFILE_RESUMABLE, 1, 0, 94, LEG_FIN, 0, SIDE_AGENT, 0, 0, 0,
	  CALL_DROPPED },
	{ "given up while trying", PROFILE_RESUMABLE, 1, 0, 80, LEG_FIN, 0, SIDE_AGENT, CALL_ENDED,
	  84, CALL_ABANDONED, CALL_ABANDONED },
	{ "given up at the last moment", PROFILE_RESUMABLE, 1, 0, 80, LEG_FIN, 0, SIDE_AGENT,
	  CALL_ENDED, 85, CALL_ABANDONED, CALL_ABANDONED },
	{ "given up after its time", PROFILE_RESUMABLE, 1, 0, 80, LEG_FIN, 0, SIDE_AGENT,
	  CALL_ENDED, 86, CALL_ABANDONED, CALL_DROPPED },
	{ "never back from its own loss", PROFILE_RESUMABLE, 1, 0, 80, LEG_FIN, 0, SIDE_CALLER,
	  CALL_ENDED | CALL_PLANNED_LOSS, 85, CALL_DROPPED, CALL_DROPPED },
	{ "on its leg when the record ends", PROFILE_BRIDGE, 1, 0, 0, 0, 0, 0, 0, 0, 0,
	  OUTCOME_LIVE },
	{ "completed, says the simulator, without a hangup", PROFILE_BRIDGE, 1, 0, 0, 0, 0, 0,
	  CALL_ENDED, 81, CALL_COMPLETED, CALL_DROPPED },
};

static void an_outcome_is_the_script_s_and_not_the_close_code_s(void **state)
{
	struct story_scenario s;

	(void)state;
	story_scenario(&s);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct world w = { .scenario = &s.scenario, .last_ns = 100 * NS_PER_S };
		const struct world_call c = {
			.profile = (uint8_t)rows[i].profile,
			.admitted_ns = rows[i].admitted * NS_PER_S,
			.hangup_ns = rows[i].hangup * NS_PER_S,
			.lost_ns = rows[i].hangup ? 0 : rows[i].lost * NS_PER_S,
			.cut = { .how = (uint8_t)rows[i].how,
				 .code = (uint16_t)rows[i].code,
				 .side = (uint8_t)rows[i].side },
			.flags = (uint16_t)rows[i].flags,
			.end_ns = rows[i].end * NS_PER_S,
			.end_code = (uint8_t)rows[i].end_code,
		};
		if (outcome_of(&w, &c) != rows[i].outcome)
			fail_msg("%s: %s", rows[i].what, outcome_name(outcome_of(&w, &c)));
	}
}

static void a_ledger_balances_only_when_every_call_is_in_it(void **state)
{
	struct ledger l = { .started = OUTCOME_LIVE + 1 };

	(void)state;
	for (unsigned outcome = 0; outcome <= OUTCOME_LIVE; outcome++) {
		assert_false(ledger_balances(&l));
		ledger_add(&l, outcome);
	}
	assert_true(ledger_balances(&l));
	assert_int_equal(l.dropped, 3); /* muted and truncated among them */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_outcome_is_the_script_s_and_not_the_close_code_s),
		cmocka_unit_test(a_ledger_balances_only_when_every_call_is_in_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
