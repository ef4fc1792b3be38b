#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>

#include "base/hash.h"
#include "base/rng.h"
#include "record/history.h"
#include "record/test_lanes.h"

enum { LANES = 3 };

static struct history *open_ok(const char *path)
{
	struct history *history = NULL;
	struct err err = { 0 };

	if (history_open(path, &history, &err) < 0)
		fail_msg("%s", err.text);
	return history;
}

static void assert_refused(const char *path, const char *text)
{
	struct history *history = NULL;
	struct err err = { 0 };

	assert_int_equal(history_open(path, &history, &err), -1);
	assert_null(history);
	assert_int_equal(err.kind, ERR_INPUT);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" does not say \"%s\"", err.text, text);
}

/*
 * Three lanes of random events; the call says where each came from: lane << 32 | place. Stamps
 * repeat often, within a lane and between them. Blocks end at random places.
 */
static void write_random(const struct test_dir *dir, uint64_t seed, uint64_t per_lane)
{
	for (uint32_t i = 0; i < LANES; i++) {
		struct rng rng = rng_split(seed, i, "lanes");
		struct lane *lane = test_lane_open(dir, "r1", ROLE_WORKER, i);
		int64_t t_ns = 0;
		for (uint64_t k = 0; k < per_lane; k++) {
			t_ns += (int64_t)rng_below(&rng, 3);
			struct event event = event_make(
				(enum event_kind)(1 + rng_below(&rng, EVENT_KIND_COUNT - 1)), t_ns);
			event.call = (uint64_t)i << 32 | k;
			event.instance =
				lane_instance(lane, rng_below(&rng, 2) ? "blue-1" : "green-1");
			if (event_conn_is_note(event.kind))
				event.conn = lane_note(lane, "%llu",
						       (unsigned long long)rng_below(&rng, 50));
			lane_event(lane, event);
			if (rng_below(&rng, 20) == 0)
				lane_flush(lane);
		}
		test_lane_close(lane);
	}
}

/* Reads it all: merged by stamp, then lane; each lane a gap-free prefix, lane.end not counted. */
static void read_checked(struct history *history, uint64_t counts[LANES])
{
	const struct event *event;
	int64_t last_ns = 0;
	uint64_t last_lane = 0;

	memset(counts, 0, LANES * sizeof(*counts));
	while (history_next(history, &event)) {
		assert_true(event->t_ns >= last_ns);
		if (event->kind != EVENT_LANE_END) {
			uint64_t lane = event->call >> 32;
			assert_true(lane < LANES);
			assert_int_equal(event->call & UINT32_MAX, counts[lane]++);
			assert_true(event->t_ns > last_ns || lane >= last_lane);
			last_lane = lane;
		}
		if (event->t_ns > last_ns && event->kind == EVENT_LANE_END)
			last_lane = 0;
		last_ns = event->t_ns;
		assert_int_equal(*history_instance(history, event->instance) != '\0',
				 event->instance != 0);
	}
	assert_false(history_next(history, &event));
}

static void lanes_merge_by_stamp_then_lane_then_place(void **state)
{
	struct test_dir dir = test_dir_make();
	const struct lane_status *lanes;
	uint64_t counts[LANES];

	(void)state;
	write_random(&dir, 1, 3000);
	struct history *history = open_ok(dir.path);
	struct err err = { 0 };
	for (int round = 0; round < 2; round++) {
		read_checked(history, counts);
		assert_int_equal(history_lanes(history, &lanes), LANES);
		for (uint32_t i = 0; i < LANES; i++) {
			assert_int_equal(counts[i], 3000);
			assert_true(lanes[i].whole);
			assert_int_equal(lanes[i].index, i);
			assert_int_equal(lanes[i].events, 3001);
		}
		assert_int_equal(history_rewind(history, &err), 0);
	}
	assert_string_equal(history_header(history)->run, "r1");
	assert_int_equal(history_header(history)->seed, 42);
	history_free(history);
	test_dir_remove(&dir);
}

static void any_cut_of_a_lane_keeps_a_prefix_and_is_told(void **state)
{
	struct test_dir dir = test_dir_make();
	struct rng rng = rng_split(3, 0, "cut");
	char path[128];
	size_t size;

	(void)state;
	write_random(&dir, 2, 150);
	char *file = test_file_read(test_path(&dir, "worker-1.lane", path), &size);
	uint64_t longest = 0;
	/* Every length near the ends, random ones between. */
	for (size_t cut = 0; cut < size;
	     cut += cut < 20 || size - cut < 150 ? 1 : 1 + rng_below(&rng, 40)) {
		const struct lane_status *lanes;
		uint64_t counts[LANES];
		test_file_write(path, file, cut);
		struct history *history = open_ok(dir.path);
		read_checked(history, counts);
		/* Lanes come by role and index; one without a header has neither and is first. */
		uint32_t hurt = cut < sizeof(struct lane_header) ? 0 : 1;
		assert_int_equal(history_lanes(history, &lanes), LANES);
		assert_string_equal(lanes[hurt].file, "worker-1.lane");
		for (uint32_t i = 0; i < LANES; i++) {
			assert_int_equal(lanes[i].whole, i != hurt);
			assert_int_equal(*lanes[i].damage != '\0', i == hurt);
		}
		assert_int_equal(counts[0], 150);
		assert_int_equal(counts[2], 150);
		assert_true(counts[1] <= 150);
		assert_true(counts[1] >= longest); /* a longer file never holds less */
		longest = counts[1];
		history_free(history);
	}
	assert_true(longest > 100);
	free(file);
	test_dir_remove(&dir);
}

static void any_flipped_bit_is_told_and_what_came_before_is_kept(void **state)
{
	struct test_dir dir = test_dir_make();
	struct rng rng = rng_split(4, 0, "flip");
	char path[128];
	size_t size;

	(void)state;
	write_random(&dir, 5, 100);
	char *file = test_file_read(test_path(&dir, "worker-1.lane", path), &size);
	for (int i = 0; i < 300; i++) {
		size_t at = sizeof(struct lane_header) +
			    rng_below(&rng, size - sizeof(struct lane_header));
		const struct lane_status *lanes;
		uint64_t counts[LANES];
		char bit = (char)(1 << rng_below(&rng, 8));
		file[at] ^= bit;
		test_file_write(path, file, size);
		file[at] ^= bit;
		struct history *history = open_ok(dir.path);
		read_checked(history, counts);
		history_lanes(history, &lanes);
		assert_false(lanes[1].whole);
		assert_true(counts[1] <= 100);
		history_free(history);
	}
	free(file);
	test_dir_remove(&dir);
}

static void a_killed_writer_leaves_every_block_it_wrote(void **state)
{
	struct test_dir dir = test_dir_make();
	const struct lane_status *lanes;
	const struct event *event;
	int status, count = 0;

	(void)state;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct lane *lane = test_lane_open(&dir, "r1", ROLE_WORKER, 0);
		for (int i = 0; i < 2 * LANE_EVENTS_MAX + 5; i++)
			lane_event(lane, event_make(EVENT_TURN_INV, i));
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	struct history *history = open_ok(dir.path);
	while (history_next(history, &event))
		assert_int_equal(event->t_ns, count++);
	assert_int_equal(count, 2 * LANE_EVENTS_MAX);
	assert_int_equal(history_lanes(history, &lanes), 1);
	assert_false(lanes[0].whole);
	assert_non_null(strstr(lanes[0].damage, "no lane.end"));
	history_free(history);
	test_dir_remove(&dir);
}

static void lanes_stand_by_role_then_index_not_by_spelling(void **state)
{
	static const struct {
		enum lane_role role;
		uint32_t index;
	} lanes[] = {
		{ ROLE_OBSERVER, 0 }, { ROLE_WORKER, 10 }, { ROLE_TAP, 0 }, { ROLE_WORKER, 2 }
	};
	static const char *const order[] = { "worker-2.lane", "worker-10.lane", "tap-0.lane",
					     "observer-0.lane" };
	struct test_dir dir = test_dir_make();
	const struct lane_status *statuses;
	const struct event *event;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct lane *lane = test_lane_open(&dir, "r1", lanes[i].role, lanes[i].index);
		struct event heartbeat = event_make(EVENT_HEARTBEAT, 7);
		heartbeat.aux = lanes[i].role * 100 + lanes[i].index;
		lane_event(lane, heartbeat);
		test_lane_close(lane);
	}
	struct history *history = open_ok(dir.path);
	assert_int_equal(history_lanes(history, &statuses), 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(statuses[i].file, order[i]);
	/* The same stamp in all lanes: lane order decides. */
	static const uint32_t first[] = { 102, 110, 200, 500 };
	for (size_t i = 0; i < 4; i++) {
		assert_true(history_next(history, &event));
		assert_int_equal(event->aux, first[i]);
	}
	history_free(history);
	test_dir_remove(&dir);
}

static void names_of_two_lanes_become_one_table(void **state)
{
	struct test_dir dir = test_dir_make();
	struct lane *a = test_lane_open(&dir, "r1", ROLE_WORKER, 0),
		    *b = test_lane_open(&dir, "r1", ROLE_TAP, 0);
	struct event dial = event_make(EVENT_DIAL_OK, 1), write = event_make(EVENT_CMD_OK, 2);
	const struct event *event;

	(void)state;
	lane_instance(a, "green-1");
	dial.instance = lane_instance(a, "blue-1");
	dial.call = write.call = hash_id("c-1", 3);
	lane_call(a, dial.call, "c-1");
	lane_event(a, dial);
	write.instance = lane_instance(b, "blue-1");
	assert_int_not_equal(write.instance, dial.instance);
	lane_event(b, write);
	test_lane_close(a);
	test_lane_close(b);
	struct history *history = open_ok(dir.path);
	assert_true(history_next(history, &event));
	uint8_t instance = event->instance;
	assert_string_equal(history_instance(history, instance), "blue-1");
	assert_string_equal(history_call(history, event->call), "c-1");
	assert_true(history_next(history, &event));
	assert_int_equal(event->instance, instance);
	assert_string_equal(history_note(history, 77), "");
	assert_string_equal(history_call(history, 77), "");
	history_free(history);
	test_dir_remove(&dir);
}

static void what_is_no_history_is_refused(void **state)
{
	struct test_dir dir = test_dir_make();
	char path[128], other[128];

	(void)state;
	assert_refused("/nowhere", "/nowhere: No such file or directory");
	assert_refused(dir.path, "no lanes: not a run directory");
	test_file_write(test_path(&dir, "notes.txt", path), "hello", 5);
	assert_refused(path, "neither a run directory nor an .ndjson file");
	assert_refused(dir.path, "no lanes");
	test_file_write(test_path(&dir, "worker-0.lane", other), "hello", 5);
	assert_refused(dir.path, "worker-0.lane: not a lane: magic");
	test_file_write(other, "", 0);
	assert_refused(dir.path, "no lane with a header");
	unlink(other);
	assert_int_equal(mkfifo(other, 0600), 0); /* must not wait for a writer */
	assert_refused(dir.path, "worker-0.lane: not a file");
	unlink(other);
	test_lane_close(test_lane_open(&dir, "r1", ROLE_WORKER, 0));
	test_lane_close(test_lane_open(&dir, "r2", ROLE_TAP, 0));
	assert_refused(dir.path,
		       "lanes of different runs: tap-0.lane is of r2, worker-0.lane of r1");
	test_dir_remove(&dir);
}

/* ---- NDJSON ---- */

static void a_text_is_a_history(void **state)
{
	static const char text[] =
		"# golden\n"
		"{\"t\":1,\"kind\":\"dial.ok\",\"call\":\"c-1\",\"instance\":\"blue-1\"}\n"
		"\n"
		"{\"t\":1,\"kind\":\"probe.fail\",\"note\":\"no\"}\n"
		"{\"t\":\"2s\",\"kind\":\"leg.end\",\"call\":\"c-1\"}";
	struct history *history = NULL;
	const struct lane_status *lanes;
	const struct event *event;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(history_open_text("golden", text, &history, &err), 0);
	for (int round = 0; round < 2; round++) {
		assert_true(history_next(history, &event));
		assert_int_equal(event->kind, EVENT_DIAL_OK);
		assert_int_equal(event->seq, 0);
		assert_string_equal(history_instance(history, event->instance), "blue-1");
		assert_string_equal(history_call(history, event->call), "c-1");
		assert_true(history_next(history, &event));
		assert_int_equal(event->seq, 1);
		assert_string_equal(history_note(history, event->conn), "no");
		assert_true(history_next(history, &event));
		assert_int_equal(event->t_ns, 2000000000);
		assert_false(history_next(history, &event));
		assert_int_equal(history_rewind(history, &err), 0);
	}
	assert_null(history_header(history));
	assert_int_equal(history_lanes(history, &lanes), 1);
	assert_true(lanes[0].whole);
	assert_int_equal(lanes[0].events, 3);
	assert_int_equal(lanes[0].last_ns, 2000000000);
	history_free(history);
	assert_int_equal(history_open_text("empty", "", &history, &err), 0);
	assert_false(history_next(history, &event));
	history_free(history);
}

static void a_bad_line_is_named_by_file_and_line(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "\n{\"t\":1,\"kind\":\"run.start\"}\n{\"t\":2,\"kind\":\"x\"}\n",
		  "golden:3: unknown kind \"x\"" },
		{ "{\"t\":1,\"kind\":\"run.start\",\"who\":\"me\"}\n",
		  "golden:1: unknown key \"who\"" },
		{ "{\"t\":9,\"kind\":\"run.start\"}\n# x\n{\"t\":8,\"kind\":\"run.end\"}\n",
		  "golden:3: t 8 is before the 9 of the event above" },
		{ "{\"t\":1}\n", "golden:1: no kind" },
	};
	struct history *history = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err err = { 0 };
		assert_int_equal(history_open_text("golden", cases[i].text, &history, &err), -1);
		assert_null(history);
		assert_int_equal(err.kind, ERR_INPUT);
		assert_string_equal(err.text, cases[i].says);
	}
}

static void a_line_without_end_is_refused(void **state)
{
	struct test_dir dir = test_dir_make();
	char path[128], *line = malloc(100000);

	(void)state;
	assert_non_null(line);
	memset(line, ' ', 100000);
	test_file_write(test_path(&dir, "long.ndjson", path), line, 100000);
	assert_refused(path, "long.ndjson:1: longer than 65534 bytes, or a NUL in it");
	line[7] = '\0';
	line[8] = '\n';
	test_file_write(path, line, 9);
	assert_refused(path, "long.ndjson:1: longer than");
	free(line);
	test_dir_remove(&dir);
}

/* All of a history as NDJSON, to be freed. */
static char *print_all(struct history *history)
{
	const struct event *event;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	while (history_next(history, &event))
		history_print_ndjson(history, event, out);
	history_print_ndjson_lanes(history, out);
	fclose(out);
	return text;
}

static void lanes_and_their_damage_survive_the_way_through_ndjson(void **state)
{
	struct test_dir dir = test_dir_make();
	const struct lane_status *lanes;
	char path[128];
	size_t size;

	(void)state;
	write_random(&dir, 6, 500);
	char *file = test_file_read(test_path(&dir, "worker-2.lane", path), &size);
	test_file_write(path, file, size - 10);
	free(file);
	struct history *history = open_ok(dir.path);
	char *once = print_all(history);
	history_free(history);

	test_file_write(test_path(&dir, "copy.ndjson", path), once, strlen(once));
	history = open_ok(path);
	char *twice = print_all(history);
	assert_string_equal(once, twice);
	assert_int_equal(history_lanes(history, &lanes), LANES);
	assert_true(lanes[0].whole && lanes[1].whole);
	assert_false(lanes[2].whole);
	assert_non_null(strstr(lanes[2].damage, "torn block at byte"));
	history_free(history);
	free(once);
	free(twice);
	test_dir_remove(&dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lanes_merge_by_stamp_then_lane_then_place),
		cmocka_unit_test(any_cut_of_a_lane_keeps_a_prefix_and_is_told),
		cmocka_unit_test(any_flipped_bit_is_told_and_what_came_before_is_kept),
		cmocka_unit_test(a_killed_writer_leaves_every_block_it_wrote),
		cmocka_unit_test(lanes_stand_by_role_then_index_not_by_spelling),
		cmocka_unit_test(names_of_two_lanes_become_one_table),
		cmocka_unit_test(what_is_no_history_is_refused),
		cmocka_unit_test(a_text_is_a_history),
		cmocka_unit_test(a_bad_line_is_named_by_file_and_line),
		cmocka_unit_test(a_line_without_end_is_refused),
		cmocka_unit_test(lanes_and_their_damage_survive_the_way_through_ndjson),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
