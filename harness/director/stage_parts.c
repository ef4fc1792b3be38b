#include "director/stage_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void add(struct arguments *a, const char *fmt, va_list ap)
{
	a->word = xrealloc(a->word, (a->count + 2) * sizeof *a->word);
	if (vasprintf(&a->word[a->count], fmt, ap) < 0)
		a->word[a->count] = xstrdup("");
	a->word[++a->count] = NULL;
}

void argument(struct arguments *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(a, fmt, ap);
	va_end(ap);
}

void argument_pair(struct arguments *a, const char *flag, const char *fmt, ...)
{
	va_list ap;

	argument(a, "%s", flag);
	va_start(ap, fmt);
	add(a, fmt, ap);
	va_end(ap);
}

int part_start(struct stage *stage, struct member_spec spec, struct arguments *a,
	       struct member **ret, struct err *err)
{
	int result;

	spec.argv = (const char *const *)a->word;
	spec.program = a->word[0];
	result = stage_start(stage, &spec, ret, err);
	while (a->count)
		free(a->word[--a->count]);
	free(a->word);
	a->word = NULL;
	return result;
}
