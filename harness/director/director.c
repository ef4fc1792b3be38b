#include "director/director.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "director/faults.h"
#include "director/walk.h"

static const int64_t bind_within_ns = 60 * NS_PER_S;
static const int64_t healthy_within_ns = 30 * NS_PER_S;
static const int64_t workers_grace_ns = 10 * NS_PER_S;

/* "blue-1:blue:127.0.0.1:4711,..." */
static int parse_instances(struct walk *w, struct err *err)
{
	char list[CONTROL_TEXT_MAX], *rest = list, *word;
	char pids[CONTROL_TEXT_MAX] = "", *pid = pids;

	if (!control_value(&w->bind, "instances", list, sizeof list))
		return 0;				    /* a deployed system */
	control_value(&w->bind, "pids", pids, sizeof pids); /* in the same order */
	while ((word = strsep(&rest, ","))) {
		struct walk_instance *on = &w->instances[w->instance_count];
		char *color = strchr(word, ':'), *address = color ? strchr(color + 1, ':') : NULL;

		if (!address || w->instance_count == WALK_INSTANCES_MAX)
			return err_set(err, ERR_HARNESS, "bad list of instances at \"%s\"", word);
		*color++ = *address++ = '\0';
		*on = (struct walk_instance){ .color = (enum color)color_parse(color) };
		snprintf(on->name, sizeof on->name, "%s", word);
		snprintf(on->address, sizeof on->address, "%s", address);
		on->pid = (int)strtol(pid, &pid, 10);
		pid += strspn(pid, ", ");
		w->instance_count++;
	}
	return 0;
}

/* The local balancer's credentials become this process's own, where drivers look for them. */
static void adopt_credentials(struct walk *w)
{
	struct stage_credentials *c = &w->credentials;

	if (!control_value(&w->bind, "key_id", c->key_id, sizeof c->key_id) ||
	    !control_value(&w->bind, "secret", c->secret, sizeof c->secret))
		return; /* a deployed system: the user's own */
	setenv("AWS_ACCESS_KEY_ID", c->key_id, 1);
	setenv("AWS_SECRET_ACCESS_KEY", c->secret, 1);
	unsetenv("AWS_SESSION_TOKEN");
	setenv("AWS_REGION", STAGE_REGION, 1);
}

static int open_driver(struct walk *w, struct err *err)
{
	const struct scenario *sc = w->scenario;
	struct driver_settings settings = { .endpoint = sc->balancer.endpoint,
					    .path = sc->balancer.path,
					    .rule = sc->balancer.rule,
					    .blue = sc->balancer.blue,
					    .green = sc->balancer.green,
					    .watch = sc->balancer.watch };
	char endpoint[512];
	const char **command = xcalloc(sc->balancer.command_count + 3, sizeof *command);
	int result;

	adopt_credentials(w);
	if (control_value(&w->bind, "balancer", endpoint, sizeof endpoint))
		settings.endpoint = endpoint;
	w->driver = driver_find(sc->balancer.driver);
	for (size_t i = 0; i < sc->balancer.command_count; i++)
		command[i] = sc->balancer.command[i];
	if (sc->balancer.script_defect) {
		command[sc->balancer.command_count] = "--defect";
		command[sc->balancer.command_count + 1] = sc->balancer.script_defect;
	}
	settings.command = command;
	if (w->driver)
		result = w->driver->open(&settings, &w->session, err);
	else
		result = err_set(err, ERR_INPUT,
				 "%s: balancer.driver \"%s\" is not one of this build", sc->path,
				 sc->balancer.driver);
	free(command);
	return result;
}

/* A cutover that was made before proves nothing now. */
static int something_to_cut_over(const struct walk *w, struct err *err)
{
	for (size_t i = 0; i < w->scenario->step_count; i++) {
		const struct step *s = &w->scenario->steps[i];

		if (w->snapshot.weight[COLOR_BLUE] == 0 && !s->skip &&
		    (s->phase == PHASE_SHIFT || s->phase == PHASE_SCRIPT))
			return err_set(err, ERR_WORLD,
				       "blue has weight 0 before the cutover, green %d: set them "
				       "back, or nothing is cut over",
				       w->snapshot.weight[COLOR_GREEN]);
	}
	return 0;
}

/* Before the curtain rises: the balancer answers, its targets are healthy, and we know what to go
 * back to. */
static int prepare(struct walk *w, struct err *err)
{
	const struct scenario *sc = w->scenario;
	int64_t deadline_ns = clock_now_ns() + healthy_within_ns;

	if (open_driver(w, err) < 0)
		return -1;
	for (;;) {
		if (w->driver->read(w->session, &w->snapshot, err) < 0)
			return -1;
		if (sc->stack.kind == STACK_NONE ||
		    (w->snapshot.healthy[COLOR_BLUE] == sc->stack.instances &&
		     w->snapshot.healthy[COLOR_GREEN] == sc->stack.instances))
			break;
		if (clock_now_ns() > deadline_ns || w->aborted)
			return err_set(
				err, ERR_HARNESS,
				"%d of %d blue and %d of %d green targets were healthy after %lld s",
				w->snapshot.healthy[COLOR_BLUE], sc->stack.instances,
				w->snapshot.healthy[COLOR_GREEN], sc->stack.instances,
				(long long)(healthy_within_ns / NS_PER_S));
		walk_wait(w, clock_now_ns() + 100 * NS_PER_MS, NULL);
	}
	step_tls(w);
	if (step_read_back(w, 1, &w->snapshot, err) < 0)
		return -1;
	return something_to_cut_over(w, err);
}

/* One step with its marks. */
static int walk_step(struct walk *w, const struct step *s, size_t number)
{
	struct err err = { .kind = ERR_NONE };
	int result;

	walk_phase_begin(w, s->phase, number, phase_name(s->phase));
	if (s->skip) {
		walk_phase_end(w, PHASE_NOT_REACHED, "skipped by the overlay");
		return 0;
	}
	result = step_do(w, s, &err);
	if (w->aborted) /* what failed then failed for that */
		walk_phase_end(w, PHASE_NOT_REACHED, "interrupted");
	else if (result < 0)
		walk_phase_end(w, PHASE_FAILED, err.text);
	else if (w->interrupted && s->phase != PHASE_ROLLBACK)
		walk_phase_end(w, PHASE_NOT_REACHED, "interrupted");
	else
		walk_phase_end(w, PHASE_OK,
			       w->back_to_drain ? "a call turned up: back to drain" : "");
	return result;
}

static void roll_back(struct walk *w, size_t number)
{
	struct err err = { .kind = ERR_NONE };

	walk_phase_begin(w, PHASE_ROLLBACK, number, "rollback");
	if (step_rollback(w, scenario_rollback_within_ns(w->scenario), &err) < 0)
		walk_phase_end(w, w->aborted ? PHASE_NOT_REACHED : PHASE_FAILED,
			       w->aborted ? "interrupted" : err.text);
	else
		walk_phase_end(w, PHASE_OK, "");
}

/* Walks all steps. Returns false when the cutover was given up. */
static bool walk_steps(struct walk *w)
{
	const struct scenario *sc = w->scenario;
	bool given_up = false;

	for (size_t i = 0; i < sc->step_count && !w->interrupted && !w->aborted; i++) {
		const struct step *s = &sc->steps[i];

		if (given_up && s->phase != PHASE_STEADY) {
			walk_phase_begin(w, s->phase, i, phase_name(s->phase));
			walk_phase_end(w, PHASE_NOT_REACHED, "an earlier step failed");
			continue;
		}
		if (walk_step(w, s, i) < 0) {
			given_up = true;
			/* A failed smoke test says as well what is still served. */
			if ((w->shifted || s->phase == PHASE_SMOKE) && s->phase != PHASE_ROLLBACK &&
			    !w->aborted)
				roll_back(w, i);
		} else if (w->back_to_drain) {
			i = w->drain_step - 1;
		} else if (s->phase == PHASE_DRAIN && !s->skip) {
			w->drained = true;
			w->drain_step = i;
		}
	}
	/* Interrupted after the shift: what was moved goes back, while blue is still there to take
	 * it. */
	if (w->interrupted && !w->aborted && w->shifted && !step_blue_is_there(w, NULL))
		roll_back(w, sc->step_count);
	return !given_up;
}

static bool workers_are_done(struct walk *w)
{
	return w->workers_finished;
}

/* Arrivals stop; live calls get the time their script needs. */
static void wait_for_callers(struct walk *w)
{
	int64_t until_ns = clock_now_ns() + timeline_afterwards_ns(w->scenario);

	walk_phase_begin(w, PHASE_AFTER, w->scenario->step_count, "after");
	walk_tell(w, CONTROL_STOP, until_ns, 0, "");
	walk_through(w, until_ns + workers_grace_ns, workers_are_done);
	walk_phase_end(w, PHASE_OK, "");
}

static bool has_started(struct walk *w)
{
	return w->start_ns != 0;
}

static void perform(struct walk *w)
{
	struct event e;
	bool complete = false;

	walk_wait(w, INT64_MAX, has_started);
	if (w->start_ns) {
		faults_open(w);
		faults_phase(w, PHASE_BEFORE);
		walk_wait(w, w->start_ns, NULL);
		e = event_make(EVENT_RUN_START, w->start_ns);
		lane_event(w->lane, e);
		complete = walk_steps(w);
	}
	if (!w->aborted)
		wait_for_callers(w);
	faults_close(w);
	e = event_make(EVENT_RUN_END, clock_now_ns());
	e.flags = (uint8_t)((w->interrupted || w->aborted ? RUN_INTERRUPTED : 0) |
			    (complete ? 0 : RUN_EARLY));
	lane_event(w->lane, e);
}

static int await_bind(struct walk *w, struct err *err)
{
	int n = control_wait(w->control, clock_now_ns() + bind_within_ns, &w->bind);

	if (n <= 0 || w->bind.type != CONTROL_BIND)
		return err_set(err, ERR_HARNESS, "no addresses from the supervisor");
	control_value(&w->bind, "run", w->run6, sizeof w->run6);
	return parse_instances(w, err);
}

int direct(const struct director_settings *settings, struct err *err)
{
	struct walk *w = xcalloc(1, sizeof *w);
	struct lane_identity identity = { .seed = settings->scenario->seed, .role = ROLE_DIRECTOR };
	int result = -1;

	w->scenario = settings->scenario;
	w->run_dir = settings->run_dir;
	w->control = settings->control;
	for (int i = 0; i < WALK_LISTEN_MAX; i++)
		w->listen[i] = -1;
	if (await_bind(w, err) < 0)
		goto out;
	control_value(&w->bind, "run_id", identity.run, sizeof identity.run);
	scenario_digest(w->scenario, identity.scenario_digest);
	if (lane_open(w->run_dir, &identity, &w->lane, err) < 0 || prepare(w, err) < 0)
		goto out;
	walk_tell(w, CONTROL_READY, 0, 0, "");
	perform(w);
	result = 0;
out:
	faults_close(w);
	if (w->driver)
		w->driver->close(w->session);
	if (w->lane && lane_close(w->lane, result < 0 ? NULL : err) < 0)
		result = -1;
	if (result == 0)
		walk_tell(w, CONTROL_FINISHED, 0, 0, "");
	free(w);
	return result;
}
