#include "fault/fault.h"

#define PLUGIN(file) extern const struct fault fault_##file;
#include "registry/fault.inc"
#undef PLUGIN

static const struct fault *const faults[] = {
#define PLUGIN(file) &fault_##file,
#include "registry/fault.inc"
#undef PLUGIN
};

size_t fault_count(void)
{
	return sizeof(faults) / sizeof(*faults);
}

const struct fault *fault_at(size_t i)
{
	return i < fault_count() ? faults[i] : NULL;
}

const struct fault *fault_find(enum fault_kind kind)
{
	for (size_t i = 0; i < fault_count(); i++)
		if (faults[i]->kind == kind)
			return faults[i];
	return NULL;
}
