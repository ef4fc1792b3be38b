#include "director/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static void send_rest(struct member *m)
{
	size_t sent = 0;

	while (sent < m->unsent_count && !control_send(m->process.control, &m->unsent[sent]))
		sent++;
	if (sent < m->unsent_count && errno != EAGAIN)
		sent = m->unsent_count; /* it is gone: nobody is left to tell */
	m->unsent_count -= sent;
	memmove(m->unsent, m->unsent + sent, m->unsent_count * sizeof *m->unsent);
	if (!m->unsent_count)
		loop_fd_want(m->control_watch, LOOP_READ);
}

static void on_control(void *user, int events)
{
	struct member *m = user;
	struct control_message message;

	if (events & LOOP_WRITE)
		send_rest(m);
	if (!(events & LOOP_READ))
		return;
	for (;;) {
		int n = control_receive(m->process.control, &message);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) { /* gone or talking nonsense: either way its exit tells the rest */
			loop_fd_want(m->control_watch, 0);
			if (n < 0)
				process_signal(&m->process, SIGKILL);
			return;
		}
		switch (message.type) {
		case CONTROL_READY:
		case CONTROL_FAILED:
			m->ready = message.type == CONTROL_READY;
			*m->greeting = message;
			break;
		case CONTROL_COUNTERS:
			m->counters = message.counters;
			break;
		case CONTROL_FINISHED:
			m->finished = true;
			break;
		default:
			break;
		}
		m->stage->owner->on_message(m->stage->user, m, &message);
	}
}

static void note_exit(struct member *m)
{
	struct event e = event_make(EVENT_EXIT, clock_now_ns());

	if (m->ended || !process_reap(&m->process, &m->status))
		return;
	/* What it said last comes before its end. */
	if (m->control_watch)
		on_control(m, LOOP_READ);
	m->ended = true;
	if (m->kind == MEMBER_AGENT)
		e.instance = lane_instance(m->stage->lane, m->name);
	e.color = m->color;
	e.conn = lane_note(m->stage->lane, "%s", m->name);
	e.code = (uint16_t)m->status;
	lane_event(m->stage->lane, e);
	loop_fd_free(m->exit_watch);
	m->exit_watch = NULL;
	if (m->control_watch)
		loop_fd_want(m->control_watch, 0);
	m->stage->owner->on_exit(m->stage->user, m);
}

static void on_pidfd(void *user, int events)
{
	(void)events;
	note_exit(user);
}

int stage_start(struct stage *stage, const struct member_spec *spec, struct member **ret,
		struct err *err)
{
	char output[4096];
	struct process_spec process = { .program = spec->program,
					.argv = spec->argv,
					.environment = spec->environment,
					.output_path = output,
					.control = spec->control,
					.new_group = true,
					.prompt = spec->prompt };
	struct member *m = &stage->members[stage->count];
	struct event e;

	if (stage->count == MEMBERS_MAX)
		return err_set(err, ERR_INPUT, "the stack needs more than %d processes",
			       MEMBERS_MAX);
	snprintf(output, sizeof output, "%s/%s.log", stage->run_dir, spec->name);
	memset(m, 0, sizeof *m);
	if (process_spawn(&process, &m->process, err) < 0)
		return -1;
	stage->count++;
	m->stage = stage;
	m->kind = spec->kind;
	m->color = spec->color;
	snprintf(m->name, sizeof m->name, "%s", spec->name);
	m->greeting = xcalloc(1, sizeof *m->greeting);
	e = event_make(EVENT_SPAWN, clock_now_ns());
	if (m->kind == MEMBER_AGENT)
		e.instance = lane_instance(stage->lane, m->name);
	e.conn = lane_note(stage->lane, "%s", m->name);
	e.color = m->color;
	e.aux = (uint32_t)m->process.pid;
	lane_event(stage->lane, e);
	m->exit_watch = loop_fd_new(stage->loop, m->process.pidfd, on_pidfd, m);
	loop_fd_want(m->exit_watch, LOOP_READ);
	if (spec->control) {
		fcntl(m->process.control, F_SETFL, O_NONBLOCK);
		m->control_watch = loop_fd_new(stage->loop, m->process.control, on_control, m);
		loop_fd_want(m->control_watch, LOOP_READ);
	}
	*ret = m;
	return 0;
}

static void wake(void *user)
{
	(void)user; /* its only purpose is to end an iteration of the loop */
}

int stage_await_ready(struct member *m, int64_t timeout_ns, struct err *err)
{
	int64_t deadline_ns = clock_now_ns() + timeout_ns;
	struct loop_timer *timer = loop_timer_new(m->stage->loop, wake, NULL);

	loop_timer_at(timer, deadline_ns);
	while (!m->ready && !m->ended && m->greeting->type != CONTROL_FAILED &&
	       !m->stage->cancelled && clock_now_ns() < deadline_ns)
		loop_run_once(m->stage->loop);
	loop_timer_free(timer);
	if (m->ready)
		return 0;
	if (m->greeting->type == CONTROL_FAILED)
		return err_set(err, (enum err_kind)m->greeting->a, "%s: %s", m->name,
			       m->greeting->text);
	if (m->stage->cancelled)
		return err_set(err, ERR_HARNESS, "interrupted while starting %s", m->name);
	if (m->ended)
		return err_set(err, ERR_HARNESS,
			       "%s ended with status %d before it was ready; see %s/%s.log",
			       m->name, m->status, m->stage->run_dir, m->name);
	return err_set(err, ERR_HARNESS, "%s was not ready within %lld ms; see %s/%s.log", m->name,
		       (long long)(timeout_ns / NS_PER_MS), m->stage->run_dir, m->name);
}

struct member *stage_find(struct stage *stage, const char *name)
{
	for (size_t i = 0; i < stage->count; i++)
		if (!strcmp(stage->members[i].name, name))
			return &stage->members[i];
	return NULL;
}

int stage_signal(struct member *m, int signo)
{
	struct event e = event_make(EVENT_SIGNAL, clock_now_ns());

	if (m->ended)
		return 0;
	if (m->kind == MEMBER_AGENT)
		e.instance = lane_instance(m->stage->lane, m->name);
	e.color = m->color;
	e.conn = lane_note(m->stage->lane, "%s", m->name);
	e.code = (uint16_t)signo;
	lane_event(m->stage->lane, e);
	return process_signal(&m->process, signo);
}

int stage_send(struct member *m, const struct control_message *message)
{
	bool progress = message->type == CONTROL_COUNTERS || message->type == CONTROL_COUNTS;

	if (m->ended || m->process.control < 0)
		return -1;
	if (!m->unsent_count) {
		if (!control_send(m->process.control, message))
			return 0;
		if (errno != EAGAIN)
			return -1;
	}
	if (progress)
		return 0;
	m->unsent = xrealloc(m->unsent, (m->unsent_count + 1) * sizeof *m->unsent);
	m->unsent[m->unsent_count++] = *message;
	loop_fd_want(m->control_watch, LOOP_READ | LOOP_WRITE);
	return 0;
}

void stage_broadcast(struct stage *stage, enum member_kind kind,
		     const struct control_message *message)
{
	for (size_t i = 0; i < stage->count; i++)
		if (stage->members[i].kind == kind)
			stage_send(&stage->members[i], message);
}

static bool has_ended(const struct member *m)
{
	return m->ended;
}

bool stage_all(const struct stage *stage, enum member_kind kind, bool (*is)(const struct member *))
{
	for (size_t i = 0; i < stage->count; i++)
		if (stage->members[i].kind == kind && !is(&stage->members[i]))
			return false;
	return true;
}

void stage_end(struct stage *stage, enum member_kind kind, int64_t grace_ns)
{
	struct control_message abort_now = control_make(CONTROL_ABORT, 0, 0);
	int64_t deadline_ns = clock_now_ns() + grace_ns;
	struct loop_timer *timer = loop_timer_new(stage->loop, wake, NULL);

	for (size_t i = 0; i < stage->count; i++) {
		struct member *m = &stage->members[i];

		if (m->kind != kind || m->ended)
			continue;
		if (kind == MEMBER_AGENT || kind == MEMBER_BALANCER || kind == MEMBER_REDIS)
			stage_signal(m, SIGTERM);
		else if (stage_send(m, &abort_now) < 0)
			process_signal(&m->process, SIGKILL);
	}
	loop_timer_at(timer, deadline_ns);
	while (!stage_all(stage, kind, has_ended) && clock_now_ns() < deadline_ns)
		loop_run_once(stage->loop);
	for (size_t i = 0; i < stage->count; i++)
		if (stage->members[i].kind == kind && !stage->members[i].ended) {
			stage->members[i].forced = true;
			stage_signal(&stage->members[i], SIGKILL);
		}
	/* SIGKILL cannot be refused: this wait ends. */
	loop_timer_at(timer, INT64_MAX);
	while (!stage_all(stage, kind, has_ended))
		loop_run_once(stage->loop);
	loop_timer_free(timer);
}

void stage_free(struct stage *stage)
{
	for (size_t i = 0; i < stage->count; i++) {
		struct member *m = &stage->members[i];

		loop_fd_free(m->control_watch);
		process_close(&m->process);
		free(m->greeting);
		free(m->unsent);
	}
	stage->count = 0;
}
