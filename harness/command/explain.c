#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "command/core/event_text.h"
#include "command/core/judge_run.h"
#include "report/core/words.h"

static int run(int argc, char **argv);

const struct command command_explain = {
	.name = "explain",
	.usage = "RUN CALL",
	.about = "one call, all lanes, in order, with the cause named",
	.help = "CALL is an id as the reports print it, or its beginning when no other call begins so. What happened to the world\n"
		"meanwhile (weights, phases, faults, what was done to the call's instances) stands between its own events, marked\n"
		"with a bar; a command of its agent stands where Redis answered it. What a check holds against the call is marked\n"
		"with >, what that was caused by with *. Exit code 0, whatever became of the call.\n"
		"\n"
		"example: crossfade explain runs/blue_green/latest c-1a2b3c-17\n",
	.run = run,
};

enum { MARKS_MAX = 32, NAMED_MAX = 3 };

/* Follows one call through the history. */
struct story {
	uint64_t call;
	int64_t start_ns;      /* of the run: times are printed from there */
	uint64_t instances[4]; /* set of the instances it met */
	/* When checks hold something against it, and what that came from. */
	int64_t harms[MARKS_MAX], causes[MARKS_MAX];
	size_t mark_count;
	uint64_t seen;
	bool ended;
	int64_t end_ns;
};

/* ---- which call ---- */

/* The calls whose ids begin so. */
struct search {
	const char *word;
	uint64_t call; /* the one that is meant; 0: none */
	size_t matches;
	char *named[NAMED_MAX]; /* of the matches, for a helpful error */
	const char **ids;	/* all, of the history */
	size_t count, cap;
};

static void look_at(struct search *s, const struct history *history, uint64_t call)
{
	const char *id = history_call(history, call);

	if (s->count == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 1024;
		s->ids = xrealloc(s->ids, s->cap * sizeof(*s->ids));
	}
	s->ids[s->count++] = id;
	if (strncmp(id, s->word, strlen(s->word)) != 0)
		return;
	s->call = call;
	if (s->matches++ < NAMED_MAX)
		s->named[s->matches - 1] = xstrdup(id);
}

static int not_found(const struct search *s, const char *run_dir, struct err *err)
{
	const char *nearest = command_nearest(s->word, s->ids, s->count);

	if (s->matches > 1)
		return err_set(err, ERR_INPUT,
			       "explain: %zu calls of %s begin with \"%s\": %s, %s%s%s", s->matches,
			       run_dir, s->word, s->named[0], s->named[1],
			       s->matches > 2 ? ", " : "", s->matches > 2 ? s->named[2] : "");
	if (nearest)
		return err_set(err, ERR_INPUT,
			       "explain: no call \"%s\" in %s; did you mean \"%s\"?", s->word,
			       run_dir, nearest);
	return err_set(err, ERR_INPUT, "explain: no call \"%s\" in %s; it has %zu, such as \"%s\"",
		       s->word, run_dir, s->count, s->count ? s->ids[0] : "");
}

/* The id of a call, or the only one that begins so; else of what has events without a start: a
 * probe, or a call whose lane is lost. */
static int find_call(struct history *history, const char *run_dir, const char *word, uint64_t *ret,
		     struct err *err)
{
	struct search s = { .word = word };
	uint64_t literal = hash_id(word, strlen(word));
	const struct event *e;
	bool has_events = false;
	int result = 0;

	while (history_next(history, &e)) {
		has_events |= e->call == literal;
		if (e->kind == EVENT_CALL_START)
			look_at(&s, history, e->call);
	}
	if (has_events)
		*ret = literal;
	else if (s.matches == 1)
		*ret = s.call;
	else
		result = not_found(&s, run_dir, err);
	for (size_t i = 0; i < NAMED_MAX; i++)
		free(s.named[i]);
	free(s.ids);
	return result;
}

/* ---- its story ---- */

static bool met(const struct story *story, uint8_t instance)
{
	return instance && (story->instances[instance / 64] >> instance % 64 & 1);
}

/* What of the world belongs into the story of a call. */
static bool is_context(const struct story *story, const struct event *e)
{
	switch (e->kind) {
	case EVENT_PHASE_BEGIN:
	case EVENT_WEIGHT_INV:
	case EVENT_WEIGHT_OK:
	case EVENT_BELIEF:
	case EVENT_FAULT_OK:
	case EVENT_FAULT_HEAL:
	case EVENT_RELOAD:
		return true;
	case EVENT_PHASE_END:
		return e->flags; /* that it went well is told by the next one's begin */
	case EVENT_ACTION_OK:
		return e->code == ACTION_DEREGISTER || e->code == ACTION_REREGISTER;
	case EVENT_SIGNAL:
		return met(story, e->instance);
	case EVENT_TAP_OPEN:
		return met(story, e->instance);
	case EVENT_EXIT:
		return met(story, e->instance) || !e->instance;
	default:
		return false;
	}
}

/* The end of an instance is felt by its calls before it is seen. */
static bool is_aftermath(const struct story *story, const struct event *e)
{
	enum { aftermath_s = 2 };

	return e->kind == EVENT_EXIT && e->t_ns - story->end_ns <= aftermath_s * NS_PER_S;
}

/* '>' for what a check holds against it, '*' for the event that its cause is told from. */
static char mark_of(const struct story *story, const struct event *e)
{
	char mark = ' ';

	for (size_t i = 0; i < story->mark_count && mark != '>'; i++)
		mark = e->t_ns == story->harms[i] ? '>' : e->t_ns == story->causes[i] ? '*' : mark;
	return mark;
}

static void tell(const struct story *story, const struct history *history, const struct event *e)
{
	struct buf text = buf_init(8192);

	event_describe(history, e, &text);
	for (char *at = text.data; at && (at = strchr(at, '\n'));)
		*at = ' '; /* a line is an event, whatever somebody wrote */
	printf("%c%13s  %s %-8s %-12s %s\n", mark_of(story, e),
	       format_at(e->t_ns, story->start_ns).s, e->call == story->call ? " " : "|",
	       event_witness(e->kind), event_kind_name(e->kind), buf_text(&text));
	buf_free(&text);
}

static void follow(struct story *story, const struct event *e)
{
	story->instances[e->instance / 64] |= 1ULL << e->instance % 64;
	if (e->kind == EVENT_CALL_END) {
		story->ended = true;
		story->end_ns = e->t_ns;
	}
	story->seen++;
}

static int tell_all(struct story *story, struct history *history, struct err *err)
{
	const struct event *e;

	if (history_rewind(history, err) < 0)
		return -1;
	while (history_next(history, &e)) {
		if (e->call == story->call) {
			follow(story, e);
			if (e->kind != EVENT_CMD_INV) /* its outcome says all of it again */
				tell(story, history, e);
		} else if (story->seen && (!story->ended || is_aftermath(story, e)) &&
			   is_context(story, e)) {
			tell(story, history, e);
		}
	}
	return 0;
}

/* ---- what the checks say of it ---- */

static void mark(struct story *story, const struct judgement *judgement)
{
	for (size_t i = 0; i < judgement->finding_count; i++) {
		const struct finding *f = &judgement->findings[i];

		for (size_t j = 0; j < f->witness_count; j++) {
			const struct witness *w = &f->witnesses[j];

			if (w->call != story->call || story->mark_count == MARKS_MAX)
				continue;
			story->harms[story->mark_count] = w->t_ns;
			story->causes[story->mark_count++] = w->cause_ns;
		}
	}
}

static void tell_witness(const struct story *story, const struct finding *f,
			 const struct witness *w)
{
	enum anomaly cause = w->cause ? w->cause : w->anomaly;

	printf("\n%s: %s at %s in %s\n  %s\n", f->name, anomaly_name(w->anomaly),
	       format_at(w->t_ns, story->start_ns).s, phase_name(w->phase), w->text);
	if (w->anomaly != cause)
		printf("  what:  %s\n", anomaly_sentence(w->anomaly));
	printf("  cause: %s: %s\n", anomaly_name(cause), anomaly_sentence(cause));
}

static void tell_verdicts(const struct story *story, const struct judgement *judgement)
{
	size_t told = 0;

	for (size_t i = 0; i < judgement->finding_count; i++) {
		const struct finding *f = &judgement->findings[i];

		for (size_t j = 0; j < f->witness_count; j++)
			if (f->witnesses[j].call == story->call && ++told)
				tell_witness(story, f, &f->witnesses[j]);
	}
	if (!told)
		puts("\nno check holds anything against this call");
}

static int explain(const char *run_dir, const char *word)
{
	struct story story = { .seen = 0 };
	struct judged_run judged = { 0 };
	struct err err = { 0 };
	int code = EXIT_PASS;

	if (judged_run_load(run_dir, &judged, &err) < 0)
		return command_fail(&err);
	if (find_call(judged.history, run_dir, word, &story.call, &err) < 0 ||
	    history_rewind(judged.history, &err) < 0 ||
	    judge_about(judged.scenario, judged.history, story.call, &judged.judgement, &err) < 0) {
		code = command_fail(&err);
		goto out;
	}
	story.start_ns = judged.judgement->start_ns;
	mark(&story, judged.judgement);
	if (tell_all(&story, judged.history, &err) < 0)
		code = command_fail(&err);
	else
		tell_verdicts(&story, judged.judgement);
out:
	judged_run_free(&judged);
	return code;
}

static int run(int argc, char **argv)
{
	struct flags *flags;
	int code = EXIT_USAGE;
	int parsed = flags_parse(&command_explain, NULL, 0, argc, argv, &flags);

	if (parsed)
		return parsed < 0 ? EXIT_USAGE : EXIT_PASS;
	if (flags_expect(&command_explain, flags, 2, 2) == 0)
		code = explain(flags_positional(flags, 0), flags_positional(flags, 1));
	flags_free(flags);
	return code;
}
