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
static const int64_t dial_again_ns = 20 * NS_PER_MS; /* after one that did not do */

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

int step_probe(struct walk *w, const struct probe_wish *wish, enum color *ret_color,
	       struct err *err)
{
	const struct walk_instance *on = wish->on;
	struct probe_result answer = { .color = COLOR_UNKNOWN };
	struct buf url = buf_init(2048);
	struct rng tokens = rng_split(w->scenario->seed, (uint64_t)w->probes, "probe");
	char call[64], ca[4096];
	struct probe_target target = { .call = call,
				       .ca = walk_ca(w, ca, sizeof ca),
				       .wire = wire_find(w->scenario->target.wire),
				       .want = wish->want,
				       .token = rng_u64(&tokens),
				       .timeout_ns = wish->within_ns ? wish->within_ns :
								       probe_within_ns,
				       .hello_only = wish->hello_only };
	struct err why = { .kind = ERR_NONE };
	struct event e = event_make(EVENT_PROBE_OK, -1);
	uint32_t turns = 0;
	int result = -1;

	snprintf(call, sizeof call, "p-%s-%d", w->run6, w->probes++);
	e.call = hash_id(call, strlen(call));
	lane_call(w->lane, e.call, call);
	if (probe_url(w, wish->address, call, &url, &why) < 0)
		goto out;
	target.url = buf_text(&url);
	if (probe_call(&target, &answer, &why) < 0 ||
	    (answer.step_ns[PROBE_READY] >= 0 && check_state(w, call, &answer, &turns, &why) < 0)) {
		err_context(&why, "probe call %s to %s", call, target.url);
		goto out;
	}
	result = 0;
	if (ret_color)
		*ret_color = answer.color;
out:
	e.t_ns = clock_now_ns();
	if (result < 0) {
		e.kind = EVENT_PROBE_FAIL;
		e.flags = wish->in_series;
		e.conn = lane_note(w->lane, "%s", why.text);
		if (err)
			*err = why;
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

int step_dials(struct walk *w, const struct probe_wish *wished, unsigned colors, int in_a_row,
	       int64_t until_ns, int64_t *ret_after_ns, struct err *err)
{
	struct err why = { .kind = ERR_NONE };
	int64_t first_ns = 0, now_ns = clock_now_ns();
	int row = 0;

	for (; row < in_a_row && now_ns < until_ns && !w->aborted; now_ns = clock_now_ns()) {
		struct probe_wish wish = *wished;
		enum color color = COLOR_UNKNOWN;
		bool answered;

		wish.within_ns = until_ns - now_ns;
		wish.in_series = true;
		answered = !step_probe(w, &wish, &color, &why);
		if (answered && (colors >> color & 1)) {
			first_ns = row++ ? first_ns : now_ns;
			walk_through(w, clock_now_ns() + NS_PER_MS, NULL);
			continue;
		}
		if (answered)
			err_set(&why, ERR_WORLD, "the last was answered by %s", color_name(color));
		row = 0;
		walk_through(w, clock_now_ns() + dial_again_ns, NULL);
	}
	if (row < in_a_row) {
		if (!why.kind)
			err_set(&why, ERR_WORLD, "no time was left for %d of them", in_a_row);
		if (err)
			*err = why;
		return -1;
	}
	*ret_after_ns = first_ns;
	return 0;
}

static const char *direct_url(const struct walk *w, enum color color)
{
	return color == COLOR_GREEN ? w->scenario->target.direct_green :
				      w->scenario->target.direct_blue;
}

bool step_can_smoke(const struct walk *w, enum color color)
{
	for (size_t i = 0; i < w->instance_count; i++)
		if (w->instances[i].color == color)
			return true;
	return direct_url(w, color);
}

int step_smoke(struct walk *w, enum color color, struct err *err)
{
	const char *direct = direct_url(w, color);
	struct event action;
	int tested = 0;

	for (size_t i = 0; i < w->instance_count; i++) {
		struct walk_instance *on = &w->instances[i];
		struct probe_wish wish = { .on = on, .address = on->address, .want = color };

		if (on->color != color)
			continue;
		action = step_action(w, ACTION_SMOKE, on, on->name);
		if (step_action_done(w, action, step_probe(w, &wish, NULL, err), err) < 0)
			return err_context(err, "smoke test of %s", on->name);
		tested++;
	}
	if (!tested && direct) {
		struct probe_wish wish = { .address = direct, .want = color };

		action = step_action(w, ACTION_SMOKE, NULL, direct);
		if (step_action_done(w, action, step_probe(w, &wish, NULL, err), err) < 0)
			return err_context(err, "smoke test of %s", color_name(color));
		tested++;
	}
	return tested ? 0 :
			err_set(err, ERR_WORLD,
				"smoke test: no %s instance is known; give target.direct.%s",
				color_name(color), color_name(color));
}
