/* The walk's channel and clock, and what it puts on record: for all steps alike. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "director/faults.h"
#include "director/walk.h"

void walk_tell(struct walk *w, enum control_type type, int64_t a, int64_t b, const char *text)
{
	struct control_message m = control_make(type, a, b);

	control_text(&m, "%s", text);
	if (control_send(w->control, &m) < 0)
		w->aborted = true; /* nobody is left to direct for */
}

struct walk_instance *walk_instance(struct walk *w, const char *name)
{
	for (size_t i = 0; i < w->instance_count; i++)
		if (!strcmp(w->instances[i].name, name))
			return &w->instances[i];
	return NULL;
}

static void hear(struct walk *w, const struct control_message *m)
{
	struct walk_instance *on = walk_instance(w, m->text);

	switch (m->type) {
	case CONTROL_COUNTS:
		if (on) {
			on->active = (uint32_t)m->a;
			on->unreachable = m->b != 0;
			on->counted_ns = m->c;
		}
		break;
	case CONTROL_EXITED:
		if (on)
			on->ended = true;
		break;
	case CONTROL_COUNTERS:
		w->callers = m->counters;
		w->callers_heard++;
		break;
	case CONTROL_SIGNALED:
		w->signaled = true;
		w->signal_error = (int)m->b;
		break;
	case CONTROL_LEVERED:
		w->levered = true;
		w->lever_refused = m->a != 0;
		snprintf(w->lever_error, sizeof w->lever_error, "%.255s", m->text);
		break;
	case CONTROL_FINISHED:
		w->workers_finished = true;
		break;
	case CONTROL_START:
		w->start_ns = m->a;
		break;
	case CONTROL_STOP:
		w->interrupted = true;
		break;
	case CONTROL_ABORT:
		w->aborted = true;
		break;
	default:
		break;
	}
}

/* Until the channel or what else is listened to has something. True: the latter. */
static bool poll_all(struct walk *w, int64_t until_ns)
{
	struct pollfd f[1 + WALK_LISTEN_MAX] = { { .fd = w->control, .events = POLLIN } };
	int64_t left_ns = until_ns - clock_now_ns();
	bool ready = false;

	for (int i = 0; i < WALK_LISTEN_MAX; i++)
		f[1 + i] = (struct pollfd){ .fd = w->listen[i], .events = POLLIN };
	if (poll(f, 1 + WALK_LISTEN_MAX,
		 left_ns > 0 ? (int)((left_ns + NS_PER_MS - 1) / NS_PER_MS) : 0) <= 0)
		return false;
	for (int i = 0; i < WALK_LISTEN_MAX; i++)
		ready |= f[1 + i].revents != 0;
	return ready;
}

void walk_wait(struct walk *w, int64_t until_ns, bool (*over)(struct walk *))
{
	bool interrupted = w->interrupted, heard = false;

	/* An interrupt ends the wait it falls into, not those that clean up after it. */
	while (!heard && !w->aborted && w->interrupted == interrupted && !(over && over(w)) &&
	       clock_now_ns() < until_ns) {
		int64_t tick_ns = clock_now_ns() + 100 * NS_PER_MS;
		struct control_message m;
		int n;

		heard = poll_all(w, tick_ns < until_ns ? tick_ns : until_ns);
		n = control_wait(w->control, 0, &m);
		if (n > 0)
			hear(w, &m);
		else if (n == 0 || errno != ETIMEDOUT)
			w->aborted = true;
		lane_tick(w->lane, clock_now_ns());
		faults_tick(w);
	}
}

void walk_through(struct walk *w, int64_t until_ns, bool (*over)(struct walk *))
{
	while (!w->aborted && !(over && over(w)) && clock_now_ns() < until_ns)
		walk_wait(w, until_ns, over);
}

static bool was_signaled(struct walk *w)
{
	return w->signaled;
}

int walk_signal(struct walk *w, struct walk_instance *on, int signo, struct err *err)
{
	w->signaled = false;
	walk_tell(w, CONTROL_SIGNAL, signo, 0, on->name);
	walk_through(w, clock_now_ns() + TIMELINE_ACTION_S * NS_PER_S, was_signaled);
	if (!w->signaled)
		return err_set(err, ERR_HARNESS, "signal %d to %s: no answer from the supervisor",
			       signo, on->name);
	if (w->signal_error)
		return err_errno(err, ERR_WORLD, w->signal_error, "signal %d to %s", signo,
				 on->name);
	return 0;
}

static bool was_levered(struct walk *w)
{
	return w->levered;
}

int walk_lever(struct walk *w, const char *text, struct err *err)
{
	w->levered = false;
	walk_tell(w, CONTROL_LEVER, 0, 0, text);
	walk_through(w, clock_now_ns() + TIMELINE_ACTION_S * NS_PER_S, was_levered);
	if (!w->levered)
		return err_set(err, ERR_HARNESS, "lever \"%s\": no answer from the tap", text);
	if (w->lever_refused)
		return err_set(err, ERR_INPUT, "%s", w->lever_error);
	return 0;
}

void walk_say(struct walk *w, const char *text)
{
	walk_tell(w, CONTROL_NOTE, 0, 0, text);
}

void walk_phase_begin(struct walk *w, enum phase phase, size_t number, const char *what)
{
	struct event e = event_make(EVENT_PHASE_BEGIN, clock_now_ns());

	w->under_way.phase = phase;
	w->under_way.number = number;
	w->under_way.open = true;
	e.code = (uint16_t)phase;
	e.n = (uint16_t)number;
	e.conn = lane_note(w->lane, "%s", what);
	lane_event(w->lane, e);
	walk_tell(w, CONTROL_PHASE, phase, (int64_t)number, what);
	faults_phase(w, phase);
}

void walk_phase_end(struct walk *w, uint8_t flags, const char *note)
{
	struct event e = event_make(EVENT_PHASE_END, clock_now_ns());

	if (!w->under_way.open)
		return;
	w->under_way.open = false;
	e.code = (uint16_t)w->under_way.phase;
	e.n = (uint16_t)w->under_way.number;
	e.flags = flags;
	if (*note)
		e.conn = lane_note(w->lane, "%s", note);
	lane_event(w->lane, e);
}

struct event step_action(struct walk *w, enum action action, const struct walk_instance *on,
			 const char *what)
{
	int color = color_parse(what); /* an action on a whole color is noted by its word */
	struct event e = event_make(EVENT_ACTION_INV, clock_now_ns());

	e.code = (uint16_t)action;
	e.color = color > 0 ? (uint8_t)color : COLOR_UNKNOWN;
	if (on) {
		e.instance = lane_instance(w->lane, on->name);
		e.color = on->color;
	}
	e.conn = lane_note(w->lane, "%s", what);
	lane_event(w->lane, e);
	return e;
}

int step_action_done(struct walk *w, struct event e, int result, const struct err *err)
{
	if (result < 0 && w->aborted)
		return result; /* it failed for that: it has no answer */
	e.due_ns = e.t_ns;
	e.t_ns = clock_now_ns();
	e.kind = result < 0 ? EVENT_ACTION_FAIL : EVENT_ACTION_OK;
	if (result < 0)
		e.conn = lane_note(w->lane, "%s", err->text);
	lane_event(w->lane, e);
	return result;
}

void step_config(struct walk *w, uint8_t flags, const struct driver_view *view)
{
	struct event e = event_make(EVENT_CONFIG, clock_now_ns());

	if (!(flags & 1) && !strcmp(view->text, w->snapshot.text))
		flags |= 2;
	e.ver = (uint32_t)view->weight[COLOR_BLUE];
	e.epoch = (uint32_t)view->weight[COLOR_GREEN];
	e.aux = (uint32_t)view->group_stickiness_s;
	e.turn = view->target_stickiness_s > UINT16_MAX ? UINT16_MAX :
							  (uint16_t)view->target_stickiness_s;
	e.n = (uint16_t)view->deregistration_delay_s;
	e.code = (uint16_t)view->idle_timeout_s;
	e.digest = hash_id(view->text, strlen(view->text));
	e.conn = lane_note(w->lane, "%s", view->text);
	e.flags = flags;
	lane_event(w->lane, e);
}

int step_read_back(struct walk *w, uint8_t flags, struct driver_view *ret, struct err *err)
{
	struct event action = step_action(w, ACTION_READ_BACK, NULL, "read the balancer back");
	struct driver_view view;

	if (w->driver->read(w->session, &view, err) < 0)
		return step_action_done(w, action, -1, err);
	step_action_done(w, action, 0, err);
	step_config(w, flags, &view);
	*ret = view;
	return 0;
}

void step_weight_event(struct walk *w, enum event_kind kind, int64_t t_ns, int blue, int green)
{
	struct event e = event_make(kind, t_ns);

	e.ver = (uint32_t)blue;
	e.epoch = (uint32_t)green;
	w->shifted = true;
	w->weights_ns = clock_now_ns();
	lane_event(w->lane, e);
	/* On disk before the world can change: the record of a run that is killed then would blame
	 * the target. */
	lane_flush(w->lane);
}
