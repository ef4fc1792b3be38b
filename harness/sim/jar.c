#include "sim/jar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"

enum { YEAR_MAX = 2261 }; /* the last whole one that nanoseconds since 1970 can say */

struct cookie {
	struct cookie *next; /* in the order they were first set */
	int64_t until_ns;    /* INT64_MAX: for the session */
	size_t name_size, pair_size, path_size;
	bool secure;
	char text[]; /* name=value path */
};

void jar_free(struct jar *jar)
{
	while (jar->list) {
		struct cookie *next = jar->list->next;

		free(jar->list);
		jar->list = next;
	}
}

static const char *path_of(const struct cookie *c)
{
	return c->text + c->pair_size;
}

/* RFC 6265 5.1.4: the same, or a prefix that ends at a slash. */
static bool path_matches(const struct cookie *c, const char *path)
{
	size_t size = strcspn(path, "?");

	if (size < c->path_size || memcmp(path, path_of(c), c->path_size))
		return false;
	return size == c->path_size || path_of(c)[c->path_size - 1] == '/' ||
	       path[c->path_size] == '/';
}

/* Up to the last slash, without it; "/" when that leaves nothing. */
static size_t default_path_size(const char *path)
{
	size_t size = strcspn(path, "?"), last = 0;

	for (size_t i = 0; i < size; i++)
		if (path[i] == '/')
			last = i;
	return last ? last : 1;
}

/* "Wed, 21 Oct 2037 07:28:00 GMT", also with dashes; -1 for anything else. */
static int64_t date_ns(const char *text)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *comma = strchr(text, ','), *at;
	struct tm tm = { .tm_isdst = 0 };
	char month[4];

	if (comma)
		text = comma + 1;
	if (sscanf(text, " %2d%*1[ -]%3[A-Za-z]%*1[ -]%4d %2d:%2d:%2d", &tm.tm_mday, month,
		   &tm.tm_year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		return -1;
	at = strstr(months, month);
	if (!at || strlen(month) != 3 || (at - months) % 3 || tm.tm_year < 1970)
		return -1;
	if (tm.tm_year > YEAR_MAX)
		return INT64_MAX;
	tm.tm_mon = (int)(at - months) / 3;
	tm.tm_year -= 1900;
	return timegm(&tm) * NS_PER_S;
}

struct attributes {
	const char *path;
	size_t path_size;
	int64_t expires_ns, max_age_ns; /* absolute; -1 not given */
	bool secure;
};

static void attribute(struct attributes *a, const char *text, size_t size, int64_t now_ns)
{
	char copy[256], *value, *end;
	long long age_s;

	if (size >= sizeof(copy))
		return;
	memcpy(copy, text, size);
	copy[size] = '\0';
	value = strchr(copy, '=');
	if (value)
		*value++ = '\0';
	if (!strcasecmp(copy, "secure")) {
		a->secure = true;
	} else if (value && !strcasecmp(copy, "path") && *value == '/') {
		a->path = text + (value - copy);
		a->path_size = strlen(value);
	} else if (value && !strcasecmp(copy, "expires")) {
		a->expires_ns = date_ns(value);
	} else if (value && !strcasecmp(copy, "max-age")) {
		age_s = strtoll(value, &end, 10);
		if (end != value && !*end)
			a->max_age_ns = age_s <= 0	  ? 0 :
					age_s > INT32_MAX ? INT64_MAX :
							    now_ns + age_s * NS_PER_S;
	}
}

static struct attributes attributes_of(const char *text, const char *path, int64_t now_ns)
{
	struct attributes a = { .path = path,
				.path_size = default_path_size(path),
				.expires_ns = -1,
				.max_age_ns = -1 };

	while (*text == ';') {
		size_t size;

		text += 1 + strspn(text + 1, " ");
		size = strcspn(text, ";");
		while (size && text[size - 1] == ' ')
			size--;
		attribute(&a, text, size, now_ns);
		text += strcspn(text, ";");
	}
	return a;
}

static struct cookie *make(const char *pair, size_t pair_size, size_t name_size,
			   const struct attributes *a)
{
	struct cookie *c = xcalloc(1, sizeof(*c) + pair_size + a->path_size);

	c->until_ns = a->max_age_ns >= 0 ? a->max_age_ns :
		      a->expires_ns >= 0 ? a->expires_ns :
					   INT64_MAX;
	c->name_size = name_size;
	c->pair_size = pair_size;
	c->path_size = a->path_size;
	c->secure = a->secure;
	memcpy(c->text, pair, pair_size);
	memcpy(c->text + pair_size, a->path, a->path_size);
	return c;
}

static bool same(const struct cookie *a, const struct cookie *b)
{
	return a->name_size == b->name_size && !memcmp(a->text, b->text, a->name_size) &&
	       a->path_size == b->path_size && !memcmp(path_of(a), path_of(b), a->path_size);
}

bool jar_set(struct jar *jar, const char *set_cookie, const char *path, int64_t now_ns)
{
	const char *pair = set_cookie + strspn(set_cookie, " ");
	size_t pair_size = strcspn(pair, ";"), name_size = strcspn(pair, "=;"), count = 0;
	struct attributes a = attributes_of(pair + pair_size, path, now_ns);
	struct cookie **at, *fresh;

	while (pair_size && pair[pair_size - 1] == ' ')
		pair_size--;
	if (!name_size || name_size >= pair_size ||
	    pair_size + a.path_size + 2 > JAR_COOKIE_BYTES_MAX)
		return false;
	fresh = make(pair, pair_size, name_size, &a);
	for (at = &jar->list; *at && !same(*at, fresh); at = &(*at)->next)
		count++;
	if (*at) {
		struct cookie *old = *at;

		*at = old->next;
		fresh->next = old->next;
		free(old);
	} else if (count == JAR_COOKIES_MAX) {
		free(fresh);
		return false;
	}
	if (fresh->until_ns <= now_ns) /* how a server takes a cookie back */
		free(fresh);
	else
		*at = fresh;
	return true;
}

size_t jar_header(const struct jar *jar, const char *path, bool tls, int64_t now_ns,
		  char out[JAR_HEADER_MAX])
{
	size_t size = 0;

	for (const struct cookie *c = jar->list; c; c = c->next) {
		if (c->until_ns <= now_ns || (c->secure && !tls) || !path_matches(c, path))
			continue;
		if (size) {
			memcpy(out + size, "; ", 2);
			size += 2;
		}
		memcpy(out + size, c->text, c->pair_size);
		size += c->pair_size;
	}
	if (size)
		out[size] = '\0';
	return size;
}
