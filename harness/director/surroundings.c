#include "director/surroundings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The header of the local balancer's test rule (fixtures/alb/rule.h), which goes to green at any
 * weight. */
static const char test_header[] = "X-Crossfade-Color: green";

static void add(struct surroundings *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct surroundings *s, const char *fmt, ...)
{
	va_list ap;

	ASSERT(s->count < SURROUNDINGS_MAX);
	va_start(ap, fmt);
	if (vasprintf(&s->line[s->count], fmt, ap) < 0)
		s->line[s->count] = xstrdup("");
	va_end(ap);
	s->line[++s->count] = NULL;
}

/* Value of a binding, and its length; NULL when there is none. */
static const char *binding(const char *text, const char *name, int *ret_length)
{
	size_t length = strlen(name);

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		if (!strncmp(text, name, length) && text[length] == '=') {
			*ret_length = (int)strcspn(text + length + 1, "\n");
			return text + length + 1;
		}
	return NULL;
}

static void add_binding(struct surroundings *s, const char *text, const char *name, const char *as)
{
	int length;
	const char *value = binding(text, name, &length);

	if (value)
		add(s, "%s=%.*s", as, length, value);
}

/* "blue-1:blue:HOST:PORT,..." and "pid,..." in the same order: those of one color. */
static void add_instances(struct surroundings *s, const char *text, enum color color,
			  const char *addresses_as, const char *pids_as)
{
	struct buf addresses = buf_init(CONTROL_TEXT_MAX), pids = buf_init(CONTROL_TEXT_MAX);
	const char *word = color_name(color);
	int instances_length, pids_length;
	const char *instance = binding(text, "instances", &instances_length);
	const char *pid = binding(text, "pids", &pids_length);

	while (instance && *instance && *instance != '\n') {
		int length = (int)strcspn(instance, ",\n");
		const char *of = memchr(instance, ':', (size_t)length);
		const char *at = of ? memchr(of + 1, ':', (size_t)(instance + length - of - 1)) :
				      NULL;
		int pid_length = pid ? (int)strcspn(pid, ",\n") : 0;

		if (at && (size_t)(at - of - 1) == strlen(word) &&
		    !strncmp(of + 1, word, strlen(word))) {
			buf_printf(&addresses, "%s%.*s", addresses.len ? " " : "",
				   (int)(instance + length - at - 1), at + 1);
			if (pid_length)
				buf_printf(&pids, "%s%.*s", pids.len ? " " : "", pid_length, pid);
		}
		instance += length + (instance[length] == ',');
		if (pid)
			pid += pid_length + (pid[pid_length] == ',');
	}
	if (addresses.len)
		add(s, "%s=%s", addresses_as, buf_text(&addresses));
	if (pids.len)
		add(s, "%s=%s", pids_as, buf_text(&pids));
	buf_free(&addresses);
	buf_free(&pids);
}

/* A template of the scenario with what is bound. */
static int add_bound(struct surroundings *s, const char *as, const char *template,
		     const char *bindings, struct err *err)
{
	char alb[256] = "", redis[256] = "", run[32] = "";
	const struct {
		const char *name;
		char *out;
		size_t size;
	} late[] = { { "alb", alb, sizeof alb },
		     { "redis", redis, sizeof redis },
		     { "run", run, sizeof run } };
	const struct variable bound[] = {
		{ "alb", alb }, { "redis", redis }, { "run", run }, { "call", "" }
	};
	struct buf value = buf_init(2048);
	int result, length;

	for (size_t i = 0; i < sizeof late / sizeof *late; i++) {
		const char *found = binding(bindings, late[i].name, &length);

		if (found)
			snprintf(late[i].out, late[i].size, "%.*s", length, found);
	}
	result = scenario_bind(template, bound, sizeof bound / sizeof *bound, &value, err);
	if (!result)
		add(s, "%s=%s", as, buf_text(&value));
	buf_free(&value);
	return result;
}

int stack_environment(const struct scenario *sc, const char *bindings,
		      const struct stage_credentials *credentials, const char *crossfade,
		      struct surroundings *ret, struct err *err)
{
	int length;

	*ret = (struct surroundings){ .count = 0 };
	if (binding(bindings, "balancer", &length))
		add_binding(ret, bindings, "balancer", "ENDPOINT_URL");
	else if (sc->balancer.endpoint)
		add(ret, "ENDPOINT_URL=%s", sc->balancer.endpoint);
	if (credentials->key_id[0]) {
		add(ret, "AWS_REGION=" STAGE_REGION);
		add(ret, "AWS_DEFAULT_REGION=" STAGE_REGION); /* what the first CLI reads */
		add(ret, "AWS_ACCESS_KEY_ID=%s", credentials->key_id);
		add(ret, "AWS_SECRET_ACCESS_KEY=%s", credentials->secret);
		add(ret, "AWS_SESSION_TOKEN="); /* one of the user's would not fit the pair */
		add(ret, "AWS_EC2_METADATA_DISABLED=true");
	}
	add(ret, "AWS_PAGER=");
	add_binding(ret, bindings, "load_balancer", "LOAD_BALANCER_ARN");
	add_binding(ret, bindings, "listener", "LISTENER_ARN");
	if (binding(bindings, "rule", &length))
		add_binding(ret, bindings, "rule", "RULE_ARN");
	else if (sc->balancer.rule)
		add(ret, "RULE_ARN=%s", sc->balancer.rule);
	add_binding(ret, bindings, "blue", "BLUE_TARGET_GROUP_ARN");
	add_binding(ret, bindings, "green", "GREEN_TARGET_GROUP_ARN");
	add_instances(ret, bindings, COLOR_BLUE, "BLUE_INSTANCES", "BLUE_PIDS");
	add_instances(ret, bindings, COLOR_GREEN, "GREEN_INSTANCES", "GREEN_PIDS");
	if (sc->stack.kind == STACK_LOCAL)
		add(ret, "TEST_HEADER=%s", test_header);
	add(ret, "CROSSFADE=%s", crossfade);
	add_binding(ret, bindings, "ca", "CA_FILE");
	add_binding(ret, bindings, "redis_servers", "REDIS_SERVERS");
	add_binding(ret, bindings, "sentinels", "REDIS_SENTINELS");
	add_binding(ret, bindings, "redis_master", "REDIS_MASTER");
	if (add_bound(ret, "WS_URL", sc->target.url, bindings, err) < 0 ||
	    add_bound(ret, "REDIS", sc->state.redis, bindings, err) < 0)
		return err_context(err, "environment of the stack");
	return 0;
}

void surroundings_free(struct surroundings *s)
{
	while (s->count) {
		char *line = s->line[--s->count];

		explicit_bzero(line, strlen(line));
		free(line);
	}
}
