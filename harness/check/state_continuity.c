/*
 * I2, state continuity; of g and h, what a write keeps and for how long, see core/keeping.h. A =
 * highest turn whose reply reached the caller, S = highest turn sent, (n, digest) = what the next
 * owner of the call shows:
 *
 *   durable n >= A; no phantom n <= S; prefix digest = H(n); version and n never fall; no turn
 * applied twice; persist before ack: the write that holds turn i was acknowledged by Redis before
 * the reply to turn i arrived.
 *
 * Only a definite order convicts; equal stamps never do. A call that was convicted for its state is
 * judged no further: all that follows from a loss would be reported as something else. Whether a
 * loss is ack_lost or stale_resume is known only at the call's end: a later read that has it all
 * makes it stale. An agent that echoes nothing is judged by what Redis accepted and showed.
 *
 * Not looked for: dirty_write (G0). A call's state is one key, and no write of one key is seen
 * half done. Not held against anybody: a write of unknown outcome that shows later
 * (info_surfaced); it is counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/core/continuity.h"
#include "check/core/witness.h"

static void begin(void *state, const struct world *w)
{
	struct continuity *s = state;

	s->tap = w->scenario->state.tap;
}

static void start(struct continuity *s, struct continuity_call *m, const struct world_call *c,
		  const struct world *w, const struct event *e, struct finding *f)
{
	if (!(e->flags & STATE_HAS_DIGEST))
		s->without_digest++;
	else if (!e->n)
		chain_start(&m->chain, e->digest);
	if (e->flags & STATE_HAS_TURNS && e->n)
		continuity_convict(m, w, c, e, ANOMALY_PHANTOM_TURN, f,
				   "a new call began with %u turns in its state", e->n);
	m->version = e->flags & STATE_HAS_VER ? e->ver : 0;
}

static void resumed(struct continuity *s, struct continuity_call *m, const struct world_call *c,
		    const struct world *w, const struct event *e, struct finding *f)
{
	s->resumes++;
	if (c->cut.color != COLOR_UNKNOWN && c->color != COLOR_UNKNOWN && c->cut.color != c->color)
		s->crossings++;
	if (!(e->flags & STATE_HAS_DIGEST))
		s->without_digest++;
	if (!(e->flags & STATE_HAS_TURNS))
		return;
	continuity_read(m, c, w, e, m->acked, f);
	if (s->tap)
		continuity_resumed(s, m, c, w, e, f);
	if (!m->convicted && e->n > m->acked) {
		m->acked = e->n; /* the caller was told, and need not ask again */
		m->shown = e->n;
	}
}

/* The turns answered on this leg; NULL when it is older than the two newest that answered. */
static struct answers *answers_on(struct continuity_call *m, uint16_t leg)
{
	struct answers *newest = &m->answers[0], *former = &m->answers[1];

	if (newest->turns && leg == newest->leg)
		return newest;
	if (former->turns && leg == former->leg)
		return former;
	if (!newest->turns || leg > newest->leg) {
		*former = *newest;
		*newest = (struct answers){ .leg = leg };
		return newest;
	}
	if (former->turns && leg < former->leg)
		return NULL;
	*former = (struct answers){ .leg = leg };
	return former;
}

/* Notes that the turn was answered on this leg. True: it had been, as far as is remembered. */
static bool answered_before(struct continuity_call *m, const struct event *e)
{
	struct answers *a = answers_on(m, e->leg);
	unsigned newer = a && e->turn > a->last ? e->turn - a->last : 0,
		 older = a && e->turn < a->last ? a->last - e->turn : 0;
	bool before;

	if (!a || older >= 32)
		return false;
	before = !newer && a->turns >> older & 1;
	a->turns = newer < 32 ? a->turns << newer : 0;
	a->turns |= 1U << older;
	a->last += (uint16_t)newer;
	return before;
}

static void replied(struct continuity *s, struct continuity_call *m, const struct world_call *c,
		    const struct world *w, const struct event *e, struct finding *f)
{
	bool again = e->turn <= m->acked;

	s->acks++;
	if (!(e->flags & STATE_HAS_DIGEST))
		s->without_digest++;
	if (answered_before(m, e) && !m->resent)
		continuity_convict(m, w, c, e, ANOMALY_DOUBLE_APPLY, f,
				   "turn %u was answered twice on one leg", e->turn);
	m->resent = false;
	if (!again)
		m->acked = e->turn;
	continuity_read(m, c, w, e, e->turn, f); /* a reply says what was so after its own turn */
	if (!again && s->tap && !m->convicted)
		persist_expect(&m->persist, e);
	if (!w->tap_saw[e->instance]) /* it may have written past the tap */
		keeping_unsure(&m->keeping);
}

/* Commands that may have written the state, where what they wrote could not be read. */
static bool may_write(unsigned verb)
{
	return verb == VERB_SET || verb == VERB_SETEX || verb == VERB_EVAL || verb == VERB_FCALL ||
	       verb == VERB_HSET || verb == VERB_MSET || verb == VERB_APPEND;
}

static void read_again(struct continuity *s, struct continuity_call *m, const struct event *e)
{
	s->surfaced += persist_surfaces(&m->persist, e->n);
	persist_read(&m->persist, e);
}

static void written(struct continuity *s, struct continuity_call *m, const struct world_call *c,
		    const struct world *w, const struct event *e, struct finding *f)
{
	struct witness wit;
	unsigned turn;
	int64_t early_ns;

	s->commands++;
	keeping_command(&m->keeping, c, w, e, f);
	if (e->code == VERB_GET) {
		if (e->flags & CMD_NIL && m->persist.written && e->due_ns > m->persist.written_ns &&
		    world_call_lives(c))
			continuity_gone(m, c, e);
		else if (e->flags & CMD_HAS_STATE && world_call_lives(c))
			read_again(s, m, e);
		return;
	}
	if (e->code == VERB_DEL) {
		persist_deleted(&m->persist, e);
		keeping_unsure(&m->keeping);
		return;
	}
	if (!(e->flags & CMD_HAS_STATE) || e->flags & CMD_NIL) {
		if (may_write(e->code))
			persist_unsure(&m->persist, e);
		return;
	}
	unsigned early = persist_written(&m->persist, e, &turn, &early_ns);
	if (!early || m->convicted)
		return;
	if (!w->tap_saw[m->persist.instance]) { /* who told them writes past the tap */
		s->unseen += early;
		return;
	}
	wit = witness_of_call(w, c, e->t_ns);
	wit.anomaly = ANOMALY_ACK_EARLY;
	witness_say(&wit,
		    "the reply to turn %u arrived %.3f ms before Redis accepted it from %s (n %u)",
		    turn, (double)early_ns / NS_PER_MS, world_instance_name(w, e->instance), e->n);
	verdict_violation(f, &wit);
	f->violations += early - 1;
	f->anomalies[ANOMALY_ACK_EARLY] += early - 1;
}

/* A look of our own at a live call's state. What Redis was asked after it had taken a write, or the
 * caller had been told of one, it must show. */
static void probed(struct continuity *s, struct continuity_call *m, const struct world_call *c,
		   const struct world *w, const struct event *e, struct finding *f)
{
	s->probed++;
	if (!(e->flags & CMD_NIL)) {
		if (s->tap && e->flags & CMD_HAS_STATE)
			read_again(s, m, e);
	} else if (s->tap) {
		if (m->persist.written && e->due_ns > m->persist.written_ns)
			continuity_gone(m, c, e);
	} else if (m->acked && e->due_ns > c->free_ns) {
		continuity_convict(m, w, c, e, ANOMALY_EVAPORATED, f,
				   "Redis has no state of a live call after turn %u", m->acked);
	}
}

static void event(void *state, struct world_call *c, void *mine, const struct world *w,
		  const struct event *e, struct finding *f)
{
	struct continuity_call *m = mine;

	if (e->kind == EVENT_BYPASS)
		((struct continuity *)state)->bypassed += e->n;
	if (!c)
		return;
	switch (e->kind) {
	case EVENT_START_OK:
		start(state, m, c, w, e, f);
		break;
	case EVENT_RESUME_OK:
		resumed(state, m, c, w, e, f);
		break;
	case EVENT_TURN_INV:
		m->resent |= (e->flags & TURN_RESENT) != 0;
		chain_add(&m->chain, e->turn, (uint64_t)e->ver << 32 | e->epoch, e->digest);
		break;
	case EVENT_REPLY_OK:
		replied(state, m, c, w, e, f);
		break;
	case EVENT_CMD_OK:
		if (e->flags & CMD_CALL_KEY)
			written(state, m, c, w, e, f);
		break;
	case EVENT_CMD_ERR:
		if (e->flags & CMD_CALL_KEY && e->flags & CMD_HAS_STATE && e->code != VERB_GET)
			persist_refused(&m->persist, e);
		break;
	case EVENT_CMD_INFO:
		if (e->flags & CMD_HAS_STATE && e->code != VERB_GET)
			persist_unsure(&m->persist, e);
		if (e->flags & CMD_CALL_KEY)
			keeping_unsure(&m->keeping);
		break;
	case EVENT_KEY:
		if (world_call_lives(c))
			probed(state, m, c, w, e, f);
		break;
	default:
		break;
	}
}

static void call_done(void *state, struct world_call *c, void *mine, const struct world *w,
		      struct finding *f)
{
	struct continuity *s = state;
	struct continuity_call *m = mine;
	const struct keeping *k = &m->keeping;

	continuity_settle(s, m, c, w, f);
	s->missing.focus = f->focus;
	keeping_settle(&m->keeping, c, w, f, &s->missing);
	if (k->least_ns && (!s->lasting++ || k->least_left_ns < s->least_left_ns))
		s->least_left_ns = k->least_left_ns;
}

static bool tap_is_whole(const struct world *w)
{
	const struct lane_status *lanes = NULL;
	size_t count = w->names ? history_lanes(w->names, &lanes) : 0;

	for (size_t i = 0; i < count; i++) {
		if (!lanes[i].whole && (lanes[i].role == ROLE_TAP || !lanes[i].role))
			return false;
	}
	return true;
}

static void finish(void *state, const struct world *w, struct finding *f)
{
	struct continuity *s = state;
	/* Who declares that Redis is not watched is not asked about it, and told so. */
	bool watched = w->scenario->state.tap;
	int64_t floor_ns = w->scenario->state.ttl_floor_ns;
	uint64_t continued;
	char surfaced[80] = "", lasted[80] = "";

	if (watched && (!s->tap || !s->commands || s->unseen))
		verdict_doubt(
			f, REASON_NO_TAP,
			"%llu of %llu acknowledged turns came from instances whose Redis commands "
			"were not seen: persist before ack was not judged for them",
			(unsigned long long)(s->tap && s->commands ? s->unseen : s->acks),
			(unsigned long long)s->acks);
	if (s->bypassed)
		verdict_doubt(
			f, REASON_NO_TAP,
			"%llu clients spoke to Redis past the tap: what they wrote was not seen",
			(unsigned long long)s->bypassed);
	if (watched)
		continuity_tell_missing(s, tap_is_whole(w), f);
	if (floor_ns && !s->lasting)
		verdict_doubt(
			f, REASON_NO_TAP,
			"no command was seen that set a call's time to live: its floor was not judged");
	f->anomalies[ANOMALY_INFO_SURFACED] += s->surfaced; /* legal: no violation */
	if (s->without_digest)
		verdict_doubt(f, REASON_NO_DIGEST,
			      "%llu answers carried no digest: only counts were judged",
			      (unsigned long long)s->without_digest);
	if (s->undecided)
		verdict_doubt(f, REASON_RESOLUTION,
			      "%llu reads were further back than the digests remembered",
			      (unsigned long long)s->undecided);
	if (w->shift.ok_ns && !s->crossings)
		verdict_doubt(f, REASON_VACUOUS, "no call crossed from one color to the other");
	continued = s->resumes > f->violations ? s->resumes : f->violations;
	verdict_saw(f, continued, 1);
	if (s->surfaced)
		snprintf(surfaced, sizeof(surfaced),
			 "; %llu writes of unknown outcome took effect, which is legal",
			 (unsigned long long)s->surfaced);
	if (floor_ns && s->lasting)
		snprintf(lasted, sizeof(lasted), "; at least %.3f s left to live (floor %.0f s)",
			 (double)s->least_left_ns / NS_PER_S, (double)floor_ns / NS_PER_S);
	finding_say(
		f,
		"%llu resumes, %llu crossings of color, %llu turns acknowledged, %llu looks of ours at live states; %llu violations (limit 0)%s%s%s",
		(unsigned long long)s->resumes, (unsigned long long)s->crossings,
		(unsigned long long)s->acks, (unsigned long long)s->probed,
		(unsigned long long)f->violations, surfaced, lasted,
		watched ? "" : "; Redis was not watched: persist before ack was not judged");
}

static void release(void *state)
{
	struct continuity *s = state;

	finding_free(&s->missing);
}

const struct check check_state_continuity = {
	.name = "state_continuity",
	.about =
		"what a caller was told is in the state of whoever answers it next, once, and was in Redis before it was told",
	.trials = "resumes",
	.kinds = KIND(START_OK) | KIND(RESUME_OK) | KIND(TURN_INV) | KIND(REPLY_OK) | KIND(CMD_OK) |
		 KIND(CMD_ERR) | KIND(CMD_INFO) | KIND(KEY) | KIND(BYPASS),
	.state_bytes = sizeof(struct continuity),
	.call_bytes = sizeof(struct continuity_call),
	.begin = begin,
	.event = event,
	.call_done = call_done,
	.finish = finish,
	.release = release,
};
