/*
 * The dry run: what would happen when, from the scenario and its seed alone. Each worker's share is
 * drawn apart, as the workers of a run do, and the shares are put together: the text is the same
 * for any number of them, or a stream is shared.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "command/command.h"
#include "command/core/scenario_args.h"
#include "director/timeline.h"
#include "scenario/duration.h"
#include "sim/traffic.h"

enum { STEPS_MAX = 256, WORKERS_MAX = 64, CALLS_MAX = 4 * 1000 * 1000, LOSSES_PRINTED_MAX = 16 };

static int run(int argc, char **argv);

const struct command command_plan = {
	.name = "plan",
	.usage = "SCENARIO [--seed N] [-e KEY=VALUE]... [--workers N] [--calls]",
	.about = "dry run: timeline, declared timers, planned calls; opens no socket",
	.help = SCENARIO_FLAGS_HELP
	"  --workers N      draw the plan as N workers would; it is the same plan\n"
	"  --calls          print every planned call, not only their sum\n"
	"\n"
	"Times count from the start of the schedule. Steps that wait for something have an earliest and a latest time.\n"
	"\n"
	"example: crossfade plan scenarios/blue_green.yaml --seed 7 --calls\n",
	.run = run,
};

static const struct flag table[] = {
	SCENARIO_FLAGS,
	{ .name = "--workers", .takes_value = true, .env = "CROSSFADE_WORKERS" },
	{ .name = "--calls" },
};

static double s_of(int64_t ns)
{
	return (double)ns / NS_PER_S;
}

static const char *duration(int64_t ns, char out[DURATION_TEXT_MAX])
{
	duration_format(ns, out);
	return out;
}

static void print_step(const struct step *s)
{
	char a[DURATION_TEXT_MAX], b[DURATION_TEXT_MAX];
	static const char *const begins[] = { "nothing", "SIGTERM", "deregistration" };

	printf("%-9s ", phase_name(s->phase));
	if (s->skip)
		printf("skipped");
	else if (s->phase == PHASE_STEADY || s->phase == PHASE_BUFFER || s->phase == PHASE_BAKE)
		printf("for %s", duration(s->for_ns, a));
	else if (s->phase == PHASE_SHIFT)
		printf("blue %d, green %d", s->blue, s->green);
	else if (s->phase == PHASE_DRAIN)
		printf("%s, begun by %s, quiet for %s, at most %s", color_name(s->color),
		       begins[s->begin], duration(s->quiet_ns, a), duration(s->deadline_ns, b));
	else if (s->phase == PHASE_SCRIPT || s->phase == PHASE_ROLLBACK)
		printf("within %s", duration(s->deadline_ns, a));
	else if (s->phase == PHASE_TEARDOWN)
		printf("%s, SIGKILL after %s", color_name(s->color), duration(s->grace_ns, a));
	else
		printf("%s", color_name(s->color));
	printf("\n");
}

static void print_fault(const struct fault_plan *f)
{
	char after[DURATION_TEXT_MAX], length[DURATION_TEXT_MAX];
	bool first = f->at == PHASE_BEFORE;

	printf("  fault: %s%s%s%s%s, %s after %s begins, %s%s\n", fault_kind_name(f->kind),
	       f->instance ? " " : "", f->instance ? f->instance : "", f->lever ? ": " : "",
	       f->lever ? f->lever : "", duration(f->after_ns, after),
	       first ? "the run" : phase_name(f->at), f->for_ns < 0 ? "to the end" : "for ",
	       f->for_ns < 0 ? "" : duration(f->for_ns, length));
}

static struct timeline_entry print_timeline(const struct scenario *sc)
{
	struct timeline_entry steps[STEPS_MAX], end;
	size_t count = timeline_plan(sc, steps, STEPS_MAX, &end);

	printf("timeline (earliest .. latest)\n");
	for (size_t i = 0; i < count && i < STEPS_MAX; i++) {
		printf("  %8.1f s .. %8.1f s  ", s_of(steps[i].earliest_ns),
		       s_of(steps[i].latest_ns));
		print_step(steps[i].step);
	}
	printf("  %8.1f s .. %8.1f s  last call gone\n", s_of(end.earliest_ns),
	       s_of(end.latest_ns));
	for (size_t i = 0; i < sc->fault_count; i++)
		print_fault(&sc->faults[i]);
	return end;
}

static void print_timers(const struct scenario *sc)
{
	const struct timers_declared *t = &sc->timers;
	const struct {
		const char *name;
		int64_t ns;
	} rows[] = {
		{ "stickiness of the group cookie", t->stickiness_group_ns },
		{ "stickiness of the target cookie", t->stickiness_target_ns },
		{ "deregistration delay", t->deregistration_delay_ns },
		{ "idle time-out", t->idle_ns },
		{ "longest call", t->longest_call_ns },
		{ "propagation of a change", t->propagation_ns },
		{ "an unanswered turn is dead after", t->dead_after_ns },
		{ "a call is set up within", t->setup_within_ns },
	};
	char text[DURATION_TEXT_MAX];

	printf("declared timers\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		printf("  %-33s %s\n", rows[i].name,
		       rows[i].ns ? duration(rows[i].ns, text) : "off");
}

static void print_target(const struct scenario *sc)
{
	static const char *const shows[] = { "a good certificate", "an expired certificate",
					     "a certificate of another name",
					     "a certificate of an unknown issuer" };

	if (strncmp(sc->target.url, "wss://", 6))
		return;
	printf("target\n  callers speak TLS and believe %s\n",
	       sc->target.ca ? sc->target.ca :
	       sc->stack.tls ? "an authority made for the run" :
			       "the issuers this system knows");
	if (sc->stack.tls)
		printf("  the local listener speaks %s and shows %s\n", sc->stack.tls,
		       shows[sc->stack.certificate]);
}

static void print_warnings(const char *lines)
{
	while (*lines) {
		size_t length = strcspn(lines, "\n");

		printf("warning: %.*s\n", (int)length, lines);
		lines += length + (lines[length] == '\n');
	}
}

/* ---- calls ---- */

struct plans {
	struct call_plan *list;
	size_t count, room;
};

/* One worker's share of the calls that arrive before `until_ns`. */
static void draw_share(const struct scenario *sc, unsigned worker, unsigned workers,
		       int64_t until_ns, struct plans *out)
{
	struct traffic traffic = traffic_begin(sc);
	struct call_plan p;

	for (traffic_next(&traffic, &p); p.due_ns < until_ns && out->count < CALLS_MAX;
	     traffic_next(&traffic, &p)) {
		char id[40];
		int size = snprintf(id, sizeof(id), "c-plan-%" PRIu64, p.number);

		if (hash_id(id, (size_t)size) % workers != worker)
			continue;
		if (out->count == out->room) {
			out->room = out->room ? 2 * out->room : 1024;
			out->list = xrealloc(out->list, out->room * sizeof(*out->list));
		}
		out->list[out->count++] = p;
	}
}

static int by_due(const void *a, const void *b)
{
	const struct call_plan *x = a, *y = b;

	if (x->due_ns != y->due_ns)
		return x->due_ns < y->due_ns ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* The planned losses of a call, were each new leg there at once; returns how many, prints them on
 * demand. */
static unsigned losses_of(const struct scenario *sc, const struct call_plan *p, bool print)
{
	struct losses losses = losses_begin(sc, p->number, p->profile);
	int64_t at_ns = 0, after_ns;
	unsigned count = 0;
	bool reset;

	while ((after_ns = losses_next_ns(&losses, &reset)) < p->hold_ns - at_ns) {
		at_ns += after_ns;
		if (print && count < LOSSES_PRINTED_MAX)
			printf(" %.3f%s", s_of(at_ns), reset ? "R" : "");
		count++;
	}
	if (count > LOSSES_PRINTED_MAX && print)
		printf(" ...");
	return count;
}

static void print_calls(const struct scenario *sc, const struct plans *plans)
{
	printf("calls (losses: seconds after the call's begin; R: by RST)\n");
	printf("  %8s  %10s  %-9s  %8s  %5s  losses\n", "number", "due s", "profile", "hold s",
	       "turns");
	for (size_t i = 0; i < plans->count; i++) {
		const struct call_plan *p = &plans->list[i];

		printf("  %8" PRIu64 "  %10.3f  %-9s  %8.3f  %5" PRIu32 " ", p->number,
		       s_of(p->due_ns), profile_name(p->profile), s_of(p->hold_ns), p->turns);
		losses_of(sc, p, true);
		printf("\n");
	}
}

static void print_sum(const struct scenario *sc, const struct plans *plans, int64_t until_ns)
{
	uint64_t turns = 0, losses = 0, of_profile[PROFILE_COUNT] = { 0 };
	int64_t mean_ns = dist_mean_ns(&sc->calls.hold), longest_ns = 0;

	for (size_t i = 0; i < plans->count; i++) {
		const struct call_plan *p = &plans->list[i];

		turns += p->turns;
		losses += losses_of(sc, p, false);
		of_profile[p->profile]++;
		longest_ns = p->hold_ns > longest_ns ? p->hold_ns : longest_ns;
	}
	printf("traffic\n");
	printf("  %d live from %.1f s on, mean hold %.2f s, %.1f new calls a second\n",
	       sc->calls.live, s_of(sc->calls.ramp_ns), s_of(mean_ns),
	       sc->calls.live / s_of(mean_ns));
	printf("  until %.1f s at the latest: %zu calls (", s_of(until_ns), plans->count);
	for (unsigned profile = 0; profile < PROFILE_COUNT; profile++)
		printf("%s%" PRIu64 " %s", profile ? ", " : "", of_profile[profile],
		       profile_name(profile));
	printf("), %" PRIu64 " turns, %" PRIu64 " planned losses of a leg, longest hold %.2f s\n",
	       turns, losses, s_of(longest_ns));
}

static int workers_of(const struct flags *flags, unsigned *ret, struct err *err)
{
	const char *text = flags_get(flags, "--workers");
	char *end;
	long v = text ? strtol(text, &end, 10) : 1;

	if (text && (end == text || *end || v < 1 || v > WORKERS_MAX))
		return err_set(err, ERR_INPUT, "--workers %s: a number from 1 to %d", text,
			       WORKERS_MAX);
	*ret = (unsigned)v;
	return 0;
}

static void print_plan(const struct scenario *sc, const char *warnings, unsigned workers, bool each)
{
	struct plans plans = { .list = NULL };
	struct timeline_entry end;
	int64_t until_ns;

	printf("%s  seed %" PRIu64 "%s%s\n", sc->name, sc->seed,
	       sc->defect ? "  planted defect " : "", sc->defect ? sc->defect : "");
	if (sc->about)
		printf("%s\n", sc->about);
	end = print_timeline(sc);
	print_timers(sc);
	print_target(sc);
	print_warnings(warnings);
	until_ns = end.latest_ns - timeline_afterwards_ns(sc);
	for (unsigned worker = 0; worker < workers; worker++)
		draw_share(sc, worker, workers, until_ns, &plans);
	if (plans.count)
		qsort(plans.list, plans.count, sizeof(*plans.list), by_due);
	print_sum(sc, &plans, until_ns);
	if (each)
		print_calls(sc, &plans);
	free(plans.list);
}

static int run(int argc, char **argv)
{
	struct buf warnings = buf_init(1 << 16);
	struct scenario *scenario = NULL;
	struct err err = { .kind = ERR_NONE };
	unsigned workers = 1;
	struct flags *flags;
	int code = EXIT_USAGE;
	int parsed = flags_parse(&command_plan, table, sizeof(table) / sizeof(*table), argc, argv,
				 &flags);

	if (parsed)
		return parsed < 0 ? EXIT_USAGE : EXIT_PASS;
	if (flags_expect(&command_plan, flags, 1, 1) < 0)
		goto out;
	if (workers_of(flags, &workers, &err) < 0 ||
	    scenario_args_load(flags, &scenario, &warnings, &err) < 0) {
		code = command_fail(&err);
		goto out;
	}
	print_plan(scenario, buf_text(&warnings), workers, flags_get(flags, "--calls") != NULL);
	code = EXIT_PASS;
out:
	scenario_free(scenario);
	buf_free(&warnings);
	flags_free(flags);
	return code;
}
