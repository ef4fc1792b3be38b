#include "tap/command.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "base/hash.h"

/* Where a command has what; 0: nowhere. ttl -1: in options after the value. */
static const struct shape {
	const char *word;
	enum verb verb;
	int key, value, ttl;
	bool ttl_in_ms;
} shapes[] = {
	{ .word = "GET", .verb = VERB_GET, .key = 1 },
	{ .word = "SETEX", .verb = VERB_SETEX, .key = 1, .ttl = 2, .value = 3 },
	{ .word = "PSETEX", .verb = VERB_SETEX, .key = 1, .ttl = 2, .value = 3, .ttl_in_ms = true },
	{ .word = "SET", .verb = VERB_SET, .key = 1, .value = 2, .ttl = -1 },
	{ .word = "DEL", .verb = VERB_DEL, .key = 1 },
	{ .word = "UNLINK", .verb = VERB_DEL, .key = 1 },
	{ .word = "EXPIRE", .verb = VERB_EXPIRE, .key = 1, .ttl = 2 },
	{ .word = "PEXPIRE", .verb = VERB_EXPIRE, .key = 1, .ttl = 2, .ttl_in_ms = true },
	{ .word = "EVAL", .verb = VERB_EVAL, .key = 3 },
	{ .word = "EVALSHA", .verb = VERB_EVAL, .key = 3 },
	{ .word = "PING", .verb = VERB_PING },
};

/* After these, Redis speaks without being asked, or does not answer. */
static const char *const unpaired[] = { "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE",
					"MONITOR",   "SYNC",       "PSYNC" };

int key_pattern_init(struct key_pattern *p, const char *text)
{
	static const char mark[] = "${call}";
	const char *at = strstr(text, mark);

	if (!at)
		return -1;
	p->prefix = xstrdup(text);
	p->prefix[at - text] = '\0';
	p->suffix = xstrdup(at + sizeof mark - 1);
	return 0;
}

void key_pattern_free(struct key_pattern *p)
{
	free(p->prefix);
	free(p->suffix);
	*p = (struct key_pattern){ .prefix = NULL };
}

static bool word_is(const struct resp *r, size_t i, const char *word)
{
	size_t size;
	const char *text = resp_arg(r, i, &size);

	return text && size == strlen(word) && !strncasecmp(text, word, size);
}

static void read_id(const struct resp *r, size_t i, const struct key_pattern *p, char *id)
{
	size_t size, before = strlen(p->prefix), after = strlen(p->suffix);
	const char *key = resp_arg(r, i, &size);

	if (!key || size <= before + after || size - before - after > COMMAND_ID_MAX ||
	    memcmp(key, p->prefix, before) != 0 ||
	    memcmp(key + size - after, p->suffix, after) != 0)
		return;
	size -= before + after;
	if (memchr(key + before, '\0', size))
		return;
	memcpy(id, key + before, size);
	id[size] = '\0';
}

static uint32_t read_seconds(const struct resp *r, size_t i, bool in_ms)
{
	size_t size;
	const char *text = resp_arg(r, i, &size);
	uint64_t n = 0;

	if (!text || !size || size > 18)
		return 0;
	for (size_t k = 0; k < size; k++) {
		if (text[k] < '0' || text[k] > '9')
			return 0;
		n = n * 10 + (uint64_t)(text[k] - '0');
	}
	n = in_ms ? (n + 999) / 1000 : n;
	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static uint32_t read_ttl_option(const struct resp *r)
{
	for (size_t i = 3; i + 1 < RESP_ARGS_MAX; i++) {
		if (word_is(r, i, "EX"))
			return read_seconds(r, i + 1, false);
		if (word_is(r, i, "PX"))
			return read_seconds(r, i + 1, true);
	}
	return 0;
}

static uint32_t number_of(const json_t *object, const char *name)
{
	const json_t *field = json_object_get(object, name);
	json_int_t n = json_is_integer(field) ? json_integer_value(field) : 0;

	return n < 0 || n > UINT32_MAX ? 0 : (uint32_t)n;
}

struct state_seen state_seen_read(const char *value, size_t size)
{
	struct state_seen s = { .found = false };
	json_t *object = json_loadb(value, size, 0, NULL);
	const json_t *digest = json_object_get(object, "digest");
	uint32_t turns = number_of(object, "turns");

	if (json_is_integer(json_object_get(object, "turns")) && json_is_string(digest) &&
	    !hash_parse_hex16(json_string_value(digest), json_string_length(digest), &s.digest)) {
		s.found = true;
		s.n = turns > UINT16_MAX ? UINT16_MAX : (uint16_t)turns;
		s.ver = number_of(object, "version");
		s.epoch = number_of(object, "epoch");
	}
	json_decref(object);
	return s;
}

struct command command_read(const struct resp *r, const struct key_pattern *p)
{
	static const struct shape other = { .verb = VERB_OTHER, .key = 1 };
	const struct shape *shape = &other;
	struct command c = { .unpaired = NULL };
	const char *value;
	size_t size;

	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		if (word_is(r, 0, shapes[i].word))
			shape = &shapes[i];
	for (size_t i = 0; i < sizeof unpaired / sizeof *unpaired; i++)
		if (word_is(r, 0, unpaired[i]))
			c.unpaired = unpaired[i];
	if (word_is(r, 0, "CLIENT") && word_is(r, 1, "REPLY"))
		c.unpaired = "CLIENT REPLY";
	c.verb = shape->verb;
	if (shape->key)
		read_id(r, (size_t)shape->key, p, c.id);
	if (shape->ttl)
		c.ttl_s = shape->ttl < 0 ? read_ttl_option(r) :
					   read_seconds(r, (size_t)shape->ttl, shape->ttl_in_ms);
	if (c.id[0] && shape->value && (value = resp_arg(r, (size_t)shape->value, &size)))
		c.state = state_seen_read(value, size);
	return c;
}

bool error_means_no_effect(enum verb verb, const char *error, size_t size)
{
	static const char *const before_running[] = { "READONLY", "OOM",    "NOREPLICAS",
						      "BUSY",     "NOAUTH", "NOPERM",
						      "LOADING",  "MOVED",  "MASTERDOWN",
						      "NOSCRIPT", "MISCONF" };

	if (verb != VERB_EVAL)
		return true;
	for (size_t i = 0; i < sizeof before_running / sizeof *before_running; i++) {
		size_t length = strlen(before_running[i]);

		if (size >= length && !memcmp(error, before_running[i], length) &&
		    (size == length || error[length] == ' '))
			return true;
	}
	return false;
}
