/*
 * One connection between an agent and Redis, understood: commands paired with their answers and
 * told as events. It sees the bytes before they are passed on and never delays or changes them.
 *
 *   commands ──> open, in order ──────────────────────────────────────> cmd.ok, cmd.err, cmd.info
 *                     └─ +QUEUED ──> queued ── EXEC's array, DISCARD ──────┘
 *
 * Nothing is guessed: what it cannot understand makes it blind for the rest of the connection; it
 * says so once, and what was open then is of unknown effect (cmd.info). A command that Redis was
 * told not to answer (CLIENT REPLY) is of unknown effect at once.
 */
#ifndef TAP_INSPECTOR_H
#define TAP_INSPECTOR_H

#include <stddef.h>
#include <stdint.h>

#include "tap/command.h"
#include "tap/feeds.h"

struct lever;

enum { INSPECTOR_OPEN_MAX = 65536 }; /* commands without an answer, on one connection */

/* A command that has no outcome yet. */
struct open_command {
	struct event inv;
	uint64_t begin, end; /* where, in the agent's stream; end: of the byte after it */
	uint32_t number, acks;
	uint8_t role, refusal, feed;
	const struct lever *lever; /* that pulls at it, or NULL */
	int64_t until_ns;	   /* not to be passed on before */
};

struct inspector_listener {
	/* id: of the event's call, or NULL. seq is not set. */
	void (*event)(void *user, const struct event *, const char *id);
	void (*blind)(void *user, const char *why);
	/* Before a command is put in the open ones: may say what shall become of it. */
	void (*pull)(void *user, const struct command *, struct open_command *);
};

struct inspector {
	const struct inspector_listener *listener;
	void *user;
	const struct key_pattern *pattern;
	uint32_t conn;
	uint8_t instance, color;
	bool is_blind, secret; /* secret: a password was among the commands last read */
	struct resp commands, replies;
	int64_t now_ns, begun_ns;  /* begun: when the first byte of the command under way came */
	uint64_t commands_end;	   /* of the last whole command in the agent's stream */
	uint64_t command_begin;	   /* of the command under way, or the last */
	uint64_t taken;		   /* bytes of the agent so far */
	struct open_command *open; /* a ring; capacity a power of two */
	size_t first, count, cap;
	struct open_command *queued; /* of the transaction under way */
	size_t queued_count, queued_cap, executed, feeds_open;
	enum { ANSWERED = 0, NEXT_UNANSWERED, UNANSWERED } reply_mode;
	uint32_t db, db_confirmed;
	bool executes; /* the answer under way is EXEC's */
	struct feeds feeds;
};

void inspector_init(struct inspector *, const struct inspector_listener *, void *user,
		    const struct key_pattern *);
/* Bytes of the agent; now_ns was read after they came and before they are passed on. */
void inspector_commands(struct inspector *, const char *data, size_t size, int64_t now_ns);
void inspector_replies(struct inspector *, const char *data, size_t size, int64_t now_ns);
/* The same, to the end of one answer at most; *ret_used is always set. */
enum resp_status inspector_reply(struct inspector *, const char *data, size_t size, int64_t now_ns,
				 size_t *ret_used);
/* The first open command is answered by an error of ours: "-ERR text\r\n". */
void inspector_answer(struct inspector *, const char *error, int64_t now_ns);
/* The i-th of the open commands. */
struct open_command *inspector_open(const struct inspector *, size_t i);
/* The connection is over. Returns how many commands were left unanswered. */
size_t inspector_end(struct inspector *, int64_t now_ns);
void inspector_free(struct inspector *);

#endif
