/*
 * For tests of steps: a walk with a lane in a folder of its own, a balancer that is a struct, and
 * what was recorded as one line of words. Not a stage: no process runs but what a test starts.
 */
#ifndef DIRECTOR_TEST_WALK_H
#define DIRECTOR_TEST_WALK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "director/walk.h"
#include "net/process.h"
#include "record/history.h"

/* The balancer: its weights are also in a file, "BLUE GREEN" and maybe how many of blue
 * are registered, which a script can write. */
struct driver_session {
	struct driver_view view;
	char weights_path[128], calls[256];
	const char *const *argv;
	int refuse_sets; /* so many set_weights fail */
};

struct test_walk {
	struct walk w;
	struct scenario scenario;
	struct driver_session balancer;
	char dir[64], *command[4];
	int far; /* the supervisor's end of the channel */
};

static void test_weights(struct driver_session *s, int blue, int green)
{
	FILE *f = fopen(s->weights_path, "we");

	assert_non_null(f);
	fprintf(f, "%d %d\n", blue, green);
	fclose(f);
}

static int test_read(struct driver_session *s, struct driver_view *ret, struct err *err)
{
	int blue = -1, green = -1, registered = -1, read;
	FILE *f = fopen(s->weights_path, "re");

	(void)err;
	assert_non_null(f);
	read = fscanf(f, "%d %d %d", &blue, &green, &registered);
	if (read >= 2) { /* else: being written this moment */
		s->view.weight[COLOR_BLUE] = blue;
		s->view.weight[COLOR_GREEN] = green;
	}
	if (read == 3)
		s->view.registered[COLOR_BLUE] = registered;
	fclose(f);
	snprintf(s->view.text, sizeof s->view.text, "blue=%d green=%d registered=%d",
		 s->view.weight[COLOR_BLUE], s->view.weight[COLOR_GREEN],
		 s->view.registered[COLOR_BLUE]);
	*ret = s->view;
	return 0;
}

static void test_call(struct driver_session *s, const char *word)
{
	size_t length = strlen(s->calls);

	snprintf(s->calls + length, sizeof s->calls - length, "%s ", word);
}

static int test_set_weights(struct driver_session *s, int blue, int green, struct err *err)
{
	test_call(s, "set");
	if (s->refuse_sets && s->refuse_sets--)
		return err_set(err, ERR_WORLD, "AccessDenied");
	test_weights(s, blue, green);
	return 0;
}

static int test_reregister(struct driver_session *s, enum color color, struct err *err)
{
	(void)color;
	(void)err;
	test_call(s, "reregister");
	s->view.registered[COLOR_BLUE] = s->view.healthy[COLOR_BLUE] = 2;
	return 0;
}

static int test_launch(struct driver_session *s, const char *const *environment,
		       const char *output_path, struct process *ret, int *ret_output,
		       struct err *err)
{
	struct process_spec spec = { .program = s->argv[0],
				     .argv = s->argv,
				     .environment = environment,
				     .output_path = output_path,
				     .ret_output = ret_output,
				     .whole_group = true };

	return process_spawn(&spec, ret, err);
}

static const struct driver test_driver = { .name = "test",
					   .about = "a struct",
					   .read = test_read,
					   .set_weights = test_set_weights,
					   .reregister = test_reregister,
					   .launch = test_launch };

static void test_walk_open(struct test_walk *t)
{
	struct lane_identity identity = { .run = "walk-test", .role = ROLE_DIRECTOR };
	struct scenario *sc = &t->scenario;
	int pair[2];

	memset(t, 0, sizeof *t);
	snprintf(t->dir, sizeof t->dir, "/tmp/crossfade-walk-XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	t->far = pair[1];
	/* Nobody listens at port 1: every dial fails at once. */
	sc->target.url = (char *)"ws://127.0.0.1:1/${call}";
	sc->target.wire = (char *)"plain";
	sc->state.redis = (char *)"127.0.0.1:1";
	sc->state.key = (char *)"call:${call}";
	sc->balancer.command = t->command;
	t->w = (struct walk){ .scenario = sc,
			      .run_dir = t->dir,
			      .control = pair[0],
			      .driver = &test_driver,
			      .session = &t->balancer,
			      .listen = { -1, -1 } };
	t->balancer.view.registered[COLOR_BLUE] = t->balancer.view.healthy[COLOR_BLUE] = 2;
	snprintf(t->balancer.weights_path, sizeof t->balancer.weights_path, "%s/weights", t->dir);
	test_weights(&t->balancer, 100, 0);
	assert_int_equal(lane_open(t->dir, &identity, &t->w.lane, NULL), 0);
	assert_int_equal(test_read(&t->balancer, &t->w.snapshot, NULL), 0);
}

/* What is on record, in order: "phase.begin:drain weight.inv:0/100 said:hello ...". */
static inline void test_walk_record(struct test_walk *t, struct buf *out)
{
	struct history *h;
	const struct event *e;

	assert_int_equal(lane_close(t->w.lane, NULL), 0);
	t->w.lane = NULL;
	assert_int_equal(history_open(t->dir, &h, NULL), 0);
	while (history_next(h, &e)) {
		const char *kind = event_kind_name(e->kind);

		if (e->kind == EVENT_PHASE_BEGIN)
			buf_printf(out, "%s:%s ", kind, phase_name(e->code));
		else if (e->kind == EVENT_PHASE_END)
			buf_printf(out, "%s:%s:%u ", kind, phase_name(e->code), e->flags);
		else if (e->kind == EVENT_WEIGHT_INV || e->kind == EVENT_WEIGHT_OK)
			buf_printf(out, "%s:%u/%u ", kind, e->ver, e->epoch);
		else if (e->kind == EVENT_BELIEF)
			buf_printf(out, "%s:%s:%u:%u:%llx ", kind, color_name(e->color), e->n,
				   e->aux, (unsigned long long)e->digest);
		else if (e->kind == EVENT_SAID)
			buf_printf(out, "%s:%s ", kind, history_note(h, e->conn));
		else if ((e->kind == EVENT_ACTION_OK || e->kind == EVENT_ACTION_FAIL) &&
			 e->code == ACTION_SCRIPT)
			buf_printf(out, "%s ", kind);
		else if (e->code == ACTION_DEREGISTER && e->kind == EVENT_ACTION_OK)
			buf_printf(out, "%s:deregister:%s ", kind, color_name(e->color));
	}
	history_free(h);
}

static void test_walk_close(struct test_walk *t)
{
	char command[128];

	if (t->w.lane)
		lane_close(t->w.lane, NULL);
	close(t->w.control);
	close(t->far);
	snprintf(command, sizeof command, "rm -r %s", t->dir);
	assert_int_equal(system(command), 0);
}

#endif
