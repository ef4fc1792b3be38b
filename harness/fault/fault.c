#include "fault/fault.h"

#define PLUGIN(file) extern const struct fault fault_##file;
#include "registry/fault.inc"
#undef PLUGIN

static const struct fault *const faults[] = {
#define PLUGIN(file) &fault_##file,
#include "registry/fault.inc"
#undef PLUGIN
};

int fault_stays(struct fault_job *job, struct err *err)
{
	(void)job;
	(void)err;
	return 0;
}

int fault_shows_elsewhere(struct fault_job *job)
{
	(void)job;
	return 0;
}

const struct fault *fault_find(enum fault_kind kind)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		if (faults[i]->kind == kind)
			return faults[i];
	ASSERT(!"a kind without a file");
	return NULL;
}
