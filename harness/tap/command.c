#include "tap/command.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "tap/command_words.h"
#include "wire/core/scan.h"

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

/* 0 when it is no number. */
static uint32_t read_number(const struct resp *r, size_t i, bool in_ms)
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

static void read_ttl_option(const struct resp *r, size_t from, struct command *c)
{
	for (size_t i = from; i < RESP_ARGS_MAX && i < r->arg_count && !c->ttl_s; i++) {
		if (word_is(r, i, "EX"))
			c->ttl_s = read_number(r, i + 1, false);
		else if (word_is(r, i, "PX"))
			c->ttl_s = read_number(r, i + 1, true);
		c->keeps_ttl |= word_is(r, i, "KEEPTTL");
		c->ttl_at |= word_is(r, i, "EXAT") || word_is(r, i, "PXAT");
	}
}

struct state_reading {
	struct state_seen seen;
	uint64_t names;
	bool has_turns, has_digest;
};

/* FNV-1a, folded to one of 64: for names of fields, many a value. */
static unsigned place_of(const char *name)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3;
	return (unsigned)(h >> 58);
}

static uint32_t number_of(const struct scan_member *m)
{
	bool fits = m->type == SCAN_INTEGER && m->integer >= 0 && m->integer <= UINT32_MAX;

	return fits ? (uint32_t)m->integer : 0;
}

static void on_member(void *user, const struct scan_member *m)
{
	struct state_reading *r = user;
	uint32_t n = number_of(m);

	r->names |= 1ULL << place_of(m->key);
	if (!strcmp(m->key, "turns")) {
		r->has_turns = m->type == SCAN_INTEGER;
		r->seen.n = n > UINT16_MAX ? UINT16_MAX : (uint16_t)n;
	} else if (!strcmp(m->key, "digest")) {
		r->has_digest = m->type == SCAN_STRING && !m->cut &&
				!hash_parse_hex16(m->text, m->text_size, &r->seen.digest);
	} else if (!strcmp(m->key, "version")) {
		r->seen.ver = n;
	} else if (!strcmp(m->key, "epoch")) {
		r->seen.epoch = n;
	}
}

struct state_seen state_seen_read(const char *value, size_t size)
{
	struct state_reading r = { .has_turns = false };
	size_t at;

	if (scan_object(value, size, on_member, &r, &at) < 0 || !r.has_turns || !r.has_digest)
		return (struct state_seen){ .found = false };
	r.seen.found = true;
	r.seen.fields = (uint16_t)__builtin_popcountll(r.names);
	r.seen.names = (uint16_t)(r.names | r.names >> 16 | r.names >> 32 | r.names >> 48);
	return r.seen;
}

static const struct command_word *find_word(const struct resp *r)
{
	static const struct command_word unknown = { .word = "", .verb = VERB_OTHER, .key = 1 };
	size_t size;
	const char *text = resp_arg(r, 0, &size);

	if (!text || !size)
		return &unknown;
	for (size_t i = 0; i < sizeof command_words / sizeof *command_words; i++) {
		const struct command_word *w = &command_words[i];

		if (w->size == size && w->word[0] == (text[0] & ~0x20) &&
		    !strncasecmp(text, w->word, size))
			return w;
	}
	return &unknown;
}

/* The first key, or the first that is a call's, and where it is. */
static size_t read_keys(const struct resp *r, const struct command_word *w,
			const struct key_pattern *p, struct command *c)
{
	size_t step = w->step > 0 ? (size_t)w->step : 1, first = (size_t)w->key, at,
	       end = w->step ? r->arg_count : first + 1;

	if (w->step == KEYS_COUNTED) {
		first++;
		end = first + read_number(r, (size_t)w->key, false);
	}
	at = first;
	for (size_t i = first; i < end && i < RESP_ARGS_MAX && !c->id[0]; i += step) {
		if (p)
			read_id(r, i, p, c->id);
		at = c->id[0] ? i : at;
	}
	if (at < end)
		c->key = resp_arg(r, at, &c->key_size);
	return w->step == KEYS_COUNTED ? end : at;
}

/* A script's state is whichever of its arguments is one; its time to live is given as in a SET. */
static void read_script(const struct resp *r, size_t first, struct command *c)
{
	const char *value;
	size_t size;

	for (size_t i = first; i < RESP_ARGS_MAX && c->writes && !c->state.found; i++)
		if ((value = resp_arg(r, i, &size)) && size && *value == '{')
			c->state = state_seen_read(value, size);
	read_ttl_option(r, first, c);
}

static void read_set_options(const struct resp *r, struct command *c)
{
	bool get = false, nx = false;

	for (size_t i = 3; i < RESP_ARGS_MAX && i < r->arg_count; i++) {
		get |= word_is(r, i, "GET");
		nx |= word_is(r, i, "NX");
		if (word_is(r, i, "XX"))
			return; /* with or without GET: nil, nothing was set */
	}
	if (get)
		c->refusal = nx ? REFUSED_BY_VALUE : REFUSED_NEVER;
}

static void read_client(const struct resp *r, struct command *c)
{
	if (!word_is(r, 1, "REPLY"))
		return;
	if (word_is(r, 2, "OFF"))
		c->role = COMMAND_REPLY_OFF;
	else if (word_is(r, 2, "SKIP"))
		c->role = COMMAND_REPLY_SKIP;
	else if (word_is(r, 2, "ON"))
		c->role = COMMAND_REPLY_ON;
}

struct command command_read(const struct resp *r, const struct key_pattern *p)
{
	const struct command_word *w = find_word(r);
	struct command c = { .verb = w->verb,
			     .role = w->role,
			     .refusal = w->refusal,
			     .feed = w->feed,
			     .reads = w->reads,
			     .writes = w->writes,
			     .secret = w->secret,
			     .word = w->word };
	const char *value;
	size_t at = 0, size;

	if (w->key)
		at = read_keys(r, w, p, &c);
	if (w->step == KEYS_COUNTED) {
		if (c.id[0])
			read_script(r, at, &c);
		return c;
	}
	if (w->ttl == TTL_IN_OPTIONS)
		read_ttl_option(r, w->value ? 3 : 2, &c);
	else if (w->ttl)
		c.ttl_s = read_number(r, (size_t)w->ttl, w->ttl_in_ms);
	if (c.id[0] && w->value && (value = resp_arg(r, at + (size_t)(w->value - w->key), &size)))
		c.state = state_seen_read(value, size);
	if (w->verb == VERB_SET && w->ttl)
		read_set_options(r, &c);
	else if (w->verb == VERB_CLIENT)
		read_client(r, &c);
	else if (w->role == COMMAND_SELECT)
		c.number = read_number(r, 1, false);
	else if (w->role == COMMAND_SUBSCRIBE || w->role == COMMAND_UNSUBSCRIBE)
		c.number = r->arg_count - 1;
	return c;
}

static bool begins_with(const char *error, size_t size, const char *word)
{
	size_t length = strlen(word);

	return size >= length && !memcmp(error, word, length) &&
	       (size == length || error[length] == ' ');
}

bool error_means_no_effect(enum verb verb, const char *error, size_t size)
{
	/* The server refuses every write, so a script had none before. */
	static const char *const of_the_server[] = { "READONLY", "OOM", "NOREPLICAS", "MISCONF",
						     "MASTERDOWN" };
	/* Said before a command runs; from inside a script, of one of its commands. */
	static const char *const before_running[] = {
		"BUSY", "NOAUTH",   "NOPERM",	 "WRONGPASS", "NOPROTO", "LOADING",	"MOVED",
		"ASK",	"TRYAGAIN", "CROSSSLOT", "NOSCRIPT",  "DENIED",	 "CLUSTERDOWN", "EXECABORT",
	};
	/* What one command says of its own arguments and keys, having changed nothing. */
	static const char *const of_one_command[] = { "ERR",	   "WRONGTYPE", "BUSYKEY",
						      "BUSYGROUP", "NOGROUP",	"UNBLOCKED",
						      "NOTBUSY",   "UNKILLABLE" };
	bool script = verb == VERB_EVAL || verb == VERB_FCALL;
	bool inside = script && memmem(error, size, " script: ", 9);

	for (size_t i = 0; i < sizeof of_the_server / sizeof *of_the_server; i++)
		if (begins_with(error, size, of_the_server[i]))
			return true;
	for (size_t i = 0; i < sizeof before_running / sizeof *before_running && !inside; i++)
		if (begins_with(error, size, before_running[i]))
			return true;
	for (size_t i = 0; i < sizeof of_one_command / sizeof *of_one_command && !script; i++)
		if (begins_with(error, size, of_one_command[i]))
			return true;
	return false;
}
