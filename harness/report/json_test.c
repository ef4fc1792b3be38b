#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "report/sample_test.h"

static json_t *render(const struct sample *s)
{
	char *text = sample_render(s, "json");
	json_error_t error;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (!root)
		fprintf(stderr, "%s at line %d:\n%s", error.text, error.line, text);
	free(text);
	return root;
}

/* "checks.0.witnesses.0.call" */
static json_t *at(json_t *root, const char *path)
{
	char *copy = strdup(path), *rest = NULL;

	for (char *word = strtok_r(copy, ".", &rest); word && root;
	     word = strtok_r(NULL, ".", &rest))
		root = json_is_array(root) ? json_array_get(root, (size_t)atoi(word)) :
					     json_object_get(root, word);
	free(copy);
	return root;
}

/*
 * What of JSON Schema our schemas use: type, required, properties, items, enum, const, minimum,
 * additionalProperties. And one thing more, because our schema is to name every key: an object's
 * unknown key is an error where there are properties.
 */
static bool has_type(const json_t *value, const char *type)
{
	return (!strcmp(type, "object") && json_is_object(value)) ||
	       (!strcmp(type, "array") && json_is_array(value)) ||
	       (!strcmp(type, "string") && json_is_string(value)) ||
	       (!strcmp(type, "integer") && json_is_integer(value)) ||
	       (!strcmp(type, "number") && json_is_number(value)) ||
	       (!strcmp(type, "boolean") && json_is_boolean(value)) ||
	       (!strcmp(type, "null") && json_is_null(value));
}

static bool fits_type(const json_t *type, const json_t *value)
{
	size_t i;
	json_t *one;

	if (!type)
		return true;
	if (json_is_string(type))
		return has_type(value, json_string_value(type));
	json_array_foreach(type, i, one) {
		if (has_type(value, json_string_value(one)))
			return true;
	}
	return false;
}

static void conforms(const json_t *schema, json_t *value, const char *place)
{
	json_t *properties = json_object_get(schema, "properties"),
	       *more = json_object_get(schema, "additionalProperties");
	json_t *allowed = json_object_get(schema, "enum"),
	       *constant = json_object_get(schema, "const"), *one;
	json_t *minimum = json_object_get(schema, "minimum");
	bool found = !allowed;
	const char *key;
	size_t i;

	if (!fits_type(json_object_get(schema, "type"), value))
		fail_msg("%s has the wrong type", place);
	json_array_foreach(allowed, i, one)
		found |= json_equal(one, value);
	if (!found || (constant && !json_equal(constant, value)))
		fail_msg("%s has a value the schema does not list", place);
	if (minimum && json_number_value(value) < json_number_value(minimum))
		fail_msg("%s is below its minimum", place);
	json_array_foreach(json_object_get(schema, "required"), i, one) {
		if (!json_object_get(value, json_string_value(one)))
			fail_msg("%s lacks %s", place, json_string_value(one));
	}
	if (json_is_object(value)) {
		json_object_foreach(value, key, one) {
			json_t *inner = json_object_get(properties, key);

			if (!inner && !more)
				fail_msg("%s has %s, unknown to the schema", place, key);
			conforms(inner ? inner : more, one, key);
		}
	}
	json_array_foreach(value, i, one)
		conforms(json_object_get(schema, "items"), one, place);
}

static int setup(void **state)
{
	*state = sample_new();
	return 0;
}

static int teardown(void **state)
{
	sample_free(*state);
	return 0;
}

static void every_key_is_where_the_schema_says(void **state)
{
	json_t *schema = json_loads(report_schema(), JSON_REJECT_DUPLICATES, NULL),
	       *root = render(*state);

	assert_non_null(schema);
	assert_non_null(root);
	conforms(schema, root, "result");
	json_decref(root);
	json_decref(schema);
}

static void values_are_those_of_the_judgement(void **state)
{
	static const struct {
		const char *path, *json;
	} table[] = {
		{ "schema", "\"crossfade.result/1\"" },
		{ "verdict", "\"fail\"" },
		{ "exit_code", "99" },
		{ "seed", "42" },
		{ "defect.name", "\"D30\"" },
		{ "duration_s", "100.0" },
		{ "ledger.dropped", "5" },
		{ "ledger.by_phase.0.phase", "\"shift\"" },
		{ "ledger.by_color.0.color", "\"blue\"" },
		{ "checks.0.name", "\"dropped_calls\"" },
		{ "checks.0.anomalies.torn_down_live", "4" },
		{ "checks.0.witnesses.1.call", "\"c-7f3a2b-2\"" },
		{ "checks.0.witnesses.1.instance", "\"blue-2\"" },
		{ "checks.0.witnesses.1.t_s", "41.203" },
		{ "checks.0.witnesses.1.cause", "\"cut_by_sigterm\"" },
		{ "checks.0.witnesses.1.anomaly", "\"torn_down_live\"" },
		{ "checks.1.reasons.0.reason", "\"vacuous\"" },
		{ "gates.0.unit", "\"ms\"" },
		{ "gates.0.limit", "800.0" },
		{ "gates.0.measured", "31.25" },
		{ "gates.1.limit", "0.0" },
		{ "phases.1.asked_s", "8.01" },
		{ "phases.2.asked_s", "null" },
		{ "phases.2.verdict", "\"fail\"" },
		{ "latency.0.count", "1501" },
		{ "latency.0.unanswered", "1" },
		{ "latency.0.max_ms", "5000.0" },
		{ "generator.schedule_lag_p99_ms", "3.4" },
		{ "anomalies.muted", "1" },
		{ "environment.cores", "\"2\"" },
	};
	json_t *root = render(*state);

	assert_non_null(root);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		json_t *value = at(root, table[i].path);
		char *text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(12)) :
				     NULL;

		if (!text || strcmp(text, table[i].json) != 0)
			fail_msg("%s is %s, expected %s", table[i].path, text ? text : "absent",
				 table[i].json);
		free(text);
	}
	json_decref(root);
}

static void a_number_that_nobody_measured_is_null(void **state)
{
	static const struct {
		const char *path, *measured, *unmeasured;
	} table[] = {
		{ "redis_claim.outcome", "\"not held\"", "\"not decided\"" },
		{ "redis_claim.turns", "120", "0" },
		{ "redis_claim.p99_ms", "3.0", "null" },
		{ "redis_claim.p99_low_ms", "2.5", "null" },
		{ "redis_claim.p99_high_ms", "null", "null" },
		{ "redis_claim.service_p99_ms", "3.0", "null" },
		{ "redis_claim.agent_p99_ms", "4.0", "null" },
		{ "redis_claim.control_p99_ms", "0.25", "null" },
		{ "gates.0.low_ms", "30.0", "null" },
		{ "gates.0.high_ms", "null", "null" },
	};
	struct sample *s = *state;
	json_t *without, *with;

	s->judgement.redis_claim = (struct redis_claim){ .verdict = VERDICT_INCONCLUSIVE };
	without = render(s);
	s->judgement.redis_claim = (struct redis_claim){ .verdict = VERDICT_FAIL,
							 .turns = 120,
							 .p99_ns = 3000000,
							 .p99_low_ns = 2500000,
							 .p99_high_ns = INT64_MAX,
							 .service_p99_ns = 3000000,
							 .agent_turns = 120,
							 .agent_p99_ns = 4000000,
							 .controls = 3,
							 .control_p99_ns = 250000 };
	s->gate_results[0].low_ns = 30000000;
	s->gate_results[0].high_ns = INT64_MAX;
	with = render(s);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char *measured = json_dumps(at(with, table[i].path),
					    JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));
		char *unmeasured = json_dumps(at(without, table[i].path),
					      JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));

		assert_string_equal(measured, table[i].measured);
		assert_string_equal(unmeasured, table[i].unmeasured);
		free(measured);
		free(unmeasured);
	}
	json_decref(with);
	json_decref(without);
}

static void only_anomalies_that_occurred_are_named(void **state)
{
	json_t *root = render(*state);

	assert_int_equal(json_object_size(at(root, "anomalies")), 2);
	assert_int_equal(json_object_size(at(root, "checks.2.anomalies")), 0);
	json_decref(root);
}

static void the_text_of_an_agent_cannot_break_the_file(void **state)
{
	json_t *root = render(*state);
	const char *text = json_string_value(at(root, "checks.0.witnesses.0.text"));

	assert_non_null(strstr(text, "<b>bridge</b> & never back?\?"));
	json_decref(root);
}

static void without_an_overlay_there_is_no_defect(void **state)
{
	struct sample *s = *state;

	s->scenario.defect = NULL;
	json_t *root = render(s);
	assert_null(at(root, "defect"));
	json_decref(root);
}

static void the_schema_is_the_file_in_reports(void **state)
{
	char file[32768] = "";
	FILE *in = fopen("reports/result.schema.json", "r");

	(void)state;
	assert_non_null(in);
	file[fread(file, 1, sizeof(file) - 1, in)] = '\0';
	fclose(in);
	assert_string_equal(report_schema(), file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_key_is_where_the_schema_says, setup,
						teardown),
		cmocka_unit_test_setup_teardown(values_are_those_of_the_judgement, setup, teardown),
		cmocka_unit_test_setup_teardown(a_number_that_nobody_measured_is_null, setup,
						teardown),
		cmocka_unit_test_setup_teardown(only_anomalies_that_occurred_are_named, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_text_of_an_agent_cannot_break_the_file, setup,
						teardown),
		cmocka_unit_test_setup_teardown(without_an_overlay_there_is_no_defect, setup,
						teardown),
		cmocka_unit_test(the_schema_is_the_file_in_reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
