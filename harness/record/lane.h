/*
 * A lane: one process's private, append-only file of events, written during the run.
 *
 *   header | block | block | ...     block = { u32 length, crc32, what, count } + length bytes
 *
 * A block holds events (what = 1) or interned names (what = 2), at most 64 KiB. Events reach
 * write(2) at 32 KiB or, if the owner calls lane_tick often enough, at the age of 100 ms: nine of
 * ten writes of 32 KiB took below 25 us, of 64 KiB 230 us, and whoever writes keeps commands and
 * callers waiting. A SIGKILL keeps every block written so far; a torn last block is detected by
 * length and CRC and is "source lost", not an error. The lane is whole only if its last event is
 * lane.end (lane_close). One writer per file, no locks. A write that fails makes the lane `broken`:
 * the owner must exit as harness error.
 *
 * Events should come in the order of their stamps; one that is recorded late (a command is known
 * only when its last byte came) is put in place by the reader.
 */
#ifndef RECORD_LANE_H
#define RECORD_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "record/event.h"

enum { LANE_MAGIC = 0x46584331 /* "1CXF" */, LANE_VERSION = 1, LANE_BLOCK_BYTES = 65536 };
enum name_space { NAME_INSTANCE = 1, NAME_NOTE = 2, NAME_CALL = 3 };
enum lane_role {
	ROLE_WORKER = 1,
	ROLE_TAP,
	ROLE_SUPERVISOR,
	ROLE_DIRECTOR,
	ROLE_OBSERVER,
	ROLE_COUNT
};

struct lane_identity {
	char run[64];		  /* run id */
	char scenario_digest[65]; /* of the resolved scenario */
	uint64_t seed;
	enum lane_role role;
	uint32_t index; /* worker number */
};

struct lane_header { /* on disk, fixed 512 bytes, CRC32 of the rest in the last word */
	uint32_t magic, version, byte_order /* 0x01020304 */, role, index, pid;
	uint64_t seed;
	/* the same instant on both clocks, +- error */
	int64_t monotonic_ns, realtime_ns, anchor_error_ns;
	char run[64], scenario_digest[65], boot_id[40];
	char binary_id[65]; /* SHA-256 of the program's file */
	char reserved[512 - 6 * 4 - 4 * 8 - 64 - 65 - 40 - 65 - 4];
	uint32_t crc;
};
_Static_assert(sizeof(struct lane_header) == 512, "lane header is 512 bytes");

/* Before each block; native byte order. The CRC32 covers what, count and the bytes. */
struct lane_block {
	uint32_t length, crc, what, count;
};
enum { LANE_EVENTS = 1, LANE_NAMES = 2 }; /* what */
/* Events of a block as it is written. */
enum {
	LANE_EVENTS_MAX = (LANE_BLOCK_BYTES / 2 - sizeof(struct lane_block)) / sizeof(struct event)
};

/* A block of names: `count` of these, each followed by `length` bytes of text without a NUL. */
struct lane_name {
	uint64_t id; /* number of the instance or note, hash of the call */
	uint32_t space, length;
};
enum { LANE_TEXT_MAX = 4096 }; /* a longer text is cut and ends in "..." */

uint32_t lane_header_crc(const struct lane_header *);
uint32_t lane_block_crc(const struct lane_block *, const void *bytes);
const char *lane_role_name(unsigned role); /* "worker"; "?" outside */
int lane_role_parse(const char *word);	   /* or -1 */

struct lane;

/* Creates DIR/<role>-<index>.lane, fails if it exists. */
int lane_open(const char *dir, const struct lane_identity *, struct lane **ret, struct err *);
/* Copies the event, sets seq. Never blocks beyond write(2) of a full block. Without a lane (NULL)
 * there is no record: events, instances and notes go nowhere. */
void lane_event(struct lane *, struct event);
/* Interned names; the same text gets the same number, "" is 0. Instances: 1..255, past that 0;
 * notes: 1..65536, past that the last, which says so. The name is in the file before any event that
 * carries it. */
uint8_t lane_instance(struct lane *, const char *name);
uint32_t lane_note(struct lane *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Registers the id string of a call hash; once per call and lane. */
void lane_call(struct lane *, uint64_t call, const char *id);
/* Flushes when the first unwritten event is 100 ms old. */
void lane_tick(struct lane *, int64_t now_ns);
int lane_flush(struct lane *); /* 0, or -1 broken */
bool lane_broken(const struct lane *);
int lane_close(struct lane *, struct err *); /* lane.end, flush, free; fine with NULL */

#endif
