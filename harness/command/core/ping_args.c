#include "command/core/ping_args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/resolve.h"
#include "scenario/duration.h"
#include "scenario/scenario.h"

enum { URL_MAX = 2048, KEY_MAX = 512 };
static const int64_t timeout_max_ns = 600 * NS_PER_S;

int ping_url(const char *text, const char *call, struct buf *out, struct err *err)
{
	const struct variable bound[] = { { "call", call } };
	size_t length = strlen(text);
	struct url url;

	if (strncmp(text, "ws://", 5) != 0 && strncmp(text, "wss://", 6) != 0)
		return err_set(err, ERR_INPUT, "%s: not a ws:// or wss:// address", text);
	if (!strstr(text, "${call}") && text[length - 1] != '/')
		return err_set(err, ERR_INPUT,
			       "%s: no place for the id of the call; end it in / or write ${call}",
			       text);
	if (scenario_bind(text, bound, 1, out, err) < 0)
		return err_context(err, "%s", text);
	if (!strstr(text, "${call}"))
		buf_puts(out, call);
	if (out->overflow)
		return err_set(err, ERR_INPUT, "%.60s...: an address longer than %d bytes", text,
			       URL_MAX);
	return url_parse(buf_text(out), &url, err);
}

int ping_header(const char *text, char **ret_name, const char **ret_value, struct err *err)
{
	static const char *const ours[] = { "Host", "Connection", "Upgrade", "Content-Length",
					    "Transfer-Encoding" };
	static const char token[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789!#$%&'*+-.^_`|~";
	size_t length = strspn(text, token);
	const char *value = text + length + 1;
	char *name;

	if (!length || text[length] != ':')
		return err_set(err, ERR_INPUT, "--header %s: write 'Name: value'", text);
	value += strspn(value, " \t");
	for (const char *c = value; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return err_set(err, ERR_INPUT,
				       "--header %.*s: its value holds a control character",
				       (int)length, text);
	name = strndup(text, length);
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (!strcasecmp(name, ours[i]) || !strncasecmp(name, "Sec-WebSocket-", 14)) {
			err_set(err, ERR_INPUT, "--header %s: it is part of every upgrade", name);
			free(name);
			return -1;
		}
	*ret_name = name;
	*ret_value = value;
	return 0;
}

static int read_headers(const struct flags *flags, struct ping_args *a, struct err *err)
{
	const char *const *words = NULL;
	size_t count = flags_all(flags, "--header", &words);

	if (count > PING_HEADERS_MAX)
		return err_set(err, ERR_INPUT, "--header: %zu of them, at most %d", count,
			       PING_HEADERS_MAX);
	for (; a->header_count < count; a->header_count++) {
		size_t i = a->header_count;

		if (ping_header(words[i], &a->header_name[i], &a->header[i].value, err) < 0)
			return -1;
		a->header[i].name = a->header_name[i];
	}
	return 0;
}

static int read_duration(const struct flags *flags, const char *flag, int64_t max_ns, int64_t *ret,
			 struct err *err)
{
	const char *text = flags_get(flags, flag);
	char max[DURATION_TEXT_MAX];
	int64_t ns;

	if (!text)
		return 0;
	if (duration_parse(text, &ns, err) < 0)
		return err_context(err, "%s %s", flag, text);
	duration_format(max_ns, max);
	if (ns < NS_PER_MS || ns > max_ns)
		return err_set(err, ERR_INPUT, "%s %s: from 1ms to %s", flag, text, max);
	*ret = ns;
	return 0;
}

static int read_color(const struct flags *flags, struct ping_args *a, struct err *err)
{
	const char *text = flags_get(flags, "--color");
	int color = text ? color_parse(text) : COLOR_UNKNOWN;

	if (text && color <= COLOR_UNKNOWN)
		return err_set(err, ERR_INPUT, "--color %s: blue or green", text);
	a->want = (enum color)color;
	return 0;
}

static int read_wire(const struct flags *flags, struct ping_args *a, struct err *err)
{
	const char *text = flags_get(flags, "--wire"), *nearest;
	const char **names = xcalloc(wire_count(), sizeof *names);

	for (size_t i = 0; i < wire_count(); i++)
		names[i] = wire_at(i)->name;
	a->wire = wire_find(text ? text : "plain");
	nearest = text ? command_nearest(text, names, wire_count()) : NULL;
	free(names);
	if (a->wire)
		return 0;
	return err_set(err, ERR_INPUT, "--wire %s: no such dialect; %s%s%s", text,
		       nearest ? "did you mean \"" : "crossfade list names them",
		       nearest ? nearest : "", nearest ? "\"?" : "");
}

static int read_state(const struct flags *flags, struct ping_args *a, struct err *err)
{
	const struct variable bound[] = { { "call", a->call } };
	const char *key = flags_get(flags, "--key"), *colon;

	a->redis = flags_get(flags, "--redis");
	if (!a->redis && (key || flags_get(flags, "--ttl")))
		return err_set(err, ERR_INPUT, "%s needs --redis HOST:PORT",
			       key ? "--key" : "--ttl");
	colon = a->redis ? strrchr(a->redis, ':') : NULL;
	if (a->redis && strncmp(a->redis, "unix:", 5) != 0 && (!colon || atoi(colon + 1) < 1))
		return err_set(err, ERR_INPUT, "--redis %s: not HOST:PORT", a->redis);
	if (!key)
		key = "call:${call}";
	if (!strstr(key, "${call}"))
		return err_set(err, ERR_INPUT,
			       "--key %s: no place for the id of the call; write ${call}", key);
	if (scenario_bind(key, bound, 1, &a->key, err) < 0)
		return err_context(err, "--key %s", key);
	return a->key.overflow ? err_set(err, ERR_INPUT, "--key: longer than %d bytes", KEY_MAX) :
				 read_duration(flags, "--ttl", DURATION_MAX_NS, &a->ttl_ns, err);
}

static int name_call(struct ping_args *a, struct err *err)
{
	uint32_t random[3];

	if (getrandom(random, sizeof random, 0) != sizeof random)
		return err_errno(err, ERR_HARNESS, errno, "random call id");
	snprintf(a->call, sizeof a->call, "p-%08x-1", random[0]);
	a->token = (uint64_t)random[1] << 32 | random[2];
	return 0;
}

int ping_args_read(const struct flags *flags, struct ping_args *ret, struct err *err)
{
	struct ping_args *a = ret;

	*a = (struct ping_args){ .url = buf_init(URL_MAX),
				 .key = buf_init(KEY_MAX),
				 .timeout_ns = 5 * NS_PER_S,
				 .ttl_ns = 1800 * NS_PER_S,
				 .ca = flags_get(flags, "--ca"),
				 .resume = !flags_get(flags, "--no-resume") };
	if (name_call(a, err) < 0 ||
	    ping_url(flags_positional(flags, 0), a->call, &a->url, err) < 0 ||
	    read_color(flags, a, err) < 0 || read_headers(flags, a, err) < 0 ||
	    read_duration(flags, "--timeout", timeout_max_ns, &a->timeout_ns, err) < 0 ||
	    read_wire(flags, a, err) < 0 || read_state(flags, a, err) < 0)
		return -1;
	if (a->ca && access(a->ca, R_OK) < 0)
		return err_errno(err, ERR_INPUT, errno, "--ca %s", a->ca);
	return 0;
}

void ping_args_free(struct ping_args *a)
{
	for (size_t i = 0; i < a->header_count; i++)
		free(a->header_name[i]);
	buf_free(&a->url);
	buf_free(&a->key);
}
