#include "scenario/validate.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "scenario/dist.h"
#include "scenario/duration.h"
#include "scenario/variables.h"

enum { NAME_BYTES_MAX = 64 };
#define MASS_MIN 0.01
#define SHARES_TOLERANCE 1e-9

/* Deepest existing node on the way of "key.key.index.key". */
static struct mark path_mark(const struct document *doc, const char *path)
{
	const struct node *node = &doc->root;
	struct mark mark = node->mark;

	while (*path) {
		char key[64];
		size_t length = strcspn(path, "."), i;
		int at;

		snprintf(key, sizeof key, "%.*s", (int)length, path);
		path += length + (path[length] == '.');
		i = strtoul(key, NULL, 10);
		at = node->kind == NODE_LIST ? (i < node->count ? (int)i : -1) :
					       node_find(node, key);
		if (at < 0)
			break;
		node = &node->items[at];
		mark = node->mark;
	}
	return mark;
}

int validate_error(const struct validation *v, const char *path, const char *fmt, ...)
{
	char message[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	return place_error(&v->doc->source, path_mark(v->doc, path), NULL, v->err, "%s", message);
}

int64_t longest_stickiness_ns(const struct scenario *sc)
{
	const struct timers_declared *t = &sc->timers;

	return t->stickiness_group_ns > t->stickiness_target_ns ? t->stickiness_group_ns :
								  t->stickiness_target_ns;
}

static int check_name(const struct validation *v)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	const char *name = v->sc->name;
	size_t length = strlen(name);

	if (!length || length > NAME_BYTES_MAX || strspn(name, allowed) != length)
		return validate_error(v, "name",
				      "the name \"%.70s\" is not 1 to %d letters, digits, - or _",
				      name, NAME_BYTES_MAX);
	return 0;
}

static bool is_ws_url(const char *url)
{
	return !strncmp(url, "ws://", 5) || !strncmp(url, "wss://", 6);
}

/* The listener of the local stack speaks what the callers speak. */
static int check_tls(const struct validation *v)
{
	const struct stack *s = &v->sc->stack;
	bool wss = !strncmp(v->sc->target.url, "wss://", 6);

	if (s->tls && !wss)
		return validate_error(
			v, "target.url",
			"stack.tls makes the listener speak TLS: the URL must begin with wss://");
	if (!s->tls && wss)
		return validate_error(
			v, "target.url",
			"wss:// needs a listener with TLS: give stack.tls a security policy");
	if (!s->tls && s->certificate != CERTIFICATE_GOOD)
		return validate_error(v, "stack.certificate",
				      "a certificate needs a listener with TLS: stack.tls");
	return 0;
}

static int check_local(const struct validation *v)
{
	const struct scenario *sc = v->sc;
	size_t key = strlen(sc->state.key), call = strlen("${call}");

	if (!variables_mention(sc->target.url, "alb"))
		return validate_error(
			v, "target.url",
			"the local stack is dialed at ${alb}; for a deployed system say stack: none");
	if (!variables_mention(sc->state.redis, "redis"))
		return validate_error(
			v, "state.redis",
			"the local stack's Redis is ${redis}; for another one say stack: none");
	if (key < call || strcmp(sc->state.key + key - call, "${call}"))
		return validate_error(
			v, "state.key",
			"the local agents write PREFIX${call}; \"%.60s\" does not end with ${call}",
			sc->state.key);
	return check_tls(v);
}

static int check_deployed(const struct validation *v)
{
	const struct scenario *sc = v->sc;
	const struct {
		const char *path, *text;
	} texts[] = {
		{ "target.url", sc->target.url },
		{ "target.direct.blue", sc->target.direct_blue },
		{ "target.direct.green", sc->target.direct_green },
		{ "state.redis", sc->state.redis },
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i].text && (variables_mention(texts[i].text, "alb") ||
				      variables_mention(texts[i].text, "redis")))
			return validate_error(
				v, texts[i].path,
				"${alb} and ${redis} are of the local stack; stack: none has none");
	if (!sc->balancer.endpoint)
		return validate_error(v, "balancer",
				      "balancer needs the key \"endpoint\" when the stack is none");
	if (sc->state.tap)
		return validate_error(
			v, "state.tap",
			"the tap stands before the local stack's Redis; stack: none has none");
	return 0;
}

static int check_target(const struct validation *v)
{
	const struct scenario *sc = v->sc;
	char floor[DURATION_TEXT_MAX], ttl[DURATION_TEXT_MAX];

	if (!is_ws_url(sc->target.url))
		return validate_error(v, "target.url",
				      "\"%.60s\" does not begin with ws:// or wss://",
				      sc->target.url);
	if (sc->target.direct_blue && !is_ws_url(sc->target.direct_blue))
		return validate_error(v, "target.direct.blue",
				      "\"%.60s\" does not begin with ws:// or wss://",
				      sc->target.direct_blue);
	if (sc->target.direct_green && !is_ws_url(sc->target.direct_green))
		return validate_error(v, "target.direct.green",
				      "\"%.60s\" does not begin with ws:// or wss://",
				      sc->target.direct_green);
	if (!variables_mention(sc->state.key, "call"))
		return validate_error(v, "state.key",
				      "\"%.60s\" has no ${call}: all calls would share one state",
				      sc->state.key);
	if (sc->state.ttl_floor_ns && !sc->state.tap)
		return validate_error(
			v, "state.ttl_floor",
			"only the tap tells how much was left to live, and state.tap is off");
	if (sc->state.ttl_floor_ns >= sc->state.ttl_ns) {
		duration_format(sc->state.ttl_floor_ns, floor);
		duration_format(sc->state.ttl_ns, ttl);
		return validate_error(
			v, "state.ttl_floor",
			"ttl_floor %s is not below ttl (%s): no state ever has so much left", floor,
			ttl);
	}
	return sc->stack.kind == STACK_LOCAL ? check_local(v) : check_deployed(v);
}

static int check_dist(const struct validation *v, const char *path, const struct dist *d)
{
	if (d->min_ns > d->max_ns)
		return validate_error(v, path, "min is above max");
	if (d->kind == DIST_FIXED && d->mean_ns <= 0)
		return validate_error(v, path, "a fixed value must be above 0");
	if (d->kind == DIST_UNIFORM && d->max_ns <= 0)
		return validate_error(v, path, "a range must end above 0");
	if (dist_mass(d) < MASS_MIN)
		return validate_error(
			v, path,
			"hardly any value (%.2g %%) lies within min..max; at least %.0f %% must",
			dist_mass(d) * 100, MASS_MIN * 100);
	return 0;
}

static int check_hold(const struct validation *v)
{
	const struct scenario *sc = v->sc;
	const struct dist *hold = &sc->calls.hold;
	int64_t longest = hold->kind == DIST_FIXED ? hold->mean_ns : hold->max_ns;
	char a[DURATION_TEXT_MAX], b[DURATION_TEXT_MAX];

	if (check_dist(v, "calls.hold", hold) < 0)
		return -1;
	duration_format(sc->timers.longest_call_ns, b);
	if (longest == INT64_MAX)
		return validate_error(v, "calls.hold",
				      "hold has no max; timers.longest_call declares %s", b);
	if (longest > sc->timers.longest_call_ns) {
		duration_format(longest, a);
		return validate_error(v, "calls.hold.max",
				      "a call of %s is longer than timers.longest_call (%s)", a, b);
	}
	return 0;
}

static int check_resumable(const struct validation *v)
{
	const struct profile_plan *p = &v->sc->calls.profile[PROFILE_RESUMABLE];
	int64_t need_ns = longest_stickiness_ns(v->sc) + p->backoff_cap_ns + NS_PER_S;
	char have[DURATION_TEXT_MAX], need[DURATION_TEXT_MAX];

	if (p->loses_legs && check_dist(v, "calls.profiles.resumable.lose_leg", &p->lose_leg) < 0)
		return -1;
	if (p->share > 0 && p->resume_within_ns < need_ns) {
		duration_format(p->resume_within_ns, have);
		duration_format(need_ns, need);
		return validate_error(
			v, "calls.profiles.resumable.resume_within",
			"resume_within %s is below stickiness + backoff cap + 1s = %s", have, need);
	}
	return 0;
}

static int check_calls(const struct validation *v)
{
	double sum = 0;

	for (int i = 0; i < PROFILE_COUNT; i++)
		sum += v->sc->calls.profile[i].share;
	if (fabs(sum - 1) > SHARES_TOLERANCE)
		return validate_error(v, "calls.profiles",
				      "the shares of the profiles sum to %g %%, not to 100 %%",
				      sum * 100);
	if (check_hold(v) < 0)
		return -1;
	return check_resumable(v);
}

int validate_scenario(const struct document *doc, const struct scenario *sc, struct err *err)
{
	const struct validation v = { .doc = doc, .sc = sc, .err = err };

	if (check_name(&v) < 0 || check_target(&v) < 0 || check_calls(&v) < 0)
		return -1;
	return validate_steps(&v) < 0 ? -1 : validate_faults(&v);
}
