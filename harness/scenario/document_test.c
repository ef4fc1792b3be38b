#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/rng.h"
#include "scenario/document.h"
#include "scenario/testing.h"

static int parse(const char *text, size_t size, struct document *doc, struct err *err)
{
	return document_parse("f.yaml", text, size, NULL, 0, doc, err);
}

static void values_lists_and_maps_keep_their_places(void **state)
{
	static const char text[] = "\xef\xbb\xbf# c\na: 1\nb:\n  - x\n  - { \"c d\": 'y' }\n";
	struct document doc;
	struct err err;

	(void)state;
	assert_int_equal(parse(text, sizeof text - 1, &doc, &err), 0);
	assert_int_equal(doc.root.count, 2);
	assert_string_equal(doc.root.items[0].text, "1");
	assert_int_equal(doc.root.items[0].mark.line, 2);
	assert_int_equal(doc.root.items[0].mark.column, 4);
	const struct node *list = &doc.root.items[node_find(&doc.root, "b")];
	assert_int_equal(list->kind, NODE_LIST);
	assert_int_equal(list->count, 2);
	assert_int_equal(list->items[1].keys[0].mark.line, 5);
	assert_int_equal(list->items[1].keys[0].mark.column, 7);
	assert_string_equal(list->items[1].items[node_find(&list->items[1], "c d")].text, "y");
	assert_int_equal(node_find(&doc.root, "z"), -1);
	document_free(&doc);
	document_free(&doc);
}

static void what_is_not_this_small_yaml_is_refused_at_its_place(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "f.yaml:1:1: the file is empty" },
		{ "# only a comment\n", "the file is empty" },
		{ "just text", "f.yaml:1:1: expected keys and values, found a plain value" },
		{ "- a\n- b\n", "expected keys and values, found a list" },
		{ "a: 1\nb: 2\na: 3\n",
		  "f.yaml:3:1: the key \"a\" is given twice; first on line 1" },
		{ "x: { a: 1, a: 2 }", "f.yaml:1:12: the key \"a\" is given twice" },
		{ "a: &x 1\nb: *x\n", "f.yaml:1:4: anchors (&x) are not supported" },
		{ "a: &x { b: 1 }\n", "f.yaml:1:4: anchors (&x) are not supported" },
		{ "a: &x [ 1 ]\n", "f.yaml:1:4: anchors (&x) are not supported" },
		{ "a: *x\n", "f.yaml:1:4: aliases (*x) are not supported" },
		{ "*x : 1\n", "aliases (*x) are not supported" },
		{ "a: !!int 1\n", "f.yaml:1:4: tags (tag:yaml.org,2002:int) are not supported" },
		{ "? { a: 1 }\n: 2\n", "f.yaml:1:3: a key must be a plain word" },
		{ "a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document begins here" },
		{ "a: [ 1, 2\nb: 3\n", "f.yaml:2:" },
		{ "a: \"unfinished\n",
		  "not YAML: found unexpected end of stream while scanning a quoted scalar" },
		{ "a:\n\t- 1\n", "f.yaml:2:1: not YAML" },
		{ "a: b: c\n",
		  "f.yaml:1:5: not YAML: mapping values are not allowed in this context" },
		{ "a: \"\\0\"\n", "f.yaml:1:4: a value cannot hold a NUL byte" },
		{ "a: \"\\e[31m\"\n", "f.yaml:1:4: the value holds control characters" },
		{ "a: 1\nb: \x01\n",
		  "f.yaml:2:4: not a text file: control characters are not allowed" },
		{ "a: 1\nb: \xff\n", "f.yaml:2:4: not a text file: invalid" },
		{ "a: ${X}\n", "f.yaml:1:4: ${X} is not defined" },
		{ "a: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]\n",
		  "nested deeper than the limit of 16 levels" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err err = { .kind = ERR_NONE };
		struct document doc;

		if (parse(rows[i].text, strlen(rows[i].text), &doc, &err) == 0)
			fail_msg("accepted: %s", rows[i].text);
		assert_int_equal(err.kind, ERR_INPUT);
		if (!strstr(err.text, rows[i].why))
			fail_msg("%s\nwanted %s\ngot %s", rows[i].text, rows[i].why, err.text);
	}
}

static void a_nul_byte_is_no_text(void **state)
{
	struct err err = { .kind = ERR_NONE };
	struct document doc;

	(void)state;
	assert_int_equal(parse("a: 1\0b", 6, &doc, &err), -1);
	assert_non_null(strstr(err.text, "NUL byte"));
}

static void size_values_and_their_number_are_bounded_and_the_limit_is_named(void **state)
{
	struct buf text = buf_init(1 << 20);
	struct err err = { .kind = ERR_NONE };
	struct testing_file file;
	struct document doc;

	(void)state;
	buf_puts(&text, "a: [");
	for (int i = 0; i < DOCUMENT_NODES_MAX; i++)
		buf_puts(&text, "1,");
	buf_puts(&text, "]\n");
	assert_int_equal(parse(text.data, text.len, &doc, &err), -1);
	assert_non_null(strstr(err.text, "more than 10000 values"));

	buf_clear(&text);
	buf_puts(&text, "a: ");
	for (int i = 0; i <= DOCUMENT_VALUE_MAX; i++)
		buf_puts(&text, "x");
	assert_int_equal(parse(text.data, text.len, &doc, &err), -1);
	assert_non_null(strstr(err.text, "a value of 4097 bytes is above the limit 4096"));

	while (text.len <= DOCUMENT_BYTES_MAX)
		buf_puts(&text, "\n# padding padding padding padding");
	file = testing_write(text.data, text.len);
	assert_int_equal(document_read(file.path, NULL, 0, &doc, &err), -1);
	assert_non_null(strstr(err.text, "above the limit of 256 KiB"));
	unlink(file.path);
	buf_free(&text);
}

static void a_file_that_cannot_be_read_is_named_with_the_reason(void **state)
{
	struct err err = { .kind = ERR_NONE };
	struct document doc;

	(void)state;
	assert_int_equal(document_read("/nonexistent/x.yaml", NULL, 0, &doc, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_string_equal(err.text, "/nonexistent/x.yaml: No such file or directory");
	assert_int_equal(document_read("/tmp", NULL, 0, &doc, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_string_equal(err.text, "/tmp: Is a directory");
}

static void a_value_of_a_variable_never_becomes_structure(void **state)
{
	const struct variable v[] = { { "X", "1 }\nb: [2, \"3\" # {" } };
	static const char text[] = "a: { x: \"${X}\", y: \"${Y:-[1, 2]}\" }\nc: ${X}\n";
	struct document doc;
	struct err err;

	(void)state;
	assert_int_equal(document_parse("f", text, sizeof text - 1, v, 1, &doc, &err), 0);
	assert_int_equal(doc.root.count, 2);
	assert_int_equal(doc.root.items[0].count, 2);
	assert_string_equal(doc.root.items[0].items[0].text, v[0].value);
	assert_string_equal(doc.root.items[0].items[1].text, "[1, 2]");
	assert_string_equal(doc.root.items[1].text, v[0].value);
	document_free(&doc);
}

static void random_bytes_never_crash(void **state)
{
	static const char letters[] = "a: {}[],-\n\"'&*!|>%@`#?\\${} \t0x\xc3\xa4\xff";
	struct rng rng = rng_split(5, 0, "bytes");

	(void)state;
	for (int i = 0; i < 4000; i++) {
		size_t size = rng_below(&rng, 200);
		char text[200];
		struct document doc;
		struct err err = { .kind = ERR_NONE };

		for (size_t j = 0; j < size; j++)
			text[j] = i % 4 ? letters[rng_below(&rng, sizeof letters - 1)] :
					  (char)rng_u64(&rng);
		if (parse(text, size, &doc, &err) == 0)
			document_free(&doc);
		else
			assert_int_equal(err.kind, ERR_INPUT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_lists_and_maps_keep_their_places),
		cmocka_unit_test(what_is_not_this_small_yaml_is_refused_at_its_place),
		cmocka_unit_test(a_nul_byte_is_no_text),
		cmocka_unit_test(size_values_and_their_number_are_bounded_and_the_limit_is_named),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named_with_the_reason),
		cmocka_unit_test(a_value_of_a_variable_never_becomes_structure),
		cmocka_unit_test(random_bytes_never_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
