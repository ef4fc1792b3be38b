/*
 * One lane read block by block: what the history merges. Checks every block and every event, remaps
 * names to the history's numbers, and puts late events in place. Stops at the first torn or bad
 * block, or event that is missing or is none, and says so in its status.
 */
#ifndef RECORD_LANE_READER_H
#define RECORD_LANE_READER_H

#include "record/history.h"
#include "record/names.h"

/* What all lanes of a history share. */
struct history_names {
	struct names instances, notes;
	struct call_names calls;
};

enum { LANE_RING_EVENTS = 2048, LANE_READ_BYTES = 2 * LANE_BLOCK_BYTES };

struct lane_reader {
	/* Events at..limit are ready, limit..count wait for older ones of the next blocks. Counted
	 * from the lane's first one; where each lies, lane_reader_event says. */
	struct event *events;
	size_t at, limit, count;
	int fd;
	bool at_end, ended;	  /* no more blocks; lane.end was seen */
	bool has_header;	  /* false: the file was cut inside it */
	uint32_t next_seq, named; /* names seen */
	uint64_t offset;	  /* of the next block */
	char *bytes;		  /* used..got: what was read of the file from there on */
	size_t used, got;
	uint64_t note_kinds;
	struct lane_header header;
	struct lane_status status;
	struct history_names *names;
	uint8_t instance[256]; /* the lane's number -> the history's */
	uint32_t *note;
	size_t note_count, note_cap;
};

/* `name` is the file's name for the status; ERR_INPUT when the file is no lane. The names must
 * outlive the reader. */
int lane_reader_open(const char *path, const char *name, struct history_names *,
		     struct lane_reader *ret, struct err *);
void lane_reader_rewind(struct lane_reader *);
/* Call when at == limit. False when the lane has no further event; the status is final then. */
bool lane_reader_fill(struct lane_reader *);
void lane_reader_close(struct lane_reader *);

/* at <= i < count */
static inline struct event *lane_reader_event(const struct lane_reader *reader, size_t i)
{
	return &reader->events[i % LANE_RING_EVENTS];
}

#endif
