#include "check/core/purges.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"

void purges_free(struct purges *p)
{
	free(p->list);
	*p = (struct purges){ 0 };
}

/* By how much a counter rose; one that is less than before began anew with its server. */
static uint64_t rise(uint64_t before, uint64_t now)
{
	return now >= before ? now - before : now;
}

void purges_event(struct purges *p, const struct event *e)
{
	struct purge_server *server = &p->server[e->n < PURGE_SERVERS ? e->n : PURGE_SERVERS - 1];
	struct purge new = { .from_ns = e->due_ns,
			     .to_ns = e->t_ns,
			     .evicted = rise(server->evicted, e->digest),
			     .flushes = rise(server->flushes, e->ver),
			     .note = e->conn };

	/* Of what a server had counted before it was first looked at nobody knows when that was. */
	if (!server->first_ns) {
		server->first_ns = e->t_ns;
	} else if (new.evicted || new.flushes) {
		p->list = xrealloc(p->list, (p->count + 1) * sizeof(*p->list));
		p->list[p->count++] = new;
	}
	server->last_ns = e->t_ns - e->aux * NS_PER_US;
	server->evicted = e->digest;
	server->flushes = e->ver;
}

const struct purge *purges_between(const struct purges *p, bool flushed, int64_t after_ns,
				   int64_t until_ns)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct purge *one = &p->list[i];

		if (one->to_ns > after_ns && one->from_ns < until_ns &&
		    (flushed ? one->flushes : one->evicted))
			return one;
	}
	return NULL;
}

bool purges_known(const struct purges *p, int64_t after_ns, int64_t until_ns)
{
	bool any = false;

	for (size_t i = 0; i < PURGE_SERVERS; i++) {
		const struct purge_server *server = &p->server[i];

		if (server->first_ns > after_ns || (server->first_ns && server->last_ns < until_ns))
			return false;
		any |= server->first_ns != 0;
	}
	return any;
}
