#include "director/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "director/residue.h"
#include "director/stage.h"
#include "net/process.h"

enum { BIND_SECRETS = 128 }; /* room in the director's message for what only it is told */
static const int64_t counters_every_ns = 250 * NS_PER_MS;
static const int64_t start_in_ns = 200 *
				   NS_PER_MS; /* all get the zero of the schedule before it comes */
static const int64_t ready_within_ns = 30 * NS_PER_S;

struct supervisor {
	const struct supervisor_settings *settings;
	struct stage stage;
	struct member *director;
	struct loop_fd *parent_watch;
	struct loop_timer *ticker;
	char redis[256]; /* its servers; "" when there is none of ours */
	bool done;	 /* the director said so, or there is no point in going on */
	bool winding_down;
	bool crashed;
	struct err failure; /* why, when crashed */
	bool workers_told;  /* the director knows that all workers have finished */
};

static void tell_parent(struct supervisor *s, const struct control_message *m)
{
	/* Progress only: a parent that does not read loses some of it, never the run. */
	control_send(s->settings->control, m);
}

static void fail(struct supervisor *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void fail(struct supervisor *s, const char *fmt, ...)
{
	va_list ap;

	if (s->crashed)
		return;
	s->crashed = s->done = true;
	s->failure.kind = ERR_HARNESS;
	va_start(ap, fmt);
	vsnprintf(s->failure.text, sizeof s->failure.text, fmt, ap);
	va_end(ap);
}

static bool has_finished(const struct member *m)
{
	return m->finished || m->ended;
}

static void add(struct control_counters *sum, const struct control_counters *c)
{
	sum->live += c->live;
	sum->live_blue += c->live_blue;
	sum->live_green += c->live_green;
	sum->started += c->started;
	sum->completed += c->completed;
	sum->dropped += c->dropped;
	sum->refused += c->refused;
	sum->abandoned += c->abandoned;
	sum->turns += c->turns;
	sum->resumes += c->resumes;
}

static void on_tick(void *user)
{
	struct supervisor *s = user;
	struct control_message m = control_make(CONTROL_COUNTERS, 0, 0);

	for (size_t i = 0; i < s->stage.count; i++)
		if (s->stage.members[i].kind == MEMBER_WORKER)
			add(&m.counters, &s->stage.members[i].counters);
	tell_parent(s, &m);
	if (s->director)
		stage_send(s->director, &m);
	lane_tick(s->stage.lane, clock_now_ns());
	if (lane_broken(s->stage.lane))
		fail(s, "the supervisor's lane in %s cannot be written", s->settings->run_dir);
	loop_timer_at(s->ticker, clock_now_ns() + counters_every_ns);
}

/* What the director wants done to a process. */
static void obey_signal(struct supervisor *s, const struct control_message *m)
{
	struct member *target = stage_find(&s->stage, m->text);
	struct control_message answer = control_make(CONTROL_SIGNALED, m->a, target ? 0 : ESRCH);

	control_text(&answer, "%s", m->text);
	if (target && stage_signal(target, (int)m->a) < 0)
		answer.b = errno;
	stage_send(s->director, &answer);
}

/* What it wants done to commands: the tap answers. */
static void obey_lever(struct supervisor *s, const struct control_message *m)
{
	struct member *tap = stage_find(&s->stage, "tap");
	struct control_message answer = control_make(CONTROL_LEVERED, 1, 0);

	if (tap && !tap->ended) {
		stage_send(tap, m);
		return;
	}
	control_text(&answer, "there is no tap");
	stage_send(s->director, &answer);
}

static void from_director(struct supervisor *s, const struct control_message *m)
{
	switch (m->type) {
	case CONTROL_SIGNAL:
		obey_signal(s, m);
		break;
	case CONTROL_LEVER:
		obey_lever(s, m);
		break;
	case CONTROL_STOP:
		stage_broadcast(&s->stage, MEMBER_WORKER, m);
		break;
	case CONTROL_PHASE:
	case CONTROL_NOTE:
		tell_parent(s, m);
		break;
	case CONTROL_FINISHED:
		s->done = true;
		break;
	case CONTROL_FAILED:
		fail(s, "director: %s", m->text);
		if (m->a == ERR_INPUT) /* the user's, not ours */
			s->failure.kind = ERR_INPUT;
		break;
	default:
		break;
	}
}

static void on_message(void *user, struct member *member, const struct control_message *m)
{
	struct supervisor *s = user;

	if (member == s->director) {
		from_director(s, m);
	} else if ((m->type == CONTROL_COUNTS || m->type == CONTROL_LEVERED) && s->director) {
		stage_send(s->director, m);
	} else if (m->type == CONTROL_FAILED && member->ready) {
		fail(s, "%s: %s", member->name, m->text);
	} else if (m->type == CONTROL_FINISHED && member->kind == MEMBER_WORKER &&
		   !s->workers_told && s->director &&
		   stage_all(&s->stage, MEMBER_WORKER, has_finished)) {
		struct control_message all = control_make(CONTROL_FINISHED, 0, 0);

		s->workers_told = true;
		stage_send(s->director, &all);
	}
}

static void on_exit_of(void *user, struct member *member)
{
	struct supervisor *s = user;
	struct control_message gone = control_make(CONTROL_EXITED, member->status, 0);

	control_text(&gone, "%s", member->name);
	if (s->director && member != s->director)
		stage_send(s->director, &gone);
	stage_broadcast(&s->stage, MEMBER_OBSERVER, &gone);
	/* An agent may end (that is what a cutover does); anything else that ends by itself is a
	 * crash of ours. */
	if (!s->winding_down && !s->done && member->kind != MEMBER_AGENT &&
	    (s->director || member->ready))
		fail(s, "%s ended with status %d in the middle of the run; see %s/%s.log",
		     member->name, member->status, s->settings->run_dir, member->name);
}

static void on_parent(void *user, int events)
{
	struct supervisor *s = user;
	struct control_message m;
	int n;

	(void)events;
	n = control_receive(s->settings->control, &m);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || m.type == CONTROL_ABORT) { /* `run` is gone, or wants to be */
		s->done = s->stage.cancelled = true;
		if (n <= 0)
			loop_fd_want(s->parent_watch, 0);
	} else if (m.type == CONTROL_STOP) {
		if (s->director)
			stage_send(s->director, &m);
		else
			s->done = s->stage.cancelled = true;
	}
}

static void on_signal(void *user)
{
	struct supervisor *s = user;

	s->done = s->stage.cancelled = true;
}

/* A small crowd needs a few percent of a core and must not wait behind a busy machine for it: its
 * lateness would prove nothing about the target. A large one would keep the stack beside it from
 * running. */
static bool must_be_prompt(const struct supervisor *s, enum member_kind kind)
{
	enum { SMALL_CROWD = 1000 };

	return kind == MEMBER_WORKER && s->settings->scenario->calls.live <= SMALL_CROWD;
}

static int start_own(struct supervisor *s, enum member_kind kind, const char *name,
		     const char *const *extra, const char *word, const struct control_message *bind,
		     struct member **ret, struct err *err)
{
	char self[4096];
	const char *argv[16] = { self, word, "--dir", s->settings->run_dir };
	size_t n = 4;

	if (process_beside("crossfade", self, sizeof self, err) < 0)
		return -1;
	for (; extra && *extra; extra++)
		argv[n++] = *extra;
	argv[n] = NULL;
	if (stage_start(&s->stage,
			&(struct member_spec){ .kind = kind,
					       .name = name,
					       .program = self,
					       .argv = argv,
					       .control = true,
					       .prompt = must_be_prompt(s, kind) },
			ret, err) < 0)
		return -1;
	if (stage_send(*ret, bind) < 0)
		return err_errno(err, ERR_HARNESS, errno, "bind %s", name);
	return 0;
}

static int start_workers(struct supervisor *s, const struct control_message *bind, struct err *err)
{
	for (int i = 0; i < s->settings->workers; i++) {
		char name[32], index[16], of[16];
		const char *extra[7] = { "--index", index, "--of", of, NULL };
		struct member *m;

		if (s->settings->local_ips) {
			extra[4] = "--local-ips";
			extra[5] = s->settings->local_ips;
		}
		snprintf(name, sizeof name, "worker-%d", i);
		snprintf(index, sizeof index, "%d", i);
		snprintf(of, sizeof of, "%d", s->settings->workers);
		if (start_own(s, MEMBER_WORKER, name, extra, "__worker", bind, &m, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < s->stage.count; i++)
		if (s->stage.members[i].kind == MEMBER_WORKER &&
		    stage_await_ready(&s->stage.members[i], ready_within_ns, err) < 0)
			return -1;
	return 0;
}

static int bring_up(struct supervisor *s, struct err *err)
{
	struct control_message bind = control_make(CONTROL_BIND, 0, 0);
	struct buf bindings = buf_init(CONTROL_TEXT_MAX - BIND_SECRETS - 1);
	const struct stage_credentials *credentials = &s->stage.credentials;
	struct member *observer, *director;
	int result = -1;

	buf_printf(&bindings, "run=%s\nrun_id=%s\n", s->settings->run6, s->settings->run_id);
	if (s->settings->scenario->stack.kind == STACK_LOCAL &&
	    stage_local_up(&s->stage, s->settings->scenario, &bindings, err) < 0)
		goto out;
	residue_find_redis(buf_text(&bindings), s->redis, sizeof s->redis);
	if (bindings.overflow) {
		err_set(err, ERR_INPUT,
			"the addresses of the stack are longer than %d bytes: fewer instances",
			CONTROL_TEXT_MAX);
		goto out;
	}
	control_text(&bind, "%s", buf_text(&bindings));
	if (s->settings->scenario->stack.kind == STACK_LOCAL &&
	    (start_own(s, MEMBER_OBSERVER, "observer", NULL, "__observer", &bind, &observer, err) <
		     0 ||
	     stage_await_ready(observer, ready_within_ns, err) < 0))
		goto out;
	if (start_workers(s, &bind, err) < 0)
		goto out;
	/* Who steers the balancer signs; nobody else is told. */
	if (credentials->key_id[0])
		control_text(&bind, "%skey_id=%s\nsecret=%s\n", buf_text(&bindings),
			     credentials->key_id, credentials->secret);
	if (start_own(s, MEMBER_DIRECTOR, "director", NULL, "__director", &bind, &director, err) <
		    0 ||
	    stage_await_ready(director, ready_within_ns, err) < 0)
		goto out;
	s->director = director;
	residue_count_descriptors(&s->stage);
	result = 0;
out:
	buf_free(&bindings);
	return result;
}

/* Before anybody called, and of what we did not start ourselves. */
static bool is_refusal(const struct supervisor *s)
{
	return s->failure.kind == ERR_WORLD && s->settings->scenario->stack.kind == STACK_NONE;
}

/* Before anything is ended by us: what breaks from here on is not the target's doing. A whole run,
 * or one interrupted in the middle, is the director's to end. */
static void note_end(struct supervisor *s)
{
	struct event e = event_make(EVENT_RUN_END, clock_now_ns());

	if (s->failure.kind) {
		e.flags = is_refusal(s) ? RUN_REFUSED : RUN_BROKE;
		e.conn = lane_note(s->stage.lane, "%s", s->failure.text);
	} else if (!s->director) {
		e.flags = RUN_INTERRUPTED;
	}
	if (e.flags)
		lane_event(s->stage.lane, e);
}

/* Callers first, so that no leg is cut by the end of the stack; Redis last, the tap still sees
 * every command before. */
static void wind_down(struct supervisor *s)
{
	s->winding_down = true;
	s->stage.cancelled = false;
	stage_end(&s->stage, MEMBER_WORKER, 5 * NS_PER_S);
	stage_end(&s->stage, MEMBER_DIRECTOR,
		  15 * NS_PER_S); /* may be healing: one control call takes up to 10 s */
	stage_end(&s->stage, MEMBER_OBSERVER, 5 * NS_PER_S);
	residue_of_agents(&s->stage);
	stage_end(&s->stage, MEMBER_AGENT, 5 * NS_PER_S);
	stage_end(&s->stage, MEMBER_BALANCER, 5 * NS_PER_S);
	residue_of_redis(s->stage.lane, s->settings->scenario, s->redis, s->settings->run6);
	stage_end(&s->stage, MEMBER_TAP, 5 * NS_PER_S);
	stage_end(&s->stage, MEMBER_REDIS, 5 * NS_PER_S);
	/* What a director that was killed had started: an operator's script, and its children. */
	residue_of_processes(&s->stage, process_end_children(clock_now_ns() + 2 * NS_PER_S));
}

static void play(struct supervisor *s)
{
	struct control_message start = control_make(CONTROL_START, clock_now_ns() + start_in_ns, 0);

	for (enum member_kind k = MEMBER_TAP; k <= MEMBER_DIRECTOR; k++)
		if (k != MEMBER_AGENT && k != MEMBER_BALANCER)
			stage_broadcast(&s->stage, k, &start);
	tell_parent(s, &start);
	while (!s->done)
		loop_run_once(s->stage.loop);
}

int supervise(const struct supervisor_settings *settings, struct err *err)
{
	static const struct stage_owner owner = { .on_message = on_message, .on_exit = on_exit_of };
	struct lane_identity identity = { .seed = settings->scenario->seed,
					  .role = ROLE_SUPERVISOR };
	struct supervisor s = { .settings = settings,
				.stage = { .run_dir = settings->run_dir, .owner = &owner } };
	struct loop_signal *terminated;
	struct err up = { .kind = ERR_NONE };

	s.stage.user = &s;
	snprintf(identity.run, sizeof identity.run, "%s", settings->run_id);
	scenario_digest(settings->scenario, identity.scenario_digest);
	if (lane_open(settings->run_dir, &identity, &s.stage.lane, err) < 0)
		return -1;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	fcntl(settings->control, F_SETFL, O_NONBLOCK);
	s.stage.loop = loop_new();
	terminated = loop_signal_new(s.stage.loop, SIGTERM, on_signal, &s);
	s.parent_watch = loop_fd_new(s.stage.loop, settings->control, on_parent, &s);
	loop_fd_want(s.parent_watch, LOOP_READ);
	s.ticker = loop_timer_new(s.stage.loop, on_tick, &s);
	on_tick(&s);
	if (!bring_up(&s, &up))
		play(&s);
	else if (!s.stage.cancelled)
		s.failure = up;
	note_end(&s);
	wind_down(&s);
	lane_close(s.stage.lane, s.failure.kind ? NULL : &s.failure);
	loop_timer_free(s.ticker);
	loop_fd_free(s.parent_watch);
	loop_signal_free(terminated);
	stage_free(&s.stage);
	loop_free(s.stage.loop);
	if (!s.failure.kind)
		return 0;
	*err = s.failure;
	return -1;
}
