#include "report/core/format.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

/* Commas into the digits before the point; `s` has room for them. */
static void group(char *s, size_t size)
{
	size_t first = s[0] == '-', digits = strspn(s + first, "0123456789");

	for (size_t at = digits; at > 3; at -= 3) {
		char *place = s + first + at - 3;

		if (strlen(s) + 2 > size)
			return;
		memmove(place + 1, place, strlen(place) + 1);
		*place = ',';
	}
}

/* Three significant digits, without zeros behind the point. */
static void significant(char *out, size_t size, double value)
{
	double magnitude = fabs(value);

	snprintf(out, size, "%.*f", magnitude < 9.995 ? 2 : magnitude < 99.95 ? 1 : 0, value);
	if (strchr(out, '.')) {
		size_t length = strlen(out);

		while (out[length - 1] == '0')
			out[--length] = '\0';
		if (out[length - 1] == '.')
			out[length - 1] = '\0';
	}
	group(out, size);
}

struct formatted format_count(uint64_t n)
{
	struct formatted f;

	snprintf(f.s, sizeof(f.s), "%" PRIu64, n);
	group(f.s, sizeof(f.s));
	return f;
}

static struct formatted with_unit(double value, const char *unit)
{
	struct formatted f, number;

	significant(number.s, sizeof(number.s) - 8, value);
	snprintf(f.s, sizeof(f.s), "%.39s %s", number.s, unit);
	return f;
}

struct formatted format_duration(int64_t ns)
{
	struct formatted f;
	int64_t seconds = (ns + NS_PER_S / 2) / NS_PER_S;

	if (ns < 0) {
		f = format_duration(ns == INT64_MIN ? INT64_MAX : -ns);
		memmove(f.s + 1, f.s, strlen(f.s) + 1);
		f.s[0] = '-';
		return f;
	}
	if (ns < NS_PER_MS)
		return with_unit((double)ns / NS_PER_US, "us");
	if (ns < NS_PER_S)
		return with_unit((double)ns / NS_PER_MS, "ms");
	if (seconds < 60)
		return with_unit((double)ns / NS_PER_S, "s");
	if (seconds < 3600)
		snprintf(f.s, sizeof(f.s), "%" PRId64 " min %" PRId64 " s", seconds / 60,
			 seconds % 60);
	else
		snprintf(f.s, sizeof(f.s), "%" PRId64 " h %" PRId64 " min", seconds / 3600,
			 seconds / 60 % 60);
	return f;
}

struct formatted format_ms(int64_t ns)
{
	struct formatted f;
	double ms = (double)ns / NS_PER_MS;

	snprintf(f.s, sizeof(f.s), "%.*f", ms < 10 ? 2 : 1, ms);
	group(f.s, sizeof(f.s));
	return f;
}

struct formatted format_at(int64_t t_ns, int64_t start_ns)
{
	struct formatted f;

	snprintf(f.s, sizeof(f.s), "%+.3f s", (double)(t_ns - start_ns) / NS_PER_S);
	return f;
}

struct formatted format_bytes(uint64_t bytes)
{
	static const char *const units[] = { "B", "KB", "MB", "GB", "TB" };
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1000 && unit + 1 < sizeof(units) / sizeof(*units)) {
		value /= 1000;
		unit++;
	}
	return with_unit(value, units[unit]);
}

struct formatted format_number(double value)
{
	struct formatted f;

	if (fabs(value) < 1e15 && floor(value) == value) {
		snprintf(f.s, sizeof(f.s), "%.0f", value);
		group(f.s, sizeof(f.s));
	} else {
		snprintf(f.s, sizeof(f.s), "%.4g", value);
	}
	return f;
}

struct formatted format_utc(int64_t realtime_ns)
{
	struct formatted f = { "" };
	time_t seconds = (time_t)(realtime_ns / NS_PER_S);
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(f.s, sizeof(f.s), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return f;
}
