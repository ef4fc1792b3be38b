/*
 * Redis behind Sentinel: one primary, two replicas, three Sentinels, quorum 2, all on 127.0.0.1 and
 * free ports. One address for all is what spares us announce-ip and bind-source-addr: Sentinels
 * tell each other by port.
 *
 * Nothing of the state touches a disk: a replica gets its first copy over the socket and loads it
 * as it comes. A Sentinel insists on a configuration it can write; it is in the run's folder, 0600,
 * and shows afterwards what that Sentinel believed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "director/stage_parts.h"
#include "net/redis.h"

/* Long enough that a busy machine takes nobody for dead; what drills kill on purpose is down for
 * longer. A failover under way is given up, and may be tried again, after twice failover-timeout.
 */
enum { QUORUM = 2, DOWN_AFTER_MS = 3000, FAILOVER_TIMEOUT_MS = 10000, ANSWER_BYTES = 16384 };

static int replica_words(struct stage *stage, const char *name, int port, const void *about,
			 struct arguments *a, struct err *err)
{
	const char *primary = about, *colon = strrchr(primary, ':');

	if (part_redis_words(stage, name, port, NULL, a, err) < 0)
		return -1;
	argument_pair(a, "--repl-diskless-sync-delay", "0");
	argument_pair(a, "--repl-diskless-load", "swapdb");
	if (*primary) {
		argument(a, "--replicaof");
		argument(a, "%.*s", (int)(colon - primary), primary);
		argument(a, "%s", colon + 1);
	}
	return 0;
}

static int sentinel_words(struct stage *stage, const char *name, int port, const void *about,
			  struct arguments *a, struct err *err)
{
	const char *primary = about, *colon = strrchr(primary, ':');
	char path[4096];
	struct buf text = buf_init(4096 + sizeof path);
	bool written;
	int fd;

	snprintf(path, sizeof path, "%s/%s.conf", stage->run_dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(err, ERR_HARNESS, errno, "write %s", path);
	buf_printf(&text,
		   "port %d\nbind 127.0.0.1\ndir \"%s\"\n"
		   "sentinel monitor " STAGE_REDIS_MASTER " %.*s %s %d\n"
		   "sentinel down-after-milliseconds " STAGE_REDIS_MASTER " %d\n"
		   "sentinel failover-timeout " STAGE_REDIS_MASTER " %d\n"
		   "sentinel parallel-syncs " STAGE_REDIS_MASTER " 2\n",
		   port, stage->run_dir, (int)(colon - primary), primary, colon + 1, QUORUM,
		   DOWN_AFTER_MS, FAILOVER_TIMEOUT_MS);
	written = write(fd, buf_text(&text), text.len) == (ssize_t)text.len;
	buf_free(&text);
	if (close(fd) < 0 || !written)
		return err_errno(err, ERR_HARNESS, errno, "write %s", path);
	argument(a, "%s", path);
	argument(a, "--sentinel");
	return 0;
}

/* One question, on a connection of its own. */
static bool ask(const char *address, const char *const *words, struct buf *answer)
{
	struct redis *redis;
	bool ok;

	if (redis_open(address, 500 * NS_PER_MS, &redis, NULL) < 0)
		return false;
	ok = !redis_ask(redis, words, answer, NULL);
	redis_close(redis);
	return ok;
}

static unsigned occurrences(const struct buf *text, const char *what)
{
	unsigned n = 0;

	for (const char *at = buf_text(text); (at = strstr(at, what)); at += strlen(what))
		n++;
	return n;
}

/* The primary sends to both replicas, and they are where it is. */
static bool replicas_follow(const void *about)
{
	static const char *const words[] = { "INFO", "replication", NULL };
	const struct redis_part *r = about;
	struct buf answer = buf_init(ANSWER_BYTES);
	bool ok = ask(r->server[0].address, words, &answer) &&
		  occurrences(&answer, "state=online") == (unsigned)r->servers - 1;

	buf_free(&answer);
	return ok;
}

/* Every Sentinel knows the others and the replicas, and could have one of them promoted: what it
 * has not heard of yet it answers with NOGOODSLAVE. */
static bool sentinels_agree(const void *about)
{
	static const char *const quorum[] = { "SENTINEL", "CKQUORUM", STAGE_REDIS_MASTER, NULL };
	static const char *const replicas[] = { "SENTINEL", "REPLICAS", STAGE_REDIS_MASTER, NULL };
	static const char *const others[] = { "SENTINEL", "SENTINELS", STAGE_REDIS_MASTER, NULL };
	const struct redis_part *r = about;
	struct buf answer = buf_init(ANSWER_BYTES);
	bool ok = true;

	for (size_t i = 0; ok && i < r->sentinels; i++) {
		const char *address = r->sentinel[i].address;

		ok = ask(address, quorum, &answer) && ask(address, replicas, &answer) &&
		     occurrences(&answer, "\nflags\nslave\n") == r->servers - 1 &&
		     occurrences(&answer, "\nmaster-link-status\nok\n") == r->servers - 1 &&
		     ask(address, others, &answer) &&
		     occurrences(&answer, "\nflags\nsentinel\n") == r->sentinels - 1;
	}
	buf_free(&answer);
	return ok;
}

int part_sentinel(struct stage *stage, struct redis_part *ret, struct err *err)
{
	char name[32];

	ret->servers = REDIS_SERVERS_MAX;
	for (size_t i = 0; i < ret->servers; i++) {
		snprintf(name, sizeof name, "redis-%zu", i + 1);
		if (part_redis_server(stage, name, replica_words, i ? ret->server[0].address : "",
				      &ret->server[i], err) < 0)
			return -1;
	}
	/* A Sentinel asks the primary for its replicas at once, and then only every 10 s. */
	if (!part_comes(ret->server[0].member, replicas_follow, ret))
		return err_set(err, ERR_HARNESS,
			       "the replicas of redis-1 at %s did not come; see %s/redis-2.log",
			       ret->server[0].address, stage->run_dir);
	for (size_t i = 0; i < REDIS_SENTINELS_MAX; i++) {
		snprintf(name, sizeof name, "sentinel-%zu", i + 1);
		if (part_redis_server(stage, name, sentinel_words, ret->server[0].address,
				      &ret->sentinel[i], err) < 0)
			return -1;
		ret->sentinels++;
	}
	if (!part_comes(ret->sentinel[0].member, sentinels_agree, ret))
		return err_set(err, ERR_HARNESS,
			       "the Sentinels of %s did not find each other; see %s/sentinel-1.log",
			       ret->server[0].address, stage->run_dir);
	return 0;
}
