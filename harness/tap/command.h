/*
 * What a Redis command says: its verb, whether it reads or writes, the call its key belongs to, the
 * time to live and the state it writes, and what it does to the connection it came on. Pure, from a
 * parsed message. Reads as much as the record wants; whether that is good is for checkers. Of
 * several keys the first that is a call's counts. Source: redis.io, "Commands".
 */
#ifndef TAP_COMMAND_H
#define TAP_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "record/event.h"
#include "tap/resp.h"

enum { COMMAND_ID_MAX = 255 };

/* The scenario's state.key round its ${call}. */
struct key_pattern {
	char *prefix, *suffix;
};

/* The fields of a state object that the record keeps. */
struct state_seen {
	bool found; /* an object with turns and digest */
	uint16_t n; /* turns, at most 65535 */
	uint64_t digest;
	uint32_t ver, epoch; /* 0 when it has none */
	/* Which fields it has: one bit a name, and how many different ones of 64. Both only ever
	 * grow with a field: where one is less than before, a field is gone for certain; that one
	 * is gone is rarely missed. */
	uint16_t names, fields;
};

/* What a command does to its connection, beyond having one answer. */
enum command_role {
	COMMAND_PLAIN = 0,
	COMMAND_UNPAIRED, /* after it Redis speaks without being asked: MONITOR, SYNC */
	COMMAND_SUBSCRIBE,
	COMMAND_UNSUBSCRIBE,
	COMMAND_EXEC,
	COMMAND_DISCARD,
	COMMAND_RESET,
	COMMAND_SELECT,
	COMMAND_REPLY_OFF,  /* not answered, nor is what follows */
	COMMAND_REPLY_SKIP, /* not answered, nor is the next one */
	COMMAND_REPLY_ON
};

/* The answer that means that a write was not carried out though it was no error. */
enum command_refusal {
	REFUSED_BY_NIL = 0, /* SET NX, a script that compares */
	REFUSED_BY_ZERO,    /* SETNX */
	REFUSED_BY_VALUE,   /* SET NX GET: the old value, because there is one */
	REFUSED_NEVER	    /* SET GET: nil is what was there before */
};

/* One of (P|S)SUBSCRIBE: they are counted apart. */
enum command_feed { FEED_CHANNEL = 0, FEED_PATTERN, FEED_SHARD, FEED_COUNT };

struct command {
	enum verb verb;
	enum command_role role;
	enum command_refusal refusal;
	enum command_feed feed; /* of a subscription */
	uint32_t number;    /* SELECT: the database; a subscription: how many, 0 all there are */
	bool reads, writes; /* neither: unknown, or about the connection */
	bool secret;	    /* may carry a password */
	const char *word;   /* as Redis spells it; "" when the table does not have it */
	const char *key;    /* the first, or the call's; NULL none. Lives as long as the message */
	size_t key_size;
	char id[COMMAND_ID_MAX + 1]; /* of the call or probe; "" when no key is a call's */
	uint32_t ttl_s;		     /* set by the same command; 0 none */
	bool keeps_ttl, ttl_at;	     /* KEEPTTL; EXAT or PXAT */
	struct state_seen state;
};

/* 0, or -1 when the text has no ${call}. */
int key_pattern_init(struct key_pattern *, const char *text);
void key_pattern_free(struct key_pattern *);

/* pattern NULL: no key is a call's here. */
struct command command_read(const struct resp *, const struct key_pattern *);
struct state_seen state_seen_read(const char *value, size_t size);
/* An error reply that guarantees that nothing happened. A script may have written before it failed;
 * a word that is not Redis's own (of a proxy) guarantees nothing. */
bool error_means_no_effect(enum verb verb, const char *error, size_t size);

#endif
