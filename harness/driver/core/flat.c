#include "driver/core/flat.h"

#include <libxml/xmlreader.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { DEPTH_MAX = 32, PAIRS_MAX = 65536, NAME_BYTES_MAX = 512, VALUE_BYTES_MAX = 64 * 1024 };

struct reading {
	struct flat flat;
	char name[NAME_BYTES_MAX]; /* of the element we are in */
	struct {
		size_t name_length; /* of `name` outside this element */
		int members;	    /* children called "member" so far */
		bool parent;	    /* has children: no pair */
	} level[DEPTH_MAX];
	struct buf value;
};

static int keep(struct reading *r, struct err *err)
{
	struct flat *f = &r->flat;

	if (f->count == PAIRS_MAX)
		return err_set(err, ERR_WORLD, "XML with more than %d values", PAIRS_MAX);
	if (f->count == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 64;
		f->pair = xrealloc(f->pair, f->cap * sizeof *f->pair);
	}
	f->pair[f->count++] = (struct flat_pair){ xstrdup(r->name), xstrdup(buf_text(&r->value)) };
	return 0;
}

static int enter(struct reading *r, int depth, const char *name, struct err *err)
{
	size_t length = strlen(r->name);
	int n;

	if (depth >= DEPTH_MAX)
		return err_set(err, ERR_WORLD, "XML nested deeper than %d", DEPTH_MAX);
	r->level[depth].name_length = length;
	r->level[depth].members = 0;
	r->level[depth].parent = depth == 0;
	buf_clear(&r->value);
	if (depth == 0)
		return 0;
	r->level[depth - 1].parent = true;
	if (!strcmp(name, "member"))
		n = snprintf(r->name + length, sizeof r->name - length, "%smember.%d",
			     length ? "." : "", ++r->level[depth - 1].members);
	else
		n = snprintf(r->name + length, sizeof r->name - length, "%s%s", length ? "." : "",
			     name);
	if (n < 0 || (size_t)n >= sizeof r->name - length)
		return err_set(err, ERR_WORLD, "XML with a name longer than %d", NAME_BYTES_MAX);
	return 0;
}

static int leave(struct reading *r, int depth, struct err *err)
{
	if (!r->level[depth].parent && keep(r, err) < 0)
		return -1;
	r->name[r->level[depth].name_length] = '\0';
	buf_clear(&r->value);
	return 0;
}

static int take_node(struct reading *r, xmlTextReaderPtr reader, struct err *err)
{
	int depth = xmlTextReaderDepth(reader), type = xmlTextReaderNodeType(reader);
	const char *text;

	if (type == XML_READER_TYPE_ELEMENT) {
		text = (const char *)xmlTextReaderConstLocalName(reader);
		if (enter(r, depth, text ? text : "", err) < 0)
			return -1;
		return xmlTextReaderIsEmptyElement(reader) ? leave(r, depth, err) : 0;
	}
	if (type == XML_READER_TYPE_END_ELEMENT)
		return leave(r, depth, err);
	if (type == XML_READER_TYPE_TEXT || type == XML_READER_TYPE_CDATA) {
		text = (const char *)xmlTextReaderConstValue(reader);
		if (text && buf_puts(&r->value, text) < 0)
			return err_set(err, ERR_WORLD, "XML with a value longer than %d",
				       VALUE_BYTES_MAX);
		return 0;
	}
	if (type == XML_READER_TYPE_DOCUMENT_TYPE || type == XML_READER_TYPE_ENTITY_REFERENCE)
		return err_set(err, ERR_WORLD, "XML with a document type or entities is refused");
	return 0;
}

int flat_parse(const char *xml, size_t size, struct flat *ret, struct err *err)
{
	struct reading r = { .value = buf_init(VALUE_BYTES_MAX) };
	xmlTextReaderPtr reader = size > INT32_MAX ?
					  NULL :
					  xmlReaderForMemory(xml, (int)size, NULL, NULL,
							     XML_PARSE_NONET | XML_PARSE_NOERROR |
								     XML_PARSE_NOWARNING |
								     XML_PARSE_NOBLANKS);
	int more = -1, result = -1;

	if (reader) {
		while ((more = xmlTextReaderRead(reader)) == 1)
			if (take_node(&r, reader, err) < 0)
				goto out;
	}
	if (more < 0) {
		err_set(err, ERR_WORLD, "not XML");
		goto out;
	}
	*ret = r.flat;
	r.flat = (struct flat){ .count = 0 };
	result = 0;
out:
	xmlFreeTextReader(reader);
	buf_free(&r.value);
	flat_free(&r.flat);
	return result;
}

void flat_free(struct flat *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->pair[i].name);
		free(f->pair[i].value);
	}
	free(f->pair);
	*f = (struct flat){ .count = 0 };
}

const char *flat_get(const struct flat *f, const char *fmt, ...)
{
	char name[NAME_BYTES_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof name, fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < f->count; i++)
		if (!strcmp(f->pair[i].name, name))
			return f->pair[i].value;
	return NULL;
}

bool flat_has(const struct flat *f, const char *fmt, ...)
{
	char name[NAME_BYTES_MAX];
	size_t length;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof name, fmt, ap);
	va_end(ap);
	length = strlen(name);
	for (size_t i = 0; i < f->count; i++)
		if (!strncmp(f->pair[i].name, name, length) &&
		    (f->pair[i].name[length] == '.' || f->pair[i].name[length] == '\0'))
			return true;
	return false;
}
