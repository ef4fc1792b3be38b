/*
 * A YAML file as a tree with exact places, read from libyaml's events. A deliberately small YAML:
 * one document of mappings, lists and plain values; keys are plain words, each once. Anchors,
 * aliases, tags and several documents are errors, said clearly, not ignored.
 *
 * Every value is text; what it means is the schema's business. Variables are already replaced in
 * values, never in keys. Limits: 256 KiB a file, 16 levels, 10,000 nodes, 4 KiB a value.
 */
#ifndef SCENARIO_DOCUMENT_H
#define SCENARIO_DOCUMENT_H

#include "base/err.h"
#include "scenario/place.h"
#include "scenario/scenario.h"

enum {
	DOCUMENT_BYTES_MAX = 256 * 1024,
	DOCUMENT_DEPTH_MAX = 16,
	DOCUMENT_NODES_MAX = 10000,
	DOCUMENT_VALUE_MAX = 4096
};

enum node_kind { NODE_VALUE = 0, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	struct mark mark;
	char *text;	    /* value: its text; "" for an empty one */
	struct node *keys;  /* map: values, one per item */
	struct node *items; /* list and map */
	size_t count, room;
};

struct document {
	struct source source; /* path and text are owned */
	struct node root;     /* always a map */
};

int document_read(const char *path, const struct variable *, size_t count, struct document *ret,
		  struct err *);
/* Same from memory; `path` is for messages. */
int document_parse(const char *path, const char *text, size_t size, const struct variable *,
		   size_t count, struct document *ret, struct err *);
void document_free(struct document *);

/* Index of a key in a map, or -1. */
int node_find(const struct node *map, const char *key);
const char *node_kind_name(enum node_kind);

#endif
