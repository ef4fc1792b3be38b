#include "check/core/writers.h"

#include <string.h>

static const struct reader_seen *reader(const struct writers *w, uint8_t instance)
{
	for (size_t i = 0; i < READERS_KEPT; i++) {
		if (w->readers[i].instance == instance)
			return &w->readers[i];
	}
	return NULL;
}

void writers_read(struct writers *w, const struct event *e)
{
	struct reader_seen *r = (struct reader_seen *)reader(w, e->instance);

	if (!e->instance)
		return;
	if (!r) {
		r = &w->readers[w->oldest_reader];
		w->oldest_reader = (uint8_t)((w->oldest_reader + 1) % READERS_KEPT);
	}
	*r = (struct reader_seen){ .begun_ns = e->due_ns, .n = e->n, .instance = e->instance };
}

/* Without versions: both hold n turns, so both added the last one. A writer that had read that
 * very n only wrote it again; one that began to read after the other's write was in Redis, and was
 * not shown it, did not race: the store forgot. */
static bool same_parent(const struct writers *w, const struct event *e,
			const struct write_seen *other)
{
	const struct reader_seen *r = reader(w, e->instance);

	if (e->ver || other->version) {
		if (e->ver != other->version)
			return false;
	} else if (!e->n || e->n != other->n || (r && r->n >= e->n)) {
		return false;
	} else if (!r) {
		return other->digest != (uint32_t)e->digest;
	}
	return !r || r->begun_ns <= other->done_ns;
}

static const struct write_seen *fork_of(const struct writers *w, const struct event *e)
{
	for (size_t i = 0; i < WRITES_KEPT; i++) {
		const struct write_seen *other = &w->writes[i];
		if (other->done_ns &&
		    (other->instance != e->instance || other->epoch != e->epoch) &&
		    same_parent(w, e, other))
			return other;
	}
	return NULL;
}

static bool wrote_before(const struct writers *w, uint8_t instance)
{
	for (size_t i = 1; i < WRITES_KEPT; i++) {
		if (w->writes[i].done_ns && w->writes[i].instance == instance)
			return true;
	}
	return false;
}

static enum write_kind judge(const struct writers *w, const struct event *e, struct write_seen *ret)
{
	const struct write_seen *fork = fork_of(w, e), *last = &w->writes[0];

	*ret = fork ? *fork : *last;
	if (fork)
		return WRITE_FORK;
	if (e->epoch && e->epoch < w->epoch && w->epoch_ns < e->due_ns)
		return WRITE_STALE_EPOCH;
	if (e->epoch && e->epoch == w->epoch && w->epoch_owner && e->instance &&
	    e->instance != w->epoch_owner)
		return WRITE_SHARED_EPOCH;
	if (!e->epoch && !w->epoch && last->done_ns && last->instance != e->instance &&
	    last->done_ns < e->due_ns && wrote_before(w, e->instance))
		return WRITE_INTERLEAVED;
	return WRITE_IN_ORDER;
}

enum write_kind writers_accept(struct writers *w, const struct event *e, struct write_seen *ret)
{
	enum write_kind kind = judge(w, e, ret);

	memmove(&w->writes[1], &w->writes[0], (WRITES_KEPT - 1) * sizeof(w->writes[0]));
	w->writes[0] = (struct write_seen){ .done_ns = e->t_ns,
					    .version = e->ver,
					    .epoch = e->epoch,
					    .digest = (uint32_t)e->digest,
					    .n = e->n,
					    .instance = e->instance };
	writers_epoch(w, e->epoch, e->instance, e->t_ns);
	return kind;
}

void writers_epoch(struct writers *w, uint32_t epoch, uint8_t owner, int64_t t_ns)
{
	if (epoch <= w->epoch)
		return;
	w->epoch = epoch;
	w->epoch_owner = owner;
	w->epoch_ns = t_ns;
}
