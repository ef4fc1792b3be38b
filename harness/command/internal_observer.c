/* The observer: asks every instance again and again how many calls it has, and Redis for a key of
 * our own and some of the calls'. Spawned by the supervisor. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "command/core/child.h"
#include "command/core/heartbeat.h"
#include "net/process.h"
#include "observe/active_calls.h"
#include "observe/key_probe.h"
#include "observe/redis_control.h"
#include "observe/redis_purges.h"
#include "observe/redis_roles.h"

enum { INSTANCES_MAX = 64 };
static const int64_t poll_every_ns = 250 * NS_PER_MS;
static const int64_t control_every_ns = 100 * NS_PER_MS;
static const int64_t probe_every_ns = 500 * NS_PER_MS;
static const int64_t purges_every_ns = NS_PER_S;
/* Three silent servers must not make the counts of the instances stale. */
static const int64_t role_within_ns = 100 * NS_PER_MS;
static const int64_t mute_pause_ns =
	2 * NS_PER_S; /* one that lets us wait must not make the others stale */

struct instance {
	char name[32], address[280];
	enum color color;
	uint8_t number; /* in the lane */
	bool gone;
	int64_t due_ns;
};

/* What is done again and again beside asking the instances. */
enum chore { CHORE_CONTROL, CHORE_ROLES, CHORE_PROBE, CHORE_PURGES, CHORES };

struct purged {
	struct redis_purges *redis;
	int64_t due_ns, asked_ns; /* asked_ns: when it was that it answered; 0: never did */
};

struct observer {
	struct lane *lane;
	struct instance instance[INSTANCES_MAX];
	size_t count;
	bool started, over, orphaned;
	int64_t heartbeat_due_ns;
	int64_t chore_due_ns[CHORES];	       /* INT64_MAX: is not to be done */
	struct redis_control *control;	       /* NULL: no Redis of ours */
	struct key_probe *probe;	       /* the same */
	struct redis_roles *roles;	       /* NULL: no Sentinel */
	struct purged purged[REDIS_ROLES_MAX]; /* its servers, or the only one */
	size_t purged_count;
	const char *turned_to; /* by the control, not yet on record; of the roles */
};

/* "blue-1:blue:127.0.0.1:4711,..." */
static int parse_instances(struct observer *o, const char *text, struct err *err)
{
	while (*text) {
		struct instance *i = &o->instance[o->count];
		char color[16];
		int used = 0;

		if (o->count == INSTANCES_MAX)
			return err_set(err, ERR_HARNESS, "observer: more than %d instances",
				       INSTANCES_MAX);
		if (sscanf(text, "%31[^:,]:%15[^:,]:%279[^,]%n", i->name, color, i->address,
			   &used) != 3)
			return err_set(err, ERR_HARNESS,
				       "observer: instances=%s: not NAME:COLOR:HOST:PORT,...",
				       text);
		i->color = color_parse(color) > 0 ? (enum color)color_parse(color) : COLOR_UNKNOWN;
		i->number = lane_instance(o->lane, i->name);
		o->count++;
		text += used;
		text += *text == ',';
	}
	return 0;
}

static void hear(struct observer *o, const struct control_message *m)
{
	if (m->type == CONTROL_ABORT)
		o->over = true;
	else if (m->type == CONTROL_START)
		o->started = true;
	else if (m->type == CONTROL_EXITED)
		for (size_t i = 0; i < o->count; i++)
			if (!strcmp(o->instance[i].name, m->text))
				o->instance[i].gone = true;
}

/* Listens until the time has come, and at least takes what has come already. */
static void listen_until(struct observer *o, int64_t until_ns)
{
	struct control_message m;
	int n;

	do {
		n = control_wait(PROCESS_CONTROL_FD, until_ns, &m);
		if (n > 0)
			hear(o, &m);
		else if (n == 0 || errno != ETIMEDOUT)
			o->over = o->orphaned = true;
	} while (n > 0 && !o->over);
}

static void ask(struct observer *o, struct instance *i)
{
	struct control_message m = control_make(CONTROL_COUNTS, 0, 0);
	int64_t asked_ns = clock_now_ns();
	struct event e;
	uint32_t active = 0;
	bool reached = !active_calls_read(i->address, &active, NULL);

	e = event_make(EVENT_COUNT, clock_now_ns());
	e.instance = i->number;
	e.color = (uint8_t)i->color;
	e.n = active > UINT16_MAX ? UINT16_MAX : (uint16_t)active;
	e.flags = !reached;
	lane_event(o->lane, e);
	control_text(&m, "%s", i->name);
	m.a = active;
	m.b = !reached;
	m.c = e.t_ns;
	control_send(PROCESS_CONTROL_FD, &m);
	i->due_ns = !reached && e.t_ns - asked_ns >= poll_every_ns ? e.t_ns + mute_pause_ns :
								     asked_ns + poll_every_ns;
}

/* What is missed is not made up for: two in a row would measure each other. */
static void control(struct observer *o)
{
	struct redis_control_step steps[REDIS_CONTROL_STEPS];
	size_t count = redis_control_ask(o->control, steps);

	for (size_t i = 0; i < count; i++) {
		struct event e = event_make(EVENT_CONTROL, steps[i].began_ns + steps[i].took_ns);

		e.code = (uint16_t)steps[i].verb;
		e.aux = (uint32_t)((steps[i].took_ns + NS_PER_US / 2) / NS_PER_US);
		e.flags = steps[i].answered ? 0 : CONTROL_UNANSWERED;
		if (o->turned_to)
			e.conn = lane_note(o->lane, "%s", o->turned_to);
		o->turned_to = NULL;
		lane_event(o->lane, e);
	}
	o->chore_due_ns[CHORE_CONTROL] = clock_now_ns() + (count && steps[count - 1].answered ?
								   control_every_ns :
								   mute_pause_ns);
}

/* The control goes on at the new primary. While there is none it stays: it is not answered there,
 * or refused. */
static void follow_primary(struct observer *o)
{
	size_t count;
	const char *primary = redis_roles_primary(o->roles, &count);

	if (!primary || !o->control || !redis_control_turn(o->control, primary))
		return;
	o->turned_to = primary;
	o->chore_due_ns[CHORE_CONTROL] = 0;
}

/* Who is the primary, by each server's own word. */
static void look_at_roles(struct observer *o)
{
	struct redis_role_said said;
	int64_t began_ns = clock_now_ns();

	for (size_t i = 0; i < redis_roles_count(o->roles); i++) {
		enum redis_role role = redis_roles_ask(o->roles, i, &said);
		struct event e = event_make(EVENT_REDIS_ROLE, clock_now_ns());

		e.n = (uint16_t)i;
		e.code = (uint16_t)role;
		e.aux = said.replicas;
		e.digest = said.offset;
		e.ver = said.id;
		e.conn = lane_note(o->lane, "%s", redis_roles_address(o->roles, i));
		lane_event(o->lane, e);
	}
	o->chore_due_ns[CHORE_ROLES] = began_ns + poll_every_ns;
	follow_primary(o);
}

/* NULL: none, or two: which of them the agents mean is not known. */
static const char *only_primary(const struct observer *o)
{
	size_t count;
	const char *primary = redis_roles_primary(o->roles, &count);

	return count == 1 ? primary : NULL;
}

/* Reads of a server that was the only primary before them and is still: a replica may be late, or
 * be filled anew, and of two primaries one is of yesterday. */
static size_t read_primary(struct observer *o, struct key_probe_read reads[KEY_PROBE_KEYS])
{
	const char *primary = only_primary(o);
	size_t count = 0;

	if (primary) {
		key_probe_turn(o->probe, primary);
		count = key_probe_ask(o->probe, reads);
	}
	if (count)
		look_at_roles(o);
	return only_primary(o) == primary ? count : 0;
}

/* Some calls' states, as Redis shows them to anybody. */
static void probe(struct observer *o)
{
	struct key_probe_read reads[KEY_PROBE_KEYS];
	size_t count = o->roles ? read_primary(o, reads) : key_probe_ask(o->probe, reads);

	for (size_t i = 0; i < count; i++) {
		const struct call_state *state = &reads[i].state;
		struct event e = event_make(EVENT_KEY, reads[i].ended_ns);

		e.due_ns = reads[i].began_ns;
		e.call = hash_id(reads[i].id, strlen(reads[i].id));
		e.flags = (uint8_t)((state->found ? 0 : CMD_NIL) |
				    (state->has_turns ? CMD_HAS_STATE : 0));
		e.n = state->turns > UINT16_MAX ? UINT16_MAX : (uint16_t)state->turns;
		e.digest = state->digest;
		e.aux = state->ttl_s > 0 ? (uint32_t)state->ttl_s : 0;
		lane_event(o->lane, e);
	}
	o->chore_due_ns[CHORE_PROBE] = clock_now_ns() + (count ? probe_every_ns : mute_pause_ns);
}

static void look_at(struct observer *o, size_t number)
{
	struct purged *p = &o->purged[number];
	int64_t asked_ns = clock_now_ns();
	struct redis_purges_said said;
	struct event e;

	if (redis_purges_ask(p->redis, &said) < 0) {
		p->due_ns = clock_now_ns() + mute_pause_ns;
		return;
	}
	e = event_make(EVENT_REDIS_PURGE, clock_now_ns());
	e.n = (uint16_t)number;
	e.due_ns = p->asked_ns ? p->asked_ns : asked_ns;
	e.aux = (uint32_t)((e.t_ns - asked_ns + NS_PER_US - 1) / NS_PER_US);
	e.digest = said.evicted;
	e.ver = said.flushes;
	e.conn = lane_note(o->lane, "maxmemory %llu, %s", (unsigned long long)said.memory,
			   said.policy);
	lane_event(o->lane, e);
	p->asked_ns = asked_ns;
	p->due_ns = asked_ns + purges_every_ns;
}

/* What Redis has thrown away. Each look is told: where nobody looked, nobody may say "nothing". */
static void look_at_purges(struct observer *o)
{
	int64_t next_ns = INT64_MAX;

	for (size_t i = 0; i < o->purged_count; i++) {
		if (o->purged[i].due_ns <= clock_now_ns())
			look_at(o, i);
		if (o->purged[i].due_ns < next_ns)
			next_ns = o->purged[i].due_ns;
	}
	o->chore_due_ns[CHORE_PURGES] = next_ns;
}

static void beat(struct observer *o, int64_t now_ns)
{
	struct control_message m = control_make(CONTROL_COUNTERS, 0, 0);

	if (now_ns < o->heartbeat_due_ns)
		return;
	/* It waits for answers by design: its lateness says nothing about the harness. */
	lane_event(o->lane, heartbeat(ROLE_OBSERVER, 0, 0));
	control_send(PROCESS_CONTROL_FD, &m);
	o->heartbeat_due_ns = now_ns + poll_every_ns;
}

static enum chore most_due(const struct observer *o)
{
	enum chore first = 0;

	for (unsigned i = 1; i < CHORES; i++)
		if (o->chore_due_ns[i] < o->chore_due_ns[first])
			first = i;
	return first;
}

/* One at a time: several that wait for a silent Redis would make the instances' counts stale. */
static void do_chore(struct observer *o)
{
	static void (*const chores[CHORES])(
		struct observer *) = { [CHORE_CONTROL] = control,
				       [CHORE_ROLES] = look_at_roles,
				       [CHORE_PROBE] = probe,
				       [CHORE_PURGES] = look_at_purges };
	enum chore chore = most_due(o);

	if (o->chore_due_ns[chore] <= clock_now_ns())
		chores[chore](o);
}

static void observe(struct observer *o)
{
	o->chore_due_ns[CHORE_CONTROL] = o->control ? 0 : INT64_MAX;
	o->chore_due_ns[CHORE_ROLES] = o->roles ? 0 : INT64_MAX;
	o->chore_due_ns[CHORE_PROBE] = o->probe ? 0 : INT64_MAX;
	o->chore_due_ns[CHORE_PURGES] = o->purged_count ? 0 : INT64_MAX;
	while (!o->over && !lane_broken(o->lane)) {
		int64_t next_ns = clock_now_ns() + poll_every_ns;

		for (size_t i = 0; i < o->count && o->started && !o->over; i++) {
			struct instance *instance = &o->instance[i];

			if (!instance->gone && instance->due_ns <= clock_now_ns()) {
				ask(o, instance);
				listen_until(o, 0);
			}
			if (!instance->gone && instance->due_ns < next_ns)
				next_ns = instance->due_ns;
		}
		if (o->started && !o->over)
			do_chore(o);
		if (o->started && o->chore_due_ns[most_due(o)] < next_ns)
			next_ns = o->chore_due_ns[most_due(o)];
		beat(o, clock_now_ns());
		lane_tick(o->lane, clock_now_ns());
		if (!o->over)
			listen_until(o, next_ns);
	}
	/* What the last calls missed may have gone since the last look. */
	for (size_t i = 0; i < o->purged_count && o->started && !o->orphaned; i++)
		look_at(o, i);
}

/* Our own key is as a probe call's would be, so that nobody takes it for a caller's. */
static int open_redis(struct observer *o, const struct child *child,
		      const struct control_message *m, struct err *err)
{
	char redis[512], run6[16], call[48];
	struct variable bound[] = { { "call", call }, { "run", run6 } };
	struct buf key = buf_init(512);
	int result = 0;

	if (!control_value(m, "redis", redis, sizeof redis))
		return 0;
	if (!control_value(m, "run", run6, sizeof run6))
		return err_set(err, ERR_HARNESS, "observer: run is needed beside redis=%s", redis);
	snprintf(call, sizeof call, "p-%s-control", run6);
	result = scenario_bind(child->scenario->state.key, bound, 2, &key, err);
	if (!result)
		o->control = redis_control_new(redis, buf_text(&key));
	if (!result)
		result = key_probe_new(redis, child->scenario->state.key,
				       child->scenario->state.ttl_ns / NS_PER_S, run6, &o->probe,
				       err);
	buf_free(&key);
	return result;
}

static int observer_process(const struct child *child, struct err *err)
{
	struct lane_identity identity = { .seed = child->scenario->seed, .role = ROLE_OBSERVER };
	struct control_message m, greeting = control_make(CONTROL_READY, 0, 0);
	int result = child_await_bind("observer", &m, err);
	char instances[CONTROL_TEXT_MAX], servers[300];
	struct observer *o;
	bool broken;

	if (result <= 0)
		return result;
	o = xcalloc(1, sizeof *o);
	result = -1;
	scenario_digest(child->scenario, identity.scenario_digest);
	if (!control_value(&m, "run_id", identity.run, sizeof identity.run) ||
	    !control_value(&m, "instances", instances, sizeof instances))
		err_set(err, ERR_HARNESS, "observer: run_id and instances are needed to begin");
	else if (lane_open(child->dir, &identity, &o->lane, err) < 0 ||
		 parse_instances(o, instances, err) < 0 || open_redis(o, child, &m, err) < 0)
		err_context(err, "observer");
	else if (control_send(PROCESS_CONTROL_FD, &greeting) < 0)
		err_errno(err, ERR_HARNESS, errno, "observer: say ready");
	else
		result = 0;
	if (!result && control_value(&m, "redis_servers", servers, sizeof servers))
		o->roles = redis_roles_new(servers, role_within_ns);
	for (size_t i = 0; o->roles && i < redis_roles_count(o->roles); i++)
		o->purged[o->purged_count++].redis = redis_purges_new(
			redis_roles_address(o->roles, i));
	if (!result && !o->roles && control_value(&m, "redis", servers, sizeof servers))
		o->purged[o->purged_count++].redis = redis_purges_new(servers);
	if (!result)
		observe(o);
	redis_control_free(o->control);
	key_probe_free(o->probe);
	for (size_t i = 0; i < o->purged_count; i++)
		redis_purges_free(o->purged[i].redis);
	redis_roles_free(o->roles);
	broken = o->lane && lane_broken(o->lane);
	if (o->orphaned) { /* the run was killed: what was seen is kept, and the lane has no end */
		lane_flush(o->lane);
		_exit(EXIT_HARNESS);
	}
	if (lane_close(o->lane, broken || !result ? err : NULL) < 0)
		result = -1;
	free(o);
	return result;
}

static int observer_main(int argc, char **argv)
{
	static const struct flag table[] = { { .name = "--dir", .takes_value = true } };

	return child_main("__observer", table, 1, argc, argv, observer_process);
}

const struct command command_internal_observer = {
	.name = "__observer",
	.usage = "--dir RUN",
	.about = "asks the instances how many calls they have",
	.help = "",
	.run = observer_main,
};
