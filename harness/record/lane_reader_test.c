#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "record/lane_reader.h"
#include "record/test_lanes.h"

enum { EVENTS = 10, FIRST_BLOCK = sizeof(struct lane_header) };
/* Of a block with one event. */
enum { BLOCK_BYTES = sizeof(struct lane_block) + sizeof(struct event) };

struct fixture {
	struct test_dir dir;
	char path[128];
	struct history_names names;
	struct lane_reader reader;
	struct err err;
};

static void setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->dir = test_dir_make();
	f->names.instances = names_init(255);
	f->names.notes = names_init(1000);
	test_path(&f->dir, "worker-0.lane", f->path);
}

static void teardown(struct fixture *f)
{
	lane_reader_close(&f->reader);
	names_free(&f->names.instances);
	names_free(&f->names.notes);
	call_names_free(&f->names.calls);
	test_dir_remove(&f->dir);
}

static int open_reader(struct fixture *f)
{
	return lane_reader_open(f->path, "worker-0.lane", &f->names, &f->reader, &f->err);
}

static const struct event *next(struct lane_reader *reader)
{
	if (reader->at == reader->limit && !lane_reader_fill(reader))
		return NULL;
	return lane_reader_event(reader, reader->at++);
}

static uint64_t drain(struct lane_reader *reader)
{
	uint64_t count = 0;

	while (next(reader))
		count++;
	return count;
}

/* Ten blocks of one event each (t = 0 to 9), and a last one with lane.end. */
static void write_ten(struct fixture *f)
{
	struct lane *lane = test_lane_open(&f->dir, "r1", ROLE_WORKER, 0);

	for (int i = 0; i < EVENTS; i++) {
		lane_event(lane, event_make(EVENT_TURN_INV, i));
		lane_flush(lane);
	}
	test_lane_close(lane);
}

static void a_whole_lane_is_read_to_its_end_mark(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	write_ten(&f);
	assert_int_equal(open_reader(&f), 0);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < EVENTS; i++) {
			const struct event *event = next(&f.reader);
			assert_non_null(event);
			assert_int_equal(event->t_ns, i);
			assert_int_equal(event->seq, i);
		}
		const struct event *end = next(&f.reader);
		assert_non_null(end);
		assert_int_equal(end->kind, EVENT_LANE_END);
		int64_t end_ns = end->t_ns;
		assert_null(next(&f.reader));
		assert_null(next(&f.reader));
		assert_true(f.reader.status.whole);
		assert_string_equal(f.reader.status.damage, "");
		assert_int_equal(f.reader.status.role, ROLE_WORKER);
		assert_int_equal(f.reader.status.events, EVENTS + 1);
		assert_int_equal(f.reader.status.first_ns, 0);
		assert_int_equal(f.reader.status.last_ns, end_ns);
		lane_reader_rewind(&f.reader);
	}
	teardown(&f);
}

/* One thing is done to a good file of ten blocks; what is delivered and said. `@`: the place. */
static void damage_is_told_with_its_place_and_the_prefix_kept(void **state)
{
	enum what { CUT, FLIP, SET_SEQ, SET_KIND, SET_LENGTH, SET_WHAT, SET_COUNT };
	static const struct {
		enum what what;
		int block, offset; /* offset from the block's start */
		uint32_t value;
		uint64_t delivered;
		const char *damage;
	} cases[] = {
		{ CUT, 10, 0, 0, 10, "no lane.end: cut at byte @" },
		{ CUT, 0, 0, 0, 0, "no lane.end: cut at byte @" },
		{ CUT, 4, 0, 0, 4, "no lane.end: cut at byte @" },
		{ CUT, 4, 1, 0, 4, "torn block at byte @" },
		{ CUT, 4, 16, 0, 4, "torn block at byte @" },
		{ CUT, 4, BLOCK_BYTES - 1, 0, 4, "torn block at byte @" },
		{ FLIP, 4, 4, 0, 4, "bad CRC of the block at byte @" },
		{ FLIP, 4, 8, 0, 4, "bad CRC of the block at byte @" },
		{ FLIP, 4, 12, 0, 4, "bad CRC of the block at byte @" },
		{ FLIP, 4, BLOCK_BYTES - 1, 0, 4, "bad CRC of the block at byte @" },
		{ FLIP, 10, 20, 0, 10, "bad CRC of the block at byte @" },
		{ SET_LENGTH, 4, 0, 65537, 4, "bad block at byte @: length 65537, limit 65536" },
		{ SET_LENGTH, 4, 0, 0, 4, "bad CRC of the block at byte @" },
		{ SET_WHAT, 4, 0, 3, 4, "block at byte @: 1 of kind 3 do not make 64 bytes" },
		{ SET_COUNT, 4, 0, 2, 4, "block at byte @: 2 of kind 1 do not make 64 bytes" },
		{ SET_SEQ, 4, 0, 6, 4, "gap: events 4 to 5 are missing before byte @" },
		{ SET_SEQ, 4, 0, 1, 4, "event 1 where 4 was due before byte @" },
		{ SET_KIND, 4, 0, 200, 4, "kind 200, color 0, t 4 is no event, before byte @" },
		{ SET_KIND, 4, 0, EVENT_LANE_END, 5, "events after lane.end before byte @" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fixture f;
		struct lane_block head;
		struct event event;
		char damage[128];
		size_t size;
		setup(&f);
		write_ten(&f);
		char *file = test_file_read(f.path, &size);
		char *block = file + FIRST_BLOCK + cases[i].block * BLOCK_BYTES;
		int place = (int)(block - file);
		memcpy(&head, block, sizeof(head));
		memcpy(&event, block + sizeof(head), sizeof(event));
		switch (cases[i].what) {
		case CUT:
			size = (size_t)(place + cases[i].offset);
			break;
		case FLIP:
			block[cases[i].offset] ^= 64;
			break;
		case SET_SEQ:
			event.seq = cases[i].value;
			place += BLOCK_BYTES; /* known once the block is read */
			break;
		case SET_KIND:
			event.kind = (uint8_t)cases[i].value;
			place += cases[i].value == EVENT_LANE_END ? 2 * BLOCK_BYTES : BLOCK_BYTES;
			break;
		case SET_LENGTH:
			head.length = cases[i].value;
			break;
		case SET_WHAT:
			head.what = cases[i].value;
			break;
		case SET_COUNT:
			head.count = cases[i].value;
			break;
		}
		if (cases[i].what > FLIP) {
			memcpy(block + sizeof(head), &event, sizeof(event));
			if (cases[i].what != SET_LENGTH)
				head.crc = lane_block_crc(&head, block + sizeof(head));
			memcpy(block, &head, sizeof(head));
		}
		test_file_write(f.path, file, size);
		free(file);

		assert_int_equal(open_reader(&f), 0);
		assert_int_equal(drain(&f.reader), cases[i].delivered);
		assert_int_equal(f.reader.status.events, cases[i].delivered);
		assert_false(f.reader.status.whole);
		int before = (int)strcspn(cases[i].damage, "@");
		snprintf(damage, sizeof(damage), "%.*s%d%s", before, cases[i].damage, place,
			 cases[i].damage + before + 1);
		assert_string_equal(f.reader.status.damage, damage);
		teardown(&f);
	}
}

static void numbers_of_names_become_the_historys(void **state)
{
	struct fixture f;
	const struct event *event;

	(void)state;
	setup(&f);
	names_intern(&f.names.instances, "green-1", 7, NULL); /* another lane was first */
	names_intern(&f.names.notes, "other", 5, NULL);
	struct lane *lane = test_lane_open(&f.dir, "r1", ROLE_WORKER, 0);
	for (int i = 0; i < 40; i++) {
		struct event action = event_make(EVENT_ACTION_INV, i),
			     turn = event_make(EVENT_TURN_INV, i);
		char name[32];
		snprintf(name, sizeof(name), "blue-%d", i % 3);
		action.instance = turn.instance = lane_instance(lane, name);
		action.conn = lane_note(lane, "note %d", i);
		turn.conn = 3; /* a connection: not a name */
		lane_event(lane, action);
		lane_event(lane, turn);
	}
	lane_call(lane, 99, "c-99");
	test_lane_close(lane);

	assert_int_equal(open_reader(&f), 0);
	for (int i = 0; i < 40; i++) {
		char want[32];
		event = next(&f.reader);
		assert_non_null(event);
		snprintf(want, sizeof(want), "blue-%d", i % 3);
		assert_string_equal(names_text(&f.names.instances, event->instance), want);
		snprintf(want, sizeof(want), "note %d", i);
		assert_string_equal(names_text(&f.names.notes, event->conn), want);
		event = next(&f.reader);
		assert_non_null(event);
		assert_int_equal(event->conn, 3);
	}
	assert_int_equal(drain(&f.reader), 1);
	assert_true(f.reader.status.whole);
	assert_string_equal(call_names_id(&f.names.calls, 99), "c-99");
	teardown(&f);
}

static void an_event_recorded_late_is_put_in_place(void **state)
{
	/* Blocks end at 0: the late 15s are within their block, 35 comes one block after 50. Of one
	 * stamp, what was recorded first stands first. */
	static const int64_t recorded[] = { 10, 20, 15, 15, 30, 0, 40, 50, 0, 60, 35, 35, 70, 0 };
	static const struct {
		int64_t t_ns;
		uint32_t seq;
	} delivered[] = { { 10, 0 }, { 15, 2 }, { 15, 3 }, { 20, 1 }, { 30, 4 }, { 35, 8 },
			  { 35, 9 }, { 40, 5 }, { 50, 6 }, { 60, 7 }, { 70, 10 } };
	struct fixture f;

	(void)state;
	setup(&f);
	struct lane *lane = test_lane_open(&f.dir, "r1", ROLE_WORKER, 0);
	for (size_t i = 0; i < sizeof(recorded) / sizeof(*recorded); i++) {
		if (recorded[i])
			lane_event(lane, event_make(EVENT_TURN_INV, recorded[i]));
		else
			lane_flush(lane);
	}
	test_lane_close(lane);
	assert_int_equal(open_reader(&f), 0);
	for (size_t i = 0; i < sizeof(delivered) / sizeof(*delivered); i++) {
		const struct event *event = next(&f.reader);
		assert_non_null(event);
		assert_int_equal(event->t_ns, delivered[i].t_ns);
		assert_int_equal(event->seq, delivered[i].seq);
	}
	assert_int_equal(drain(&f.reader), 1);
	assert_true(f.reader.status.whole);
	teardown(&f);
}

/* The block of names is taken out: whoever was named in it. */
static void a_lane_without_its_names_is_not_whole(void **state)
{
	static const struct {
		uint8_t instance;
		bool note;
		uint64_t delivered;
		const char *damage;
	} cases[] = {
		{ 0, false, 2, "2 of its 3 names are here" },
		{ 1, false, 0, "instance 1 or note 0 of event 0 has no name" },
		{ 0, true, 0, "instance 0 or note 1 of event 0 has no name" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct event event = event_make(EVENT_ACTION_INV, 1);
		struct lane_block names;
		struct fixture f;
		size_t size, begin = sizeof(struct lane_header), end;
		char *file;

		setup(&f);
		struct lane *lane = test_lane_open(&f.dir, "r1", ROLE_WORKER, 0);
		event.instance = cases[i].instance;
		event.conn = cases[i].note;
		if (cases[i].instance)
			lane_instance(lane, "blue-1");
		else if (cases[i].note)
			lane_note(lane, "a note");
		else
			lane_call(lane, 98, "c-98");
		lane_event(lane, event);
		lane_flush(lane);
		lane_call(lane, 99, "c-99");
		lane_call(lane, 100, "c-100");
		test_lane_close(lane);

		file = test_file_read(f.path, &size);
		memcpy(&names, file + begin, sizeof(names));
		end = begin + sizeof(names) + names.length;
		memmove(file + begin, file + end, size - end);
		test_file_write(f.path, file, size - (end - begin));
		free(file);
		assert_int_equal(open_reader(&f), 0);
		assert_int_equal(drain(&f.reader), cases[i].delivered);
		assert_false(f.reader.status.whole);
		assert_int_equal(
			strncmp(f.reader.status.damage, cases[i].damage, strlen(cases[i].damage)),
			0);
		teardown(&f);
	}
}

/* What 5,000 callers say while one waits for its first message. */
static void an_event_may_be_late_by_a_thousand_others(void **state)
{
	enum { LATE_BY = 1000 };
	struct fixture f;

	(void)state;
	setup(&f);
	struct lane *lane = test_lane_open(&f.dir, "r1", ROLE_WORKER, 0);
	for (int i = 0; i < 2 * LATE_BY; i++)
		lane_event(lane, event_make(EVENT_TURN_INV, 100 + i));
	lane_event(lane, event_make(EVENT_DIAL_OK, 100 + LATE_BY));
	test_lane_close(lane);
	assert_int_equal(open_reader(&f), 0);
	for (int i = 0; i < 2 * LATE_BY + 1; i++) {
		const struct event *event = next(&f.reader);
		assert_non_null(event);
		assert_int_equal(event->t_ns, 100 + i - (i > LATE_BY));
	}
	assert_int_equal(drain(&f.reader), 1);
	teardown(&f);
}

static void many_full_blocks_come_in_order_without_loss(void **state)
{
	enum { MANY = 5 * LANE_EVENTS_MAX + 7 };
	struct fixture f;

	(void)state;
	setup(&f);
	struct lane *lane = test_lane_open(&f.dir, "r1", ROLE_WORKER, 0);
	for (int i = 0; i < MANY; i++)
		lane_event(lane, event_make(EVENT_TURN_INV, (i ^ 3) + 100)); /* 3 2 1 0, 7 6 5 4 */
	test_lane_close(lane);
	assert_int_equal(open_reader(&f), 0);
	for (int i = 0; i < MANY / 4 * 4; i++) {
		const struct event *event = next(&f.reader);
		assert_non_null(event);
		assert_int_equal(event->t_ns, i + 100);
	}
	assert_int_equal(drain(&f.reader), MANY % 4 + 1);
	assert_true(f.reader.status.whole);
	teardown(&f);
}

static void what_is_not_a_lane_is_refused_with_its_name(void **state)
{
	struct lane_header good = { .magic = LANE_MAGIC,
				    .version = LANE_VERSION,
				    .byte_order = 0x01020304 };
	static const struct {
		uint32_t magic, version, byte_order, crc_error;
		const char *text;
	} cases[] = {
		{ 0x464c457f, LANE_VERSION, 0x01020304, 0,
		  "not a lane: magic 464c457f at byte 0, not 46584331" },
		{ LANE_MAGIC, 2, 0x01020304, 0,
		  "lane version 2, byte order 01020304; this program reads version 1, 01020304" },
		{ LANE_MAGIC, LANE_VERSION, 0x04030201, 0,
		  "lane version 1, byte order 04030201; this program reads version 1, 01020304" },
		{ LANE_MAGIC, LANE_VERSION, 0x01020304, 1,
		  "not a lane: CRC of the header (bytes 0 to 511) does not match" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fixture f;
		setup(&f);
		struct lane_header header = good;
		header.magic = cases[i].magic;
		header.version = cases[i].version;
		header.byte_order = cases[i].byte_order;
		header.crc = lane_header_crc(&header) + cases[i].crc_error;
		test_file_write(f.path, &header, sizeof(header));
		assert_int_equal(open_reader(&f), -1);
		assert_int_equal(f.err.kind, ERR_INPUT);
		assert_memory_equal(f.err.text, f.path, strlen(f.path));
		assert_string_equal(f.err.text + strlen(f.path) + 2, cases[i].text);
		teardown(&f);
	}
}

static void a_lane_cut_inside_its_header_is_lost_not_refused(void **state)
{
	static const size_t sizes[] = { 0, 1, 4, 300, 511 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct fixture f;
		size_t size;
		setup(&f);
		write_ten(&f);
		char *file = test_file_read(f.path, &size);
		test_file_write(f.path, file, sizes[i]);
		free(file);
		assert_int_equal(open_reader(&f), 0);
		assert_false(f.reader.has_header);
		assert_null(next(&f.reader));
		assert_false(f.reader.status.whole);
		assert_string_equal(f.reader.status.damage, "cut inside the header");
		teardown(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_lane_is_read_to_its_end_mark),
		cmocka_unit_test(damage_is_told_with_its_place_and_the_prefix_kept),
		cmocka_unit_test(numbers_of_names_become_the_historys),
		cmocka_unit_test(an_event_recorded_late_is_put_in_place),
		cmocka_unit_test(a_lane_without_its_names_is_not_whole),
		cmocka_unit_test(an_event_may_be_late_by_a_thousand_others),
		cmocka_unit_test(many_full_blocks_come_in_order_without_loss),
		cmocka_unit_test(what_is_not_a_lane_is_refused_with_its_name),
		cmocka_unit_test(a_lane_cut_inside_its_header_is_lost_not_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
