#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "scenario/scenario.h"
#include "scenario/schema.h"

/* JSON as far as these tests need it: brackets match, strings end, commas separate. */
static bool is_balanced(const char *text)
{
	char open[64];
	size_t depth = 0;

	for (const char *p = text; *p; p++) {
		if (*p == '"') {
			for (p++; *p && *p != '"'; p++)
				if (*p == '\\' && !*++p)
					return false;
			if (!*p)
				return false;
		} else if (*p == '{' || *p == '[') {
			if (depth == sizeof open)
				return false;
			open[depth++] = *p == '{' ? '}' : ']';
		} else if (*p == '}' || *p == ']') {
			if (!depth || open[--depth] != *p)
				return false;
		} else if (*p == ',' && p[1 + strspn(p + 1, " \n")] != '"' &&
			   p[1 + strspn(p + 1, " \n")] != '{' && strncmp(p, ", true", 6) &&
			   strncmp(p, ", false", 7)) {
			return false;
		}
	}
	return depth == 0;
}

static void expect_keys(const struct map *map, const char *text)
{
	for (size_t i = 0; i < map->count; i++) {
		char key[64];

		snprintf(key, sizeof key, "\"%s\": {", map->fields[i].key);
		if (!strstr(text, key))
			fail_msg("the schema has no %s", key);
		if (map->fields[i].map)
			expect_keys(map->fields[i].map, text);
	}
}

static void the_json_schema_is_json_and_has_every_key_of_the_table(void **state)
{
	struct buf out = buf_init(1 << 20);

	(void)state;
	scenario_schema(&out);
	assert_false(out.overflow);
	assert_true(is_balanced(buf_text(&out)));
	expect_keys(&schema_scenario, buf_text(&out));
	assert_non_null(strstr(buf_text(&out),
			       "\"required\": [\"name\", \"timers\", \"calls\", \"cutover\"]"));
	assert_non_null(
		strstr(buf_text(&out), "\"enum\": [\"none\", \"sigterm\", \"deregister\"]"));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_json_schema_is_json_and_has_every_key_of_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
