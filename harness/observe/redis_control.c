#include "observe/redis_control.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/redis.h"

/* As often as the instances are asked: a silent Redis must not make their counts stale. */
static const int64_t within_ns = 250 * NS_PER_MS;
static const int64_t lives_s = 60;
/* About as long as the state of a call. */
static const char value[] =
	"{\"call\":\"control\",\"turns\":0,\"digest\":\"0000000000000000\",\"history\":[\"none\"]}";

struct redis_control {
	char *address, *key;
	struct redis *redis; /* NULL: not connected */
	bool wrote;
};

struct redis_control *redis_control_new(const char *address, const char *key)
{
	struct redis_control *c = xcalloc(1, sizeof *c);

	c->address = xstrdup(address);
	c->key = xstrdup(key);
	return c;
}

/* A connection that has said its name: the first command is as short as any. */
static int connected(struct redis_control *c)
{
	if (c->redis)
		return 0;
	if (redis_open(c->address, within_ns, &c->redis, NULL) < 0)
		return -1;
	if (redis_ping(c->redis, NULL) == 0)
		return 0;
	redis_close(c->redis);
	c->redis = NULL;
	return -1;
}

bool redis_control_turn(struct redis_control *c, const char *address)
{
	if (!strcmp(c->address, address))
		return false;
	redis_close(c->redis);
	c->redis = NULL;
	free(c->address);
	c->address = xstrdup(address);
	return true;
}

void redis_control_free(struct redis_control *c)
{
	int64_t deleted;

	if (!c)
		return;
	if (c->wrote && connected(c) == 0)
		(void)redis_delete(c->redis, c->key, &deleted, NULL); /* else it expires */
	redis_close(c->redis);
	free(c->address);
	free(c->key);
	free(c);
}

static int get(struct redis_control *c)
{
	struct buf read = buf_init(4096);
	bool found;
	int result = redis_get(c->redis, c->key, &found, &read, NULL);

	buf_free(&read);
	return result;
}

static int set(struct redis_control *c)
{
	c->wrote = true; /* whatever is answered, it may have been done */
	return redis_setex(c->redis, c->key, lives_s, value, NULL);
}

size_t redis_control_ask(struct redis_control *c,
			 struct redis_control_step ret[REDIS_CONTROL_STEPS])
{
	static const struct {
		enum verb verb;
		int (*command)(struct redis_control *);
	} steps[REDIS_CONTROL_STEPS] = { { VERB_GET, get }, { VERB_SETEX, set } };
	int64_t began_ns = clock_now_ns();
	bool there = connected(c) == 0;
	size_t tried = 0;

	while (tried < REDIS_CONTROL_STEPS) {
		struct redis_control_step *step = &ret[tried];

		if (there)
			began_ns = clock_now_ns();
		step->verb = steps[tried].verb;
		step->began_ns = began_ns;
		step->answered = there && steps[tried].command(c) == 0;
		step->took_ns = clock_now_ns() - began_ns;
		tried++;
		if (step->answered)
			continue;
		redis_close(c->redis); /* a late answer would be taken for the next one's */
		c->redis = NULL;
		break;
	}
	return tried;
}
