#include "director/residue.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "net/redis.h"
#include "observe/redis_roles.h"

enum { NOTE_MAX = 200, DESCRIPTORS_SPARE = 8 }; /* spare: health checks come and go */
static const int64_t settled_within_ns = NS_PER_S;
static const int64_t answer_within_ns = 2 * NS_PER_S;

void residue_find_redis(const char *bindings, char *out, size_t size)
{
	static const char one[] = "redis=", several[] = "redis_servers=";
	const char *found = "", *end;

	for (const char *at = bindings; *at; at = *end ? end + 1 : end) {
		end = at + strcspn(at, "\n");
		if (!strncmp(at, several, sizeof several - 1)) {
			found = at + sizeof several - 1;
			break;
		}
		if (!strncmp(at, one, sizeof one - 1))
			found = at + sizeof one - 1;
	}
	snprintf(out, size, "%.*s", (int)strcspn(found, "\n"), found);
}

static void tell(struct lane *lane, enum residue what, unsigned left, unsigned looked_at,
		 uint8_t flags, const char *note)
{
	struct event e = event_make(EVENT_RESIDUE, clock_now_ns());

	e.code = what;
	e.n = left > UINT16_MAX ? UINT16_MAX : (uint16_t)left;
	e.aux = looked_at;
	e.flags = flags;
	if (*note)
		e.conn = lane_note(lane, "%s", note);
	lane_event(lane, e);
}

/* ---- Redis ---- */

struct keys {
	int64_t ttl_s; /* as declared; 0: none is */
	unsigned count, left;
	struct buf first; /* of those left */
};

static void on_key(void *user, const char *key, int64_t ttl_s)
{
	struct keys *k = user;
	size_t had = k->first.len;

	k->count++;
	if (!k->ttl_s || ttl_s == -2 || (ttl_s >= 0 && ttl_s <= k->ttl_s))
		return;
	k->left++;
	buf_printf(&k->first, had ? ", %s" : "%s", key);
	if (ttl_s > 0)
		buf_printf(&k->first, " (%lld s)", (long long)ttl_s);
}

static void look_at_keys(struct lane *lane, const struct scenario *sc, struct redis *redis,
			 const char *run6)
{
	struct keys keys = { .ttl_s = sc->state.ttl_ns / NS_PER_S, .first = buf_init(NOTE_MAX) };
	struct buf literal = buf_init(1024), pattern = buf_init(1024);
	struct err err = { .kind = ERR_NONE };
	char calls[64];

	snprintf(calls, sizeof calls, "c-%s-*", run6);
	const struct variable bound[] = { { "call", calls }, { "run", run6 } };

	redis_glob_literal(&literal, sc->state.key);
	if (scenario_bind(buf_text(&literal), bound, 2, &pattern, &err) < 0 ||
	    redis_scan(redis, buf_text(&pattern), on_key, &keys, &err) < 0)
		tell(lane, RESIDUE_KEYS, 0, 0, RESIDUE_UNSEEN, err.text);
	else
		tell(lane, RESIDUE_KEYS, keys.left, keys.count, 0, buf_text(&keys.first));
	buf_free(&keys.first);
	buf_free(&literal);
	buf_free(&pattern);
}

/* A command that would write, to a key that is not there: it is answered unless writes are held
 * back. */
static void look_at_clients(struct lane *lane, const struct scenario *sc, struct redis *redis,
			    const char *run6)
{
	struct err err = { .kind = ERR_NONE };
	int64_t since_ns = clock_now_ns(), deleted;
	char key[64];

	(void)sc;
	snprintf(key, sizeof key, "crossfade:residue:%s", run6);
	if (!redis_delete(redis, key, &deleted, &err) || !redis_ping(redis, NULL))
		tell(lane, RESIDUE_CLIENTS, 0, 1, 0, ""); /* a refusal is an answer */
	else if (clock_now_ns() - since_ns >= answer_within_ns)
		tell(lane, RESIDUE_CLIENTS, 1, 1, 0, err.text);
	else
		tell(lane, RESIDUE_CLIENTS, 0, 0, RESIDUE_UNSEEN, err.text);
}

struct look {
	enum residue what;
	void (*at)(struct lane *, const struct scenario *, struct redis *, const char *);
};
static const struct look at_clients = { RESIDUE_CLIENTS, look_at_clients },
			 at_keys = { RESIDUE_KEYS, look_at_keys };

/* On a connection of its own: one that waited in vain is of no further use. */
static void look(const struct look *what, struct lane *lane, const struct scenario *sc,
		 const char *address, const char *run6)
{
	struct err err = { .kind = ERR_NONE };
	struct redis *redis = NULL;

	if (redis_open(address, answer_within_ns, &redis, &err) < 0)
		tell(lane, what->what, 0, 0, RESIDUE_UNSEEN, err.text);
	else
		what->at(lane, sc, redis, run6);
	redis_close(redis);
}

void residue_of_redis(struct lane *lane, const struct scenario *sc, const char *servers,
		      const char *run6)
{
	struct redis_roles *roles = redis_roles_new(servers, answer_within_ns);
	enum redis_role role[REDIS_ROLES_MAX];
	struct redis_role_said said;
	size_t primaries;

	for (size_t i = 0; i < redis_roles_count(roles); i++)
		role[i] = redis_roles_ask(roles, i, &said);
	redis_roles_primary(roles, &primaries);
	for (size_t i = 0; i < redis_roles_count(roles); i++) {
		const char *address = redis_roles_address(roles, i);

		if (!primaries || role[i] != REDIS_ROLE_SILENT)
			look(&at_clients, lane, sc, address, run6);
		if (!primaries || role[i] == REDIS_ROLE_PRIMARY)
			look(&at_keys, lane, sc, address, run6);
	}
	redis_roles_free(roles);
}

/* ---- descriptors ---- */

static int descriptors_of(const struct member *m)
{
	char path[64];
	DIR *folder;
	int count = 0;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)m->process.pid);
	folder = opendir(path);
	while (folder && readdir(folder))
		count++;
	if (folder)
		closedir(folder);
	return count;
}

void residue_count_descriptors(struct stage *stage)
{
	for (size_t i = 0; i < stage->count; i++)
		if (stage->members[i].kind == MEMBER_AGENT)
			stage->members[i].descriptors = descriptors_of(&stage->members[i]);
}

/* How many agents have more of them than at first, by more than a few. */
static unsigned grown(const struct stage *stage, unsigned *ret_agents, struct buf *who)
{
	unsigned count = 0;

	*ret_agents = 0;
	buf_clear(who);
	for (size_t i = 0; i < stage->count; i++) {
		const struct member *m = &stage->members[i];
		int now = m->kind == MEMBER_AGENT && !m->ended ? descriptors_of(m) : 0;

		*ret_agents += now > 0;
		if (!m->descriptors || now <= m->descriptors + DESCRIPTORS_SPARE)
			continue;
		buf_printf(who, "%s%s %d, at first %d", who->len ? ", " : "", m->name, now,
			   m->descriptors);
		count++;
	}
	return count;
}

static void tick(void *user)
{
	(void)user;
}

void residue_of_agents(struct stage *stage)
{
	int64_t deadline_ns = clock_now_ns() + settled_within_ns;
	struct loop_timer *timer = loop_timer_new(stage->loop, tick, NULL);
	struct buf who = buf_init(NOTE_MAX);
	unsigned agents, left;

	while ((left = grown(stage, &agents, &who)) && clock_now_ns() < deadline_ns) {
		loop_timer_at(timer, clock_now_ns() + 20 * NS_PER_MS);
		loop_run_once(stage->loop);
	}
	tell(stage->lane, RESIDUE_DESCRIPTORS, left, agents, 0, buf_text(&who));
	loop_timer_free(timer);
	buf_free(&who);
}

/* ---- processes ---- */

void residue_of_processes(const struct stage *stage, int strays)
{
	struct buf who = buf_init(NOTE_MAX);
	unsigned left = strays < 0 ? 1 : (unsigned)strays;

	if (strays)
		buf_printf(&who, "%u that nobody here had started", left);
	for (size_t i = 0; i < stage->count; i++) {
		if (!stage->members[i].forced)
			continue;
		left++;
		buf_printf(&who, who.len ? ", %s" : "%s", stage->members[i].name);
	}
	tell(stage->lane, RESIDUE_PROCESSES, left, (unsigned)stage->count, 0, buf_text(&who));
	buf_free(&who);
}
