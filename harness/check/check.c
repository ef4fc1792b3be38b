#include "check/check.h"

#include <string.h>

#define PLUGIN(name) extern const struct check check_##name;
#include "registry/check.inc"
#undef PLUGIN

static const struct check *const checks[] = {
#define PLUGIN(name) &check_##name,
#include "registry/check.inc"
#undef PLUGIN
};

size_t check_count(void)
{
	return sizeof(checks) / sizeof(*checks);
}

const struct check *check_at(size_t i)
{
	return i < check_count() ? checks[i] : NULL;
}

const struct check *check_find(const char *name)
{
	for (size_t i = 0; i < check_count(); i++) {
		if (!strcmp(checks[i]->name, name))
			return checks[i];
	}
	return NULL;
}
