#include "check/core/keeping.h"

#include "base/clock.h"
#include "check/core/witness.h"

static struct witness witness_of(const struct world *w, const struct world_call *c, int64_t t_ns,
				 uint8_t instance, enum anomaly anomaly)
{
	struct witness wit = witness_of_call(w, c, t_ns);

	wit.anomaly = anomaly;
	wit.cause = ANOMALY_NONE;
	wit.instance = instance;
	wit.color = w->instances[instance].color;
	return wit;
}

/* ---- fields ---- */

static bool went_on_from(const struct keeping *k, const struct event *e)
{
	return k->done_ns && k->done_ns < e->due_ns && (e->n > k->n || e->ver > k->version);
}

static void judge_fields(struct keeping *k, const struct world_call *c, const struct world *w,
			 const struct event *e, struct finding *f)
{
	bool gone = k->names & ~e->leg || e->turn < k->fields;
	struct witness wit;

	if (k->told_fields || !e->turn || !k->color || !e->color || k->color == e->color || !gone ||
	    !went_on_from(k, e))
		return;
	k->told_fields = true;
	wit = witness_of(w, c, e->t_ns, e->instance, ANOMALY_FIELD_STRIP);
	wit.color = e->color;
	witness_say(
		&wit,
		"%s wrote turn %u with %u fields, and without one that %s had put there at +%.3f s (turn %u, %u fields)",
		world_instance_name(w, e->instance), e->n, e->turn,
		world_instance_name(w, k->instance), world_s(w, k->done_ns), k->n, k->fields);
	verdict_violation(f, &wit);
}

static void remember(struct keeping *k, const struct event *e)
{
	k->done_ns = e->t_ns;
	k->version = e->ver;
	k->n = e->n;
	k->names = e->leg;
	k->fields = e->turn;
	k->color = e->color;
	k->instance = e->instance;
}

/* ---- time to live ---- */

static void never_expires(struct keeping *k, const struct world_call *c, const struct world *w,
			  int64_t until_ns, struct finding *f)
{
	struct witness wit = witness_of(w, c, k->without_ns, k->without_instance,
					ANOMALY_TTL_MISSING);

	k->told_ttl = true;
	if (until_ns)
		witness_say(
			&wit,
			"%s left the state without a time to live; a second command set one %.3f ms later: ended between the "
			"two, the state never expires",
			world_instance_name(w, k->without_instance),
			(double)(until_ns - k->without_ns) / NS_PER_MS);
	else
		witness_say(&wit, "%s left the state without a time to live: it never expires",
			    world_instance_name(w, k->without_instance));
	verdict_violation(f, &wit);
}

static void judge_length(struct keeping *k, const struct world_call *c, const struct world *w,
			 const struct event *e, int64_t left_ns, struct finding *f)
{
	int64_t declared_ns = w->scenario->state.ttl_ns;
	bool is_short = left_ns<declared_ns - TTL_TICK_NS, is_long = left_ns> declared_ns;
	struct witness wit;

	if (!is_short && !is_long)
		return;
	k->told_ttl = true;
	wit = witness_of(w, c, e->t_ns, e->instance,
			 is_short ? ANOMALY_TTL_SHORT : ANOMALY_TTL_LONG);
	if (e->flags & CMD_KEEP_TTL)
		witness_say(
			&wit,
			"%s wrote turn %u and kept what was left of a time to live set at +%.3f s: %.3f s (declared %.0f s)",
			world_instance_name(w, e->instance), e->n, world_s(w, k->ttl_ns),
			(double)left_ns / NS_PER_S, (double)declared_ns / NS_PER_S);
	else
		witness_say(&wit, "%s gave the state %.0f s to live (declared %.0f s)",
			    world_instance_name(w, e->instance), (double)left_ns / NS_PER_S,
			    (double)declared_ns / NS_PER_S);
	verdict_violation(f, &wit);
}

static bool sets_none(const struct event *e)
{
	return e->code == VERB_PERSIST || ((e->code == VERB_SET || e->code == VERB_MSET) &&
					   !e->aux && !(e->flags & (CMD_KEEP_TTL | CMD_TTL_AT)));
}

/* How far its time to live has run down, when something sets it anew; 0: when the call is over. */
static void run_down(struct keeping *k, const struct world_call *c, int64_t until_ns)
{
	int64_t over_ns = c->hangup_ns ? c->hangup_ns : c->end_ns;
	int64_t at_ns = until_ns && (!over_ns || until_ns < over_ns) ? until_ns : over_ns;
	int64_t left_ns = k->ttl_s * NS_PER_S - (at_ns - k->ttl_ns);

	if (!k->ttl_ns || at_ns <= k->ttl_ns || (k->least_ns && left_ns >= k->least_left_ns))
		return;
	k->least_ns = at_ns;
	k->least_left_ns = left_ns;
}

static void judge_ttl(struct keeping *k, const struct world_call *c, const struct world *w,
		      const struct event *e, struct finding *f)
{
	run_down(k, c, e->due_ns);
	if (k->without_ns && !k->told_ttl)
		never_expires(k, c, w, e->code == VERB_EXPIRE ? e->t_ns : 0, f);
	k->without_ns = 0;
	if (e->flags & CMD_KEEP_TTL) {
		/* Counted from the last moment it can have been set, to the first of this one. */
		if (k->ttl_ns && e->due_ns > k->ttl_ns && !k->told_ttl)
			judge_length(k, c, w, e, k->ttl_s * NS_PER_S - (e->due_ns - k->ttl_ns), f);
		return;
	}
	k->ttl_ns = e->aux ? e->t_ns : 0;
	k->ttl_s = e->aux;
	if (sets_none(e)) {
		k->without_ns = e->t_ns;
		k->without_instance = e->instance;
	} else if (e->aux && !k->told_ttl) {
		judge_length(k, c, w, e, e->aux * NS_PER_S, f);
	}
}

/* Of a script only one that writes a state: what else it does nobody can tell. */
static bool tells_ttl(const struct event *e)
{
	switch (e->code) {
	case VERB_SET:
	case VERB_SETEX:
	case VERB_MSET:
	case VERB_EXPIRE:
	case VERB_PERSIST:
		return true;
	case VERB_GET:
		return e->aux;
	default:
		return e->flags & CMD_HAS_STATE;
	}
}

/* ---- both ---- */

void keeping_command(struct keeping *k, const struct world_call *c, const struct world *w,
		     const struct event *e, struct finding *f)
{
	bool state = e->flags & CMD_HAS_STATE && e->code != VERB_GET;

	if (e->flags & CMD_NIL)
		return;
	if (w->scenario->state.ttl_ns && tells_ttl(e))
		judge_ttl(k, c, w, e, f);
	else if (e->code == VERB_EVAL || e->code == VERB_FCALL)
		keeping_unsure(k);
	if (!state)
		return;
	judge_fields(k, c, w, e, f);
	remember(k, e);
}

void keeping_unsure(struct keeping *k)
{
	k->ttl_ns = 0;
}

void keeping_settle(struct keeping *k, const struct world_call *c, const struct world *w,
		    struct finding *f, struct finding *missing)
{
	int64_t floor_ns = w->scenario->state.ttl_floor_ns;
	struct witness wit;

	if (k->without_ns && !k->told_ttl)
		never_expires(k, c, w, 0, f);
	run_down(k, c, 0);
	if (!floor_ns || !k->least_ns || k->least_left_ns >= floor_ns)
		return;
	wit = witness_of(w, c, k->least_ns, c->instance, ANOMALY_TTL_LOW);
	witness_say(
		&wit,
		"the state of the live call had no more than %.3f s left to live (floor %.0f s)",
		(double)k->least_left_ns / NS_PER_S, (double)floor_ns / NS_PER_S);
	verdict_violation(missing, &wit);
}
