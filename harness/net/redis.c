#include "net/redis.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/clock.h"

enum { REPLY_BYTES_MAX = 16 << 20, SCAN_COUNT = 1000 };

struct redis {
	redisContext *context;
	char *address;
	int64_t timeout_ns;
	bool named;  /* CLIENT SETNAME was sent */
	bool broken; /* a late reply would be taken for the next one's: no further commands */
};

static struct timeval timeval_of(int64_t ns)
{
	if (ns < NS_PER_US)
		ns = NS_PER_US; /* zero would mean for ever */
	return (struct timeval){ .tv_sec = ns / NS_PER_S, .tv_usec = ns % NS_PER_S / NS_PER_US };
}

static redisContext *connect_to(const char *address, struct timeval timeout, struct err *err)
{
	const char *colon = strrchr(address, ':');
	char host[256], *end;
	long port;

	if (!strncmp(address, "unix:", 5))
		return redisConnectUnixWithTimeout(address + 5, timeout);
	port = colon ? strtol(colon + 1, &end, 10) : 0;
	if (!colon || colon == address || (size_t)(colon - address) >= sizeof host || *end ||
	    port < 1 || port > 65535) {
		err_set(err, ERR_INPUT, "redis %s: not HOST:PORT or unix:PATH", address);
		return NULL;
	}
	memcpy(host, address, (size_t)(colon - address));
	host[colon - address] = '\0';
	return redisConnectWithTimeout(host, (int)port, timeout);
}

int redis_open(const char *address, int64_t timeout_ns, struct redis **ret, struct err *err)
{
	struct err why = { .kind = ERR_NONE };
	redisContext *context = connect_to(address, timeval_of(timeout_ns), &why);
	struct redis *redis;

	if (why.kind != ERR_NONE)
		return err_set(err, why.kind, "%s", why.text);
	if (!context || context->err) {
		err_set(err, ERR_WORLD, "redis %s: connect: %s", address,
			context ? context->errstr : "out of memory");
		redisFree(context);
		return -1;
	}
	redis = xcalloc(1, sizeof *redis);
	redis->context = context;
	redis->address = xstrdup(address);
	redis->timeout_ns = timeout_ns;
	*ret = redis;
	return 0;
}

void redis_close(struct redis *redis)
{
	if (!redis)
		return;
	redisFree(redis->context);
	free(redis->address);
	free(redis);
}

/* The socket's own time-outs are per call; this keeps the whole command to one deadline. */
static redisReply *receive(struct redis *redis, int64_t deadline_ns, struct err *err)
{
	redisContext *c = redis->context;
	void *reply = NULL;
	int64_t left_ns;
	int done = 0;

	for (;;) {
		left_ns = deadline_ns - clock_now_ns();
		if (left_ns <= 0) {
			err_set(err, ERR_WORLD, "no answer within %lld ms",
				(long long)(redis->timeout_ns / NS_PER_MS));
			return NULL;
		}
		redisSetTimeout(c, timeval_of(left_ns));
		if (done ? redisBufferRead(c) != REDIS_OK : redisBufferWrite(c, &done) != REDIS_OK)
			break;
		if (c->reader->len > REPLY_BYTES_MAX) {
			err_set(err, ERR_WORLD, "the answer is longer than %d bytes",
				REPLY_BYTES_MAX);
			return NULL;
		}
		if (done && redisGetReplyFromReader(c, &reply) != REDIS_OK)
			break;
		if (reply)
			return reply;
	}
	if (c->err == REDIS_ERR_IO && errno == EAGAIN)
		err_set(err, ERR_WORLD, "no answer within %lld ms",
			(long long)(redis->timeout_ns / NS_PER_MS));
	else
		err_set(err, ERR_WORLD, "%s", c->errstr);
	return NULL;
}

/* The tap tells connections of the harness from an agent's by their name: it comes before anything
 * else. A Redis that refuses it is as good as any. */
static int name_first(struct redis *redis, int64_t deadline_ns, struct err *err)
{
	redisReply *reply;

	if (redis->named)
		return 0;
	redisAppendCommand(redis->context, "CLIENT SETNAME crossfade-probe");
	reply = receive(redis, deadline_ns, err);
	if (!reply)
		return -1;
	freeReplyObject(reply);
	redis->named = true;
	return 0;
}

/* After the command was queued, or was not; `what` is its name. */
static redisReply *answer_of(struct redis *redis, int queued, int64_t deadline_ns, const char *what,
			     struct err *err)
{
	int name = (int)strcspn(what, " ");
	redisReply *reply = NULL;
	struct err why = { .kind = ERR_NONE };

	if (queued != REDIS_OK)
		err_set(&why, ERR_HARNESS, "%s", redis->context->errstr);
	else
		reply = receive(redis, deadline_ns, &why);
	if (!reply) {
		redis->broken = true;
	} else if (reply->type == REDIS_REPLY_ERROR) {
		err_set(&why, ERR_WORLD, "%s", reply->str);
		freeReplyObject(reply);
		reply = NULL;
	}
	if (!reply)
		err_set(err, why.kind, "redis %s: %.*s: %s", redis->address, name, what, why.text);
	return reply;
}

/* May anything be said on this connection? */
static int begin(struct redis *redis, int64_t deadline_ns, const char *what, struct err *err)
{
	struct err why = { .kind = ERR_NONE };

	if (redis->broken)
		err_set(&why, ERR_WORLD, "the connection is lost");
	else if (!name_first(redis, deadline_ns, &why))
		return 0;
	redis->broken = true;
	return err_set(err, why.kind, "redis %s: %.*s: %s", redis->address, (int)strcspn(what, " "),
		       what, why.text);
}

static redisReply *command(struct redis *redis, int type, struct err *err, const char *fmt, ...)
{
	int64_t deadline_ns = clock_now_ns() + redis->timeout_ns;
	redisReply *reply;
	va_list ap;

	if (begin(redis, deadline_ns, fmt, err) < 0)
		return NULL;
	va_start(ap, fmt);
	reply = answer_of(redis, redisvAppendCommand(redis->context, fmt, ap), deadline_ns, fmt,
			  err);
	va_end(ap);
	if (reply && reply->type != type &&
	    !(type == REDIS_REPLY_STRING && reply->type == REDIS_REPLY_NIL)) {
		err_set(err, ERR_WORLD, "redis %s: %.*s: an answer of another type (%d)",
			redis->address, (int)strcspn(fmt, " "), fmt, reply->type);
		freeReplyObject(reply);
		reply = NULL;
	}
	return reply;
}

/* Of any shape: what a person would be shown, without the decoration. */
static int append_lines(struct buf *out, const redisReply *reply)
{
	switch (reply->type) {
	case REDIS_REPLY_ARRAY:
		for (size_t i = 0; i < reply->elements; i++)
			if (append_lines(out, reply->element[i]) < 0)
				return -1;
		return 0;
	case REDIS_REPLY_INTEGER:
		return buf_printf(out, "%lld\n", reply->integer);
	case REDIS_REPLY_NIL:
		return buf_puts(out, "\n");
	default:
		return buf_append(out, reply->str, reply->len) < 0 ? -1 : buf_puts(out, "\n");
	}
}

int redis_ask(struct redis *redis, const char *const *words, struct buf *answer, struct err *err)
{
	int64_t deadline_ns = clock_now_ns() + redis->timeout_ns;
	const char *argv[REDIS_WORDS_MAX];
	redisReply *reply;
	int argc = 0, result = 0;

	for (; words[argc]; argc++) {
		ASSERT(argc < REDIS_WORDS_MAX);
		argv[argc] = words[argc];
	}
	if (begin(redis, deadline_ns, words[0], err) < 0)
		return -1;
	reply = answer_of(redis, redisAppendCommandArgv(redis->context, argc, argv, NULL),
			  deadline_ns, words[0], err);
	if (!reply)
		return -1;
	buf_clear(answer);
	if (append_lines(answer, reply) < 0)
		result = err_set(err, ERR_WORLD, "redis %s: %s: an answer of more than %zu bytes",
				 redis->address, words[0], answer->max);
	freeReplyObject(reply);
	return result;
}

int redis_ping(struct redis *redis, struct err *err)
{
	redisReply *reply = command(redis, REDIS_REPLY_STATUS, err, "PING");

	if (!reply)
		return -1;
	freeReplyObject(reply);
	return 0;
}

int redis_get(struct redis *redis, const char *key, bool *ret_found, struct buf *value,
	      struct err *err)
{
	redisReply *reply = command(redis, REDIS_REPLY_STRING, err, "GET %s", key);
	int result = 0;

	if (!reply)
		return -1;
	buf_clear(value);
	if (reply->type == REDIS_REPLY_STRING && buf_append(value, reply->str, reply->len) < 0)
		result = err_set(err, ERR_WORLD, "redis %s: GET %s: %zu bytes, more than %zu",
				 redis->address, key, reply->len, value->max);
	else
		*ret_found = reply->type == REDIS_REPLY_STRING;
	freeReplyObject(reply);
	return result;
}

int redis_setex(struct redis *redis, const char *key, int64_t ttl_s, const char *value,
		struct err *err)
{
	redisReply *reply = command(redis, REDIS_REPLY_STATUS, err, "SETEX %s %lld %s", key,
				    (long long)ttl_s, value);

	if (!reply)
		return -1;
	freeReplyObject(reply);
	return 0;
}

static int integer(redisReply *reply, int64_t *ret)
{
	if (!reply)
		return -1;
	*ret = reply->integer;
	freeReplyObject(reply);
	return 0;
}

int redis_ttl(struct redis *redis, const char *key, int64_t *ret_s, struct err *err)
{
	return integer(command(redis, REDIS_REPLY_INTEGER, err, "TTL %s", key), ret_s);
}

int redis_delete(struct redis *redis, const char *key, int64_t *ret_deleted, struct err *err)
{
	return integer(command(redis, REDIS_REPLY_INTEGER, err, "DEL %s", key), ret_deleted);
}

/* The keys of a page: all commands, then all answers. */
static int ask_ttls(struct redis *redis, const redisReply *keys,
		    void (*each)(void *user, const char *key, int64_t ttl_s), void *user,
		    struct err *err)
{
	int64_t deadline_ns = clock_now_ns() + redis->timeout_ns;
	struct err why = { .kind = ERR_NONE };

	for (size_t i = 0; i < keys->elements; i++)
		if (redisAppendCommand(redis->context, "TTL %b", keys->element[i]->str,
				       keys->element[i]->len) != REDIS_OK)
			return err_set(err, ERR_HARNESS, "redis %s: TTL: %s", redis->address,
				       redis->context->errstr);
	for (size_t i = 0; i < keys->elements; i++) {
		redisReply *reply = receive(redis, deadline_ns, &why);
		bool is_number = reply && reply->type == REDIS_REPLY_INTEGER;

		if (is_number)
			each(user, keys->element[i]->str, reply->integer);
		freeReplyObject(reply);
		if (!is_number) {
			redis->broken = true;
			return err_set(err, ERR_WORLD, "redis %s: TTL: %s", redis->address,
				       reply ? "an answer of another type" : why.text);
		}
	}
	return 0;
}

void redis_glob_literal(struct buf *pattern, const char *text)
{
	for (; *text; text++) {
		if (strchr("*?[]^\\", *text))
			buf_append(pattern, "\\", 1);
		buf_append(pattern, text, 1);
	}
}

int redis_scan_page(struct redis *redis, const char *pattern, unsigned count, uint64_t *cursor,
		    void (*each)(void *user, const char *key, int64_t ttl_s), void *user,
		    struct err *err)
{
	redisReply *reply = command(redis, REDIS_REPLY_ARRAY, err, "SCAN %llu MATCH %s COUNT %u",
				    (unsigned long long)*cursor, pattern, count);
	int result;

	if (!reply)
		return -1;
	if (reply->elements != 2 || reply->element[0]->type != REDIS_REPLY_STRING ||
	    reply->element[1]->type != REDIS_REPLY_ARRAY) {
		freeReplyObject(reply);
		return err_set(err, ERR_WORLD, "redis %s: SCAN: an answer of another shape",
			       redis->address);
	}
	*cursor = strtoull(reply->element[0]->str, NULL, 10);
	result = ask_ttls(redis, reply->element[1], each, user, err);
	freeReplyObject(reply);
	return result;
}

int redis_scan(struct redis *redis, const char *pattern,
	       void (*each)(void *user, const char *key, int64_t ttl_s), void *user,
	       struct err *err)
{
	uint64_t cursor = 0;

	do {
		if (redis_scan_page(redis, pattern, SCAN_COUNT, &cursor, each, user, err) < 0)
			return -1;
	} while (cursor);
	return 0;
}
