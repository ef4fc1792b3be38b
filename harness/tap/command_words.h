/*
 * The table of Redis commands: where each has its keys, its value and its time to live, and what
 * else is special about it. Data for tap/command.c and nothing else; the most frequent come first.
 * Source: redis.io, "Commands", 7.0.
 *
 *   W(word, verb, ...fields)   counted from 0, the word itself; 0: nowhere
 */
#ifndef TAP_COMMAND_WORDS_H
#define TAP_COMMAND_WORDS_H

#include "tap/command.h"

enum { TTL_IN_OPTIONS = -1, KEYS_COUNTED = -1 };

struct command_word {
	const char *word;
	size_t size;
	enum verb verb;
	int key, step;  /* step: from key to key; 0 one; KEYS_COUNTED: a number, then they */
	int value, ttl; /* ttl TTL_IN_OPTIONS: EX or PX after the value */
	bool ttl_in_ms, reads, writes, secret;
	enum command_role role;
	enum command_refusal refusal;
	enum command_feed feed;
};

#define W(WORD, VERB, ...) { .word = WORD, .size = sizeof WORD - 1, .verb = VERB, __VA_ARGS__ }
#define READ(WORD, VERB) W(WORD, VERB, .key = 1, .reads = true)
#define WRITE(WORD, VERB) W(WORD, VERB, .key = 1, .writes = true)
#define SCRIPT(WORD, VERB) W(WORD, VERB, .key = 2, .step = KEYS_COUNTED, .writes = true)
#define SCRIPT_RO(WORD, VERB) W(WORD, VERB, .key = 2, .step = KEYS_COUNTED, .reads = true)
#define ABOUT(WORD, VERB) W(WORD, VERB, .role = COMMAND_PLAIN)

/* clang-format off: a table */
static const struct command_word command_words[] = {
	READ("GET", VERB_GET),
	W("SETEX", VERB_SETEX, .key = 1, .ttl = 2, .value = 3, .writes = true),
	W("SET", VERB_SET, .key = 1, .value = 2, .ttl = TTL_IN_OPTIONS, .writes = true),
	SCRIPT("EVAL", VERB_EVAL), SCRIPT("EVALSHA", VERB_EVAL), SCRIPT("FCALL", VERB_FCALL),
	W("PSETEX", VERB_SETEX, .key = 1, .ttl = 2, .value = 3, .ttl_in_ms = true, .writes = true),
	W("DEL", VERB_DEL, .key = 1, .step = 1, .writes = true),
	W("UNLINK", VERB_DEL, .key = 1, .step = 1, .writes = true),
	W("GETDEL", VERB_DEL, .key = 1, .writes = true),
	W("GETEX", VERB_GET, .key = 1, .ttl = TTL_IN_OPTIONS, .reads = true),
	W("GETSET", VERB_SET, .key = 1, .value = 2, .writes = true, .refusal = REFUSED_NEVER),
	W("SETNX", VERB_SET, .key = 1, .value = 2, .writes = true, .refusal = REFUSED_BY_ZERO),
	W("EXPIRE", VERB_EXPIRE, .key = 1, .ttl = 2, .writes = true),
	W("PEXPIRE", VERB_EXPIRE, .key = 1, .ttl = 2, .ttl_in_ms = true, .writes = true),
	WRITE("EXPIREAT", VERB_EXPIRE), WRITE("PEXPIREAT", VERB_EXPIRE),
	WRITE("PERSIST", VERB_PERSIST),
	W("MGET", VERB_MGET, .key = 1, .step = 1, .reads = true),
	W("MSET", VERB_MSET, .key = 1, .step = 2, .value = 2, .writes = true),
	W("MSETNX", VERB_MSET, .key = 1, .step = 2, .value = 2, .writes = true,
	  .refusal = REFUSED_BY_ZERO),
	W("EXISTS", VERB_EXISTS, .key = 1, .step = 1, .reads = true),
	READ("TTL", VERB_TTL), READ("PTTL", VERB_TTL),
	SCRIPT_RO("EVAL_RO", VERB_EVAL), SCRIPT_RO("EVALSHA_RO", VERB_EVAL),
	SCRIPT_RO("FCALL_RO", VERB_FCALL),
	ABOUT("PING", VERB_PING),
	WRITE("INCR", VERB_INCR), WRITE("INCRBY", VERB_INCR), WRITE("INCRBYFLOAT", VERB_INCR),
	WRITE("DECR", VERB_INCR), WRITE("DECRBY", VERB_INCR),
	WRITE("APPEND", VERB_APPEND), WRITE("SETRANGE", VERB_APPEND),
	READ("STRLEN", VERB_EXISTS), READ("TYPE", VERB_EXISTS),
	READ("HGET", VERB_HGET), READ("HMGET", VERB_HGET), READ("HGETALL", VERB_HGET),
	READ("HEXISTS", VERB_HGET), READ("HLEN", VERB_HGET), READ("HKEYS", VERB_HGET),
	READ("HVALS", VERB_HGET), READ("HSCAN", VERB_HGET),
	WRITE("HSET", VERB_HSET), WRITE("HMSET", VERB_HSET), WRITE("HSETNX", VERB_HSET),
	WRITE("HDEL", VERB_HSET), WRITE("HINCRBY", VERB_HSET), WRITE("HINCRBYFLOAT", VERB_HSET),
	WRITE("LPUSH", VERB_LPUSH), WRITE("RPUSH", VERB_LPUSH), WRITE("LPUSHX", VERB_LPUSH),
	WRITE("RPUSHX", VERB_LPUSH), WRITE("LSET", VERB_LPUSH), WRITE("LREM", VERB_LPUSH),
	WRITE("LTRIM", VERB_LPUSH), WRITE("LINSERT", VERB_LPUSH),
	WRITE("LPOP", VERB_LPOP), WRITE("RPOP", VERB_LPOP), WRITE("LMOVE", VERB_LPOP),
	WRITE("RPOPLPUSH", VERB_LPOP),
	READ("LRANGE", VERB_LRANGE), READ("LLEN", VERB_LRANGE), READ("LINDEX", VERB_LRANGE),
	WRITE("BLPOP", VERB_BLPOP), WRITE("BRPOP", VERB_BLPOP), WRITE("BLMOVE", VERB_BLPOP),
	WRITE("BRPOPLPUSH", VERB_BLPOP), WRITE("BZPOPMIN", VERB_BLPOP),
	WRITE("BZPOPMAX", VERB_BLPOP),
	WRITE("SADD", VERB_SADD), WRITE("SREM", VERB_SADD), WRITE("SMOVE", VERB_SADD),
	WRITE("SPOP", VERB_SPOP),
	READ("SMEMBERS", VERB_SMEMBERS), READ("SISMEMBER", VERB_SMEMBERS),
	READ("SCARD", VERB_SMEMBERS),
	WRITE("ZADD", VERB_ZADD), WRITE("ZINCRBY", VERB_ZADD), WRITE("ZREM", VERB_ZADD),
	WRITE("ZREMRANGEBYSCORE", VERB_ZADD),
	WRITE("ZPOPMIN", VERB_ZPOP), WRITE("ZPOPMAX", VERB_ZPOP),
	READ("ZRANGE", VERB_ZRANGE), READ("ZRANGEBYSCORE", VERB_ZRANGE),
	READ("ZSCORE", VERB_ZRANGE), READ("ZCARD", VERB_ZRANGE),
	WRITE("XADD", VERB_XADD), WRITE("XTRIM", VERB_XADD), WRITE("XDEL", VERB_XADD),
	W("XREAD", VERB_XREAD, .reads = true), READ("XRANGE", VERB_XREAD), READ("XLEN", VERB_XREAD),
	W("XREADGROUP", VERB_XREAD, .writes = true),
	W("PUBLISH", VERB_PUBLISH, .writes = true), W("SPUBLISH", VERB_PUBLISH, .writes = true),
	W("SUBSCRIBE", VERB_SUBSCRIBE, .role = COMMAND_SUBSCRIBE),
	W("PSUBSCRIBE", VERB_SUBSCRIBE, .role = COMMAND_SUBSCRIBE, .feed = FEED_PATTERN),
	W("SSUBSCRIBE", VERB_SUBSCRIBE, .role = COMMAND_SUBSCRIBE, .feed = FEED_SHARD),
	W("UNSUBSCRIBE", VERB_UNSUBSCRIBE, .role = COMMAND_UNSUBSCRIBE),
	W("PUNSUBSCRIBE", VERB_UNSUBSCRIBE, .role = COMMAND_UNSUBSCRIBE, .feed = FEED_PATTERN),
	W("SUNSUBSCRIBE", VERB_UNSUBSCRIBE, .role = COMMAND_UNSUBSCRIBE, .feed = FEED_SHARD),
	ABOUT("MULTI", VERB_MULTI),
	W("EXEC", VERB_EXEC, .role = COMMAND_EXEC), W("DISCARD", VERB_DISCARD, .role = COMMAND_DISCARD),
	W("WATCH", VERB_WATCH, .key = 1, .step = 1), ABOUT("UNWATCH", VERB_WATCH),
	W("SELECT", VERB_SELECT, .role = COMMAND_SELECT),
	W("AUTH", VERB_AUTH, .secret = true), W("HELLO", VERB_HELLO, .secret = true),
	ABOUT("CLIENT", VERB_CLIENT), W("RESET", VERB_CLIENT, .role = COMMAND_RESET),
	W("ACL", VERB_CONFIG, .secret = true), W("CONFIG", VERB_CONFIG, .secret = true),
	W("MIGRATE", VERB_OTHER, .secret = true, .writes = true),
	ABOUT("INFO", VERB_INFO), ABOUT("COMMAND", VERB_INFO),
	ABOUT("WAIT", VERB_WAIT), ABOUT("WAITAOF", VERB_WAIT),
	W("SCAN", VERB_SCAN, .reads = true), W("KEYS", VERB_SCAN, .reads = true),
	ABOUT("SCRIPT", VERB_SCRIPT), ABOUT("FUNCTION", VERB_SCRIPT),
	W("MONITOR", VERB_MONITOR, .role = COMMAND_UNPAIRED),
	W("SYNC", VERB_MONITOR, .role = COMMAND_UNPAIRED),
	W("PSYNC", VERB_MONITOR, .role = COMMAND_UNPAIRED),
};
/* clang-format on */

#undef W
#undef READ
#undef WRITE
#undef SCRIPT
#undef SCRIPT_RO
#undef ABOUT

#endif
