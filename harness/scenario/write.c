/* From a struct to canonical YAML, by the table: block style, every value, texts quoted. */
#include <string.h>

#include "scenario/schema.h"
#include "scenario/text.h"

enum { INDENT = 2, WRITE_BYTES_MAX = 4 * 1024 * 1024 };

static void write_map(const struct map *map, const void *base, int indent, struct buf *out);

static void begin_line(struct buf *out, int indent)
{
	buf_printf(out, "%*s", indent, "");
}

static bool left_out(const struct map *map, const struct field *f, const void *base)
{
	int tag = map->tagged ? *(const int *)((const char *)base + map->tag_offset) : 0;

	if (f->tagged && f->tag != tag)
		return true;
	if (f->barred && f->barred_by == tag)
		return true;
	return f->given_offset && !*((const bool *)base + f->given_offset);
}

/* A map with nothing to say is left out, unless it is the alternative that says which one it is. */
static void write_inner(const struct field *f, const void *base, int indent, struct buf *out)
{
	struct buf inner = buf_init(WRITE_BYTES_MAX);

	write_map(f->map, field_at(f, base), indent + INDENT, &inner);
	if (inner.len || f->tagged) {
		begin_line(out, indent);
		buf_printf(out, "%s:%s\n", f->key, inner.len ? "" : " {}");
		buf_append(out, buf_text(&inner), inner.len);
	}
	buf_free(&inner);
}

static void write_list(const struct field *f, const void *base, int indent, struct buf *out)
{
	size_t count = *(const size_t *)((const char *)base + f->count_offset);
	const char *items = *(char *const *)field_at(f, base);

	if (!count)
		return;
	begin_line(out, indent);
	buf_printf(out, "%s:\n", f->key);
	for (size_t i = 0; i < count; i++) {
		struct buf item = buf_init(WRITE_BYTES_MAX);

		/* The first key of an entry stands behind its dash. */
		write_map(f->map, items + i * f->element_size, indent + 2 * INDENT, &item);
		if (item.len > (size_t)(indent + 2 * INDENT))
			item.data[indent + INDENT] = '-';
		buf_append(out, buf_text(&item), item.len);
		buf_free(&item);
	}
}

/* Gates come in groups of one key, in the order of their first expression. */
static void write_gates(const struct field *f, const void *base, int indent, struct buf *out)
{
	size_t count = *(const size_t *)((const char *)base + f->count_offset);
	const struct gate *gates = *(struct gate *const *)field_at(f, base);

	if (!count)
		return;
	begin_line(out, indent);
	buf_printf(out, "%s:\n", f->key);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || strcmp(gates[i - 1].key, gates[i].key)) {
			begin_line(out, indent + INDENT);
			text_quote(gates[i].key, out);
			buf_puts(out, ":\n");
		}
		begin_line(out, indent + 2 * INDENT);
		buf_puts(out, "- ");
		text_quote(gates[i].expression, out);
		buf_puts(out, "\n");
	}
}

/* An empty list is as good as none. */
static void write_texts(const struct field *f, const void *base, int indent, struct buf *out)
{
	size_t count = *(const size_t *)((const char *)base + f->count_offset);
	char *const *texts = *(char **const *)field_at(f, base);

	if (!count)
		return;
	begin_line(out, indent);
	buf_printf(out, "%s:\n", f->key);
	for (size_t i = 0; i < count; i++) {
		begin_line(out, indent + INDENT);
		buf_puts(out, "- ");
		text_quote(texts[i], out);
		buf_puts(out, "\n");
	}
}

static void write_value(const struct field *f, const void *base, int indent, struct buf *out)
{
	if (value_absent(f, field_at(f, base)))
		return;
	begin_line(out, indent);
	buf_printf(out, "%s: ", f->key);
	if (f->type == FIELD_TEXT)
		text_quote(*(char *const *)field_at(f, base), out);
	else
		value_format(f, field_at(f, base), out);
	buf_puts(out, "\n");
}

static void write_map(const struct map *map, const void *base, int indent, struct buf *out)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct field *f = &map->fields[i];

		if (left_out(map, f, base))
			continue;
		if (f->type == FIELD_MAP)
			write_inner(f, base, indent, out);
		else if (f->type == FIELD_LIST)
			write_list(f, base, indent, out);
		else if (f->type == FIELD_GATES)
			write_gates(f, base, indent, out);
		else if (f->type == FIELD_TEXTS)
			write_texts(f, base, indent, out);
		else
			write_value(f, base, indent, out);
	}
}

void schema_write(const struct map *map, const void *base, struct buf *out)
{
	write_map(map, base, 0, out);
}
