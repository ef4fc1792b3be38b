/* Releases what parsing allocated, by the table. */
#include <stdlib.h>

#include "scenario/gate.h"
#include "scenario/schema.h"

static void free_list(const struct field *f, void *base)
{
	size_t count = *(size_t *)((char *)base + f->count_offset);
	char *items = *(char **)field_at(f, base);

	for (size_t i = 0; i < count; i++)
		schema_free(f->map, items + i * f->element_size);
	free(items);
}

static void free_gates(const struct field *f, void *base)
{
	size_t count = *(size_t *)((char *)base + f->count_offset);
	struct gate *gates = *(struct gate **)field_at(f, base);

	for (size_t i = 0; i < count; i++)
		gate_free(&gates[i]);
	free(gates);
}

static void free_texts(const struct field *f, void *base)
{
	size_t count = *(size_t *)((char *)base + f->count_offset);
	char **texts = *(char ***)field_at(f, base);

	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
}

void schema_free(const struct map *map, void *base)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct field *f = &map->fields[i];

		if (f->tagged && f->tag != *(int *)((char *)base + map->tag_offset))
			continue; /* alternatives share their members */
		if (f->type == FIELD_TEXT)
			free(*(char **)field_at(f, base));
		else if (f->type == FIELD_MAP)
			schema_free(f->map, field_at(f, base));
		else if (f->type == FIELD_LIST)
			free_list(f, base);
		else if (f->type == FIELD_GATES)
			free_gates(f, base);
		else if (f->type == FIELD_TEXTS)
			free_texts(f, base);
	}
}
