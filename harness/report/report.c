#include "report/report.h"

#include <string.h>

#define PLUGIN(file) extern const struct report report_##file;
#include "registry/report.inc"
#undef PLUGIN

static const struct report *const reports[] = {
#define PLUGIN(file) &report_##file,
#include "registry/report.inc"
#undef PLUGIN
};

size_t report_count(void)
{
	return sizeof(reports) / sizeof(*reports);
}

const struct report *report_at(size_t i)
{
	return i < report_count() ? reports[i] : NULL;
}

const struct report *report_find(const char *name)
{
	for (size_t i = 0; i < report_count(); i++) {
		if (!strcmp(reports[i]->name, name))
			return reports[i];
	}
	return NULL;
}
