#include "wire/wire.h"

#include <string.h>

#define PLUGIN(name) extern const struct wire wire_##name;
#include "registry/wire.inc"
#undef PLUGIN

static const struct wire *const dialects[] = {
#define PLUGIN(name) &wire_##name,
#include "registry/wire.inc"
#undef PLUGIN
};

size_t wire_count(void)
{
	return sizeof(dialects) / sizeof(*dialects);
}

const struct wire *wire_at(size_t i)
{
	return i < wire_count() ? dialects[i] : NULL;
}

const struct wire *wire_find(const char *name)
{
	for (size_t i = 0; i < wire_count(); i++)
		if (!strcmp(dialects[i]->name, name))
			return dialects[i];
	return NULL;
}
