/* The local stack: a real redis-server, the tap before it, agents of both colors, the edge before
 * them. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "director/stage_parts.h"

static const int64_t ready_within_ns = PART_READY_S * NS_PER_S;

static void instance_name(char *out, size_t size, enum color color, int i)
{
	snprintf(out, size, "%s-%d", color_name(color), i + 1);
}

/* "HOST:PORT,..." */
static void list(struct buf *out, const struct redis_server *servers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_printf(out, "%s%s", i ? "," : "", servers[i].address);
}

static int start_tap(struct stage *stage, const struct scenario *sc, const struct redis_part *redis,
		     const char *bindings, struct member **ret, struct err *err)
{
	struct control_message bind = control_make(CONTROL_BIND, 0, 0);
	struct arguments a = { .count = 0 };
	struct buf text = buf_init(CONTROL_TEXT_MAX);
	char self[4096], name[32];
	int result = -1;

	if (process_beside("crossfade", self, sizeof self, err) < 0)
		return -1;
	argument(&a, "%s", self);
	argument(&a, "__tap");
	argument_pair(&a, "--dir", "%s", stage->run_dir);
	buf_printf(&text, "%sredis=", bindings);
	list(&text, redis->server, redis->servers);
	buf_puts(&text, "\ninstances=");
	for (enum color c = COLOR_BLUE; c <= COLOR_GREEN; c++)
		for (int i = 0; i < sc->stack.instances; i++) {
			instance_name(name, sizeof name, c, i);
			buf_printf(&text, "%s%s:%s", c == COLOR_BLUE && i == 0 ? "" : ",", name,
				   color_name(c));
		}
	buf_puts(&text, "\n");
	control_text(&bind, "%s", buf_text(&text));
	if (!part_start(
		    stage,
		    (struct member_spec){
			    .kind = MEMBER_TAP, .name = "tap", .control = true, .prompt = true },
		    &a, ret, err) &&
	    !stage_send(*ret, &bind) && !stage_await_ready(*ret, ready_within_ns, err))
		result = 0;
	buf_free(&text);
	return result;
}

/* Where the agent finds its Redis: its own doors of the tap, one a server, in the order of the
 * servers; "" without a tap. Sentinel says where the primary really is, and the map which door
 * that is: as clients do behind address translation. */
static void add_redis(struct arguments *a, const struct redis_part *redis, const char *doors)
{
	struct buf text = buf_init(CONTROL_TEXT_MAX);

	if (!redis->sentinels) {
		argument_pair(a, "--redis", "%s", *doors ? doors : redis->server[0].address);
		return;
	}
	list(&text, redis->sentinel, redis->sentinels);
	argument_pair(a, "--sentinel", "%s", buf_text(&text));
	argument_pair(a, "--master", "%s", STAGE_REDIS_MASTER);
	buf_clear(&text);
	for (size_t i = 0; *doors && i < redis->servers; i++) {
		size_t length = strcspn(doors, ",");

		buf_printf(&text, "%s%s=%.*s", i ? "," : "", redis->server[i].address, (int)length,
			   doors);
		doors += length + (doors[length] == ',');
	}
	if (text.len)
		argument_pair(a, "--redis-map", "%s", buf_text(&text));
	buf_free(&text);
}

static int start_agent(struct stage *stage, const struct scenario *sc, enum color color, int i,
		       const struct redis_part *redis, const char *doors, struct member **ret,
		       struct err *err)
{
	const char *defect = color == COLOR_GREEN && sc->stack.green_defect ?
				     sc->stack.green_defect :
				     sc->stack.agent_defect;
	const char *silent = sc->stack.silent_metrics;
	struct arguments a = { .count = 0 };
	char program[4096], name[32];
	const char *brace = strchr(sc->state.key, '$');

	if (process_beside("fixtures/agent/main", program, sizeof program, err) < 0)
		return -1;
	instance_name(name, sizeof name, color, i);
	argument(&a, "%s", program);
	argument_pair(&a, "--color", "%s", color_name(color));
	argument_pair(&a, "--instance", "%s", name);
	argument_pair(&a, "--listen", "127.0.0.1:0");
	add_redis(&a, redis, doors);
	argument_pair(&a, "--key-prefix", "%.*s", brace ? (int)(brace - sc->state.key) : 5,
		      brace ? sc->state.key : "call:");
	argument_pair(&a, "--ttl-s", "%lld", (long long)(sc->state.ttl_ns / NS_PER_S));
	argument_pair(&a, "--think-ms", "%lld", (long long)(sc->stack.think_ns / NS_PER_MS));
	if (sc->stack.store == STORE_FENCED)
		argument_pair(&a, "--store", "fenced");
	if (sc->stack.after_switch == SWITCH_REAPPLY)
		argument_pair(&a, "--after-switch", "reapply");
	if (silent && (!strcmp(silent, name) || !strcmp(silent, color_name(color))))
		argument_pair(&a, "--metrics", "off");
	if (defect) {
		argument_pair(&a, "--defect", "%s", defect);
	}
	return part_start(
		stage,
		(struct member_spec){
			.kind = MEMBER_AGENT, .name = name, .color = color, .control = true },
		&a, ret, err);
}

/* Every agent ready, and where it is. */
static int await_agents(struct member *const *agents, size_t count, struct buf *targets,
			struct buf *instances, struct buf *pids, struct err *err)
{
	char address[128];

	for (size_t i = 0; i < count; i++) {
		struct member *m = agents[i];

		if (stage_await_ready(m, ready_within_ns, err) < 0)
			return -1;
		if (!control_value(m->greeting, "listen", address, sizeof address))
			return err_set(err, ERR_HARNESS, "%s did not say where it listens",
				       m->name);
		buf_printf(targets, "%s=%s\n", color_name(m->color), address);
		buf_printf(instances, "%s%s:%s:%s", i ? "," : "", m->name, color_name(m->color),
			   address);
		buf_printf(pids, "%s%d", i ? "," : "", (int)m->process.pid);
	}
	return 0;
}

/* What the edge said of itself, as bindings. */
static int bind_edge(const struct member *edge, struct buf *bindings, struct err *err)
{
	static const struct {
		const char *said, *bound, *before, *after;
	} values[] = {
		{ "listen", "alb", "", "" },
		{ "control", "balancer", "http://", "/" },
		{ "load_balancer", "load_balancer", "", "" },
		{ "listener", "listener", "", "" },
		{ "rule", "rule", "", "" },
		{ "blue", "blue", "", "" },
		{ "green", "green", "", "" },
	};
	char value[256];

	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		if (!control_value(edge->greeting, values[i].said, value, sizeof value))
			return err_set(err, ERR_HARNESS, "the edge did not say its %s",
				       values[i].said);
		buf_printf(bindings, "%s=%s%s%s\n", values[i].bound, values[i].before, value,
			   values[i].after);
	}
	return 0;
}

static int start_agents(struct stage *stage, const struct scenario *sc,
			const struct redis_part *redis, const struct member *tap,
			struct member **agents, struct err *err)
{
	char name[32], doors[256] = "";

	for (enum color c = COLOR_BLUE; c <= COLOR_GREEN; c++)
		for (int i = 0; i < sc->stack.instances; i++) {
			instance_name(name, sizeof name, c, i);
			if (tap && !control_value(tap->greeting, name, doors, sizeof doors))
				return err_set(err, ERR_HARNESS, "the tap has no port for %s",
					       name);
			if (start_agent(stage, sc, c, i, redis, doors, agents++, err) < 0)
				return -1;
		}
	return 0;
}

/* Where the servers and Sentinels themselves are: for whoever breaks or watches them. */
static void bind_redis(const struct redis_part *redis, struct buf *bindings)
{
	buf_printf(bindings, "redis=%s\n", redis->server[0].address);
	if (!redis->sentinels)
		return;
	buf_puts(bindings, "redis_servers=");
	list(bindings, redis->server, redis->servers);
	buf_puts(bindings, "\nsentinels=");
	list(bindings, redis->sentinel, redis->sentinels);
	buf_puts(bindings, "\nredis_master=" STAGE_REDIS_MASTER "\n");
}

int stage_local_up(struct stage *stage, const struct scenario *sc, struct buf *bindings,
		   struct err *err)
{
	struct member *tap = NULL, *edge, *agents[2 * STAGE_INSTANCES_MAX];
	struct buf targets = buf_init(8192), instances = buf_init(CONTROL_TEXT_MAX),
		   pids = buf_init(CONTROL_TEXT_MAX);
	struct redis_part redis;
	int result = -1;

	if (sc->stack.instances > STAGE_INSTANCES_MAX) {
		err_set(err, ERR_INPUT,
			"stack.instances is %d; the local stack runs at most %d per color",
			sc->stack.instances, STAGE_INSTANCES_MAX);
		goto out;
	}
	if (part_redis(stage, sc, &redis, err) < 0)
		goto out;
	if (sc->state.tap && start_tap(stage, sc, &redis, buf_text(bindings), &tap, err) < 0)
		goto out;
	if (start_agents(stage, sc, &redis, tap, agents, err) < 0 ||
	    await_agents(agents, 2 * (size_t)sc->stack.instances, &targets, &instances, &pids,
			 err) < 0)
		goto out;
	if (part_edge(stage, sc, &targets, &edge, err) < 0)
		goto out;
	bind_redis(&redis, bindings);
	buf_printf(bindings, "instances=%s\npids=%s\n", buf_text(&instances), buf_text(&pids));
	if (stage->ca[0])
		buf_printf(bindings, "ca=%s\n", stage->ca);
	result = bind_edge(edge, bindings, err);
out:
	buf_free(&targets);
	buf_free(&instances);
	buf_free(&pids);
	return result;
}
