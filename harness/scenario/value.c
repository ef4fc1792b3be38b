/* Plain values of the schema: text to member and back. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/duration.h"
#include "scenario/schema.h"

enum { SHOWN_MAX = 60 }; /* of a wrong value, in an error */

static int duration_value(const struct field *f, const char *text, int64_t *at, struct err *err)
{
	int64_t ns, max = f->max ? f->max : DURATION_MAX_NS;
	char limit[DURATION_TEXT_MAX];

	if (duration_parse(text, &ns, err) < 0)
		return err_context(err, "%s", f->key);
	if (ns < f->min || ns > max) {
		duration_format(ns < f->min ? f->min : max, limit);
		return err_set(err, ERR_INPUT, "%s: %s is %s the limit %s", f->key, text,
			       ns < f->min ? "below" : "above", limit);
	}
	if (f->granule_ns && ns % f->granule_ns) {
		duration_format(f->granule_ns, limit);
		return err_set(err, ERR_INPUT, "%s: %s is not a whole multiple of %s", f->key, text,
			       limit);
	}
	*at = ns;
	return 0;
}

static int integer_value(const struct field *f, const char *text, int *at, struct err *err)
{
	long long v, max = f->max ? f->max : INT_MAX;
	char *end;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (end == text || *end || strspn(text, "+-0123456789") != strlen(text))
		return err_set(err, ERR_INPUT, "%s: \"%.*s\" is not a whole number", f->key,
			       SHOWN_MAX, text);
	if (errno == ERANGE || v < f->min || v > max)
		return err_set(err, ERR_INPUT, "%s: %.*s is outside %lld to %lld", f->key,
			       SHOWN_MAX, text, (long long)f->min, max);
	*at = (int)v;
	return 0;
}

static int seed_value(const struct field *f, const char *text, uint64_t *at, struct err *err)
{
	unsigned long long v;

	errno = 0;
	v = strtoull(text, NULL, 10);
	if (!*text || strspn(text, "0123456789") != strlen(text) || errno == ERANGE)
		return err_set(err, ERR_INPUT,
			       "%s: \"%.*s\" is not a whole number from 0 to 18446744073709551615",
			       f->key, SHOWN_MAX, text);
	*at = v;
	return 0;
}

static int sigma_value(const struct field *f, const char *text, double *at, struct err *err)
{
	double v;

	if (number_parse(text, &v, err) < 0)
		return err_context(err, "%s", f->key);
	if (v <= 0 || v > (double)f->max)
		return err_set(err, ERR_INPUT, "%s: %s must be above 0 and at most %lld", f->key,
			       text, (long long)f->max);
	*at = v;
	return 0;
}

static int flag_value(const struct field *f, const char *text, bool *at, struct err *err)
{
	bool yes = !strcmp(text, "on") || !strcmp(text, "true") || !strcmp(text, "yes");

	if (!yes && strcmp(text, "off") && strcmp(text, "false") && strcmp(text, "no"))
		return err_set(err, ERR_INPUT, "%s: \"%.*s\" is neither on nor off", f->key,
			       SHOWN_MAX, text);
	*at = yes;
	return 0;
}

static int word_index(const struct field *f, const char *text, int *ret, struct err *err)
{
	const char *words[16];
	char hint[128];
	size_t count = 0;

	for (int i = 0; f->words[i]; i++) {
		if (*f->words[i] && !strcmp(f->words[i], text)) {
			*ret = i;
			return 0;
		}
		if (*f->words[i])
			words[count++] = f->words[i];
	}
	nearest_hint(text, words, count, hint, sizeof hint);
	return err_set(err, ERR_INPUT, "%s: unknown word \"%.*s\"; %s", f->key, SHOWN_MAX, text,
		       hint);
}

/* "[prefix ]a..b" with a <= b. */
static int range_value(const struct field *f, const char *text, int64_t *at, struct err *err)
{
	const char *p = text, *dots;
	char low[DURATION_TEXT_MAX * 2];
	int64_t range[2];
	size_t prefix = f->prefix ? strlen(f->prefix) : 0;

	if (prefix && !strncmp(p, f->prefix, prefix) && p[prefix] == ' ')
		p += prefix + 1 + strspn(p + prefix, " ") - 1;
	else if (prefix)
		p = "";
	dots = strstr(p, "..");
	if (!dots || (size_t)(dots - p) >= sizeof low)
		return err_set(err, ERR_INPUT, "%s: \"%.*s\" is not of the form \"%s%s100ms..1s\"",
			       f->key, SHOWN_MAX, text, prefix ? f->prefix : "", prefix ? " " : "");
	memcpy(low, p, (size_t)(dots - p));
	low[dots - p] = '\0';
	if (duration_value(f, low, &range[0], err) < 0 ||
	    duration_value(f, dots + 2, &range[1], err) < 0)
		return -1;
	if (range[0] > range[1])
		return err_set(err, ERR_INPUT, "%s: %s begins above its end", f->key, text);
	memcpy(at, range, sizeof range);
	return 0;
}

/* An empty text is as good as none: `rule: "${RULE:-}"`. */
static int text_value(const struct field *f, const char *text, char **at, struct err *err)
{
	if (!*text && (f->required || f->fallback))
		return err_set(err, ERR_INPUT, "%s: must not be empty", f->key);
	*at = *text ? xstrdup(text) : NULL;
	return 0;
}

int value_parse(const struct field *f, const char *text, void *at, struct err *err)
{
	int index;

	switch (f->type) {
	case FIELD_TEXT:
		return text_value(f, text, at, err);
	case FIELD_DURATION:
		return duration_value(f, text, at, err);
	case FIELD_INTEGER:
		return integer_value(f, text, at, err);
	case FIELD_SEED:
		return seed_value(f, text, at, err);
	case FIELD_SHARE:
		return share_parse(text, at, err) < 0 ? err_context(err, "%s", f->key) : 0;
	case FIELD_NUMBER:
		return sigma_value(f, text, at, err);
	case FIELD_FLAG:
		return flag_value(f, text, at, err);
	case FIELD_WORD:
		return word_index(f, text, at, err);
	case FIELD_WORDS:
		if (word_index(f, text, &index, err) < 0)
			return -1;
		*(unsigned *)at |= 1u << index;
		return 0;
	case FIELD_RANGE:
		return range_value(f, text, at, err);
	case FIELD_TEXTS:
	case FIELD_MAP:
	case FIELD_LIST:
	case FIELD_GATES:
		break;
	}
	return err_set(err, ERR_HARNESS, "%s is no plain value", f->key);
}

bool value_absent(const struct field *f, const void *at)
{
	switch (f->type) {
	case FIELD_TEXT:
		return !*(char *const *)at;
	case FIELD_DURATION:
		return !f->fallback && !f->required && !f->tagged &&
		       *(const int64_t *)at == f->absent;
	case FIELD_FLAG:
		return !f->fallback && !*(const bool *)at;
	case FIELD_WORD:
		return !f->fallback && *(const int *)at == f->absent;
	case FIELD_INTEGER:
		return !f->fallback && !f->required && *(const int *)at == f->absent;
	case FIELD_WORDS:
		return !*(const unsigned *)at;
		return true;
	case FIELD_SEED:
	case FIELD_SHARE:
	case FIELD_NUMBER:
	case FIELD_RANGE:
	case FIELD_TEXTS:
	case FIELD_MAP:
	case FIELD_LIST:
	case FIELD_GATES:
		break;
	}
	return false;
}

void value_format(const struct field *f, const void *at, struct buf *out)
{
	char text[DURATION_TEXT_MAX], end[DURATION_TEXT_MAX];

	switch (f->type) {
	case FIELD_TEXT:
		buf_puts(out, *(char *const *)at);
		break;
	case FIELD_DURATION:
		duration_format(*(const int64_t *)at, text);
		buf_puts(out, text);
		break;
	case FIELD_INTEGER:
		buf_printf(out, "%d", *(const int *)at);
		break;
	case FIELD_SEED:
		buf_printf(out, "%llu", (unsigned long long)*(const uint64_t *)at);
		break;
	case FIELD_SHARE:
	case FIELD_NUMBER:
		number_format(*(const double *)at, text);
		buf_puts(out, text);
		break;
	case FIELD_FLAG:
		buf_puts(out, *(const bool *)at ? "on" : "off");
		break;
	case FIELD_WORD:
		buf_puts(out, f->words[*(const int *)at]);
		break;
	case FIELD_RANGE:
		duration_format(((const int64_t *)at)[0], text);
		duration_format(((const int64_t *)at)[1], end);
		buf_printf(out, "%s%s%s..%s", f->prefix ? f->prefix : "", f->prefix ? " " : "",
			   text, end);
		break;
	case FIELD_WORDS:
	case FIELD_TEXTS:
	case FIELD_MAP:
	case FIELD_LIST:
	case FIELD_GATES:
		break;
	}
}
