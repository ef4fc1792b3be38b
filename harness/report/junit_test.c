#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>

#include "report/sample_test.h"

struct page {
	struct sample *sample;
	xmlDocPtr document;
	xmlXPathContextPtr context;
};

static void parse(struct page *page)
{
	char *text = sample_render(page->sample, "junit");

	page->document = xmlReadMemory(text, (int)strlen(text), "junit.xml", NULL, XML_PARSE_NONET);
	assert_non_null(page->document);
	page->context = xmlXPathNewContext(page->document);
	free(text);
}

static int setup(void **state)
{
	struct page *page = calloc(1, sizeof(*page));

	page->sample = sample_new();
	*state = page;
	return 0;
}

static int teardown(void **state)
{
	struct page *page = *state;

	xmlXPathFreeContext(page->context);
	xmlFreeDoc(page->document);
	sample_free(page->sample);
	free(page);
	return 0;
}

static void expect(const struct page *page, const char *path, const char *expected)
{
	xmlXPathObjectPtr object = xmlXPathEvalExpression((const xmlChar *)path, page->context);
	xmlChar *text = xmlXPathCastToString(object);

	if (strcmp((const char *)text, expected) != 0)
		fail_msg("%s is \"%s\", expected \"%s\"", path, (const char *)text, expected);
	xmlFree(text);
	xmlXPathFreeObject(object);
}

static void there_is_a_case_for_each_check_gate_and_step(void **state)
{
	struct page *page = *state;

	parse(page);
	expect(page, "/testsuites/testsuite/@name", "crossfade.blue_green");
	expect(page, "count(//testcase)", "8"); /* run, 3 checks, 2 gates, 2 steps */
	expect(page, "//testsuite/@tests = count(//testcase)", "true");
	expect(page, "//testsuite/@failures = count(//failure)", "true");
	expect(page, "//testcase[@name='dropped_calls']/@classname", "crossfade.blue_green.run");
	expect(page, "//testcase[@name='turn_response{phase:shift} p(95) < 800ms']/@classname",
	       "crossfade.blue_green.shift");
	expect(page, "//testcase[@name='turn_response{phase:shift} p(95) < 800ms']/@time", "1.500");
	expect(page, "//testcase[@name='step 1 shift blue 0 green 100']/@classname",
	       "crossfade.blue_green.shift");
	expect(page, "//testcase[@name='step 2 teardown blue']/failure/@message",
	       "fail: blue-2 did not end within 1 s");
}

static void an_inconclusive_case_fails_and_is_never_skipped(void **state)
{
	struct page *page = *state;

	parse(page);
	expect(page, "count(//skipped)", "0");
	expect(page, "//testcase[@name='sticky_reconnect']/failure/@type", "inconclusive");
	expect(page, "//testcase[@name='sticky_reconnect']/failure/@message",
	       "inconclusive: saw 3, needs 10");
	expect(page, "contains(//testcase[@name='sticky_reconnect']/failure, 'saw 3, needs 10')",
	       "true");
	expect(page, "count(//testcase[@name='state_continuity']/failure)", "0");
}

static void the_evidence_stands_in_the_body(void **state)
{
	struct page *page = *state;

	parse(page);
	expect(page,
	       "contains(//testcase[@name='dropped_calls']/failure, 'c-7f3a2b-4 leg 0 on blue-2 at +41.203 s')",
	       "true");
	expect(page,
	       "contains(//testcase[@name='dropped_calls']/failure, '<b>bridge</b> & never back?\?')",
	       "true");
	expect(page, "contains(//testcase[@name='dropped_calls']/failure, 'cause cut_by_sigterm')",
	       "true");
}

/* The words that were appended to the list of phases lie in the cutover as much as the old ones;
 * a rollback does not. */
static void a_gate_on_the_cutover_covers_all_its_phases(void **state)
{
	static const struct {
		enum phase phase;
		const char *time;
	} table[] = {
		{ PHASE_STEADY, "1.500" }, { PHASE_SMOKE, "1.500" },	{ PHASE_SHIFT, "2.500" },
		{ PHASE_BAKE, "2.500" },   { PHASE_SCRIPT, "2.500" },	{ PHASE_DRAIN, "2.500" },
		{ PHASE_BUFFER, "2.500" }, { PHASE_TEARDOWN, "2.500" }, { PHASE_ROLLBACK, "1.500" },
		{ PHASE_AFTER, "1.500" },
	};
	struct page *page = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		page->sample->gates[0].phase = GATE_PHASE_CUTOVER;
		page->sample->phases[2].phase = table[i].phase;
		xmlXPathFreeContext(page->context);
		xmlFreeDoc(page->document);
		parse(page);
		expect(page, "//testcase[@classname='crossfade.blue_green.cutover']/@time",
		       table[i].time);
	}
	expect(page, "//testcase[starts-with(@name, 'step 2 ')]/@classname",
	       "crossfade.blue_green.after");
}

/* Every check may be green and the run still not be one. */
static void a_run_that_was_cut_short_has_a_failing_case(void **state)
{
	struct page *page = *state;

	page->sample->judgement.interrupted = true;
	parse(page);
	expect(page, "//testcase[@name='run']/failure/@type", "interrupted");
	expect(page, "//testsuite/@failures = count(//failure)", "true");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(there_is_a_case_for_each_check_gate_and_step, setup,
						teardown),
		cmocka_unit_test_setup_teardown(an_inconclusive_case_fails_and_is_never_skipped,
						setup, teardown),
		cmocka_unit_test_setup_teardown(the_evidence_stands_in_the_body, setup, teardown),
		cmocka_unit_test_setup_teardown(a_gate_on_the_cutover_covers_all_its_phases, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_run_that_was_cut_short_has_a_failing_case, setup,
						teardown),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	xmlCleanupParser();
	return failed;
}
