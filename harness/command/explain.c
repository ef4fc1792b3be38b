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
	.help = "CALL is an id as the reports print it. What happened to the world meanwhile (weights, phases, signals to the\n"
		"call's instances) stands between its own events, marked with a bar. Exit code 0, whatever became of the call.\n"
		"\n"
		"example: crossfade explain runs/blue_green/latest c-1a2b3c-17\n",
	.run = run,
};

/* Follows one call through the history. */
struct story {
	uint64_t call;
	int64_t start_ns;      /* of the run: times are printed from there */
	uint64_t instances[4]; /* set of the instances it met */
	uint64_t seen;
	bool ended;
	int64_t end_ns;
	char some_call[64]; /* an id of this run, for a helpful error */
};

static bool met(const struct story *story, uint8_t instance)
{
	return instance && (story->instances[instance / 64] >> instance % 64 & 1);
}

/* What of the world belongs into the story of a call. */
static bool is_context(const struct story *story, const struct event *e)
{
	switch (e->kind) {
	case EVENT_PHASE_BEGIN:
	case EVENT_PHASE_END:
	case EVENT_WEIGHT_INV:
	case EVENT_WEIGHT_OK:
	case EVENT_BELIEF:
		return true;
	case EVENT_ACTION_OK:
		return e->code == ACTION_DEREGISTER || e->code == ACTION_REREGISTER;
	case EVENT_SIGNAL:
	case EVENT_EXIT:
		return met(story, e->instance);
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

static void tell(const struct story *story, const struct history *history, const struct event *e)
{
	struct buf text = buf_init(8192);

	event_describe(history, e, &text);
	printf("%14s  %s %-8s %-12s %s\n", format_at(e->t_ns, story->start_ns).s,
	       e->call == story->call ? " " : "|", event_witness(e->kind), event_kind_name(e->kind),
	       buf_text(&text));
	buf_free(&text);
}

static int tell_all(struct story *story, struct history *history, struct err *err)
{
	const struct event *e;

	if (history_rewind(history, err) < 0)
		return -1;
	while (history_next(history, &e)) {
		if (e->call == story->call) {
			story->instances[e->instance / 64] |= 1ULL << e->instance % 64;
			if (e->kind == EVENT_CALL_END) {
				story->ended = true;
				story->end_ns = e->t_ns;
			}
			story->seen++;
			tell(story, history, e);
		} else if (story->seen && (!story->ended || is_aftermath(story, e)) &&
			   is_context(story, e)) {
			tell(story, history, e);
		}
		if (!*story->some_call && e->kind == EVENT_CALL_START)
			snprintf(story->some_call, sizeof(story->some_call), "%s",
				 history_call(history, e->call));
	}
	return 0;
}

/* What the checks say of this call. */
static void tell_verdicts(const struct story *story, const struct judgement *judgement)
{
	size_t told = 0;

	for (size_t i = 0; i < judgement->finding_count; i++) {
		const struct finding *f = &judgement->findings[i];

		for (size_t j = 0; j < f->witness_count; j++) {
			const struct witness *w = &f->witnesses[j];

			if (w->call != story->call)
				continue;
			printf("%s%s\n  %s at %s: %s\n", told ? "" : "\n", f->name,
			       anomaly_name(w->anomaly), format_at(w->t_ns, story->start_ns).s,
			       w->text);
			printf("  cause: %s: %s\n", anomaly_name(w->cause ? w->cause : w->anomaly),
			       anomaly_sentence(w->cause ? w->cause : w->anomaly));
			told++;
		}
	}
	if (!told)
		puts("\nno check holds anything against this call");
}

static int explain(const char *run_dir, const char *id)
{
	struct story story = { .call = hash_id(id, strlen(id)) };
	struct judged_run judged = { 0 };
	struct err err = { 0 };
	int code = EXIT_PASS;

	if (judged_run_open(run_dir, &judged, &err) < 0)
		return command_fail(&err);
	story.start_ns = judged.judgement->start_ns;
	if (tell_all(&story, judged.history, &err) < 0) {
		code = command_fail(&err);
	} else if (!story.seen) {
		err_set(&err, ERR_INPUT,
			"explain: no call \"%s\" in %s; its calls look like \"%s\"", id, run_dir,
			story.some_call);
		code = command_fail(&err);
	} else {
		tell_verdicts(&story, judged.judgement);
	}
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
