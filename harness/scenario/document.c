#include "scenario/document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/buf.h"
#include "scenario/text.h"
#include "scenario/variables.h"

struct reader {
	yaml_parser_t parser;
	const struct source *source;
	const struct variable *variables;
	size_t variable_count, nodes;
	struct err *err;
};

static struct mark mark_of(yaml_mark_t m)
{
	return (struct mark){ (int)m.line + 1, (int)m.column + 1 };
}

static int next_event(struct reader *r, yaml_event_t *ret)
{
	const yaml_parser_t *p = &r->parser;

	if (yaml_parser_parse(&r->parser, ret))
		return 0;
	if (p->error == YAML_READER_ERROR) { /* bytes, not YAML: libyaml knows an offset only */
		struct mark mark = { 1, 1 };

		for (size_t i = 0; i < p->problem_offset && r->source->text[i]; i++) {
			mark.column = r->source->text[i] == '\n' ? 1 : mark.column + 1;
			mark.line += r->source->text[i] == '\n';
		}
		return place_error(r->source, mark, NULL, r->err, "not a text file: %s",
				   p->problem);
	}
	return place_error(r->source, mark_of(p->problem_mark), NULL, r->err, "not YAML: %s%s%s",
			   p->problem ? p->problem : "cannot be read", p->context ? " " : "",
			   p->context ? p->context : "");
}

static void node_free(struct node *node)
{
	for (size_t i = 0; i < node->count; i++) {
		if (node->keys)
			node_free(&node->keys[i]);
		node_free(&node->items[i]);
	}
	free(node->keys);
	free(node->items);
	free(node->text);
}

static struct node *node_grow(struct node *parent)
{
	if (parent->count == parent->room) {
		size_t room = parent->room ? parent->room * 2 : 8;

		parent->items = xrealloc(parent->items, room * sizeof *parent->items);
		if (parent->kind == NODE_MAP)
			parent->keys = xrealloc(parent->keys, room * sizeof *parent->keys);
		parent->room = room;
	}
	parent->items[parent->count] = (struct node){ .kind = NODE_VALUE };
	if (parent->kind == NODE_MAP)
		parent->keys[parent->count] = (struct node){ .kind = NODE_VALUE };
	return &parent->items[parent->count++];
}

static int read_text(struct reader *r, const yaml_event_t *event, struct mark mark, char **ret)
{
	const char *text = (const char *)event->data.scalar.value;

	if (strlen(text) != event->data.scalar.length)
		return place_error(r->source, mark, NULL, r->err, "a value cannot hold a NUL byte");
	if (event->data.scalar.length > DOCUMENT_VALUE_MAX)
		return place_error(r->source, mark, NULL, r->err,
				   "a value of %zu bytes is above the limit %d",
				   event->data.scalar.length, DOCUMENT_VALUE_MAX);
	*ret = xstrdup(text);
	return 0;
}

static int replace(struct reader *r, struct node *node)
{
	struct buf out = buf_init(DOCUMENT_VALUE_MAX);
	int result = variables_replace(r->source, node->mark, node->text, r->variables,
				       r->variable_count, &out, r->err);

	if (result == 0 && !text_is_clean(buf_text(&out)))
		result = place_error(
			r->source, node->mark, NULL, r->err,
			"the value holds control characters or bytes that are not UTF-8");
	if (result == 0) {
		free(node->text);
		node->text = xstrdup(buf_text(&out));
	}
	buf_free(&out);
	return result;
}

static int read_key(struct reader *r, const struct node *map, const yaml_event_t *event,
		    struct node *key)
{
	key->mark = mark_of(event->start_mark);
	if (event->type != YAML_SCALAR_EVENT)
		return place_error(r->source, key->mark, NULL, r->err,
				   "a key must be a plain word");
	if (read_text(r, event, key->mark, &key->text) < 0)
		return -1;
	for (size_t i = 0; i + 1 < map->count; i++)
		if (!strcmp(map->keys[i].text, key->text))
			return place_error(r->source, key->mark, NULL, r->err,
					   "the key \"%s\" is given twice; first on line %d",
					   key->text, map->keys[i].mark.line);
	return 0;
}

/* What this small YAML leaves out. */
static int refuse(struct reader *r, const yaml_event_t *event, struct mark mark)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	if (event->type == YAML_ALIAS_EVENT)
		return place_error(r->source, mark, NULL, r->err,
				   "aliases (*%s) are not supported; write the value out",
				   event->data.alias.anchor);
	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	}
	if (anchor)
		return place_error(r->source, mark, NULL, r->err,
				   "anchors (&%s) are not supported; write the value out", anchor);
	if (tag)
		return place_error(r->source, mark, NULL, r->err, "tags (%s) are not supported",
				   tag);
	return 0;
}

static int read_node(struct reader *r, const yaml_event_t *event, int depth, struct node *node);

static int read_items(struct reader *r, struct node *node, yaml_event_type_t end, int depth)
{
	for (;;) {
		yaml_event_t event;
		struct node *item;
		int result = 0;

		if (next_event(r, &event) < 0)
			return -1;
		if (event.type == end) {
			yaml_event_delete(&event);
			return 0;
		}
		item = node_grow(node);
		if (node->kind == NODE_MAP) {
			if ((result = refuse(r, &event, mark_of(event.start_mark))) == 0)
				result = read_key(r, node, &event, &node->keys[node->count - 1]);
			yaml_event_delete(&event);
			if (result < 0 || next_event(r, &event) < 0)
				return -1;
		}
		result = read_node(r, &event, depth, item);
		yaml_event_delete(&event);
		if (result < 0)
			return -1;
	}
}

static int read_node(struct reader *r, const yaml_event_t *event, int depth, struct node *node)
{
	node->mark = mark_of(event->start_mark);
	if (refuse(r, event, node->mark) < 0)
		return -1;
	if (++r->nodes > DOCUMENT_NODES_MAX)
		return place_error(r->source, node->mark, NULL, r->err,
				   "more than %d values in one file", DOCUMENT_NODES_MAX);
	if (event->type == YAML_SCALAR_EVENT)
		return read_text(r, event, node->mark, &node->text) < 0 ? -1 : replace(r, node);
	if (depth >= DOCUMENT_DEPTH_MAX)
		return place_error(r->source, node->mark, NULL, r->err,
				   "nested deeper than the limit of %d levels", DOCUMENT_DEPTH_MAX);
	node->kind = event->type == YAML_MAPPING_START_EVENT ? NODE_MAP : NODE_LIST;
	return read_items(r, node,
			  node->kind == NODE_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT,
			  depth + 1);
}

/* Stream start, document start, the root, document end, stream end: anything else is refused. */
static int read_stream(struct reader *r, struct node *root)
{
	yaml_event_t event;
	int result = 0;

	for (bool more = true, seen = false; more && result == 0;) {
		if (next_event(r, &event) < 0)
			return -1;
		more = event.type != YAML_STREAM_END_EVENT;
		if (event.type == YAML_DOCUMENT_START_EVENT && seen)
			result = place_error(r->source, mark_of(event.start_mark), NULL, r->err,
					     "a second document begins here; a file holds one");
		if (event.type == YAML_MAPPING_START_EVENT ||
		    event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_SCALAR_EVENT ||
		    event.type == YAML_ALIAS_EVENT) {
			seen = true;
			result = read_node(r, &event, 0, root);
		}
		yaml_event_delete(&event);
		if (!more && !seen)
			result = place_error(r->source, (struct mark){ 1, 1 }, NULL, r->err,
					     "the file is empty");
	}
	if (result == 0 && root->kind != NODE_MAP)
		return place_error(r->source, root->mark, NULL, r->err,
				   "expected keys and values, found %s",
				   node_kind_name(root->kind));
	return result;
}

int document_parse(const char *path, const char *text, size_t size,
		   const struct variable *variables, size_t count, struct document *ret,
		   struct err *err)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct document doc = { .root = { .kind = NODE_VALUE } };
	struct reader r = {
		.source = &doc.source, .variables = variables, .variable_count = count, .err = err
	};
	char *copy;
	int result;

	if (size >= 3 && !memcmp(text, bom, 3)) {
		text += 3;
		size -= 3;
	}
	copy = xcalloc(1, size + 1);
	memcpy(copy, text, size);
	doc.source = (struct source){ xstrdup(path), copy };
	if (strlen(copy) != size) {
		struct mark mark = { 1, 1 };

		result = place_error(&doc.source, mark, NULL, err,
				     "not a text file: it holds a NUL byte");
	} else if (!yaml_parser_initialize(&r.parser)) {
		result = err_set(err, ERR_HARNESS, "%s: no memory for a YAML parser", path);
	} else {
		yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
		yaml_parser_set_input_string(&r.parser, (const unsigned char *)copy, size);
		result = read_stream(&r, &doc.root);
		yaml_parser_delete(&r.parser);
	}
	if (result < 0)
		document_free(&doc);
	else
		*ret = doc;
	return result;
}

int document_read(const char *path, const struct variable *variables, size_t count,
		  struct document *ret, struct err *err)
{
	FILE *file = fopen(path, "re");
	char *text;
	size_t size;
	int result;

	if (!file)
		return err_errno(err, ERR_INPUT, errno, "%s", path);
	text = xcalloc(1, DOCUMENT_BYTES_MAX + 1);
	size = fread(text, 1, DOCUMENT_BYTES_MAX + 1, file);
	if (ferror(file))
		result = err_errno(err, ERR_INPUT, errno, "%s", path);
	else if (size > DOCUMENT_BYTES_MAX)
		result = err_set(err, ERR_INPUT, "%s: the file is above the limit of %d KiB", path,
				 DOCUMENT_BYTES_MAX / 1024);
	else
		result = document_parse(path, text, size, variables, count, ret, err);
	fclose(file);
	free(text);
	return result;
}

void document_free(struct document *doc)
{
	if (!doc)
		return;
	node_free(&doc->root);
	free((char *)doc->source.path);
	free((char *)doc->source.text);
	*doc = (struct document){ .root = { .kind = NODE_VALUE } };
}

int node_find(const struct node *map, const char *key)
{
	for (size_t i = 0; map->kind == NODE_MAP && i < map->count; i++)
		if (!strcmp(map->keys[i].text, key))
			return (int)i;
	return -1;
}

const char *node_kind_name(enum node_kind kind)
{
	switch (kind) {
	case NODE_VALUE:
		return "a plain value";
	case NODE_LIST:
		return "a list";
	case NODE_MAP:
		break;
	}
	return "a mapping";
}
