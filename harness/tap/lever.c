#include "tap/lever.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "scenario/duration.h"

/* --- the text --- */

/* As Redis 7 says them. */
static const struct {
	const char *word, *text;
} errors[] = {
	{ "OOM", "OOM command not allowed when used memory > 'maxmemory'." },
	{ "READONLY", "READONLY You can't write against a read only replica." },
	{ "LOADING", "LOADING Redis is loading the dataset in memory" },
	{ "BUSY", "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN "
		  "NOSAVE." },
	{ "NOREPLICAS", "NOREPLICAS Not enough good replicas to write." },
	{ "MISCONF", "MISCONF Redis is configured to save RDB snapshots, but it's currently unable "
		     "to persist to disk." },
	{ "MASTERDOWN", "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set "
			"to 'no'." },
	{ "CLUSTERDOWN", "CLUSTERDOWN The cluster is down" },
	{ "TRYAGAIN", "TRYAGAIN Multiple keys request during rehashing of slot" },
	{ "NOAUTH", "NOAUTH Authentication required." },
	{ "NOSCRIPT", "NOSCRIPT No matching script. Please use EVAL." },
	{ "WRONGTYPE", "WRONGTYPE Operation against a key holding the wrong kind of value" },
	{ "ERR", "ERR internal error" },
};

static int read_error(const char *word, struct lever *l, struct err *err)
{
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
		if (!strcasecmp(word, errors[i].word)) {
			l->error = errors[i].text;
			return 0;
		}
	}
	return err_set(err, ERR_INPUT,
		       "error %s: not one of OOM READONLY LOADING BUSY NOREPLICAS MISCONF "
		       "MASTERDOWN CLUSTERDOWN TRYAGAIN NOAUTH NOSCRIPT WRONGTYPE ERR",
		       word);
}

static int read_time(const char *word, struct lever *l, struct err *err)
{
	if (duration_parse(word, &l->for_ns, err) < 0)
		return err_context(err, "%s", word);
	return l->for_ns > 0 ? 0 : err_set(err, ERR_INPUT, "%s: a time above 0 is needed", word);
}

static int read_count(const char *value, uint64_t *ret, struct err *err)
{
	char *end;
	unsigned long long n = strtoull(value, &end, 10);

	if (*end || end == value || *value == '-' || *value == '+' || strlen(value) > 18)
		return err_set(err, ERR_INPUT, "%s: not a whole number", value);
	*ret = n;
	return 0;
}

static int read_text(const char *value, char out[LEVER_WORD_MAX], struct err *err)
{
	if (!*value || strlen(value) >= LEVER_WORD_MAX)
		return err_set(err, ERR_INPUT, "\"%s\": 1 to %d bytes are needed", value,
			       LEVER_WORD_MAX - 1);
	strcpy(out, value);
	return 0;
}

static int read_class(const char *value, struct lever *l, struct err *err)
{
	l->class = !strcmp(value, "read") ? LEVER_READS : LEVER_WRITES;
	return l->class == LEVER_READS || !strcmp(value, "write") ?
		       0 :
		       err_set(err, ERR_INPUT, "%s: not read or write", value);
}

static int read_condition(char *word, struct lever *l, uint64_t *seed, struct err *err)
{
	char *value = strchr(word, '=');

	if (!value)
		return err_set(err, ERR_INPUT, "%s: not NAME=VALUE", word);
	*value++ = '\0';
	if (!strcmp(word, "class"))
		return read_class(value, l, err);
	if (!strcmp(word, "verb")) {
		l->verb = verb_parse(value);
		return l->verb >= 0 ? 0 : err_set(err, ERR_INPUT, "verb %s: no such word", value);
	}
	if (!strcmp(word, "color")) {
		int color = color_parse(value);

		l->color = color > 0 ? (enum color)color : COLOR_UNKNOWN;
		return color > 0 ? 0 : err_set(err, ERR_INPUT, "%s: not blue or green", value);
	}
	if (!strcmp(word, "instance"))
		return read_text(value, l->instance, err);
	if (!strcmp(word, "call"))
		return read_text(value, l->call, err);
	if (!strcmp(word, "key"))
		return read_text(value, l->key, err);
	if (!strcmp(word, "share"))
		return share_parse(value, &l->share, err);
	if (!strcmp(word, "seed"))
		return read_count(value, seed, err);
	if (!strcmp(word, "count")) {
		if (read_count(value, &l->left, err) < 0)
			return -1;
		return l->left ? 0 : err_set(err, ERR_INPUT, "0: a lever for no command");
	}
	return err_set(err, ERR_INPUT,
		       "%s: not class, verb, color, instance, call, key, count, share or seed",
		       word);
}

static int read_action(const char *word, char **rest, struct lever *l, struct err *err)
{
	static const struct {
		const char *word;
		enum lever_action action;
	} actions[] = { { "delay", LEVER_DELAY },
			{ "hold", LEVER_HOLD },
			{ "error", LEVER_ERROR },
			{ "cut", LEVER_CUT },
			{ "swallow", LEVER_SWALLOW } };
	size_t i = 0, count = sizeof actions / sizeof *actions;
	bool optional;

	while (i < count && (!word || strcmp(word, actions[i].word) != 0))
		i++;
	if (i == count)
		return err_set(err, ERR_INPUT, "%s: not delay, hold, error, cut or swallow",
			       word ? word : "nothing");
	l->action = actions[i].action;
	if (l->action == LEVER_CUT || l->action == LEVER_SWALLOW)
		return 0;
	/* The time of a hold may be left out: then "where", "as" or nothing follows. */
	optional = l->action == LEVER_HOLD &&
		   (!*rest || !**rest || !strncmp(*rest, "where ", 6) || !strncmp(*rest, "as ", 3));
	if (optional)
		return 0;
	word = strtok_r(NULL, " ", rest);
	if (!word)
		return err_set(err, ERR_INPUT, "%s needs %s", actions[i].word,
			       l->action == LEVER_ERROR ? "the word of the error" : "a time");
	return l->action == LEVER_ERROR ? read_error(word, l, err) : read_time(word, l, err);
}

int lever_parse(const char *text, struct lever *ret, struct err *err)
{
	struct lever l = { .verb = -1, .left = UINT64_MAX, .share = 1 };
	char copy[LEVER_TEXT_MAX], *rest = NULL, *word;
	struct err why = { .kind = ERR_NONE };
	bool where = false;
	uint64_t seed = 0;
	int result;

	if (strlen(text) >= sizeof copy)
		return err_set(err, ERR_INPUT, "lever \"%.40s...\": more than %d bytes", text,
			       LEVER_TEXT_MAX - 1);
	strcpy(copy, text);
	strcpy(l.text, text);
	word = strtok_r(copy, " ", &rest);
	result = read_action(word, &rest, &l, &why);
	while (!result && (word = strtok_r(NULL, " ", &rest))) {
		if (!strcmp(word, "where") && !where) {
			where = true;
		} else if (!strcmp(word, "as")) {
			word = strtok_r(NULL, " ", &rest);
			result = read_text(word ? word : "", l.name, &why);
			word = strtok_r(NULL, " ", &rest);
			if (!result && word)
				result = err_set(&why, ERR_INPUT, "%s: after the name", word);
		} else if (where) {
			result = read_condition(word, &l, &seed, &why);
		} else {
			result = err_set(&why, ERR_INPUT, "%s: not where or as", word);
		}
	}
	if (result < 0)
		return err_set(err, ERR_INPUT, "lever \"%s\": %s", text, why.text);
	l.rng = rng_split(seed, 0, "lever");
	*ret = l;
	return 0;
}

bool lever_disarms(const char *text, char name[LEVER_WORD_MAX])
{
	const char *rest = text + 6;

	if (strncmp(text, "disarm", 6) != 0 || (*rest && *rest != ' '))
		return false;
	while (*rest == ' ')
		rest++;
	name[0] = '\0';
	strncat(name, rest, LEVER_WORD_MAX - 1);
	return true;
}

/* --- what it takes --- */

static bool is_meant(const struct lever *l, const struct lever_subject *s)
{
	const struct command *c = s->command;
	char key[1024];

	if ((l->class == LEVER_READS && !c->reads) || (l->class == LEVER_WRITES && !c->writes) ||
	    (l->verb >= 0 && (enum verb)l->verb != c->verb) ||
	    (l->color != COLOR_UNKNOWN && l->color != s->color) ||
	    (l->instance[0] && strcmp(l->instance, s->instance) != 0) ||
	    (l->call[0] && (!c->id[0] || fnmatch(l->call, c->id, 0) != 0)))
		return false;
	if (!l->key[0])
		return true;
	if (!c->key || c->key_size >= sizeof key || memchr(c->key, '\0', c->key_size))
		return false;
	memcpy(key, c->key, c->key_size);
	key[c->key_size] = '\0';
	return !fnmatch(l->key, key, 0);
}

bool lever_takes(struct lever *l, const struct lever_subject *s, int64_t now_ns)
{
	if (!l->armed || !is_meant(l, s))
		return false;
	if (l->share < 1 && rng_unit(&l->rng) >= l->share)
		return false;
	if (l->action == LEVER_HOLD && l->for_ns) {
		if (!l->hold_until_ns)
			l->hold_until_ns = now_ns + l->for_ns;
		if (now_ns >= l->hold_until_ns) {
			l->armed = false;
			return false;
		}
	}
	l->taken++;
	if (l->left != UINT64_MAX && --l->left == 0)
		l->armed = false;
	return true;
}

int levers_arm(struct levers *levers, const char *text, struct lever **ret, struct err *err)
{
	struct lever *l = &levers->list[levers->count];

	if (levers->count == LEVERS_MAX)
		return err_set(err, ERR_INPUT, "lever \"%s\": more than %d in one run", text,
			       LEVERS_MAX);
	if (lever_parse(text, l, err) < 0)
		return -1;
	for (size_t i = 0; i < levers->count; i++)
		if (l->name[0] && levers->list[i].armed && !strcmp(levers->list[i].name, l->name))
			return err_set(err, ERR_INPUT, "lever \"%s\": one called %s is armed", text,
				       l->name);
	l->number = (uint32_t)++levers->count;
	l->armed = true;
	levers->armed++;
	*ret = l;
	return 0;
}

void levers_disarm(struct levers *levers, struct lever *l)
{
	levers->armed -= l->armed;
	l->armed = false;
}

struct lever *levers_take(struct levers *levers, const struct lever_subject *s, int64_t now_ns)
{
	for (size_t i = 0; i < levers->count; i++) {
		struct lever *l = &levers->list[i];
		bool was_armed = l->armed, takes = lever_takes(l, s, now_ns);

		levers->armed -= was_armed && !l->armed;
		if (takes)
			return l;
	}
	return NULL;
}
