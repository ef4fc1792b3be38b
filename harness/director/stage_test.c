#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "director/stage.h"
#include "record/history.h"

static const int64_t patience_ns = 30 * NS_PER_S;

struct fixture {
	char dir[128];
	struct stage stage;
	int exits;
};

static void on_message(void *user, struct member *m, const struct control_message *message)
{
	(void)user;
	(void)m;
	(void)message;
}

static void on_exit_of(void *user, struct member *m)
{
	struct fixture *f = user;

	(void)m;
	f->exits++;
}

static const struct stage_owner owner = { .on_message = on_message, .on_exit = on_exit_of };

static int open_stage(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct lane_identity identity = { .run = "stage-test", .role = ROLE_SUPERVISOR };

	snprintf(f->dir, sizeof f->dir, "/tmp/crossfade-stage-XXXXXX");
	if (!mkdtemp(f->dir) || lane_open(f->dir, &identity, &f->stage.lane, NULL) < 0)
		return -1;
	f->stage.loop = loop_new();
	f->stage.run_dir = f->dir;
	f->stage.owner = &owner;
	f->stage.user = f;
	*state = f;
	return 0;
}

static int close_stage(void **state)
{
	struct fixture *f = *state;
	char command[256];

	stage_free(&f->stage);
	loop_free(f->stage.loop);
	if (f->stage.lane)
		lane_close(f->stage.lane, NULL);
	snprintf(command, sizeof command, "rm -r %s", f->dir);
	if (system(command))
		return -1;
	free(f);
	return 0;
}

static struct member *start(struct fixture *f, const char *name, enum member_kind kind,
			    const char *script, bool control)
{
	const char *argv[] = { "/bin/sh", "-c", script, NULL };
	struct member_spec spec = { .kind = kind,
				    .name = name,
				    .color = COLOR_BLUE,
				    .program = argv[0],
				    .argv = argv,
				    .control = control };
	struct err err = { .kind = ERR_NONE };
	struct member *m;

	if (stage_start(&f->stage, &spec, &m, &err) < 0)
		fail_msg("%s", err.text);
	return m;
}

static void a_member_that_ends_before_it_is_ready_is_an_error_with_its_status_and_log(void **state)
{
	struct fixture *f = *state;
	struct member *m = start(f, "blue-1", MEMBER_AGENT, "echo no room >&2; exit 3", true);
	struct err err = { .kind = ERR_NONE };

	assert_int_equal(stage_await_ready(m, patience_ns, &err), -1);
	assert_non_null(strstr(err.text, "blue-1 ended with status 3"));
	assert_non_null(strstr(err.text, "blue-1.log"));
	assert_int_equal(f->exits, 1);
}

static void a_member_that_is_not_ready_in_time_is_an_error_and_can_be_ended(void **state)
{
	struct fixture *f = *state;
	/* Says nothing, refuses SIGTERM. */
	struct member *m = start(f, "blue-1", MEMBER_AGENT,
				 "trap '' TERM; while :; do sleep 1; done", true);
	struct err err = { .kind = ERR_NONE };

	assert_int_equal(stage_await_ready(m, 20 * NS_PER_MS, &err), -1);
	assert_non_null(strstr(err.text, "not ready within 20 ms"));
	stage_end(&f->stage, MEMBER_AGENT, 20 * NS_PER_MS);
	assert_true(m->ended);
	assert_int_equal(m->status, 128 + SIGKILL);
}

static void only_the_asked_kind_is_ended(void **state)
{
	struct fixture *f = *state;
	struct member *agent = start(f, "blue-1", MEMBER_AGENT, "exec sleep 600", false);
	struct member *redis = start(f, "redis", MEMBER_REDIS, "exec sleep 600", false);

	stage_end(&f->stage, MEMBER_AGENT, patience_ns);
	assert_true(agent->ended);
	assert_int_equal(agent->status, 128 + SIGTERM);
	assert_false(redis->ended);
	assert_ptr_equal(stage_find(&f->stage, "redis"), redis);
	stage_end(&f->stage, MEMBER_REDIS, patience_ns);
	assert_true(redis->ended);
}

static void spawn_signal_and_exit_are_in_the_record(void **state)
{
	static const enum event_kind want[] = { EVENT_SPAWN, EVENT_SIGNAL, EVENT_EXIT,
						EVENT_LANE_END };
	struct fixture *f = *state;
	struct member *m = start(f, "blue-1", MEMBER_AGENT, "exec sleep 600", false);
	struct err err = { .kind = ERR_NONE };
	struct history *h;
	const struct event *e;
	size_t n = 0;

	assert_int_equal(stage_signal(m, SIGKILL), 0);
	stage_end(&f->stage, MEMBER_AGENT, patience_ns);
	assert_int_equal(lane_close(f->stage.lane, &err), 0);
	f->stage.lane = NULL;
	assert_int_equal(history_open(f->dir, &h, &err), 0);
	while (history_next(h, &e)) {
		/* stage_end's own SIGTERM may come before the exit is seen. */
		if (n == 2 && e->kind == EVENT_SIGNAL)
			continue;
		assert_true(n < 4);
		assert_int_equal(e->kind, want[n]);
		if (e->kind != EVENT_LANE_END)
			assert_string_equal(history_instance(h, e->instance), "blue-1");
		if (e->kind == EVENT_EXIT)
			assert_int_equal(e->code, 128 + SIGKILL);
		n++;
	}
	assert_int_equal(n, 4);
	history_free(h);
}

/* Every message it got, in the order it read them, from its log. */
static size_t read_back(const struct fixture *f, struct control_message *list, size_t max)
{
	size_t size = offsetof(struct control_message, text), n = 0;
	char path[256];
	FILE *log;

	snprintf(path, sizeof path, "%s/director.log", f->dir);
	log = fopen(path, "re");
	while (log && n < max && fread(&list[n], size, 1, log) == 1)
		n++;
	if (log)
		fclose(log);
	return n;
}

static void wake_up(void *user)
{
	(void)user;
}

static void a_member_that_does_not_read_for_a_while_misses_nothing_but_progress(void **state)
{
	enum { MESSAGES = 2000 };
	struct fixture *f = *state;
	struct control_message *got = calloc(MESSAGES + 1, sizeof *got), m;
	int64_t deadline_ns = clock_now_ns() + patience_ns;
	struct member *member;
	char script[256], go[160];
	size_t n = 0;

	snprintf(go, sizeof go, "%s/go", f->dir);
	snprintf(script, sizeof script, "until [ -e %s ]; do sleep 0.01; done; exec dd bs=8192 <&3",
		 go);
	member = start(f, "director", MEMBER_DIRECTOR, script, true);
	for (int i = 0; i < MESSAGES; i++) {
		m = control_make(CONTROL_EXITED, i, 0);
		assert_int_equal(stage_send(member, &m), 0);
	}
	assert_true(member->unsent_count > 0);
	m = control_make(CONTROL_COUNTERS, 0, 0);
	assert_int_equal(stage_send(member, &m), 0);
	fclose(fopen(go, "we"));
	while (n < MESSAGES && clock_now_ns() < deadline_ns) {
		struct loop_timer *timer = loop_timer_new(f->stage.loop, wake_up, NULL);

		loop_timer_at(timer, clock_now_ns() + 5 * NS_PER_MS);
		loop_run_once(f->stage.loop);
		loop_timer_free(timer);
		n = read_back(f, got, MESSAGES + 1);
	}
	assert_int_equal(n, MESSAGES);
	for (int i = 0; i < MESSAGES; i++) {
		assert_int_equal(got[i].type, CONTROL_EXITED);
		assert_int_equal(got[i].a, i);
	}
	assert_int_equal(member->unsent_count, 0);
	free(got);
	assert_int_equal(stage_signal(member, SIGKILL), 0);
	stage_end(&f->stage, MEMBER_DIRECTOR, patience_ns);
	assert_int_equal(stage_send(member, &m), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_member_that_ends_before_it_is_ready_is_an_error_with_its_status_and_log,
			open_stage, close_stage),
		cmocka_unit_test_setup_teardown(
			a_member_that_is_not_ready_in_time_is_an_error_and_can_be_ended, open_stage,
			close_stage),
		cmocka_unit_test_setup_teardown(only_the_asked_kind_is_ended, open_stage,
						close_stage),
		cmocka_unit_test_setup_teardown(spawn_signal_and_exit_are_in_the_record, open_stage,
						close_stage),
		cmocka_unit_test_setup_teardown(
			a_member_that_does_not_read_for_a_while_misses_nothing_but_progress,
			open_stage, close_stage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
