/* From a document to a struct, by the table. */
#include <stdlib.h>
#include <string.h>

#include "scenario/gate.h"
#include "scenario/schema.h"

struct parse {
	const struct source *source;
	bool local; /* stack.kind, once known: the stack comes before what depends on it */
	struct err *err;
};

enum { KEYS_MAX = 24 };

static int parse_map(struct parse *, const struct map *, const struct node *, struct mark,
		     void *base);

static int value_error(struct parse *p, struct mark mark, const struct err *why)
{
	return place_error(p->source, mark, NULL, p->err, "%s", why->text);
}

static int kind_error(struct parse *p, const struct node *node, const char *what,
		      const char *wanted)
{
	bool empty = node->kind == NODE_VALUE && !*node->text;

	return place_error(p->source, node->mark, NULL, p->err, "%s: expected %s, found %s", what,
			   wanted, empty ? "nothing" : node_kind_name(node->kind));
}

static int unknown_key(struct parse *p, const struct map *map, const struct node *key)
{
	const char *words[KEYS_MAX];
	char hint[256];

	ASSERT(map->count <= KEYS_MAX);
	for (size_t i = 0; i < map->count; i++)
		words[i] = map->fields[i].key;
	nearest_hint(key->text, words, map->count, hint, sizeof hint);
	return place_error(p->source, key->mark, hint, p->err, "%s has no key \"%.60s\"", map->name,
			   key->text);
}

static int check_keys(struct parse *p, const struct map *map, const struct node *node)
{
	for (size_t i = 0; i < node->count; i++) {
		size_t f = 0;

		while (f < map->count && strcmp(map->fields[f].key, node->keys[i].text))
			f++;
		if (f == map->count)
			return unknown_key(p, map, &node->keys[i]);
	}
	return 0;
}

/* Which alternative a tagged map holds: exactly one, unless the map is not given at all. */
static int parse_tag(struct parse *p, const struct map *map, const struct node *node,
		     struct mark mark, void *base)
{
	int *tag = (int *)((char *)base + map->tag_offset);
	const struct field *found = NULL;
	char words[256] = "";

	for (size_t i = 0; i < map->count; i++) {
		const struct field *f = &map->fields[i];
		int at = node ? node_find(node, f->key) : -1;

		if (!f->tagged)
			continue;
		if (*words)
			strncat(words, ", ", sizeof words - strlen(words) - 1);
		strncat(words, f->key, sizeof words - strlen(words) - 1);
		if (at < 0)
			continue;
		if (found)
			return place_error(p->source, node->keys[at].mark, NULL, p->err,
					   "%s cannot be both \"%s\" and \"%s\"", map->name,
					   found->key, f->key);
		found = f;
		*tag = f->tag;
	}
	if (node && !found)
		return place_error(p->source, mark, NULL, p->err, "%s needs one of: %s", map->name,
				   words);
	return 0;
}

static int parse_list(struct parse *p, const struct field *f, const struct node *node, void *base)
{
	size_t *count = (size_t *)((char *)base + f->count_offset);
	char *items;

	if (node->kind != NODE_LIST)
		return kind_error(p, node, f->key, "a list");
	if (node->count < f->required || node->count > SCHEMA_LIST_MAX)
		return place_error(p->source, node->mark, NULL, p->err,
				   "%s: %zu entries are outside %d to %d", f->key, node->count,
				   f->required, SCHEMA_LIST_MAX);
	if (!node->count)
		return 0;
	items = xcalloc(node->count, f->element_size);
	*(void **)field_at(f, base) = items;
	*count = node->count;
	for (size_t i = 0; i < node->count; i++)
		if (parse_map(p, f->map, &node->items[i], node->items[i].mark,
			      items + i * f->element_size) < 0)
			return -1;
	return 0;
}

static int parse_texts(struct parse *p, const struct field *f, const struct node *node, void *base)
{
	size_t *count = (size_t *)((char *)base + f->count_offset);
	char **texts;

	if (node->kind != NODE_LIST)
		return kind_error(p, node, f->key, "a list");
	texts = xcalloc(node->count, sizeof *texts);
	*(char ***)field_at(f, base) = texts;
	for (size_t i = 0; i < node->count; i++) {
		if (node->items[i].kind != NODE_VALUE)
			return kind_error(p, &node->items[i], f->key, "a plain value");
		texts[(*count)++] = xstrdup(node->items[i].text);
	}
	return 0;
}

static int parse_words(struct parse *p, const struct field *f, const struct node *node, void *base)
{
	struct err why = { .kind = ERR_NONE };

	if (node->kind != NODE_LIST)
		return kind_error(p, node, f->key, "a list");
	for (size_t i = 0; i < node->count; i++) {
		if (node->items[i].kind != NODE_VALUE)
			return kind_error(p, &node->items[i], f->key, "a word");
		if (value_parse(f, node->items[i].text, field_at(f, base), &why) < 0)
			return value_error(p, node->items[i].mark, &why);
	}
	return 0;
}

static int parse_one_gate(struct parse *p, struct gates *gates, const struct node *key,
			  const struct node *expression)
{
	struct err why = { .kind = ERR_NONE };
	struct gate gate;
	bool in_key;

	if (expression->kind != NODE_VALUE)
		return kind_error(p, expression, key->text,
				  "an expression such as \"p(95) < 800ms\"");
	if (gates->count == SCHEMA_LIST_MAX)
		return place_error(p->source, expression->mark, NULL, p->err, "more than %d gates",
				   SCHEMA_LIST_MAX);
	if (gate_parse(key->text, expression->text, &gate, &in_key, &why) < 0)
		return value_error(p, in_key ? key->mark : expression->mark, &why);
	gate.line = expression->mark.line;
	gates->items = xrealloc(gates->items, (gates->count + 1) * sizeof *gates->items);
	gates->items[gates->count++] = gate;
	return 0;
}

static int parse_gates(struct parse *p, const struct field *f, const struct node *node, void *base)
{
	struct gates gates = { .count = 0 };
	int result = 0;

	if (node->kind != NODE_MAP)
		return kind_error(p, node, f->key, "metrics with their expressions");
	for (size_t i = 0; i < node->count && result == 0; i++) {
		const struct node *item = &node->items[i];

		if (item->kind == NODE_MAP || (item->kind == NODE_LIST && !item->count))
			result = kind_error(p, item, node->keys[i].text, "a list of expressions");
		else if (item->kind == NODE_VALUE)
			result = parse_one_gate(p, &gates, &node->keys[i], item);
		for (size_t j = 0; item->kind == NODE_LIST && j < item->count && result == 0; j++)
			result = parse_one_gate(p, &gates, &node->keys[i], &item->items[j]);
	}
	*(struct gate **)field_at(f, base) = gates.items;
	*(size_t *)((char *)base + f->count_offset) = gates.count;
	return result;
}

static int parse_absent(struct parse *p, const struct field *f, bool map_given, struct mark mark,
			const char *map_name, void *base)
{
	bool needed = f->required ? map_given : f->local_fallback && !p->local;

	if (needed)
		return place_error(p->source, mark, NULL, p->err, "%s needs the key \"%s\"%s",
				   map_name, f->key,
				   f->local_fallback ? " when the stack is none" : "");
	if (f->type == FIELD_MAP)
		return parse_map(p, f->map, NULL, mark, field_at(f, base));
	if (f->fallback) {
		struct err why = { .kind = ERR_NONE };

		return value_parse(f, f->fallback, field_at(f, base), &why) < 0 ?
			       value_error(p, mark, &why) :
			       0;
	}
	if (f->type == FIELD_DURATION)
		*(int64_t *)field_at(f, base) = f->absent;
	else if (f->type == FIELD_WORD || f->type == FIELD_INTEGER)
		*(int *)field_at(f, base) = (int)f->absent;
	return 0;
}

static int parse_field(struct parse *p, const struct field *f, const struct node *node, void *base)
{
	struct err why = { .kind = ERR_NONE };

	switch (f->type) {
	case FIELD_MAP:
		if (f->given_offset)
			*((bool *)base + f->given_offset) = true;
		return parse_map(p, f->map, node, node->mark, field_at(f, base));
	case FIELD_LIST:
		return parse_list(p, f, node, base);
	case FIELD_TEXTS:
		return parse_texts(p, f, node, base);
	case FIELD_WORDS:
		return parse_words(p, f, node, base);
	case FIELD_GATES:
		return parse_gates(p, f, node, base);
	case FIELD_TEXT:
	case FIELD_DURATION:
	case FIELD_INTEGER:
	case FIELD_SEED:
	case FIELD_SHARE:
	case FIELD_NUMBER:
	case FIELD_FLAG:
	case FIELD_WORD:
	case FIELD_RANGE:
		break;
	}
	if (node->kind != NODE_VALUE || (!*node->text && f->type != FIELD_TEXT))
		return kind_error(p, node, f->key, "a plain value");
	return value_parse(f, node->text, field_at(f, base), &why) < 0 ?
		       value_error(p, node->mark, &why) :
		       0;
}

/* The node under a key; a plain value in place of the map stands for one key or for all. */
static const struct node *child(const struct map *map, const struct node *node,
				const struct field *f)
{
	int i;

	if (!node)
		return NULL;
	if (node->kind == NODE_VALUE)
		return map->scalar_all || !strcmp(map->scalar_key, f->key) ? node : NULL;
	i = node_find(node, f->key);
	return i < 0 ? NULL : &node->items[i];
}

/* node NULL: the map is not given; defaults are filled in, nothing is required of it. */
static int parse_map(struct parse *p, const struct map *map, const struct node *node,
		     struct mark mark, void *base)
{
	bool scalar = node && node->kind == NODE_VALUE && *node->text &&
		      (map->scalar_key || map->scalar_all);

	if (node && !scalar && node->kind != NODE_MAP)
		return kind_error(p, node, map->name, "keys and values");
	if (node && !scalar && check_keys(p, map, node) < 0)
		return -1;
	if (map->tagged && scalar) {
		for (size_t i = 0; i < map->count; i++)
			if (!strcmp(map->fields[i].key, map->scalar_key))
				*(int *)((char *)base + map->tag_offset) = map->fields[i].tag;
	} else if (map->tagged && parse_tag(p, map, node, mark, base) < 0) {
		return -1;
	}
	for (size_t i = 0; i < map->count; i++) {
		const struct field *f = &map->fields[i];
		const struct node *value = child(map, node, f);
		int tag = map->tagged ? *(int *)((char *)base + map->tag_offset) : 0;
		int result;

		if (f->barred && tag == f->barred_by && node && !value)
			continue;
		if (f->barred && tag == f->barred_by && value)
			return place_error(p->source, value->mark, NULL, p->err,
					   "%s: a range has \"%s\" in itself", map->name, f->key);
		if (f->tagged && !value)
			continue;
		result = value ? parse_field(p, f, value, base) :
				 parse_absent(p, f, node != NULL, mark, map->name, base);
		if (result < 0)
			return -1;
		if (map == &schema_scenario && !strcmp(f->key, "stack"))
			p->local = ((struct scenario *)base)->stack.kind == STACK_LOCAL;
	}
	return 0;
}

int schema_parse(const struct map *map, const struct document *doc, void *base, struct err *err)
{
	struct parse p = { .source = &doc->source, .local = true, .err = err };

	return parse_map(&p, map, &doc->root, doc->root.mark, base);
}
