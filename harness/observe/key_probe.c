#include "observe/key_probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "scenario/scenario.h"

/* A page may be larger than was asked for: it gets half the room, for what is left out of one would
 * be left out again the next time round. */
enum { PAGE_KEYS = 4, PAGES_MAX = 8, KEY_BYTES_MAX = 512, UNWRITTEN_S = 10 };
static const int64_t within_ns = 250 * NS_PER_MS;

struct followed {
	char id[KEY_PROBE_ID_MAX];
	unsigned reads;
};

struct key_probe {
	char *address;
	struct redis *redis;		/* NULL: not connected */
	char *pattern, *before, *after; /* a key is before, the call's id, after */
	int64_t fresh_s;		/* with less left to live its call is over, probably */
	uint64_t cursor;
	struct followed followed[KEY_PROBE_KEYS];
	size_t count;
};

int key_probe_new(const char *address, const char *key, int64_t ttl_s, const char *run6,
		  struct key_probe **ret, struct err *err)
{
	char calls[KEY_PROBE_ID_MAX];
	const struct variable bound[] = { { "call", calls }, { "run", run6 } };
	struct buf text = buf_init(KEY_BYTES_MAX), pattern = buf_init(2 * KEY_BYTES_MAX);
	struct key_probe *p;
	const char *at = NULL;

	snprintf(calls, sizeof calls, "c-%s-*", run6);
	if (scenario_bind(key, bound, 2, &text, err) == 0 && !(at = strstr(buf_text(&text), calls)))
		err_set(err, ERR_INPUT, "state.key %s: has no ${call}", key);
	if (!at) {
		buf_free(&text);
		return -1;
	}
	p = xcalloc(1, sizeof *p);
	p->address = xstrdup(address);
	p->fresh_s = ttl_s - UNWRITTEN_S;
	p->before = xasprintf("%.*s", (int)(at - buf_text(&text)), buf_text(&text));
	p->after = xstrdup(at + strlen(calls));
	redis_glob_literal(&pattern, p->before);
	buf_printf(&pattern, "%s", calls);
	redis_glob_literal(&pattern, p->after);
	p->pattern = xstrdup(buf_text(&pattern));
	buf_free(&pattern);
	buf_free(&text);
	*ret = p;
	return 0;
}

void key_probe_free(struct key_probe *p)
{
	if (!p)
		return;
	redis_close(p->redis);
	free(p->address);
	free(p->pattern);
	free(p->before);
	free(p->after);
	free(p);
}

void key_probe_turn(struct key_probe *p, const char *address)
{
	if (!strcmp(p->address, address))
		return;
	redis_close(p->redis);
	p->redis = NULL;
	free(p->address);
	p->address = xstrdup(address);
	p->cursor = 0; /* a place in the other's table */
}

static bool is_fresh(const struct key_probe *p, int64_t ttl_s)
{
	return ttl_s < 0 || ttl_s >= p->fresh_s;
}

/* A key that matched: its call is followed from now on, if there is room and it is not yet. */
static void on_key(void *user, const char *key, int64_t ttl_s)
{
	struct key_probe *p = user;
	size_t size = strlen(key), before = strlen(p->before), after = strlen(p->after),
	       id = size - before - after;

	if (p->count == KEY_PROBE_KEYS || size <= before + after || id >= KEY_PROBE_ID_MAX ||
	    !is_fresh(p, ttl_s))
		return;
	for (size_t i = 0; i < p->count; i++)
		if (strlen(p->followed[i].id) == id && !memcmp(p->followed[i].id, key + before, id))
			return;
	snprintf(p->followed[p->count].id, KEY_PROBE_ID_MAX, "%.*s", (int)id, key + before);
	p->followed[p->count++].reads = 0;
}

static int read_one(struct key_probe *p, const char *id, struct key_probe_read *ret)
{
	char *key = xasprintf("%s%s%s", p->before, id, p->after);
	int result;

	snprintf(ret->id, sizeof ret->id, "%s", id);
	ret->began_ns = clock_now_ns();
	result = call_state_read(p->redis, key, &ret->state, NULL);
	ret->ended_ns = clock_now_ns();
	free(key);
	return result;
}

static int find_more(struct key_probe *p)
{
	for (int i = 0; i < PAGES_MAX && p->count <= KEY_PROBE_KEYS / 2; i++) {
		if (redis_scan_page(p->redis, p->pattern, PAGE_KEYS, &p->cursor, on_key, p, NULL) <
		    0)
			return -1;
		if (!p->cursor) /* that was all there is */
			break;
	}
	return 0;
}

size_t key_probe_ask(struct key_probe *p, struct key_probe_read ret[KEY_PROBE_KEYS])
{
	size_t told = 0, kept = 0;

	if (!p->redis && redis_open(p->address, within_ns, &p->redis, NULL) < 0)
		return 0;
	if (find_more(p) < 0)
		goto lost;
	for (size_t i = 0; i < p->count; i++) {
		struct followed *f = &p->followed[i];

		if (read_one(p, f->id, &ret[told]) < 0)
			continue; /* no answer, or no state that could be read */
		if (ret[told].state.found && is_fresh(p, ret[told].state.ttl_s) &&
		    ++f->reads < KEY_PROBE_READS)
			p->followed[kept++] = *f;
		told++;
	}
	p->count = kept;
	if (redis_ping(p->redis, NULL) == 0)
		return told;
lost:
	redis_close(p->redis); /* a late answer would be taken for the next one's */
	p->redis = NULL;
	return told;
}
