/* The main job: callers, cutover, judgement. Parent of the supervisor, which is the parent of
 * everything else. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/core/judge_run.h"
#include "command/core/progress.h"
#include "command/core/run_dir.h"
#include "command/core/scenario_args.h"
#include "command/core/terminal.h"
#include "net/loop.h"
#include "net/process.h"
#include "director/faults.h"

enum { CALLS_PER_WORKER = 6000, WORKERS_MAX = 16, SPARE_DESCRIPTORS = 200 };
/* Of the local edge, beside its calls; it refuses to start with less than the second. */
enum { EDGE_DESCRIPTORS = 300, EDGE_LEAST = 513 };

/* One run in flight. */
struct performance {
	struct loop *loop;
	struct process supervisor;
	struct loop_fd *control_watch, *exit_watch;
	struct progress progress;
	int interrupts;
	bool over;
	int status;	    /* of the supervisor */
	struct err failure; /* what the supervisor said went wrong */
};

static void on_interrupt(void *user)
{
	struct performance *p = user;
	struct control_message m = control_make(p->interrupts ? CONTROL_ABORT : CONTROL_STOP, 0, 0);

	progress_say(&p->progress,
		     p->interrupts ?
			     "stopping now" :
			     "stopping: no new calls, live ones may finish; once more to stop now");
	p->interrupts++;
	control_send(p->supervisor.control, &m);
}

static void on_control(void *user, int events)
{
	struct performance *p = user;
	struct control_message m;

	(void)events;
	if (control_receive(p->supervisor.control, &m) <= 0) {
		loop_fd_want(p->control_watch, 0); /* its exit tells the rest */
		return;
	}
	if (m.type == CONTROL_FAILED)
		err_set(&p->failure, (enum err_kind)m.a, "%s", m.text);
	progress_message(&p->progress, &m, clock_now_ns());
}

static void on_exit_of_supervisor(void *user, int events)
{
	struct performance *p = user;

	(void)events;
	p->over = process_reap(&p->supervisor, &p->status);
	if (p->over)
		loop_stop(p->loop);
}

/* Members of a supervisor that was killed die by their parent-death signal and become our children:
 * see them off. */
static void reap_orphans(void)
{
	int64_t deadline_ns = clock_now_ns() + 5 * NS_PER_S;

	while (clock_now_ns() < deadline_ns) {
		siginfo_t info = { .si_pid = 0 };
		struct timespec tick = { .tv_nsec = 20 * NS_PER_MS };
		sigset_t child;

		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) < 0)
			return; /* ECHILD: nobody left */
		if (info.si_pid)
			continue;
		sigemptyset(&child);
		sigaddset(&child, SIGCHLD);
		sigtimedwait(&child, NULL, &tick);
	}
}

/* Live calls whose peak, five standard deviations above, is `most`. */
static int calls_within(double most)
{
	double root = most > 0 ? (sqrt(25 + 4 * most) - 5) / 2 : 0;

	return (int)(root * root);
}

/* Descriptors the busiest process needs must fit its limit: refuse rather than measure our own
 * exhaustion. */
static int preflight(const struct scenario *sc, int workers, struct err *err)
{
	struct rlimit limit;
	double peak = sc->calls.live + 5 * sqrt(sc->calls.live);
	double edge = sc->stack.kind == STACK_LOCAL ?
			      fmax(2 * peak + EDGE_DESCRIPTORS, EDGE_LEAST) :
			      0;
	double worker = peak / workers * 1.1 + SPARE_DESCRIPTORS;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return err_errno(err, ERR_HARNESS, errno, "descriptor limit");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return err_errno(err, ERR_HARNESS, errno, "raise the descriptor limit");
	if (edge > (double)limit.rlim_max)
		return err_set(
			err, ERR_INPUT,
			"%s: calls.live: %d calls need about %.0f descriptors in the local edge, the limit is %" PRIu64
			" (ulimit -Hn): at most about %d calls fit",
			sc->path, sc->calls.live, edge, (uint64_t)limit.rlim_max,
			limit.rlim_max < EDGE_LEAST ?
				0 :
				calls_within(((double)limit.rlim_max - EDGE_DESCRIPTORS) / 2));
	if (worker > (double)limit.rlim_max)
		return err_set(
			err, ERR_INPUT,
			"%s: calls.live: %d calls in %d workers need about %.0f descriptors each, the limit is %" PRIu64
			" (ulimit -Hn): more --workers",
			sc->path, sc->calls.live, workers, worker, (uint64_t)limit.rlim_max);
	return 0;
}

static int choose_workers(const struct flags *flags, const struct scenario *sc, int *ret,
			  struct err *err)
{
	const char *text = flags_get(flags, "--workers");
	char *end;
	long n = (sc->calls.live + CALLS_PER_WORKER - 1) / CALLS_PER_WORKER;

	if (text) {
		n = strtol(text, &end, 10);
		if (*end || !*text || n < 1 || n > WORKERS_MAX)
			return err_set(err, ERR_INPUT, "--workers %s: a number from 1 to %d", text,
				       WORKERS_MAX);
	}
	*ret = n < 1 ? 1 : n > WORKERS_MAX ? WORKERS_MAX : (int)n;
	return 0;
}

static int start_supervisor(const struct run_dir *dir, int workers, const char *local_ips,
			    struct process *ret, struct err *err)
{
	char self[4096], count[16], log[3200];
	const char *argv[] = { self,
			       "__supervisor",
			       "--dir",
			       dir->path,
			       "--run-id",
			       dir->run_id,
			       "--run6",
			       dir->run6,
			       "--workers",
			       count,
			       local_ips ? "--local-ips" : NULL,
			       local_ips,
			       NULL };
	struct process_spec spec = { .program = self,
				     .argv = argv,
				     .output_path = log,
				     .control = true,
				     .new_group = true,
				     .survives_parent = true };

	if (process_beside("crossfade", self, sizeof self, err) < 0)
		return -1;
	snprintf(count, sizeof count, "%d", workers);
	snprintf(log, sizeof log, "%s/supervisor.log", dir->path);
	return process_spawn(&spec, ret, err);
}

/* Runs to its end. Fills p->status and p->failure. */
static int perform(struct performance *p, const struct run_dir *dir, int workers,
		   const char *local_ips, struct err *err)
{
	struct loop_signal *interrupt, *terminate;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (start_supervisor(dir, workers, local_ips, &p->supervisor, err) < 0)
		return -1;
	p->loop = loop_new();
	interrupt = loop_signal_new(p->loop, SIGINT, on_interrupt, p);
	terminate = loop_signal_new(p->loop, SIGTERM, on_interrupt, p);
	p->control_watch = loop_fd_new(p->loop, p->supervisor.control, on_control, p);
	p->exit_watch = loop_fd_new(p->loop, p->supervisor.pidfd, on_exit_of_supervisor, p);
	loop_fd_want(p->control_watch, LOOP_READ);
	loop_fd_want(p->exit_watch, LOOP_READ);
	while (!p->over)
		loop_run(p->loop);
	/* What it said last may still be in the channel. */
	for (struct control_message m; control_wait(p->supervisor.control, clock_now_ns(), &m) > 0;)
		if (m.type == CONTROL_FAILED)
			err_set(&p->failure, (enum err_kind)m.a, "%s", m.text);
	progress_end(&p->progress);
	loop_fd_free(p->control_watch);
	loop_fd_free(p->exit_watch);
	loop_signal_free(interrupt);
	loop_signal_free(terminate);
	loop_free(p->loop);
	process_close(&p->supervisor);
	if (p->status && !p->failure.kind)
		err_set(&p->failure, ERR_HARNESS,
			"the supervisor ended with status %d; see %s/supervisor.log", p->status,
			dir->path);
	reap_orphans();
	return 0;
}

static bool has_record(const char *dir)
{
	char path[3200];

	snprintf(path, sizeof path, "%s/supervisor-0.lane", dir);
	return access(path, R_OK) == 0;
}

/* The first line: what runs, with which seed, and what was planted. */
static void announce(struct progress *progress, const struct scenario *sc,
		     const struct run_dir *dir)
{
	char line[4096];

	snprintf(line, sizeof(line), "%s   seed %" PRIu64 "%s%s%s%s   recorded in %s", sc->name,
		 sc->seed, sc->defect ? "   with " : "", sc->defect ? sc->defect : "",
		 sc->defect ? ": " : "", sc->defect ? sc->defect_about : "", dir->path);
	progress_say(progress, line);
}

static int run_main(int argc, char **argv)
{
	static const struct flag table[] = {
		SCENARIO_FLAGS,
		{ .name = "--out", .takes_value = true, .repeats = true, .env = "CROSSFADE_OUT" },
		{ .name = "--dir", .takes_value = true, .env = "CROSSFADE_DIR" },
		{ .name = "--workers", .takes_value = true, .env = "CROSSFADE_WORKERS" },
		{ .name = "--local-ips", .takes_value = true, .env = "CROSSFADE_LOCAL_IPS" },
		{ .name = "--quiet", .letter = 'q', .env = "CROSSFADE_QUIET" },
		{ .name = "--no-color", .env = "CROSSFADE_NO_COLOR" },
	};
	struct performance p = { .status = 0 };
	struct judge_request request = { .keep = true };
	struct buf warnings = buf_init(1 << 16), again = buf_init(1 << 16);
	struct err err = { .kind = ERR_NONE };
	struct scenario *sc = NULL;
	struct flags *flags;
	struct run_dir dir;
	int workers = 1, parsed, code;

	parsed = flags_parse(command_find("run"), table, sizeof table / sizeof *table, argc, argv,
			     &flags);
	if (parsed)
		return parsed < 0 ? EXIT_USAGE : EXIT_PASS;
	request.out_count = flags_all(flags, "--out", &request.outs);
	request.quiet = flags_get(flags, "--quiet") != NULL;
	request.color = terminal_color(flags);
	p.progress = progress_init(request.quiet);
	if (flags_expect(command_find("run"), flags, 1, 1) < 0) {
		code = EXIT_USAGE;
		goto out;
	}
	if (scenario_args_load(flags, &sc, &warnings, &err) < 0 ||
	    judge_outs_check(request.outs, request.out_count, &err) < 0 ||
	    faults_check(sc, &err) < 0 || choose_workers(flags, sc, &workers, &err) < 0 ||
	    preflight(sc, workers, &err) < 0 ||
	    run_dir_create(sc, flags_get(flags, "--dir"), &dir, &err) < 0) {
		code = command_fail(&err);
		goto out;
	}
	announce(&p.progress, sc, &dir);
	if (warnings.len)
		fputs(buf_text(&warnings), stderr);
	scenario_args_again(flags, sc->seed, &again);
	if (run_facts_write(dir.path, buf_text(&again), &err) < 0 ||
	    perform(&p, &dir, workers, flags_get(flags, "--local-ips"), &err) < 0) {
		code = command_fail(&err);
		goto out;
	}
	/* A failure of ours outranks the verdict, but what was recorded is still shown. */
	request.run_dir = dir.path;
	code = EXIT_HARNESS;
	if (p.failure.kind != ERR_INPUT && has_record(dir.path) &&
	    judge_and_report(&request, &code, &err) < 0 && !p.failure.kind)
		code = command_fail(&err);
	if (p.failure.kind) {
		int failed = command_fail(&p.failure);

		/* A deployed system that refused is news, and judged. */
		if (p.failure.kind != ERR_WORLD || code != EXIT_INCONCLUSIVE)
			code = failed;
	}
out:
	buf_free(&warnings);
	buf_free(&again);
	scenario_free(sc);
	flags_free(flags);
	return code;
}

const struct command command_run = {
	.name = "run",
	.usage = "SCENARIO [flags]",
	.about = "run callers, cutover and judge; the main job",
	.help = SCENARIO_FLAGS_HELP
	"  --out TYPE=FILE  write a report (text, json, junit, ndjson); repeatable\n"
	"  --dir DIR        record the run here instead of runs/<scenario>/<utc>-<seed>\n"
	"  --workers N      processes for the callers\n"
	"  --local-ips A-B  source addresses of the callers\n"
	"  -q, --quiet      no live view, one line of verdict\n"
	"  --no-color       plain text\n"
	"\n"
	"Example: crossfade run scenarios/blue_green.yaml --seed 7 --out json=result.json\n",
	.run = run_main,
};
