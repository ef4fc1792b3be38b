/*
 * Levers: what a fault does to commands on their way to Redis, as lines of text, and which commands
 * each takes. Pure: the draw of a share comes from its seed, the time is an argument.
 *
 *   delay 50ms where color=blue verb=setex count=10 as slow
 *
 *   delay TIME     passed on that much later, and what came after it on the connection, too
 *   hold [TIME]    passed on when the lever is disarmed, or that long after its first bite
 *   error WORD     not passed on; answered as Redis says WORD (OOM, READONLY, LOADING, ...)
 *   cut            not passed on; both sides of the connection are reset
 *   swallow        passed on, its answer is not; then both sides are reset
 *   where          class=read|write verb=WORD color= instance= call=GLOB key=GLOB: all must hold
 *                  count=N the next N only; share=10% seed=7 that part of them, drawn
 *   as NAME        to disarm it by: `disarm NAME`, or `disarm` for all
 *
 * The first armed lever that takes a command has it. Times in nanoseconds. Errors name the word.
 */
#ifndef TAP_LEVER_H
#define TAP_LEVER_H

#include "base/err.h"
#include "base/rng.h"
#include "tap/command.h"

enum { LEVER_TEXT_MAX = 256, LEVER_WORD_MAX = 64, LEVERS_MAX = 64 };

enum lever_action { LEVER_DELAY = 0, LEVER_HOLD, LEVER_ERROR, LEVER_CUT, LEVER_SWALLOW };
enum lever_class { LEVER_ANY = 0, LEVER_READS, LEVER_WRITES };

struct lever {
	enum lever_action action;
	int64_t for_ns;	   /* of delay and hold; 0: until it is disarmed */
	const char *error; /* as Redis says it, without the "-" */
	enum lever_class class;
	int verb;	  /* -1: any */
	enum color color; /* COLOR_UNKNOWN: any */
	char instance[LEVER_WORD_MAX], call[LEVER_WORD_MAX], key[LEVER_WORD_MAX]; /* "": any */
	uint64_t left; /* UINT64_MAX: no limit */
	double share;
	struct rng rng;
	char name[LEVER_WORD_MAX], text[LEVER_TEXT_MAX];
	uint32_t number; /* from 1, in order of arming */
	bool armed;
	uint32_t taken;	       /* how many commands so far */
	int64_t hold_until_ns; /* of a hold with a time: from its first bite */
};

/* What a command is judged by. */
struct lever_subject {
	const struct command *command;
	const char *instance;
	enum color color;
};

int lever_parse(const char *text, struct lever *ret, struct err *);
/* Whether it takes this one; counts, and draws. An exhausted lever is no longer armed, but `armed`
 * of its levers is told by levers_take. */
bool lever_takes(struct lever *, const struct lever_subject *, int64_t now_ns);

/* All levers of a tap. One that was disarmed stays: commands and records still name it. */
struct levers {
	struct lever list[LEVERS_MAX];
	size_t count, armed;
};

/* "LEVER" arms it. The text is no "disarm". */
int levers_arm(struct levers *, const char *text, struct lever **ret, struct err *);
/* "disarm" or "disarm NAME": true, with the name or "". */
bool lever_disarms(const char *text, char name[LEVER_WORD_MAX]);
void levers_disarm(struct levers *, struct lever *);
struct lever *levers_take(struct levers *, const struct lever_subject *, int64_t now_ns);

#endif
