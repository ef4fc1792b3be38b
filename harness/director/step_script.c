/* The operator's own script: started, listened to, watched, and ended in time. What it announces
 * goes on record as its word; the balancer is looked at beside it, so that what it does without a
 * word is on record as well. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "director/script_says.h"
#include "director/surroundings.h"
#include "director/walk.h"
#include "net/process.h"

enum { SAID_MAX = 10000, READ_BYTES = 4096, READS_MAX = 16 };
static const int64_t stop_within_ns = 5 * NS_PER_S; /* from SIGTERM to SIGKILL */

struct script {
	struct walk *w;
	struct process process;
	struct script_lines lines;
	int output, log;
	struct event action;
	struct driver_view seen; /* the balancer, looked at last ... */
	int64_t seen_ns, next_look_ns;
	int64_t silent_ns; /* nothing was said before this that is not on record */
	struct {
		int blue, green;
		bool open; /* announced, not yet answered */
	} asked;
	unsigned said;
	bool failed, stopping;
	bool told; /* it said so itself, of the phase it was in */
	struct err why;
};

static void fail(struct script *r, const char *why)
{
	if (r->failed)
		return;
	r->failed = true;
	err_set(&r->why, ERR_WORLD, "%s", why);
	step_action_done(r->w, r->action, -1, &r->why);
}

/* ---- how the balancer is seen ---- */

/* A script does not say that it takes targets out: when the last of a color has gone is what their
 * delay is counted from. */
static void notice_leaving(const struct script *r, const struct driver_view *view, enum color color)
{
	struct event e = event_make(EVENT_ACTION_INV, r->seen_ns);

	if (view->registered[color] || !r->seen.registered[color])
		return;
	e.code = ACTION_DEREGISTER;
	e.color = color;
	e.conn = lane_note(r->w->lane, "%s", color_name(color));
	lane_event(r->w->lane, e);
	e.kind = EVENT_ACTION_OK;
	e.due_ns = e.t_ns;
	e.t_ns = clock_now_ns();
	lane_event(r->w->lane, e);
}

static void saw(struct script *r, const struct driver_view *view, int64_t at_ns)
{
	notice_leaving(r, view, COLOR_BLUE);
	notice_leaving(r, view, COLOR_GREEN);
	r->seen = *view;
	r->seen_ns = at_ns;
}

/* ---- what it says ---- */

static void asks(struct script *r, int blue, int green)
{
	/* Earliest it can have acted: when it had not said so yet. */
	step_weight_event(r->w, EVENT_WEIGHT_INV, r->silent_ns, blue, green);
	r->asked.blue = blue;
	r->asked.green = green;
	r->asked.open = true;
}

static void got(struct script *r, int blue, int green)
{
	struct err err = { .kind = ERR_NONE };
	int64_t now_ns = clock_now_ns();
	struct driver_view view;

	if (!r->asked.open)
		asks(r, blue, green);
	r->asked.open = false;
	step_weight_event(r->w, EVENT_WEIGHT_OK, now_ns, blue, green);
	if (!step_read_back(r->w, 0, &view, &err))
		saw(r, &view, now_ns);
}

static void believes(struct script *r, const struct script_says *s)
{
	struct event e = event_make(EVENT_BELIEF, clock_now_ns());

	e.color = s->color;
	e.n = (uint16_t)s->active;
	e.aux = (uint32_t)s->asked;
	e.digest = s->unreachable ? UINT64_MAX >> (64 - s->unreachable) : 0;
	lane_event(r->w->lane, e);
}

static void gives_up(struct script *r, const char *why)
{
	if (r->stopping && r->w->interrupted) { /* as it was told to */
		walk_phase_end(r->w, PHASE_NOT_REACHED, "interrupted");
		return;
	}
	r->told = true;
	fail(r, *why ? why : "the script says it failed");
	walk_phase_end(r->w, PHASE_FAILED, *why ? why : "the script says it failed");
}

static void keep(struct script *r, const char *text)
{
	struct event e = event_make(EVENT_SAID, clock_now_ns());
	size_t size = strlen(text);

	/* A log that takes no more loses lines, not the run; the record has them. */
	if (write(r->log, text, size) == (ssize_t)size && write(r->log, "\n", 1) < 1)
		size = 0;
	if (r->said++ == SAID_MAX) {
		e.kind = EVENT_LIMIT;
		e.aux = SAID_MAX;
		e.conn = lane_note(r->w->lane, "lines of the script on record");
		lane_event(r->w->lane, e);
	}
	if (r->said > SAID_MAX)
		return;
	e.conn = lane_note(r->w->lane, "%s", text);
	lane_event(r->w->lane, e);
}

/* A script that lists its environment must not write the key to the balancer into a record. */
static void hide_secrets(char *text, size_t size)
{
	static const char *const names[] = { "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *secret = getenv(names[i]);

		size_t length = secret ? strlen(secret) : 0;

		for (char *at = text; length;) {
			at = memmem(at, (size_t)(text + size - at), secret, length);
			if (!at)
				break;
			memset(at, '*', length);
		}
	}
}

/* Its standard error goes to the log by itself: with `set -x` the key as well. */
static void hide_secrets_in(int log)
{
	struct stat status;
	size_t size;
	char *text;

	if (fstat(log, &status) < 0 || status.st_size < 1)
		return;
	size = (size_t)status.st_size;
	text = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, log, 0);
	if (text == MAP_FAILED)
		return;
	hide_secrets(text, size);
	munmap(text, size);
}

static void on_line(void *user, const char *line)
{
	struct script *r = user;
	char text[SCRIPT_LINE_MAX + 4];
	struct script_says s;

	snprintf(text, sizeof text, "%s", line);
	hide_secrets(text, strlen(text));
	keep(r, text);
	s = script_says(text);
	switch (s.word) {
	case SCRIPT_TALK:
		break;
	case SCRIPT_PHASE:
		walk_phase_end(r->w, PHASE_OK, "");
		walk_phase_begin(r->w, s.phase, r->w->under_way.number, phase_name(s.phase));
		break;
	case SCRIPT_WEIGHTS:
		asks(r, s.blue, s.green);
		break;
	case SCRIPT_WEIGHTS_OK:
		got(r, s.blue, s.green);
		break;
	case SCRIPT_DRAINED:
		believes(r, &s);
		break;
	case SCRIPT_FAILED:
		gives_up(r, s.text);
		break;
	case SCRIPT_NONSENSE:
		walk_say(r->w, "the script announces what Crossfade does not know; see script.log");
		break;
	}
}

/* Takes what is there. One that never stops talking is not listened to for ever. */
static void listen_to(struct script *r)
{
	char bytes[READ_BYTES];

	for (int i = 0; i < READS_MAX && r->output >= 0; i++) {
		int64_t now_ns = clock_now_ns();
		ssize_t n = read(r->output, bytes, sizeof bytes);

		if (n > 0) {
			script_lines_take(&r->lines, bytes, (size_t)n, on_line, r);
		} else if (n < 0 && errno == EAGAIN) {
			r->silent_ns = now_ns;
			return;
		} else if (n == 0 || errno != EINTR) {
			script_lines_end(&r->lines, on_line, r);
			close(r->output);
			r->output = -1;
		}
	}
}

/* ---- what it does ---- */

static bool same_weights(const struct driver_view *a, const struct driver_view *b)
{
	return a->weight[COLOR_BLUE] == b->weight[COLOR_BLUE] &&
	       a->weight[COLOR_GREEN] == b->weight[COLOR_GREEN];
}

static bool as_asked(const struct script *r, const struct driver_view *view)
{
	return r->asked.open && view->weight[COLOR_BLUE] == r->asked.blue &&
	       view->weight[COLOR_GREEN] == r->asked.green;
}

/* Weights that moved without a word moved between the last look and this one. */
static void look(struct script *r)
{
	int64_t began_ns = clock_now_ns();
	struct driver_view view;

	r->next_look_ns = began_ns + step_look_every_ns(r->w);
	if (r->w->driver->read(r->w->session, &view, NULL) < 0)
		return; /* what matters is read again at the end, where it must succeed */
	listen_to(r);	/* what it announced before it acted */
	if (r->seen_ns > began_ns)
		return; /* looked at meanwhile */
	if (!same_weights(&view, &r->seen) && !as_asked(r, &view)) {
		step_weight_event(r->w, EVENT_WEIGHT_INV, r->seen_ns, view.weight[COLOR_BLUE],
				  view.weight[COLOR_GREEN]);
		step_weight_event(r->w, EVENT_WEIGHT_OK, clock_now_ns(), view.weight[COLOR_BLUE],
				  view.weight[COLOR_GREEN]);
		r->asked.open = false;
	}
	if (strcmp(view.text, r->seen.text))
		step_config(r->w, 0, &view);
	saw(r, &view, began_ns);
}

/* Listens and looks until it has ended: true, and how. Else the time has come, or (heeded) an
 * interrupt. */
static bool attend(struct script *r, int64_t until_ns, bool heed_interrupt, int *ret_status)
{
	struct walk *w = r->w;
	bool ended = false;

	while (!(ended = process_reap(&r->process, ret_status)) && clock_now_ns() < until_ns &&
	       !w->aborted && !(heed_interrupt && w->interrupted)) {
		w->listen[0] = r->output;
		w->listen[1] = r->process.pidfd;
		walk_wait(w, r->next_look_ns < until_ns ? r->next_look_ns : until_ns, NULL);
		listen_to(r);
		if (clock_now_ns() >= r->next_look_ns)
			look(r);
	}
	w->listen[0] = w->listen[1] = -1;
	return ended;
}

/* SIGTERM to all of it, and SIGKILL to who does not mind. */
static void stop(struct script *r)
{
	int status;

	r->stopping = true;
	process_signal_group(&r->process, SIGTERM);
	if (attend(r, clock_now_ns() + stop_within_ns, false, &status))
		return;
	process_signal_group(&r->process, SIGKILL);
	process_wait(&r->process, clock_now_ns() + stop_within_ns, &status);
}

/* What it said before it ended, and nobody had read yet. */
static void hear_last_words(struct script *r)
{
	for (int i = 0; i < READS_MAX && r->output >= 0; i++)
		listen_to(r);
}

/* It has ended: how it left the balancer. */
static int conclude(struct script *r, struct err *err)
{
	struct walk *w = r->w;
	struct driver_view view;

	look(r);
	if (step_read_back(w, 0, &view, err) < 0)
		return -1; /* shifted stays as it is: they may differ */
	saw(r, &view, clock_now_ns());
	if (r->asked.open) /* it did not tell whether it got what it asked for */
		step_weight_event(w, EVENT_WEIGHT_OK, clock_now_ns(), r->seen.weight[COLOR_BLUE],
				  r->seen.weight[COLOR_GREEN]);
	w->shifted = !same_weights(&r->seen, &w->snapshot);
	return 0;
}

static int start(struct script *r, struct err *err)
{
	struct walk *w = r->w;
	struct surroundings around = { .count = 0 };
	char self[4096], log[4096];
	int result = -1;

	snprintf(log, sizeof log, "%s/script.log", w->run_dir);
	r->log = open(log, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (r->log < 0)
		err_errno(err, ERR_HARNESS, errno, "%s", log);
	else if (!process_beside("crossfade", self, sizeof self, err) &&
		 !stack_environment(w->scenario, w->bind.text, &w->credentials, self, &around, err))
		result = w->driver->launch(w->session, (const char *const *)around.line, log,
					   &r->process, &r->output, err);
	surroundings_free(&around);
	return result;
}

static void explain_end(struct script *r, bool ended, int status, const struct step *s)
{
	char why[128] = "";

	if (!ended && !r->w->interrupted && !r->w->aborted)
		snprintf(why, sizeof why, "the script did not end within %g s and was killed",
			 (double)s->deadline_ns / NS_PER_S);
	else if (ended && status > 128)
		snprintf(why, sizeof why, "the script was ended by signal %d", status - 128);
	else if (ended && status)
		snprintf(why, sizeof why, "the script exited with %d", status);
	if (*why)
		fail(r, why);
}

int step_script(struct walk *w, const struct step *s, struct err *err)
{
	struct script *r = xcalloc(1, sizeof *r);
	int64_t now_ns = clock_now_ns();
	int status = 0, result = -1;
	bool ended;

	*r = (struct script){ .w = w,
			      .output = -1,
			      .log = -1,
			      .seen = w->snapshot,
			      .seen_ns = now_ns,
			      .silent_ns = now_ns };
	r->action = step_action(w, ACTION_SCRIPT, NULL, w->scenario->balancer.command[0]);
	if (step_read_back(w, 0, &r->seen, err) < 0 || start(r, err) < 0) {
		fail(r, err->text);
		goto out;
	}
	ended = attend(r, now_ns + s->deadline_ns, true, &status);
	if (!ended && w->aborted) {
		process_signal_group(&r->process, SIGKILL);
		process_wait(&r->process, clock_now_ns() + stop_within_ns, &status);
		goto out;
	}
	if (ended)
		hear_last_words(r); /* before its end: they tell which phase it ended in */
	explain_end(r, ended, status, s);
	if (!ended) {
		stop(r);
		hear_last_words(r);
	}
	if (conclude(r, err) < 0) {
		fail(r, err->text);
		goto out;
	}
	if (!r->failed)
		result = step_action_done(w, r->action, 0, err);
	else
		*err = r->why;
	if (r->told) /* what it did after that did not fail for that */
		walk_phase_end(w, PHASE_OK, "");
out:
	if (r->output >= 0)
		close(r->output);
	if (r->log >= 0) {
		hide_secrets_in(r->log);
		close(r->log);
	}
	if (r->process.pidfd > 0)
		process_close(&r->process);
	free(r);
	return result;
}
