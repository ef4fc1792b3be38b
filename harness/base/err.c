#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -1;
	/* Through a copy: the arguments may point into err->text itself. */
	char text[ERR_TEXT_MAX];
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_scrub(text); /* it may quote what others sent */
	err->kind = kind;
	memcpy(err->text, text, sizeof(text));
	return -1;
}

int err_errno(struct err *err, enum err_kind kind, int errnum, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -1;
	char what[ERR_TEXT_MAX], reason[128];
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return err_set(err, kind, "%s: %s", what, strerror_r(errnum, reason, sizeof(reason)));
}

int err_context(struct err *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -1;
	char context[ERR_TEXT_MAX];
	va_start(ap, fmt);
	vsnprintf(context, sizeof(context), fmt, ap);
	va_end(ap);
	return err_set(err, err->kind, "%s: %s", context, err->text);
}

/* The one place below command/ that prints: nobody is left to carry an error up. */
_Noreturn void assert_failed(const char *file, int line, const char *what)
{
	fprintf(stderr, "crossfade: our own bug: %s:%d: %s does not hold\n", file, line, what);
	abort();
}

_Noreturn void assert_failed_eq(const char *file, int line, const char *what, long long a,
				long long b)
{
	fprintf(stderr, "crossfade: our own bug: %s:%d: %s does not hold: %lld and %lld\n", file,
		line, what, a, b);
	abort();
}
