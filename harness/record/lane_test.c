#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "record/test_lanes.h"

static struct event numbered(int64_t t_ns)
{
	struct event event = event_make(EVENT_TURN_INV, t_ns);

	event.turn = (uint16_t)t_ns;
	return event;
}

/* The next block of the file at *at; its bytes. */
static const char *next_block(const char **at, struct lane_block *ret)
{
	memcpy(ret, *at, sizeof(*ret));
	const char *bytes = *at + sizeof(*ret);
	assert_int_equal(ret->crc, lane_block_crc(ret, bytes));
	*at = bytes + ret->length;
	return bytes;
}

static void a_lane_is_a_private_file_named_by_role_and_index(void **state)
{
	struct test_dir dir = test_dir_make();
	struct lane *lane = test_lane_open(&dir, "r1", ROLE_WORKER, 3), *twin = NULL;
	struct lane_identity identity = { .run = "r1", .role = ROLE_WORKER, .index = 3 };
	struct err err = { 0 };
	struct stat st;
	char path[128];

	(void)state;
	assert_int_equal(stat(test_path(&dir, "worker-3.lane", path), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(lane_open(dir.path, &identity, &twin, &err), -1);
	assert_null(twin);
	assert_non_null(strstr(err.text, "worker-3.lane: File exists"));
	test_lane_close(lane);
	test_dir_remove(&dir);
}

static void the_header_says_who_wrote_when_and_of_which_run(void **state)
{
	int64_t before_ns = clock_now_ns();
	struct test_dir dir = test_dir_make();
	struct lane_header header;
	char path[128];
	size_t size;

	(void)state;
	test_lane_close(test_lane_open(&dir, "r1", ROLE_TAP, 0));
	char *file = test_file_read(test_path(&dir, "tap-0.lane", path), &size);
	assert_true(size > sizeof(header));
	memcpy(&header, file, sizeof(header));
	assert_int_equal(header.crc, lane_header_crc(&header));
	assert_int_equal(header.magic, LANE_MAGIC);
	assert_int_equal(header.role, ROLE_TAP);
	assert_int_equal(header.pid, getpid());
	assert_int_equal(header.seed, 42);
	assert_string_equal(header.run, "r1");
	assert_string_equal(header.scenario_digest, "d1");
	assert_int_equal(strlen(header.boot_id), 36);
	assert_int_equal(strlen(header.binary_id), 64);
	assert_true(header.monotonic_ns >= before_ns && header.monotonic_ns <= clock_now_ns());
	assert_true(header.anchor_error_ns >= 0 &&
		    header.anchor_error_ns <= clock_now_ns() - before_ns);
	free(file);
	test_dir_remove(&dir);
}

static void names_are_in_the_file_before_the_events_that_carry_them(void **state)
{
	struct test_dir dir = test_dir_make();
	struct lane *lane = test_lane_open(&dir, "r1", ROLE_WORKER, 0);
	struct event event = numbered(1), back;
	struct lane_block block;
	struct lane_name name;
	char path[128];
	size_t size;

	(void)state;
	event.instance = lane_instance(lane, "blue-1");
	assert_int_equal(event.instance, 1);
	lane_event(lane, event);
	assert_int_equal(lane_note(lane, "why %d", 7), 1);
	lane_call(lane, 99, "c-99");
	test_lane_close(lane);

	char *file = test_file_read(test_path(&dir, "worker-0.lane", path), &size);
	const char *at = file + sizeof(struct lane_header), *bytes = next_block(&at, &block);
	assert_int_equal(block.what, LANE_NAMES);
	assert_int_equal(block.count, 3);
	memcpy(&name, bytes, sizeof(name));
	assert_int_equal(name.space, NAME_INSTANCE);
	assert_int_equal(name.id, 1);
	assert_int_equal(name.length, 6);
	assert_memory_equal(bytes + sizeof(name), "blue-1", 6);
	bytes = next_block(&at, &block);
	assert_int_equal(block.what, LANE_EVENTS);
	assert_int_equal(block.count, 2);
	memcpy(&back, bytes, sizeof(back));
	assert_memory_equal(&back, &event, sizeof(event));
	memcpy(&back, bytes + sizeof(back), sizeof(back));
	assert_int_equal(back.kind, EVENT_LANE_END);
	assert_int_equal(back.seq, 1);
	assert_ptr_equal(at, file + size);
	free(file);
	test_dir_remove(&dir);
}

static void the_same_name_keeps_its_number_and_nothing_is_none(void **state)
{
	struct test_dir dir = test_dir_make();
	struct lane *lane = test_lane_open(&dir, "r1", ROLE_DIRECTOR, 0);
	char text[32];

	(void)state;
	assert_int_equal(lane_instance(lane, ""), 0);
	assert_int_equal(lane_note(lane, "%s", ""), 0);
	for (int round = 0; round < 2; round++) {
		for (int i = 1; i <= 255; i++) {
			snprintf(text, sizeof(text), "i%d", i);
			assert_int_equal(lane_instance(lane, text), i);
			assert_int_equal(lane_note(lane, "n%d", i), i);
		}
	}
	assert_int_equal(lane_instance(lane, "one too many"), 0);
	assert_int_equal(lane_instance(lane, "i255"), 255);
	test_lane_close(lane);
	test_dir_remove(&dir);
}

static void notes_past_the_limit_share_the_last_number(void **state)
{
	struct test_dir dir = test_dir_make();
	struct lane *lane = test_lane_open(&dir, "r1", ROLE_DIRECTOR, 0);

	(void)state;
	for (uint32_t i = 1; i <= 65535; i++)
		assert_int_equal(lane_note(lane, "n%u", i), i);
	assert_int_equal(lane_note(lane, "one too many"), 65536);
	assert_int_equal(lane_note(lane, "and another"), 65536);
	assert_int_equal(lane_note(lane, "n65535"), 65535);
	test_lane_close(lane);
	test_dir_remove(&dir);
}

static void a_full_block_and_an_old_one_are_written_a_young_one_waits(void **state)
{
	struct test_dir dir = test_dir_make();
	struct lane *lane = test_lane_open(&dir, "r1", ROLE_WORKER, 0);
	char path[128];

	(void)state;
	test_path(&dir, "worker-0.lane", path);
	size_t size = sizeof(struct lane_header);
	lane_event(lane, numbered(1000));
	lane_tick(lane, 1000 + 99 * NS_PER_MS);
	assert_int_equal(test_file_size(path), size);
	lane_tick(lane, 1000 + 100 * NS_PER_MS);
	size += sizeof(struct lane_block) + sizeof(struct event);
	assert_int_equal(test_file_size(path), size);
	lane_tick(lane, INT64_MAX);
	assert_int_equal(test_file_size(path), size);
	for (int i = 0; i < LANE_EVENTS_MAX; i++) {
		assert_int_equal(test_file_size(path), size);
		lane_event(lane, numbered(i));
	}
	assert_int_equal(test_file_size(path),
			 size + sizeof(struct lane_block) + LANE_EVENTS_MAX * sizeof(struct event));
	test_lane_close(lane);
	test_dir_remove(&dir);
}

static void a_long_note_is_cut_and_says_so(void **state)
{
	struct test_dir dir = test_dir_make();
	struct lane *lane = test_lane_open(&dir, "r1", ROLE_WORKER, 0);
	struct lane_block block;
	struct lane_name name;
	char path[128];
	size_t size;

	(void)state;
	/* More of them than one block of names holds. */
	for (int i = 1; i <= 40; i++)
		assert_int_equal(lane_note(lane, "%d %09999d", i, 0), i);
	test_lane_close(lane);
	char *file = test_file_read(test_path(&dir, "worker-0.lane", path), &size);
	const char *at = file + sizeof(struct lane_header);
	uint32_t seen = 0;
	while (seen < 40) {
		const char *bytes = next_block(&at, &block);
		assert_int_equal(block.what, LANE_NAMES);
		assert_in_range(block.length, 1, LANE_BLOCK_BYTES);
		memcpy(&name, bytes, sizeof(name));
		assert_int_equal(name.length, LANE_TEXT_MAX);
		assert_memory_equal(bytes + sizeof(name) + LANE_TEXT_MAX - 4, "0...", 4);
		seen += block.count;
	}
	free(file);
	test_dir_remove(&dir);
}

static void a_note_of_others_is_made_fit_to_be_shown(void **state)
{
	struct test_dir dir = test_dir_make();
	struct lane *lane = test_lane_open(&dir, "r1", ROLE_WORKER, 0);
	char path[128];
	size_t size;

	(void)state;
	assert_int_equal(lane_note(lane, "it said %s", "\x1b[2J\xff"), 1);
	assert_int_equal(lane_note(lane, "it said %s", "\x1b[2J\xff"), 1);
	test_lane_close(lane);
	char *file = test_file_read(test_path(&dir, "worker-0.lane", path), &size);
	assert_non_null(memmem(file, size, "it said ?[2J?", 13));
	free(file);
	test_dir_remove(&dir);
}

static void a_write_that_fails_breaks_the_lane(void **state)
{
	struct test_dir dir = test_dir_make();
	struct rlimit old, small;
	struct err err = { 0 };

	(void)state;
	struct lane *lane = test_lane_open(&dir, "r1", ROLE_WORKER, 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ .rlim_cur = 600, .rlim_max = old.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	lane_event(lane, numbered(1));
	int first = lane_flush(lane);
	bool whole_after_first = !lane_broken(lane);
	lane_event(lane, numbered(2));
	int second = lane_flush(lane);
	bool broken = lane_broken(lane);
	int closed = lane_close(lane, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(first, 0);
	assert_true(whole_after_first);
	assert_int_equal(second, -1);
	assert_true(broken);
	assert_int_equal(closed, -1);
	assert_int_equal(err.kind, ERR_HARNESS);
	assert_non_null(strstr(err.text, "worker-0.lane: File too large"));
	test_dir_remove(&dir);
}

static void a_lane_that_cannot_be_created_says_where(void **state)
{
	struct lane_identity identity = { .run = "r1", .role = ROLE_WORKER };
	struct lane *lane = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(lane_open("/nowhere", &identity, &lane, &err), -1);
	assert_null(lane);
	assert_string_equal(err.text,
			    "lane: create /nowhere/worker-0.lane: No such file or directory");
	assert_int_equal(lane_close(NULL, &err), 0);
}

static void roles_have_words(void **state)
{
	(void)state;
	for (unsigned role = ROLE_WORKER; role < ROLE_COUNT; role++)
		assert_int_equal(lane_role_parse(lane_role_name(role)), role);
	assert_string_equal(lane_role_name(0), "?");
	assert_string_equal(lane_role_name(ROLE_COUNT), "?");
	assert_int_equal(lane_role_parse("?"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lane_is_a_private_file_named_by_role_and_index),
		cmocka_unit_test(the_header_says_who_wrote_when_and_of_which_run),
		cmocka_unit_test(names_are_in_the_file_before_the_events_that_carry_them),
		cmocka_unit_test(the_same_name_keeps_its_number_and_nothing_is_none),
		cmocka_unit_test(notes_past_the_limit_share_the_last_number),
		cmocka_unit_test(a_full_block_and_an_old_one_are_written_a_young_one_waits),
		cmocka_unit_test(a_long_note_is_cut_and_says_so),
		cmocka_unit_test(a_note_of_others_is_made_fit_to_be_shown),
		cmocka_unit_test(a_write_that_fails_breaks_the_lane),
		cmocka_unit_test(a_lane_that_cannot_be_created_says_where),
		cmocka_unit_test(roles_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
