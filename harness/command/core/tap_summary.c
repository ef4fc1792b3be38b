#include "command/core/tap_summary.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/histogram.h"
#include "record/history.h"
#include "report/core/format.h"

struct row {
	uint64_t ok, nil, err, info;
	struct histogram times; /* of what was answered */
};

struct summary {
	struct row verbs[VERB_COUNT], all;
	uint64_t commands, connections, unanswered, bypassing, bites, limits;
	int64_t first_ns, last_ns;
};

static void outcome(struct row *row, const struct event *e)
{
	row->ok += e->kind == EVENT_CMD_OK;
	row->nil += e->kind == EVENT_CMD_OK && e->flags & CMD_NIL;
	row->err += e->kind == EVENT_CMD_ERR;
	row->info += e->kind == EVENT_CMD_INFO;
	if (e->kind != EVENT_CMD_INFO)
		histogram_add(&row->times, e->t_ns - e->due_ns);
}

static void add(struct summary *s, const struct event *e)
{
	const uint64_t outcomes = 1ULL << EVENT_CMD_OK | 1ULL << EVENT_CMD_ERR |
				  1ULL << EVENT_CMD_INFO;

	if (!s->first_ns)
		s->first_ns = e->t_ns;
	s->last_ns = e->t_ns;
	s->commands += e->kind == EVENT_CMD_INV;
	s->connections += e->kind == EVENT_TAP_OPEN;
	s->unanswered += e->kind == EVENT_TAP_CLOSE ? e->n : 0;
	s->bypassing += e->kind == EVENT_BYPASS ? e->n : 0;
	s->bites += e->kind == EVENT_BITE;
	s->limits += e->kind == EVENT_LIMIT;
	if (outcomes >> e->kind & 1 && e->code < VERB_COUNT) {
		outcome(&s->verbs[e->code], e);
		outcome(&s->all, e);
	}
}

static void print_row(FILE *out, const char *name, const struct row *r)
{
	static const double quantiles[] = { 0.5, 0.95, 0.99, 1 };

	fprintf(out, "  %-12s %12llu %12llu %10llu %8llu %8llu", name,
		(unsigned long long)(r->ok + r->err + r->info), (unsigned long long)r->ok,
		(unsigned long long)r->nil, (unsigned long long)r->err,
		(unsigned long long)r->info);
	for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
		fprintf(out, " %9s",
			r->times.count ?
				format_duration(histogram_quantile_ns(&r->times, quantiles[i])).s :
				"-");
	fputc('\n', out);
}

static void print_table(const struct summary *s, FILE *out)
{
	fprintf(out, "  %-12s %12s %12s %10s %8s %8s %9s %9s %9s %9s\n", "verb", "commands", "ok",
		"of it nil", "refused", "unknown", "p50", "p95", "p99", "max");
	for (unsigned verb = 0; verb < VERB_COUNT; verb++) {
		const struct row *r = &s->verbs[verb];

		if (r->ok + r->err + r->info)
			print_row(out, verb_name(verb), r);
	}
	print_row(out, "all", &s->all);
}

/* Once each: what the tap could not do, who came past it, what levers did. */
static void print_notes(const struct history *history, const struct event *e, FILE *out)
{
	if (e->kind == EVENT_LIMIT)
		fprintf(out, "limit         %s\n", history_note(history, e->conn));
	else if (e->kind == EVENT_BYPASS)
		fprintf(out, "bypass        %u past the tap: %s\n", e->n,
			history_note(history, e->conn));
	else if (e->kind == EVENT_FAULT_HEAL)
		fprintf(out, "lever %-7u %s: took %u\n", e->n, history_note(history, e->conn),
			e->aux);
}

int tap_summary_print(const char *dir, FILE *out, struct err *err)
{
	enum { NOTES_MAX = 50 };
	struct summary *s = xcalloc(1, sizeof *s);
	struct history *history = NULL;
	const struct event *e;
	unsigned notes = 0;

	if (history_open(dir, &history, err) < 0) {
		free(s);
		return -1;
	}
	while (history_next(history, &e)) {
		add(s, e);
		if (e->kind == EVENT_LIMIT || e->kind == EVENT_BYPASS ||
		    e->kind == EVENT_FAULT_HEAL)
			if (notes++ < NOTES_MAX)
				print_notes(history, e, out);
	}
	if (notes > NOTES_MAX)
		fprintf(out, "... and %u more such lines in the lane\n", notes - NOTES_MAX);
	if (s->commands)
		print_table(s, out);
	fprintf(out,
		"%llu commands on %llu connections in %.1f s; %llu never answered; %llu clients past "
		"the tap; levers took %llu\n",
		(unsigned long long)s->commands, (unsigned long long)s->connections,
		(double)(s->last_ns - s->first_ns) / NS_PER_S, (unsigned long long)s->unanswered,
		(unsigned long long)s->bypassing, (unsigned long long)s->bites);
	history_free(history);
	free(s);
	return 0;
}
