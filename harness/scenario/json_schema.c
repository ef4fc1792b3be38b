/*
 * The JSON Schema (2020-12) of a scenario file, printed from the table. Editors use it for
 * completion and for red lines; it is looser than the parser: any value may be a ${VARIABLE}, and
 * what keys say together is left to `validate`.
 */
#include <limits.h>
#include <string.h>

#include "scenario/duration.h"
#include "scenario/schema.h"
#include "scenario/text.h"

#define NUMBER "[0-9]+(\\\\.[0-9]+)?"
#define DURATION "(" NUMBER "(ns|us|ms|s|m|h))+"
#define VARIABLE ".*\\\\$\\\\{.*"

static void print_map(const struct map *map, int indent, struct buf *out);

static void line(struct buf *out, int indent)
{
	buf_printf(out, "\n%*s", indent, "");
}

static void pattern(struct buf *out, const char *form)
{
	buf_printf(out, "\"type\": \"string\", \"pattern\": \"^(%s|%s)$\"", form, VARIABLE);
}

static void number_or_variable(struct buf *out, const char *type, const char *form, long long min,
			       long long max)
{
	buf_printf(out,
		   "\"anyOf\": [{ \"type\": \"%s\", \"minimum\": %lld, \"maximum\": %lld }, { ",
		   type, min, max);
	pattern(out, form);
	buf_puts(out, " }]");
}

static void words(const struct field *f, struct buf *out)
{
	buf_puts(out, "\"enum\": [");
	for (int i = 0, n = 0; f->words[i]; i++)
		if (*f->words[i])
			buf_printf(out, "%s\"%s\"", n++ ? ", " : "", f->words[i]);
	buf_puts(out, "]");
}

static void print_type(const struct field *f, int indent, struct buf *out)
{
	switch (f->type) {
	case FIELD_TEXT:
		buf_puts(out, "\"type\": [\"string\", \"number\", \"boolean\"]");
		break;
	case FIELD_DURATION:
		buf_puts(out, "\"anyOf\": [{ \"const\": 0 }, { ");
		pattern(out, "0|" DURATION);
		buf_puts(out, " }]");
		break;
	case FIELD_INTEGER:
		number_or_variable(out, "integer", "[0-9]+", f->min, f->max ? f->max : INT_MAX);
		break;
	case FIELD_SEED:
		buf_puts(out, "\"anyOf\": [{ \"type\": \"integer\", \"minimum\": 0 }, { ");
		pattern(out, "[0-9]+");
		buf_puts(out, " }]");
		break;
	case FIELD_SHARE:
		number_or_variable(out, "number", NUMBER "%?", 0, 1);
		break;
	case FIELD_NUMBER:
		number_or_variable(out, "number", NUMBER, 0, f->max);
		break;
	case FIELD_FLAG:
		buf_puts(out, "\"enum\": [\"on\", \"off\", true, false, \"yes\", \"no\"]");
		break;
	case FIELD_WORD:
		words(f, out);
		break;
	case FIELD_WORDS:
		buf_puts(out, "\"type\": \"array\", \"items\": { ");
		words(f, out);
		buf_puts(out, " }");
		break;
	case FIELD_RANGE:
		buf_printf(out, "\"type\": \"string\", \"pattern\": \"^(%s%s%s\\\\.\\\\.%s|%s)$\"",
			   f->prefix ? f->prefix : "", f->prefix ? " +" : "", DURATION, DURATION,
			   VARIABLE);
		break;
	case FIELD_TEXTS:
		buf_puts(out, "\"type\": \"array\", \"items\": { \"type\": \"string\" }");
		break;
	case FIELD_MAP:
		print_map(f->map, indent, out);
		break;
	case FIELD_LIST:
		buf_printf(out,
			   "\"type\": \"array\", \"minItems\": %d, \"maxItems\": %d, \"items\": {",
			   f->required, SCHEMA_LIST_MAX);
		line(out, indent + 2);
		print_map(f->map, indent + 2, out);
		line(out, indent);
		buf_puts(out, "}");
		break;
	case FIELD_GATES:
		buf_puts(
			out,
			"\"type\": \"object\", \"additionalProperties\": { \"anyOf\": [{ \"type\": \"string\" },"
			" { \"type\": \"array\", \"items\": { \"type\": \"string\" }, \"minItems\": 1 }] }");
		break;
	}
}

static void print_field(const struct field *f, int indent, struct buf *out)
{
	buf_printf(out, "\"%s\": {", f->key);
	line(out, indent + 2);
	buf_puts(out, "\"description\": ");
	text_quote(f->about, out);
	if (f->fallback) {
		buf_puts(out, ", \"default\": ");
		text_quote(f->fallback, out);
	}
	buf_puts(out, ",");
	line(out, indent + 2);
	print_type(f, indent + 2, out);
	line(out, indent);
	buf_puts(out, "}");
}

/* Keys that must be there; a tagged map must have one of its alternatives. */
static void print_required(const struct map *map, struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < map->count; i++)
		if (map->fields[i].required)
			buf_printf(out, "%s\"%s\"", n++ ? ", " : "\"required\": [",
				   map->fields[i].key);
	buf_puts(out, n ? "], " : "");
	if (!map->tagged)
		return;
	n = 0;
	for (size_t i = 0; i < map->count; i++)
		if (map->fields[i].tagged)
			buf_printf(out, "%s{ \"required\": [\"%s\"] }", n++ ? ", " : "\"oneOf\": [",
				   map->fields[i].key);
	buf_puts(out, "], ");
}

static void print_object(const struct map *map, int indent, struct buf *out)
{
	buf_puts(out, "\"type\": \"object\", \"additionalProperties\": false, ");
	print_required(map, out);
	buf_puts(out, "\"properties\": {");
	for (size_t i = 0; i < map->count; i++) {
		if (i)
			buf_puts(out, ",");
		line(out, indent + 2);
		print_field(&map->fields[i], indent + 2, out);
	}
	line(out, indent);
	buf_puts(out, "}");
}

/* A map that has a short form is that form or the object. */
static void print_map(const struct map *map, int indent, struct buf *out)
{
	bool scalar = map->scalar_key || map->scalar_all;

	if (!scalar) {
		print_object(map, indent, out);
		return;
	}
	buf_puts(out, "\"anyOf\": [{ ");
	for (size_t i = 0; i < map->count; i++) {
		if (map->scalar_all ? i == 0 : !strcmp(map->fields[i].key, map->scalar_key)) {
			print_type(&map->fields[i], indent, out);
			break;
		}
	}
	buf_puts(out, " }, {");
	line(out, indent + 2);
	print_object(map, indent + 2, out);
	line(out, indent);
	buf_puts(out, "}]");
}

void scenario_schema(struct buf *out)
{
	buf_puts(out,
		 "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
		 "  \"$id\": \"crossfade.scenario/1\",\n  \"title\": \"Crossfade scenario\",\n  ");
	print_map(&schema_scenario, 2, out);
	buf_puts(out, "\n}\n");
}
