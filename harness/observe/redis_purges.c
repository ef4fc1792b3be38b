#include "observe/redis_purges.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/redis.h"

enum { INFO_BYTES_MAX = 64 << 10 };
static const int64_t within_ns = 250 * NS_PER_MS;

struct redis_purges {
	char *address;
	struct redis *redis; /* NULL: not connected */
};

/* Calls of a command, of its line "cmdstat_flushall:calls=3,usec=..." */
static bool calls_of(const char *line, const char *command, uint32_t *calls)
{
	size_t length = strlen(command);

	if (strncmp(line, command, length) != 0 || strncmp(line + length, ":calls=", 7) != 0)
		return false;
	*calls += (uint32_t)strtoul(line + length + 7, NULL, 10);
	return true;
}

void redis_purges_parse(const char *info, struct redis_purges_said *ret)
{
	for (const char *line = info; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, "evicted_keys:", 13))
			ret->evicted = strtoull(line + 13, NULL, 10);
		else if (!strncmp(line, "maxmemory:", 10))
			ret->memory = strtoull(line + 10, NULL, 10);
		else if (!strncmp(line, "maxmemory_policy:", 17))
			snprintf(ret->policy, sizeof ret->policy, "%.*s",
				 (int)strcspn(line + 17, "\r\n"), line + 17);
		else if (!calls_of(line, "cmdstat_flushall", &ret->flushes))
			calls_of(line, "cmdstat_flushdb", &ret->flushes);
	}
}

struct redis_purges *redis_purges_new(const char *address)
{
	struct redis_purges *p = xcalloc(1, sizeof *p);

	p->address = xstrdup(address);
	return p;
}

void redis_purges_free(struct redis_purges *p)
{
	if (!p)
		return;
	redis_close(p->redis);
	free(p->address);
	free(p);
}

int redis_purges_ask(struct redis_purges *p, struct redis_purges_said *ret)
{
	static const char *const sections[] = { "stats", "memory", "commandstats" };
	struct redis_purges_said said = { .evicted = 0 };
	struct buf info = buf_init(INFO_BYTES_MAX);
	int result = p->redis ? 0 : redis_open(p->address, within_ns, &p->redis, NULL);

	for (size_t i = 0; i < sizeof sections / sizeof *sections && !result; i++) {
		const char *const words[] = { "INFO", sections[i], NULL };

		buf_clear(&info);
		result = redis_ask(p->redis, words, &info, NULL);
		if (!result)
			redis_purges_parse(buf_text(&info), &said);
	}
	buf_free(&info);
	if (!result) {
		*ret = said;
		return 0;
	}
	redis_close(p->redis); /* a late answer would be taken for the next one's */
	p->redis = NULL;
	return -1;
}
