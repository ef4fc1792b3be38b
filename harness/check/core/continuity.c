#include "check/core/continuity.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
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

unsigned persist_written(struct persist *p, const struct event *e, unsigned *ret_turn,
			 int64_t *ret_early_ns)
{
	unsigned up_to, early;

	if (!p->written)
		p->written_ns = e->t_ns;
	if (e->n > p->written)
		p->written = e->n;
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

/* ---- reads ---- */

static void convict(struct continuity_call *m, struct witness wit, enum anomaly anomaly,
		    struct finding *f)
{
	wit.anomaly = anomaly;
	wit.cause = ANOMALY_NONE;
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
	else if (kind == CHAIN_SKIPPED)
		continuity_convict(
			m, w, c, e, turn < m->shown ? ANOMALY_ACK_LOST : ANOMALY_REORDER, f,
			"the chain goes on from turn %u: turns up to %u were acknowledged", turn,
			m->shown);
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

/* ---- the end ---- */

static void name_loss(struct continuity_call *m, const struct world_call *c, const struct world *w,
		      struct finding *f)
{
	struct witness wit = witness_of_call(w, c, m->lost_ns);

	wit.leg = m->lost_leg;
	wit.color = m->lost_color;
	wit.instance = m->lost_instance;
	witness_say(&wit, "%s %u turns after %u had been acknowledged; %s",
		    m->lost_n ? "was shown only" : "was shown", m->lost_n, m->lost_acked,
		    m->found_again ? "a later read had them all" : "no later read had them");
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
	if (p->written && p->was_early) { /* a queue behind the reply that never got to it */
		convict(m, wit, ANOMALY_ACK_LOST, f);
		return;
	}
	wit.anomaly = ANOMALY_NEVER_PERSISTED;
	if (s->missing_count < WITNESS_MAX) {
		s->missing = xrealloc(s->missing, (s->missing_count + 1) * sizeof(*s->missing));
		s->missing[s->missing_count] = wit;
	}
	s->missing_count++;
}

void continuity_settle(struct continuity *s, struct continuity_call *m, const struct world_call *c,
		       const struct world *w, struct finding *f)
{
	if (m->lost_ns)
		name_loss(m, c, w, f);
	else if (m->persist.low && !m->convicted)
		never_persisted(s, m, c, w, f);
}
