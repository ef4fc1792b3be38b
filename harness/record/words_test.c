#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <string.h>

#include "record/words.h"

static const struct {
	const char *title;
	const char *(*name)(unsigned v);
	unsigned count;
} tables[] = {
	{ "color", color_name, COLOR_COUNT },
	{ "profile", profile_name, PROFILE_COUNT },
	{ "phase", phase_name, PHASE_COUNT },
	{ "dial_failure", dial_failure_name, DIAL_FAILURE_COUNT },
	{ "leg_how", leg_how_name, LEG_HOW_COUNT },
	{ "side", side_name, SIDE_COUNT },
	{ "call_end", call_end_name, CALL_END_COUNT },
	{ "verb", verb_name, VERB_COUNT },
	{ "redis_error", redis_error_name, REDIS_ERROR_COUNT },
	{ "action", action_name, ACTION_COUNT },
	{ "anomaly", anomaly_name, ANOMALY_COUNT },
	{ "reason", reason_name, REASON_COUNT },
};
enum { TABLE_COUNT = sizeof(tables) / sizeof(*tables) };

static void every_value_has_a_word_of_its_own(void **state)
{
	(void)state;
	for (size_t t = 0; t < TABLE_COUNT; t++) {
		for (unsigned v = 0; v < tables[t].count; v++) {
			const char *word = tables[t].name(v);
			if (!word || !*word)
				fail_msg("%s %u has no word", tables[t].title, v);
			for (const char *p = word; *p; p++)
				assert_true(islower((unsigned char)*p) || *p == '_');
			for (unsigned other = 0; other < v; other++)
				assert_string_not_equal(word, tables[t].name(other));
		}
	}
}

static void what_is_outside_an_enumeration_is_a_question_mark(void **state)
{
	(void)state;
	for (size_t t = 0; t < TABLE_COUNT; t++) {
		assert_string_equal(tables[t].name(tables[t].count), "?");
		assert_string_equal(tables[t].name(UINT32_MAX), "?");
	}
}

static void words_read_back(void **state)
{
	(void)state;
	for (int v = 0; v < COLOR_COUNT; v++)
		assert_int_equal(color_parse(color_name((unsigned)v)), v);
	for (int v = 0; v < PHASE_COUNT; v++)
		assert_int_equal(phase_parse(phase_name((unsigned)v)), v);
	for (int v = 0; v < ANOMALY_COUNT; v++)
		assert_int_equal(anomaly_parse(anomaly_name((unsigned)v)), v);
	assert_int_equal(color_parse("purple"), -1);
	assert_int_equal(color_parse(""), -1);
	assert_int_equal(phase_parse("Drain"), -1);
	assert_int_equal(anomaly_parse("cut by sigterm"), -1);
}

/* Words that scenarios, reports and golden files hold on to. */
static void the_words_of_the_specification_are_spelled_so(void **state)
{
	(void)state;
	assert_int_equal(anomaly_parse("cut_by_sigterm"), ANOMALY_CUT_BY_SIGTERM);
	assert_int_equal(anomaly_parse("ack_lost"), ANOMALY_ACK_LOST);
	assert_int_equal(anomaly_parse("torn_down_live"), ANOMALY_TORN_DOWN_LIVE);
	assert_string_equal(dial_failure_name(DIAL_TLS_VERSION), "tls_version");
	assert_string_equal(dial_failure_name(DIAL_LOCAL_LIMIT), "local_limit");
	assert_string_equal(reason_name(REASON_LATE_GENERATOR), "late_generator");
	assert_string_equal(leg_how_name(LEG_FIN), "fin");
}

/* Values are on disk: a table may be appended to, never reordered. */
static void values_on_disk_stay_where_they_are(void **state)
{
	(void)state;
	assert_int_equal(COLOR_GREEN, 2);
	assert_int_equal(PHASE_DRAIN, 4);
	assert_int_equal(LEG_TIMEOUT, 3);
	assert_int_equal(CALL_ABANDONED, 5);
	assert_int_equal(VERB_SETEX, 3);
	assert_int_equal(ACTION_SIGTERM, 7);
	assert_int_equal(DIAL_LOCAL_LIMIT, 8);
}

static void an_error_reply_is_told_by_its_first_word(void **state)
{
	static const struct {
		const char *text;
		enum redis_error error;
	} rows[] = {
		{ "READONLY You can't write against a read only replica.", REDIS_ERROR_READONLY },
		{ "OOM command not allowed when used memory > 'maxmemory'.", REDIS_ERROR_OOM },
		{ "NOREPLICAS", REDIS_ERROR_NOREPLICAS },
		{ "BUSYGROUP Consumer Group name already exists", REDIS_ERROR_OTHER },
		{ "BUS", REDIS_ERROR_OTHER },
		{ "NONE", REDIS_ERROR_OTHER },
		{ "", REDIS_ERROR_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(redis_error_of(rows[i].text, strlen(rows[i].text)), rows[i].error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_has_a_word_of_its_own),
		cmocka_unit_test(what_is_outside_an_enumeration_is_a_question_mark),
		cmocka_unit_test(words_read_back),
		cmocka_unit_test(an_error_reply_is_told_by_its_first_word),
		cmocka_unit_test(the_words_of_the_specification_are_spelled_so),
		cmocka_unit_test(values_on_disk_stay_where_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
