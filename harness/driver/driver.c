#include "driver/driver.h"

#include <string.h>

#define PLUGIN(file) extern const struct driver driver_##file;
#include "registry/driver.inc"
#undef PLUGIN

static const struct driver *const drivers[] = {
#define PLUGIN(file) &driver_##file,
#include "registry/driver.inc"
#undef PLUGIN
};

size_t driver_count(void)
{
	return sizeof(drivers) / sizeof(*drivers);
}

const struct driver *driver_at(size_t i)
{
	return i < driver_count() ? drivers[i] : NULL;
}

const struct driver *driver_find(const char *name)
{
	for (size_t i = 0; i < driver_count(); i++)
		if (!strcmp(drivers[i]->name, name))
			return drivers[i];
	return NULL;
}
