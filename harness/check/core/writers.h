/*
 * Who wrote a call's state, as Redis accepted it: the last few writes, and what each of the last
 * few writers had read. Says what is wrong between a new write and those before it; whether that
 * convicts, and in which words, is split_brain's business.
 *
 * A write's parent is the state its writer went on from. Its version says which that was; without
 * versions the writer's last read does. Two instances that go on from one parent are a fork in
 * whatever order Redis took them. All else needs a definite order: the one write acknowledged
 * before the other was begun.
 */
#ifndef CHECK_CORE_WRITERS_H
#define CHECK_CORE_WRITERS_H

#include <stdbool.h>
#include <stdint.h>

#include "record/event.h"

enum { WRITES_KEPT = 3, READERS_KEPT = 3 };

struct write_seen {
	int64_t done_ns;	 /* acknowledged; 0: none */
	uint32_t version, epoch; /* 0: it carried none */
	uint32_t digest;	 /* low half */
	uint16_t n;
	uint8_t instance;
};

struct reader_seen {
	int64_t begun_ns;
	uint16_t n;
	uint8_t instance; /* 0: none */
};

struct writers {
	struct write_seen writes[WRITES_KEPT]; /* newest first */
	struct reader_seen readers[READERS_KEPT];
	int64_t epoch_ns; /* when the highest epoch was first known to be in force */
	uint32_t epoch;
	uint8_t epoch_owner, oldest_reader;
};

enum write_kind {
	WRITE_IN_ORDER,
	WRITE_FORK,	    /* *ret: the other from the same parent */
	WRITE_STALE_EPOCH,  /* accepted after one of a higher epoch; *ret: the newest before */
	WRITE_SHARED_EPOCH, /* another instance's epoch; *ret: the newest before */
	WRITE_INTERLEAVED,  /* without epochs: a, b, and a again; *ret: b's */
};

/* What the instance's GET showed; n 0 for nothing there. */
void writers_read(struct writers *, const struct event *cmd_ok);
/* A write was accepted. It is remembered whatever is said of it. */
enum write_kind writers_accept(struct writers *, const struct event *cmd_ok,
			       struct write_seen *ret);
/* An epoch was shown to the caller: it is in force, whoever wrote it. */
void writers_epoch(struct writers *, uint32_t epoch, uint8_t owner, int64_t t_ns);

#endif
