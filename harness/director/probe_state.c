#include "director/probe_state.h"

#include "base/clock.h"

/* Redis says whole seconds, rounded; the key was written between since_ns and now. */
static int check_ttl(const struct probe_state *p, const struct call_state *s, struct err *err)
{
	int64_t high_s = (p->ttl_ns + NS_PER_S - 1) / NS_PER_S;
	int64_t low_s = (p->ttl_ns - (clock_now_ns() - p->since_ns)) / NS_PER_S - 1;

	if (s->ttl_s < 0)
		return err_set(err, ERR_WORLD, "%s has no time to live, should have %lld s", p->key,
			       (long long)high_s);
	if (s->ttl_s > high_s || s->ttl_s < low_s)
		return err_set(err, ERR_WORLD,
			       "%s lives for another %lld s, should be %lld to %lld", p->key,
			       (long long)s->ttl_s, (long long)(low_s > 0 ? low_s : 0),
			       (long long)high_s);
	return 0;
}

int probe_state_check(struct redis *redis, const struct probe_state *p, struct call_state *ret,
		      struct err *err)
{
	struct call_state s;

	if (call_state_read(redis, p->key, &s, err) < 0)
		return -1;
	*ret = s;
	if (!s.found)
		return err_set(err, ERR_WORLD, "the reply arrived but %s is not in Redis", p->key);
	if (!s.has_turns || s.turns != 1)
		return err_set(err, ERR_WORLD, "%s holds %u turns after turn 1 was answered",
			       p->key, s.turns);
	if (p->said->has_digest && s.has_digest && s.digest != p->said->digest)
		return err_set(err, ERR_WORLD, "%s holds another digest than the reply said",
			       p->key);
	return p->ttl_ns ? check_ttl(p, &s, err) : 0;
}
