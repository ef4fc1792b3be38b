#include "command/core/stack_status.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "director/stage.h"
#include "net/redis.h"
#include "observe/active_calls.h"
#include "record/verdict.h"

static const int64_t answer_within_ns = 2 * NS_PER_S;

static const char *const state_words[] = {
	[STACK_ABSENT] = "none",       [STACK_GONE] = "gone", [STACK_STARTING] = "starting",
	[STACK_DEGRADED] = "degraded", [STACK_UP] = "up",
};

/* ---- the look ---- */

static void look_at_members(struct stack_status *s)
{
	for (size_t i = 0; i < s->facts.member_count; i++) {
		const struct stack_member *m = &s->facts.member[i];
		struct err err = { .kind = ERR_NONE };

		s->alive[i] = other_process_lives(&m->process);
		if (!s->alive[i]) {
			buf_printf(&s->problems, "%s, pid %d, is gone\n", m->name,
				   (int)m->process.pid);
		} else if (m->color != COLOR_UNKNOWN) {
			s->counted[i] = active_calls_read(m->address, &s->active[i], &err) == 0;
			if (!s->counted[i])
				buf_printf(&s->problems, "%s does not tell its calls: %s\n",
					   m->name, err.text);
		}
	}
}

static void look_at_redis(struct stack_status *s)
{
	struct err err = { .kind = ERR_NONE };
	struct redis *redis = NULL;

	if (redis_open(s->facts.redis, answer_within_ns, &redis, &err) < 0 ||
	    redis_ping(redis, &err) < 0)
		buf_printf(&s->problems, "redis: %s\n", err.text);
	redis_close(redis);
}

/* Signed by the stack's own key, whatever the user has set for AWS. */
static void adopt_credentials(const char *dir)
{
	static const char *const names[] = { "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY" };
	char value[128];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (stack_env_value(dir, names[i], value, sizeof value))
			setenv(names[i], value, 1);
	explicit_bzero(value, sizeof value);
	setenv("AWS_REGION", STAGE_REGION, 1);
	unsetenv("AWS_SESSION_TOKEN");
}

static void look_at_balancer(const char *dir, struct stack_status *s)
{
	const struct driver *driver = driver_find("alb");
	struct driver_settings settings = { .endpoint = s->facts.endpoint,
					    .rule = s->facts.rule,
					    .path = s->facts.path,
					    .call_within_ns = answer_within_ns };
	struct driver_session *session = NULL;
	struct err err = { .kind = ERR_NONE };

	adopt_credentials(dir);
	s->has_view = driver->open(&settings, &session, &err) == 0 &&
		      driver->read(session, &s->view, &err) == 0;
	driver->close(session);
	if (!s->has_view)
		buf_printf(&s->problems, "balancer: %s\n", err.text);
	for (enum color c = COLOR_BLUE; s->has_view && c <= COLOR_GREEN; c++)
		if (s->view.healthy[c] < s->view.registered[c])
			buf_printf(&s->problems, "%d of %d %s targets are healthy\n",
				   s->view.healthy[c], s->view.registered[c], color_name(c));
}

int stack_look(const char *dir, struct stack_status *ret, struct err *err)
{
	struct stack_status *s = ret;
	int found;

	memset(s, 0, sizeof *s);
	s->problems = buf_init(1 << 16);
	found = stack_facts_read(dir, &s->facts, err);
	if (found < 0)
		return -1;
	if (!found) {
		s->state = STACK_ABSENT;
	} else if (!other_process_lives(&s->facts.up)) {
		s->state = STACK_GONE;
	} else if (!s->facts.ready) {
		s->state = STACK_STARTING;
	} else {
		look_at_members(s);
		look_at_redis(s);
		look_at_balancer(dir, s);
		s->state = s->problems.len ? STACK_DEGRADED : STACK_UP;
	}
	return 0;
}

void stack_status_free(struct stack_status *s)
{
	buf_free(&s->problems);
}

int stack_status_exit(const struct stack_status *s)
{
	switch (s->state) {
	case STACK_UP:
		return EXIT_PASS;
	case STACK_STARTING:
	case STACK_DEGRADED:
		return EXIT_INCONCLUSIVE;
	case STACK_ABSENT:
	case STACK_GONE:
		break;
	}
	return EXIT_USAGE;
}

/* ---- text ---- */

static void member_text(const struct stack_status *s, size_t i, struct buf *out)
{
	const struct stack_member *m = &s->facts.member[i];

	buf_printf(out, "  %-9s %-21s pid %-8d", m->name, m->address, (int)m->process.pid);
	if (!s->alive[i])
		buf_puts(out, "gone");
	else if (s->counted[i])
		buf_printf(out, "%u active calls", s->active[i]);
	else
		buf_puts(out, m->color == COLOR_UNKNOWN ? "runs" : "runs, its calls unknown");
	buf_puts(out, "\n");
}

void stack_status_text(const char *dir, const struct stack_status *s, struct buf *out)
{
	const struct driver_view *v = &s->view;

	if (s->state == STACK_ABSENT) {
		buf_printf(out, "%s: no stack is there; crossfade stack up starts one\n", dir);
		return;
	}
	if (s->state == STACK_GONE) {
		buf_printf(
			out,
			"%s: the stack of pid %d, up since %s, was killed; crossfade stack up starts another\n",
			dir, (int)s->facts.up.pid, s->facts.since);
		return;
	}
	buf_printf(out, "%s   %s   pid %d   since %s   exit %d\n", state_words[s->state], dir,
		   (int)s->facts.up.pid, s->facts.since, stack_status_exit(s));
	if (s->state == STACK_STARTING)
		return;
	buf_printf(out, "  callers   %s\n  control   %s\n", s->facts.url, s->facts.endpoint);
	if (s->has_view)
		buf_printf(
			out,
			"  weights   blue %d, green %d\n  healthy   blue %d of %d, green %d of %d\n",
			v->weight[COLOR_BLUE], v->weight[COLOR_GREEN], v->healthy[COLOR_BLUE],
			v->registered[COLOR_BLUE], v->healthy[COLOR_GREEN],
			v->registered[COLOR_GREEN]);
	for (size_t i = 0; i < s->facts.member_count; i++)
		member_text(s, i, out);
	for (const char *p = buf_text(&s->problems); *p;) {
		size_t length = strcspn(p, "\n");

		buf_printf(out, "  problem   %.*s\n", (int)length, p);
		p += length + (p[length] == '\n');
	}
}

/* ---- JSON ---- */

static void put(json_t *object, const char *key, json_t *value)
{
	ASSERT(json_object_set_new(object, key, value ? value : json_null()) == 0);
}

static json_t *json_of_members(const struct stack_status *s)
{
	json_t *members = json_array();

	for (size_t i = 0; i < s->facts.member_count; i++) {
		const struct stack_member *m = &s->facts.member[i];
		json_t *member = json_object();

		put(member, "name", json_string(m->name));
		put(member, "pid", json_integer(m->process.pid));
		put(member, "alive", json_boolean(s->alive[i]));
		put(member, "color",
		    m->color == COLOR_UNKNOWN ? NULL : json_string(color_name(m->color)));
		put(member, "address", *m->address ? json_string(m->address) : NULL);
		put(member, "active_calls", s->counted[i] ? json_integer(s->active[i]) : NULL);
		json_array_append_new(members, member);
	}
	return members;
}

static json_t *json_of_colors(const int values[COLOR_COUNT])
{
	return json_pack("{s:i, s:i}", "blue", values[COLOR_BLUE], "green", values[COLOR_GREEN]);
}

static json_t *json_of_problems(const struct stack_status *s)
{
	json_t *problems = json_array();

	for (const char *p = buf_text(&s->problems); *p;) {
		size_t length = strcspn(p, "\n");

		json_array_append_new(problems, json_stringn(p, length));
		p += length + (p[length] == '\n');
	}
	return problems;
}

void stack_status_json(const char *dir, const struct stack_status *s, struct buf *out)
{
	bool there = s->state > STACK_GONE;
	json_t *json = json_object();
	char *text;

	put(json, "schema", json_string("crossfade.stack_status/1"));
	put(json, "dir", json_string(dir));
	put(json, "state", json_string(state_words[s->state]));
	put(json, "exit_code", json_integer(stack_status_exit(s)));
	put(json, "pid", there ? json_integer(s->facts.up.pid) : NULL);
	put(json, "since", there ? json_string(s->facts.since) : NULL);
	put(json, "url", there ? json_string(s->facts.url) : NULL);
	put(json, "endpoint", there ? json_string(s->facts.endpoint) : NULL);
	put(json, "redis", there ? json_string(s->facts.redis) : NULL);
	put(json, "weights", s->has_view ? json_of_colors(s->view.weight) : NULL);
	put(json, "registered", s->has_view ? json_of_colors(s->view.registered) : NULL);
	put(json, "healthy", s->has_view ? json_of_colors(s->view.healthy) : NULL);
	put(json, "members", json_of_members(s));
	put(json, "problems", json_of_problems(s));
	text = json_dumps(json, JSON_INDENT(2));
	ASSERT(text);
	buf_printf(out, "%s\n", text);
	free(text);
	json_decref(json);
}
