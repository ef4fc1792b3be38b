#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "driver/core/flat.h"

static void names_are_those_of_requests(void **state)
{
	static const char xml[] =
		"<?xml version=\"1.0\"?>\n<R xmlns=\"http://example.com/\">\n <Rules>\n  <member><A>1</A><B/></member>\n"
		"  <member><A> two &amp; &#x33; </A><C><![CDATA[<x>]]></C></member>\n </Rules>\n <Empty/>\n"
		" <Values><member>a</member><member>b</member></Values></R>";
	static const struct {
		const char *name, *value;
	} expected[] = {
		{ "Rules.member.1.A", "1" },
		{ "Rules.member.1.B", "" },
		{ "Rules.member.2.A", " two & 3 " },
		{ "Rules.member.2.C", "<x>" },
		{ "Empty", "" },
		{ "Values.member.1", "a" },
		{ "Values.member.2", "b" },
	};
	struct flat f;

	(void)state;
	assert_int_equal(flat_parse(xml, sizeof xml - 1, &f, NULL), 0);
	assert_int_equal(f.count, sizeof expected / sizeof *expected);
	for (size_t i = 0; i < f.count; i++) {
		assert_string_equal(f.pair[i].name, expected[i].name);
		assert_string_equal(f.pair[i].value, expected[i].value);
	}
	assert_string_equal(flat_get(&f, "Rules.member.%d.A", 1), "1");
	assert_null(flat_get(&f, "Rules.member.1"));
	assert_true(flat_has(&f, "Rules.member.%d", 2));
	assert_false(flat_has(&f, "Rules.member.3"));
	assert_false(flat_has(&f, "Rule"));
	flat_free(&f);
}

static void what_is_no_plain_xml_is_refused(void **state)
{
	static const struct {
		const char *xml, *says;
	} cases[] = {
		{ "", "not XML" },
		{ "{\"json\":true}", "not XML" },
		{ "<a><b></a>", "not XML" },
		{ "<a>", "not XML" },
		{ "<a/><b/>", "not XML" },
		{ "<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>", "document type" },
		{ "<!DOCTYPE a SYSTEM \"http://127.0.0.1:1/x.dtd\"><a/>", "document type" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct flat f = { .count = 77 };
		struct err err = { .kind = ERR_NONE };

		assert_int_equal(flat_parse(cases[i].xml, strlen(cases[i].xml), &f, &err), -1);
		assert_int_equal(f.count, 77); /* untouched */
		if (!strstr(err.text, cases[i].says))
			fail_msg("%s: %s", cases[i].xml, err.text);
	}
}

static void depth_number_and_length_are_bounded(void **state)
{
	static const struct {
		const char *before, *each, *after, *says;
		int times;
	} cases[] = {
		{ "", "<a>", "", "nested deeper than 32", 40 },
		{ "<r>", "<a/>", "</r>", "more than 65536 values", 65537 },
		{ "<r><a>", "0123456789abcdef", "</a></r>", "longer than 65536", 4097 },
		{ "", "<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa>", "", "name longer than 512",
		  20 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf xml = buf_init(1 << 20);
		struct err err = { .kind = ERR_NONE };
		struct flat f;

		buf_puts(&xml, cases[i].before);
		for (int k = 0; k < cases[i].times; k++)
			buf_puts(&xml, cases[i].each);
		buf_puts(&xml, cases[i].after);
		assert_int_equal(flat_parse(xml.data, xml.len, &f, &err), -1);
		if (!strstr(err.text, cases[i].says))
			fail_msg("%s: %s", cases[i].says, err.text);
		buf_free(&xml);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_those_of_requests),
		cmocka_unit_test(what_is_no_plain_xml_is_refused),
		cmocka_unit_test(depth_number_and_length_are_bounded),
	};

	return cmocka_run_group_tests_name("driver/core/flat", tests, NULL, NULL);
}
