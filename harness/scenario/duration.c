#include "scenario/duration.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	int64_t ns;
};

static const struct unit units[] = {
	{ "h", 3600000000000LL }, { "m", 60000000000LL }, { "s", 1000000000LL },
	{ "ms", 1000000LL },	  { "us", 1000LL },	  { "ns", 1LL },
};
enum { UNITS = sizeof units / sizeof *units };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t unit_length(const char *p)
{
	size_t n = 0;

	while (p[n] && !is_digit(p[n]) && p[n] != '.' && p[n] != ' ')
		n++;
	return n;
}

/* A decimal number as digits and their power of ten: no double in between rounds it. */
static int digits_parse(const char **p, int64_t *ret_digits, int64_t *ret_scale)
{
	int64_t digits = 0, scale = 1;
	bool point = false, any = false;

	for (; is_digit(**p) || (**p == '.' && !point); (*p)++) {
		if (**p == '.') {
			point = true;
			continue;
		}
		any = true;
		if (digits > DURATION_MAX_NS / 10 || (point && scale >= 1000000000LL))
			return -1;
		digits = digits * 10 + (**p - '0');
		if (point)
			scale *= 10;
	}
	if (!any)
		return -1;
	*ret_digits = digits;
	*ret_scale = scale;
	return 0;
}

int duration_parse(const char *text, int64_t *ret_ns, struct err *err)
{
	const char *p = text;
	int64_t sum = 0;
	int next_unit = 0; /* larger units come first, each once */

	if (!strcmp(text, "0")) {
		*ret_ns = 0;
		return 0;
	}
	do {
		int64_t digits, scale;
		size_t length;
		int u = 0;

		if (digits_parse(&p, &digits, &scale) < 0)
			return err_set(err, ERR_INPUT,
				       "\"%s\" is not a duration such as 800ms, 2s or 1m30s", text);
		length = unit_length(p);
		while (u < UNITS &&
		       (strlen(units[u].name) != length || strncmp(units[u].name, p, length)))
			u++;
		if (!length)
			return err_set(err, ERR_INPUT,
				       "\"%s\" has no unit; durations take ns us ms s m h", text);
		if (u == UNITS)
			return err_set(
				err, ERR_INPUT,
				"\"%s\" has the unknown unit \"%.*s\"; durations take ns us ms s m h",
				text, (int)length, p);
		if (u < next_unit)
			return err_set(err, ERR_INPUT,
				       "\"%s\": larger units come first, each once, as in 1m30s",
				       text);
		if (digits / scale > DURATION_MAX_NS / units[u].ns)
			return err_set(err, ERR_INPUT, "\"%s\" is longer than 8760h", text);
		__int128 product = (__int128)digits * units[u].ns;
		if (product % scale)
			return err_set(err, ERR_INPUT,
				       "\"%s\" is not a whole number of nanoseconds", text);
		sum += (int64_t)(product / scale);
		if (sum > DURATION_MAX_NS)
			return err_set(err, ERR_INPUT, "\"%s\" is longer than 8760h", text);
		next_unit = u + 1;
		p += length;
	} while (*p);
	*ret_ns = sum;
	return 0;
}

void duration_format(int64_t ns, char out[DURATION_TEXT_MAX])
{
	int u = 0;

	if (ns == 0) {
		strcpy(out, "0s");
		return;
	}
	while (ns % units[u].ns)
		u++;
	snprintf(out, DURATION_TEXT_MAX, "%lld%s", (long long)(ns / units[u].ns), units[u].name);
}

int number_parse(const char *text, double *ret, struct err *err)
{
	char *end;
	double v;

	/* strtod also takes hexadecimal, "inf", "nan" and leading blanks: none is meant here. */
	if (!*text || strspn(text, "0123456789.eE+-") != strlen(text))
		return err_set(err, ERR_INPUT, "\"%s\" is not a number", text);
	v = strtod(text, &end);
	if (end == text || *end || !isfinite(v))
		return err_set(err, ERR_INPUT, "\"%s\" is not a number", text);
	*ret = v;
	return 0;
}

int share_parse(const char *text, double *ret, struct err *err)
{
	size_t length = strlen(text);
	char digits[DURATION_TEXT_MAX];
	bool percent = length > 1 && text[length - 1] == '%';
	double v;

	if (length >= sizeof digits)
		return err_set(err, ERR_INPUT, "\"%.40s...\" is not a share such as 5%% or 0.05",
			       text);
	memcpy(digits, text, length + 1);
	if (percent)
		digits[length - 1] = '\0';
	if (number_parse(digits, &v, NULL) < 0)
		return err_set(err, ERR_INPUT, "\"%s\" is not a share such as 5%% or 0.05", text);
	if (percent)
		v /= 100;
	if (v < 0 || v > 1)
		return err_set(err, ERR_INPUT, "the share %s is outside 0%% to 100%% (0 to 1)",
			       text);
	*ret = v;
	return 0;
}

void number_format(double v, char out[DURATION_TEXT_MAX])
{
	for (int precision = 1; precision <= 17; precision++) {
		snprintf(out, DURATION_TEXT_MAX, "%.*g", precision, v);
		if (strtod(out, NULL) == v)
			return;
	}
}
