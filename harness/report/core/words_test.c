#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "report/core/words.h"

static void every_anomaly_and_reason_is_explained(void **state)
{
	(void)state;
	for (unsigned i = ANOMALY_NONE + 1; i < ANOMALY_COUNT; i++)
		assert_true(*anomaly_sentence((enum anomaly)i));
	for (unsigned i = REASON_NONE + 1; i < REASON_COUNT; i++)
		assert_true(*reason_sentence((enum reason)i));
	assert_string_equal(anomaly_sentence(ANOMALY_COUNT), "");
}

/* A state anomaly is a name of ours for something the literature has a name for. */
static void what_is_wrong_with_a_state_has_the_literatures_name_too(void **state)
{
	static const struct {
		enum anomaly anomaly;
		const char *name;
	} table[] = {
		{ ANOMALY_FORK, "P4, lost update" },
		{ ANOMALY_ACK_LOST, "lost write" },
		{ ANOMALY_REGRESS, "monotonic reads" },
		{ ANOMALY_STALE_RESUME, "read-your-writes" },
		{ ANOMALY_PHANTOM_TURN, "G1a, aborted read" },
		{ ANOMALY_TORN_STATE, "G1b, intermediate read" },
		{ ANOMALY_DIRTY_WRITE, "G0, dirty write" },
		{ ANOMALY_DOUBLE_APPLY, "duplicate element" },
		{ ANOMALY_REORDER, "monotonic writes" },
		{ ANOMALY_FIELD_STRIP, "lost update" },
		{ ANOMALY_CROSS_CALL, "garbage read" },
		{ ANOMALY_ZOMBIE_WRITE, "fencing failure" },
		{ ANOMALY_ACK_EARLY, "premature acknowledgement" },
		{ ANOMALY_NEVER_PERSISTED, "premature acknowledgement" },
		{ ANOMALY_INFO_SURFACED, "recovered" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (!strstr(anomaly_sentence(table[i].anomaly), table[i].name))
			fail_msg("%s: %s", anomaly_name(table[i].anomaly),
				 anomaly_sentence(table[i].anomaly));
}

static void a_call_without_a_name_shows_its_hash(void **state)
{
	struct report_input input = { 0 };

	(void)state;
	assert_string_equal(call_label(&input, 0xabcULL).s, "0000000000000abc");
	assert_string_equal(call_label(&input, 0).s, "");
	assert_string_equal(instance_label(&input, 3), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_anomaly_and_reason_is_explained),
		cmocka_unit_test(what_is_wrong_with_a_state_has_the_literatures_name_too),
		cmocka_unit_test(a_call_without_a_name_shows_its_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
