/*
 * A lane as it is read back: every event handed on is one, none is counted twice, and reading again
 * says the same. Sums that match would take the fuzzer for ever, so an input is blocks without
 * theirs: { what, count, length in two bytes } and bytes; one that begins with 'R' is a raw file.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"
#include "ci/fuzz/fuzz.h"
#include "record/lane.h"
#include "record/lane_reader.h"

static void put(int fd, const void *data, size_t size)
{
	ssize_t written = write(fd, data, size);

	ASSERT_EQ(written, size);
}

static void put_blocks(int fd, const uint8_t *data, size_t size)
{
	struct lane_header header = { .magic = LANE_MAGIC,
				      .version = LANE_VERSION,
				      .byte_order = 0x01020304,
				      .role = ROLE_WORKER,
				      .run = "r" };

	header.crc = lane_header_crc(&header);
	put(fd, &header, sizeof header);
	while (size >= 4) {
		struct lane_block block = { .what = data[0],
					    .count = data[1],
					    .length = data[2] | (uint32_t)data[3] << 8 };

		data += 4;
		size -= 4;
		if (block.length > size)
			block.length = (uint32_t)size;
		block.crc = lane_block_crc(&block, data);
		put(fd, &block, sizeof block);
		put(fd, data, block.length);
		data += block.length;
		size -= block.length;
	}
}

struct sum {
	uint64_t events, kinds;
	int64_t times_ns;
};

static struct sum read_all(struct lane_reader *reader)
{
	struct sum sum = { 0 };

	while (lane_reader_fill(reader)) {
		ASSERT(reader->at < reader->limit && reader->limit <= reader->count);
		for (; reader->at < reader->limit; reader->at++) {
			const struct event *event = &reader->events[reader->at];

			ASSERT(event->kind < EVENT_KIND_COUNT && event->color < COLOR_COUNT);
			ASSERT(event->t_ns >= reader->status.first_ns &&
			       event->t_ns <= reader->status.last_ns);
			sum.events++;
			sum.kinds += event->kind * sum.events;
			sum.times_ns ^= event->t_ns;
		}
	}
	ASSERT_EQ(sum.events, reader->status.events);
	ASSERT_EQ(reader->status.whole, !*reader->status.damage);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct history_names names = { .instances = names_init(255), .notes = names_init(1000) };
	struct lane_reader reader;
	struct err err = { .kind = ERR_NONE };
	char path[64];
	int fd = memfd_create("lane", MFD_CLOEXEC);

	ASSERT(fd >= 0);
	if (size && *data == 'R')
		put(fd, data + 1, size - 1);
	else
		put_blocks(fd, data, size);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (lane_reader_open(path, "worker-0.lane", &names, &reader, &err) == 0) {
		struct sum first = read_all(&reader), again;

		lane_reader_rewind(&reader);
		again = read_all(&reader);
		ASSERT_EQ(first.events, again.events);
		ASSERT_EQ(first.kinds, again.kinds);
		ASSERT_EQ(first.times_ns, again.times_ns);
		lane_reader_close(&reader);
	} else {
		ASSERT_EQ(err.kind, ERR_INPUT);
	}
	close(fd);
	names_free(&names.instances);
	names_free(&names.notes);
	call_names_free(&names.calls);
	return 0;
}
