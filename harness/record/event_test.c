#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "record/event.h"

static void every_kind_has_a_word_and_reads_back(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		assert_int_equal(event_kind_parse(event_kind_name(kind)), kind);
		assert_true(strlen(event_kind_fields(kind)) > 0);
	}
	assert_string_equal(event_kind_name(EVENT_DIAL_OK), "dial.ok");
	assert_string_equal(event_kind_name(EVENT_KIND_COUNT), "?");
	assert_string_equal(event_kind_fields(EVENT_KIND_COUNT), "?");
	assert_int_equal(event_kind_parse("dial.maybe"), -1);
	assert_int_equal(event_kind_parse(""), -1);
}

static void an_event_begins_unplanned_and_empty(void **state)
{
	struct event want = { .t_ns = 5, .due_ns = -1, .kind = EVENT_TURN_INV };
	struct event event = event_make(EVENT_TURN_INV, 5);

	(void)state;
	assert_memory_equal(&event, &want, sizeof(want));
}

static void conn_is_a_note_where_the_table_says_so(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		/* action.ok has the fields of action.inv */
		bool says_so = strstr(event_kind_fields(kind), "note") || kind == EVENT_ACTION_OK;
		if (event_conn_is_note(kind) != says_so)
			fail_msg("%s: %s", event_kind_name(kind), event_kind_fields(kind));
	}
	assert_false(event_conn_is_note(EVENT_CMD_INV));
	assert_false(event_conn_is_note(EVENT_KIND_COUNT));
	assert_false(event_conn_is_note(64 + EVENT_LIMIT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_has_a_word_and_reads_back),
		cmocka_unit_test(an_event_begins_unplanned_and_empty),
		cmocka_unit_test(conn_is_a_note_where_the_table_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
