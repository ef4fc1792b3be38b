#include "check/core/continuity.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "check/core/cause.h"
#include "check/core/witness.h"

/* ---- persist before ack ---- */

void persist_expect(struct persist *p, const struct event *e)
{
	if (p->written >= e->turn)
		return;
	if (!p->low) {
		p->low = e->turn;
		p->first_ns = e->t_ns;
	}
	p->high = e->turn;
	p->last_ns = e->t_ns;
	p->instance = e->instance;
}

/* Redis has shown to hold n turns: whatever was missing of them is back. */
static void holds(struct persist *p, uint16_t n, int64_t t_ns)
{
	if (n < p->held)
		return;
	p->held_ns = n > p->held ? t_ns : p->held_ns;
	p->held = n;
	p->fell_ns = 0;
}

unsigned persist_written(struct persist *p, const struct event *e, unsigned *ret_turn,
			 int64_t *ret_early_ns)
{
	unsigned up_to, early;

	if (!p->written)
		p->written_ns = e->t_ns;
	if (e->n > p->written)
		p->written = e->n;
	if (!(e->flags & CMD_KEEP_TTL)) {
		p->newest_ns = e->t_ns;
		p->ttl_s = e->aux;
	}
	if (e->n >= p->refused_high)
		p->refused_low = p->refused_high = 0;
	else if (e->n >= p->refused_low)
		p->refused_low = e->n + 1;
	holds(p, e->n, e->t_ns);
	if (!p->low || e->n < p->low)
		return 0;
	up_to = e->n < p->high ? e->n : p->high;
	early = up_to - p->low + 1;
	/* Equal stamps prove no order; only the latest reply can have this one's. */
	if (up_to == p->high && e->t_ns <= p->last_ns)
		early--;
	if (p->low == up_to && e->t_ns <= p->first_ns)
		early = 0;
	*ret_turn = p->low;
	*ret_early_ns = e->t_ns - p->first_ns;
	p->was_early |= early > 0;
	p->low = up_to < p->high ? (uint16_t)(up_to + 1) : 0;
	p->first_ns = p->last_ns;
	return early;
}

void persist_unsure(struct persist *p, const struct event *e)
{
	uint16_t n = e->flags & CMD_HAS_STATE ? e->n : UINT16_MAX;

	if (n > p->unsure)
		p->unsure = n;
}

void persist_refused(struct persist *p, const struct event *e)
{
	if (e->n <= p->written)
		return;
	if (!p->refused_low || e->n < p->refused_low)
		p->refused_low = e->n;
	if (e->n > p->refused_high)
		p->refused_high = e->n;
}

bool persist_surfaces(struct persist *p, uint16_t n)
{
	bool is_news = n > p->written && n > p->surfaced && n <= p->unsure;

	if (is_news)
		p->surfaced = n;
	return is_news && p->unsure != UINT16_MAX;
}

void persist_read(struct persist *p, const struct event *e)
{
	if (e->n < p->held && e->due_ns > p->held_ns) {
		p->fell_ns = e->t_ns;
		p->fell_n = e->n;
		p->fell_instance = e->instance;
	}
	holds(p, e->n, e->t_ns);
}

void persist_deleted(struct persist *p, const struct event *e)
{
	p->deleted_ns = e->t_ns;
	p->deleted_by = e->instance;
	p->written = p->held = 0;
	p->fell_ns = 0;
}

/* ---- reads ---- */

static void convict(struct continuity_call *m, struct witness wit, enum anomaly anomaly,
		    struct finding *f)
{
	wit.anomaly = anomaly;
	verdict_violation(f, &wit);
	m->convicted = true;
}

void continuity_convict(struct continuity_call *m, const struct world *w,
			const struct world_call *c, const struct event *e, enum anomaly anomaly,
			struct finding *f, const char *fmt, ...)
{
	struct witness wit = witness_of_call(w, c, e->t_ns);
	va_list ap;

	if (m->convicted)
		return;
	va_start(ap, fmt);
	vsnprintf(wit.text, sizeof(wit.text), fmt, ap);
	va_end(ap);
	convict(m, wit, anomaly, f);
}

/* Another live call whose chain holds the digest. Only asked once something is wrong. */
static bool is_of_another(const struct world *w, const struct world_call *c,
			  const struct continuity_call *m, uint64_t digest)
{
	size_t cursor = 0, offset = (size_t)((const char *)m - (const char *)c);
	const struct world_call *other;

	while ((other = table_each(&w->calls, &cursor))) {
		const struct continuity_call *theirs = (const void *)((const char *)other + offset);
		if (other != c && chain_holds(&theirs->chain, digest))
			return true;
	}
	return false;
}

/* Less than the caller was told. What to call it depends on what later reads show. */
static void lost(struct continuity_call *m, const struct world_call *c, const struct event *e)
{
	m->convicted = true;
	m->lost_ns = e->t_ns;
	m->lost_n = e->n;
	m->lost_acked = m->acked;
	m->lost_leg = e->leg;
	m->lost_color = c->color;
	m->lost_instance = c->instance;
	m->lost_from_ns = m->persist.held_ns;
	m->lost_deleted_by = m->persist.deleted_by;
	if (m->persist.deleted_ns > m->persist.held_ns)
		m->lost_deleted_ns = m->persist.deleted_ns;
}

static void wrong_digest(struct continuity_call *m, const struct world_call *c,
			 const struct world *w, const struct event *e, enum chain_kind kind,
			 unsigned turn, struct finding *f)
{
	if (is_of_another(w, c, m, e->digest))
		continuity_convict(m, w, c, e, ANOMALY_CROSS_CALL, f,
				   "was shown the state of another call (n %u)", e->n);
	else if (kind == CHAIN_OTHER_TURN)
		continuity_convict(m, w, c, e, ANOMALY_TORN_STATE, f,
				   "n is %u but the digest is that of turn %u", e->n, turn);
	else if (kind == CHAIN_DOUBLED)
		continuity_convict(m, w, c, e, ANOMALY_DOUBLE_APPLY, f,
				   "turn %u was applied twice (n %u)", turn, e->n);
	else if (kind == CHAIN_REORDERED)
		continuity_convict(m, w, c, e, ANOMALY_REORDER, f,
				   "turn %u was applied before turn %u", turn, turn - 1);
	else if (kind == CHAIN_SKIPPED && turn < m->shown)
		continuity_convict(
			m, w, c, e, ANOMALY_ACK_LOST, f,
			"the chain goes on from turn %u: turns up to %u were acknowledged", turn,
			m->shown);
	else if (kind == CHAIN_SKIPPED)
		continuity_convict(
			m, w, c, e, ANOMALY_REORDER, f,
			"the chain goes on from turn %u and leaves out what was sent before", turn);
	else
		continuity_convict(m, w, c, e, ANOMALY_UNKNOWN, f,
				   "the digest after %u turns is none of the last %d: %s", e->n,
				   CHAIN_DIGESTS, "lost 16 or more, or diverged");
}

void continuity_read(struct continuity_call *m, const struct world_call *c, const struct world *w,
		     const struct event *e, unsigned floor, struct finding *f)
{
	bool has_digest = e->flags & STATE_HAS_DIGEST, has_turns = e->flags & STATE_HAS_TURNS;
	enum chain_kind kind = CHAIN_AS_EXPECTED;
	unsigned turn = 0, n = has_turns ? e->n : e->turn;

	if (has_digest)
		kind = chain_compare(&m->chain, n, e->digest, &turn);
	if (m->lost_ns && e->t_ns > m->lost_ns && n >= m->lost_acked && kind == CHAIN_AS_EXPECTED)
		m->found_again = true;
	if (m->convicted)
		return;
	if (has_turns && n > m->chain.sent) {
		if (has_digest && is_of_another(w, c, m, e->digest))
			continuity_convict(m, w, c, e, ANOMALY_CROSS_CALL, f,
					   "was shown the state of another call (n %u)", n);
		else if (kind == CHAIN_DOUBLED)
			continuity_convict(m, w, c, e, ANOMALY_DOUBLE_APPLY, f,
					   "turn %u was applied twice (n %u)", turn, n);
		else
			continuity_convict(m, w, c, e, ANOMALY_PHANTOM_TURN, f,
					   "the state holds %u turns, %u were ever sent", n,
					   m->chain.sent);
	} else if (has_turns && n < floor) {
		if (has_digest && kind != CHAIN_AS_EXPECTED && kind != CHAIN_FORGOTTEN &&
		    is_of_another(w, c, m, e->digest))
			continuity_convict(m, w, c, e, ANOMALY_CROSS_CALL, f,
					   "was shown the state of another call (n %u)", n);
		else
			lost(m, c, e);
	} else if (kind != CHAIN_AS_EXPECTED && kind != CHAIN_FORGOTTEN) {
		wrong_digest(m, c, w, e, kind, turn, f);
	} else if (e->flags & STATE_HAS_VER && e->ver < m->version && floor >= m->acked) {
		continuity_convict(m, w, c, e, ANOMALY_REGRESS, f,
				   "version %u was shown after version %u", e->ver, m->version);
	}
	if (e->flags & STATE_HAS_VER && e->ver > m->version)
		m->version = e->ver;
	if (n > m->shown)
		m->shown = (uint16_t)n;
}

/* Kept back until it is known whether the tap saw everything. */
static void miss(struct continuity *s, const struct witness *wit, const struct finding *f)
{
	s->missing.focus = f->focus;
	verdict_violation(&s->missing, wit);
}

static void aborted_read(struct continuity *s, struct continuity_call *m,
			 const struct world_call *c, const struct world *w, const struct event *e,
			 const struct finding *f)
{
	struct witness wit = witness_of_call(w, c, e->t_ns);

	m->convicted = true;
	wit.anomaly = ANOMALY_PHANTOM_TURN;
	wit.cause = ANOMALY_NONE;
	witness_say(&wit,
		    "aborted read (G1a): the state holds turn %u, whose write Redis had refused",
		    m->persist.refused_low);
	miss(s, &wit, f);
}

void continuity_resumed(struct continuity *s, struct continuity_call *m, const struct world_call *c,
			const struct world *w, const struct event *e, const struct finding *f)
{
	const struct persist *p = &m->persist;

	s->surfaced += persist_surfaces(&m->persist, e->n);
	if (!m->convicted && p->refused_low && e->n >= p->refused_low && p->unsure < p->refused_low)
		aborted_read(s, m, c, w, e, f);
}

void continuity_gone(struct continuity_call *m, const struct world_call *c, const struct event *e)
{
	if (m->convicted)
		return;
	m->convicted = m->gone = true;
	m->lost_ns = e->t_ns;
	m->lost_n = m->persist.written;
	m->lost_leg = c->leg;
	m->lost_color = c->color;
	m->lost_instance = c->instance;
	m->lost_from_ns = m->persist.newest_ns;
	m->lost_ttl_s = m->persist.ttl_s;
}

/* ---- the end ---- */

void continuity_tell_missing(const struct continuity *s, bool tap_is_whole, struct finding *f)
{
	if (tap_is_whole)
		verdict_add(f, &s->missing);
	else if (s->missing.violations)
		verdict_doubt(f, REASON_SOURCE_LOST,
			      "%llu losses rest on what a tap lane that is not whole may have held",
			      (unsigned long long)s->missing.violations);
}

/* Why turns that were acknowledged by from_ns are not in the state at to_ns. */
static void give_cause(const struct continuity *s, const struct continuity_call *m,
		       const struct world_call *c, const struct world *w, int64_t from_ns,
		       int64_t to_ns, struct witness *wit)
{
	const struct persist *p = &m->persist;
	struct cause cause = cause_of_loss(w, c, from_ns, to_ns);
	bool unwritten = !p->newest_ns && !p->written && !p->unsure && !p->deleted_ns;
	size_t used = strlen(wit->text);
	char why[CAUSE_TEXT_MAX];

	if (s->tap && !s->bypassed && unwritten)
		cause = (struct cause){ .anomaly = ANOMALY_MEMORY_ONLY };
	else if (cause.anomaly == ANOMALY_UNKNOWN && p->was_early)
		cause.anomaly = ANOMALY_ACK_EARLY;
	wit->cause = cause.anomaly;
	wit->cause_ns = cause.since_ns;
	snprintf(wit->text + used, sizeof(wit->text) - used, "%s", silence_text(w, c, &cause, why));
}

/* Redis had nothing of a live call. Whether it was evicted or flushed its counters say later. */
static void name_gone(struct continuity_call *m, const struct world_call *c, const struct world *w,
		      struct finding *f)
{
	struct cause cause = cause_of_vanishing(w, m->lost_from_ns, m->lost_ns);
	struct witness wit = witness_of_call(w, c, m->lost_ns);
	int64_t age_ns = m->lost_ns - m->lost_from_ns, ttl_ns = m->lost_ttl_s * NS_PER_S;
	char why[CAUSE_TEXT_MAX];

	silence_text(w, c, &cause, why);
	if (ttl_ns && age_ns >= ttl_ns)
		cause = (struct cause){ .anomaly = ANOMALY_STATE_EXPIRED,
					.since_ns = m->lost_from_ns + ttl_ns };
	if (cause.anomaly == ANOMALY_STATE_EXPIRED || cause.anomaly == ANOMALY_UNKNOWN)
		snprintf(why, sizeof(why), "; %s: written %.3f s before to last %u s",
			 cause.anomaly != ANOMALY_UNKNOWN ?
				 "expired" :
			 purges_known(&w->purges, m->lost_from_ns, m->lost_ns) ?
				 "deleted past the tap" :
				 "evicted, flushed or deleted past the tap",
			 (double)age_ns / NS_PER_S, m->lost_ttl_s);
	wit.cause = cause.anomaly;
	wit.cause_ns = cause.since_ns;
	wit.leg = m->lost_leg;
	wit.color = m->lost_color;
	wit.instance = m->lost_instance;
	witness_say(&wit, "Redis has no state of a live call whose turn %u it had accepted%s",
		    m->lost_n, why);
	convict(m, wit, ANOMALY_EVAPORATED, f);
}

static void name_loss(struct continuity *s, struct continuity_call *m, const struct world_call *c,
		      const struct world *w, struct finding *f)
{
	struct witness wit = witness_of_call(w, c, m->lost_ns);
	char deleted[96] = "";

	wit.leg = m->lost_leg;
	wit.color = m->lost_color;
	wit.instance = m->lost_instance;
	if (m->lost_deleted_ns)
		snprintf(deleted, sizeof(deleted), "; %s had deleted the state at +%.3f s",
			 world_instance_name(w, m->lost_deleted_by),
			 world_s(w, m->lost_deleted_ns));
	witness_say(&wit, "%s %u turns after %u had been acknowledged; %s%s",
		    m->lost_n ? "was shown only" : "was shown", m->lost_n, m->lost_acked,
		    m->found_again ? "a later read had them all" : "no later read had them",
		    deleted);
	give_cause(s, m, c, w, m->lost_from_ns, m->lost_ns, &wit);
	if (m->lost_deleted_ns) {
		wit.cause = ANOMALY_STATE_DELETED;
		wit.cause_ns = m->lost_deleted_ns;
	} else if (m->found_again && wit.cause == ANOMALY_UNKNOWN) {
		wit.cause = ANOMALY_STALE_RESUME; /* it was there: the read is all that was wrong */
	}
	convict(m, wit, m->found_again ? ANOMALY_STALE_RESUME : ANOMALY_ACK_LOST, f);
}

static void never_persisted(struct continuity *s, struct continuity_call *m,
			    const struct world_call *c, const struct world *w, struct finding *f)
{
	const struct persist *p = &m->persist;
	struct witness wit = witness_of_call(w, c, p->last_ns);

	if (!w->tap_saw[p->instance]) {
		s->unseen += p->high - p->low + 1U;
		return;
	}
	if (p->unsure >= p->high)
		return;
	witness_say(&wit,
		    "turns %u to %u were acknowledged, the last state Redis accepted holds %u",
		    p->low > p->unsure ? p->low : p->unsure + 1U, p->high, p->written);
	give_cause(s, m, c, w, c->admitted_ns, c->end_ns, &wit);
	if (p->written && p->was_early) { /* a queue behind the reply that never got to it */
		convict(m, wit, ANOMALY_ACK_LOST, f);
		return;
	}
	wit.anomaly = ANOMALY_NEVER_PERSISTED;
	miss(s, &wit, f);
}

/* Redis showed less than it had held, and never all of it again. */
static void fell(struct continuity *s, const struct continuity_call *m, const struct world_call *c,
		 const struct world *w, const struct finding *f)
{
	const struct persist *p = &m->persist;
	struct witness wit = witness_of_call(w, c, p->fell_ns);

	wit.anomaly = p->fell_n < m->acked ? ANOMALY_ACK_LOST : ANOMALY_REGRESS;
	wit.instance = p->fell_instance;
	witness_say(&wit, "Redis showed %s %u turns after it had held %u, and never those again",
		    p->fell_instance ? world_instance_name(w, p->fell_instance) : "us", p->fell_n,
		    p->held);
	give_cause(s, m, c, w, p->held_ns, p->fell_ns, &wit);
	miss(s, &wit, f);
}

void continuity_settle(struct continuity *s, struct continuity_call *m, const struct world_call *c,
		       const struct world *w, struct finding *f)
{
	if (m->gone)
		name_gone(m, c, w, f);
	else if (m->lost_ns)
		name_loss(s, m, c, w, f);
	else if (m->convicted)
		return;
	else if (m->persist.fell_ns)
		fell(s, m, c, w, f);
	else if (m->persist.low)
		never_persisted(s, m, c, w, f);
}
