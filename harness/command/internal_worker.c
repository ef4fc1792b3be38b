/* A worker: one process of callers, spawned by the supervisor. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/core/child.h"
#include "command/core/heartbeat.h"
#include "net/process.h"
#include "net/resolve.h"
#include "sim/crowd.h"

enum { DESCRIPTORS_SPARE = 256 };
static const int64_t tick_every_ns = 50 * NS_PER_MS;
static const int64_t counters_every_ns = 250 * NS_PER_MS;

struct worker {
	const struct scenario *scenario;
	uint32_t index, of;
	struct loop *loop;
	struct lane *lane;
	struct ws_context *ws;
	struct crowd *crowd;
	struct loop_timer *ticker;
	int64_t tick_due_ns, counters_due_ns, lag_ns;
	bool finished, orphaned;
	struct err failure;
};

static void send_counters(struct worker *w)
{
	const struct crowd_counts *n = crowd_counts(w->crowd);
	struct control_message m = control_make(CONTROL_COUNTERS, 0, 0);

	m.index = w->index;
	m.counters = (struct control_counters){
		.live = n->live,
		.live_blue = n->live_by_color[COLOR_BLUE],
		.live_green = n->live_by_color[COLOR_GREEN],
		.started = n->started,
		.completed = n->ended[CALL_COMPLETED],
		.dropped = n->ended[CALL_DROPPED] + n->ended[CALL_MUTED] + n->ended[CALL_TRUNCATED],
		.refused = n->ended[CALL_REFUSED],
		.abandoned = n->ended[CALL_ABANDONED],
		.turns = n->turns,
		.resumes = n->resumes,
	};
	control_send(PROCESS_CONTROL_FD, &m);
}

static void on_tick(void *user)
{
	struct worker *w = user;
	int64_t now_ns = clock_now_ns();

	if (now_ns - w->tick_due_ns > w->lag_ns)
		w->lag_ns = now_ns - w->tick_due_ns;
	if (now_ns >= w->counters_due_ns) {
		lane_event(w->lane, heartbeat(ROLE_WORKER, w->index, w->lag_ns));
		w->lag_ns = 0;
		w->counters_due_ns = now_ns + counters_every_ns;
		send_counters(w);
	}
	lane_tick(w->lane, now_ns);
	if (lane_broken(w->lane)) {
		err_set(&w->failure, ERR_HARNESS, "worker %u: its lane cannot be written",
			w->index);
		loop_stop(w->loop);
	}
	if (!w->finished && crowd_empty(w->crowd)) {
		struct control_message m = control_make(CONTROL_FINISHED, 0, 0);

		w->finished = true;
		send_counters(w);
		control_send(PROCESS_CONTROL_FD, &m);
	}
	w->tick_due_ns = now_ns + tick_every_ns;
	loop_timer_at(w->ticker, w->tick_due_ns);
}

static void on_control(void *user, int events)
{
	struct worker *w = user;
	struct control_message m;
	int n = control_receive(PROCESS_CONTROL_FD, &m);

	(void)events;
	if (n <= 0) {
		w->orphaned = true;
		loop_stop(w->loop);
	} else if (m.type == CONTROL_START) {
		crowd_start(w->crowd, m.a);
	} else if (m.type == CONTROL_STOP) {
		crowd_stop(w->crowd, m.a);
	} else if (m.type == CONTROL_ABORT) {
		crowd_abandon(w->crowd);
		loop_stop(w->loop);
	}
}

/* target.url with everything known now; ${call} stays for the crowd. */
static int bind_url(const struct worker *w, const struct control_message *bind, struct buf *url,
		    struct err *err)
{
	char alb[256] = "", run[16] = "";
	const struct variable known[] = { { "alb", alb }, { "run", run }, { "call", "${call}" } };

	control_value(bind, "alb", alb, sizeof(alb));
	control_value(bind, "run", run, sizeof(run));
	return scenario_bind(w->scenario->target.url, known, sizeof(known) / sizeof(*known), url,
			     err);
}

/* One descriptor a leg; arrivals come and go at random, and a leg that was lost may still be
 * closing. */
static int make_room(const struct worker *w, struct err *err)
{
	unsigned long long share = (unsigned)w->scenario->calls.live / w->of;
	unsigned long long need = share + share / 8 + DESCRIPTORS_SPARE;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return err_errno(err, ERR_HARNESS, errno, "worker: limit of descriptors");
	if (limit.rlim_max < need)
		return err_set(err, ERR_INPUT,
			       "calls.live %d: %llu calls of one worker need %llu descriptors, the "
			       "limit is %llu (ulimit -n): more --workers, or fewer calls",
			       w->scenario->calls.live, share, need,
			       (unsigned long long)limit.rlim_max);
	if (limit.rlim_cur >= need)
		return 0;
	limit.rlim_cur = need;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return err_errno(err, ERR_HARNESS, errno, "worker: %llu descriptors", need);
	return 0;
}

static int bind_worker(struct worker *w, const char *dir, const char *local_ips,
		       const struct control_message *bind, struct err *err)
{
	struct lane_identity identity = { .seed = w->scenario->seed,
					  .role = ROLE_WORKER,
					  .index = w->index };
	struct ws_settings tls = { .tls_verify = true, .ca_file = w->scenario->target.ca };
	char run6[16], ca[PATH_MAX];
	struct buf url = buf_init(2048);
	struct crowd_settings s = {
		.scenario = w->scenario, .worker = w->index, .workers = w->of, .run6 = run6
	};
	int result = -1;

	s.wire = wire_find(w->scenario->target.wire);
	if (!s.wire) {
		err_set(err, ERR_INPUT, "%s: target.wire \"%s\" is not a dialect of this build",
			w->scenario->path, w->scenario->target.wire);
		goto out;
	}
	if (!control_value(bind, "run", run6, sizeof(run6)) ||
	    !control_value(bind, "run_id", identity.run, sizeof(identity.run))) {
		err_set(err, ERR_HARNESS, "worker: run and run_id are needed to begin");
		goto out;
	}
	if ((local_ips && ipv4_range(local_ips, &s.first_source, &s.sources, err) < 0) ||
	    bind_url(w, bind, &url, err) < 0 || make_room(w, err) < 0)
		goto out;
	if (!tls.ca_file && control_value(bind, "ca", ca, sizeof(ca)))
		tls.ca_file = ca; /* the local stack's own */
	scenario_digest(w->scenario, identity.scenario_digest);
	if (lane_open(dir, &identity, &w->lane, err) < 0 ||
	    ws_context_new(w->loop, &tls, &w->ws, err) < 0)
		goto out;
	s.url = buf_text(&url);
	s.loop = w->loop;
	s.lane = w->lane;
	s.ws = w->ws;
	result = crowd_new(&s, &w->crowd, err);
out:
	buf_free(&url);
	return result;
}

static void serve(struct worker *w)
{
	struct loop_fd *control = loop_fd_new(w->loop, PROCESS_CONTROL_FD, on_control, w);

	w->ticker = loop_timer_new(w->loop, on_tick, w);
	w->tick_due_ns = clock_now_ns();
	loop_fd_want(control, LOOP_READ);
	on_tick(w);
	loop_run(w->loop);
	/* Legs that were just aborted still have to end on record; the ticker keeps the loop
	 * turning, the supervisor's patience is the limit. */
	w->finished = true;
	while (!w->orphaned && !w->failure.kind && !crowd_empty(w->crowd))
		loop_run_once(w->loop);
	loop_timer_free(w->ticker);
	loop_fd_free(control);
}

static int work(const struct child *child, struct err *err)
{
	struct control_message bind, ready = control_make(CONTROL_READY, 0, 0);
	struct worker worker = {
		.scenario = child->scenario,
		.index = (uint32_t)atoi(flags_get(child->flags, "--index")),
		.of = (uint32_t)atoi(flags_get(child->flags, "--of")),
	}, *w = &worker;
	int bound = child_await_bind("worker", &bind, err);

	if (bound <= 0)
		return bound;
	w->loop = loop_new();
	if (bind_worker(w, child->dir, flags_get(child->flags, "--local-ips"), &bind, err) < 0)
		return -1;
	if (control_send(PROCESS_CONTROL_FD, &ready) < 0)
		return err_errno(err, ERR_HARNESS, errno, "worker: say ready");
	serve(w);
	if (w->orphaned) { /* the run was killed: what was seen is kept, and the lane has no end */
		lane_flush(w->lane);
		_exit(EXIT_HARNESS);
	}
	if (w->failure.kind) {
		*err = w->failure;
		return -1;
	}
	if (lane_close(w->lane, err) < 0)
		return -1;
	ws_context_free(w->ws);
	crowd_free(w->crowd);
	loop_free(w->loop);
	return EXIT_PASS;
}

static int worker_main(int argc, char **argv)
{
	static const struct flag table[] = {
		{ .name = "--dir", .takes_value = true },
		{ .name = "--index", .takes_value = true },
		{ .name = "--of", .takes_value = true },
		{ .name = "--local-ips", .takes_value = true, .optional = true },
	};

	return child_main("__worker", table, sizeof(table) / sizeof(*table), argc, argv, work);
}

const struct command command_internal_worker = {
	.name = "__worker",
	.usage = "--dir RUN --index I --of N [--local-ips A-B]",
	.about = "one process of callers",
	.help = "",
	.run = worker_main,
};
