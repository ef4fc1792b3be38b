/* Probe calls of the director: what they dial, what they must find, what goes on record. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/rng.h"
#include "director/probe_call.h"
#include "director/probe_state.h"
#include "director/walk.h"

static const int64_t probe_within_ns = TIMELINE_ACTION_S * NS_PER_S;

/* The URL a caller would dial, with another address in place of the balancer's, for one call id. */
static int probe_url(struct walk *w, const char *address, const char *call, struct buf *url,
		     struct err *err)
{
	char alb[256] = "";
	const struct variable bound[] = { { "alb", address ? address : alb },
					  { "call", call },
					  { "run", w->run6 } };
	const char *template = w->scenario->target.url;

	control_value(&w->bind, "alb", alb, sizeof alb);
	if (address && w->scenario->stack.kind == STACK_NONE)
		template = address; /* target.direct.<color> is a whole URL */
	else if (address && !strncmp(template, "wss://", 6))
		buf_puts(url, "ws"); /* TLS ends at the local balancer */
	return scenario_bind(template + (url->len ? 3 : 0), bound, sizeof bound / sizeof *bound,
			     url, err);
}

static int redis_address(struct walk *w, struct buf *out, struct err *err)
{
	char redis[256] = "";
	const struct variable bound[] = { { "redis", redis } };

	control_value(&w->bind, "redis", redis, sizeof redis);
	return scenario_bind(w->scenario->state.redis, bound, 1, out, err);
}

/* The probe's state must be in Redis as the reply promised; its key is deleted either way. */
static int check_state(struct walk *w, const char *call, const struct probe_result *answer,
		       uint32_t *ret_turns, struct err *err)
{
	const struct variable bound[] = { { "call", call }, { "run", w->run6 } };
	struct buf address = buf_init(512), key = buf_init(512);
	struct redis *redis = NULL;
	struct call_state state = { .turns = 0 };
	int64_t deleted;
	int result = -1;

	if (redis_address(w, &address, err) < 0 ||
	    scenario_bind(w->scenario->state.key, bound, 2, &key, err) < 0 ||
	    redis_open(buf_text(&address), 2 * NS_PER_S, &redis, err) < 0)
		goto out;
	result = probe_state_check(
		redis, &(struct probe_state){ .key = buf_text(&key), .said = answer }, &state, err);
	*ret_turns = state.turns;
	if (redis_delete(redis, buf_text(&key), &deleted, result < 0 ? NULL : err) < 0)
		result = -1;
out:
	redis_close(redis);
	buf_free(&address);
	buf_free(&key);
	return result;
}

int step_probe(struct walk *w, const struct walk_instance *on, const char *address, enum color want,
	       struct err *err)
{
	struct probe_result answer = { .color = COLOR_UNKNOWN };
	struct buf url = buf_init(2048);
	struct rng tokens = rng_split(w->scenario->seed, (uint64_t)w->probes, "probe");
	char call[64], ca[4096];
	struct probe_target target = { .call = call,
				       .ca = walk_ca(w, ca, sizeof ca),
				       .wire = wire_find(w->scenario->target.wire),
				       .want = want,
				       .token = rng_u64(&tokens),
				       .timeout_ns = probe_within_ns };
	struct event e = event_make(EVENT_PROBE_OK, -1);
	uint32_t turns = 0;
	int result = -1;

	snprintf(call, sizeof call, "p-%s-%d", w->run6, w->probes++);
	e.call = hash_id(call, strlen(call));
	lane_call(w->lane, e.call, call);
	if (probe_url(w, address, call, &url, err) < 0)
		goto out;
	target.url = buf_text(&url);
	if (probe_call(&target, &answer, err) < 0 || check_state(w, call, &answer, &turns, err) < 0)
		goto out;
	result = 0;
out:
	e.t_ns = clock_now_ns();
	if (result < 0) {
		e.kind = EVENT_PROBE_FAIL;
		e.conn = lane_note(w->lane, "%s", err->text);
	}
	e.color = on ? on->color : answer.color;
	if (on || answer.instance[0])
		e.instance = lane_instance(w->lane, on ? on->name : answer.instance);
	e.n = (uint16_t)turns;
	e.aux = (uint32_t)(answer.took_ns / NS_PER_US);
	lane_event(w->lane, e);
	buf_free(&url);
	return result;
}

int step_smoke(struct walk *w, const struct step *s, struct err *err)
{
	const char *direct = s->color == COLOR_GREEN ? w->scenario->target.direct_green :
						       w->scenario->target.direct_blue;
	struct event action;
	int tested = 0;

	for (size_t i = 0; i < w->instance_count; i++) {
		struct walk_instance *on = &w->instances[i];

		if (on->color != s->color)
			continue;
		action = step_action(w, ACTION_SMOKE, on, on->name);
		if (step_action_done(w, action, step_probe(w, on, on->address, s->color, err),
				     err) < 0)
			return err_context(err, "smoke test of %s", on->name);
		tested++;
	}
	if (!tested && direct) {
		action = step_action(w, ACTION_SMOKE, NULL, direct);
		if (step_action_done(w, action, step_probe(w, NULL, direct, s->color, err), err) <
		    0)
			return err_context(err, "smoke test of %s", color_name(s->color));
		tested++;
	}
	return tested ? 0 :
			err_set(err, ERR_WORLD,
				"smoke test: no %s instance is known; give target.direct.%s",
				color_name(s->color), color_name(s->color));
}
