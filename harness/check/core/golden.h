/*
 * For tests only: judges the golden histories of one check,
 * fixtures/histories/<check>-<case>.ndjson, with the scenario of core/story.h, and compares. A
 * golden history convicts its own check and no other, but those the row names. Tests run from the
 * root of the repository.
 */
#ifndef CHECK_CORE_GOLDEN_H
#define CHECK_CORE_GOLDEN_H

/* cmocka wants these first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "check/core/fold.h"
#include "check/core/story.h"
#include "check/judge.h"

struct golden {
	const char *name; /* of the case */
	enum verdict verdict;
	const char *anomalies; /* all of the check's, by a space; "" none */
	const char *also;      /* other checks that fail, by a space; "" none */
	const char *reason;    /* one that must be given when inconclusive; "" any */
};

static inline struct judgement *golden_judge(const char *check, const char *name,
					     const struct scenario *scenario)
{
	struct history *history = NULL;
	struct judgement *judgement = NULL;
	struct err err = { .kind = ERR_NONE };
	char path[256];

	snprintf(path, sizeof(path), "fixtures/histories/%s-%s.ndjson", check, name);
	if (history_open(path, &history, &err) < 0 ||
	    judge(scenario, history, &judgement, &err) < 0)
		fail_msg("%s", err.text);
	history_free(history);
	return judgement;
}

/* Events of a story, judged without a record. */
static inline struct judgement *golden_story(const struct story *story,
					     const struct scenario *scenario)
{
	struct fold *fold = fold_new(scenario, NULL);
	struct judgement *j;

	fold_events(fold, story->events, story->count);
	j = fold_finish(fold);
	fold_free(fold);
	return j;
}

static inline const struct finding *golden_finding(const struct judgement *j, const char *check)
{
	for (size_t i = 0; i < j->finding_count; i++) {
		if (!strcmp(j->findings[i].name, check))
			return &j->findings[i];
	}
	fail_msg("no check %s", check);
	return NULL;
}

/* What a finding says, for comparing and for failing tests. */
static inline void golden_tell(const struct finding *f, struct buf *anomalies, struct buf *all)
{
	for (unsigned a = 0; a < ANOMALY_COUNT; a++) {
		if (f->anomalies[a] && a)
			buf_printf(anomalies, "%s%s", anomalies->len ? " " : "", anomaly_name(a));
	}
	buf_printf(all, "%s %s: %s", verdict_name(f->verdict), f->name, f->summary);
	for (size_t i = 0; i < f->reason_count; i++)
		buf_printf(all, "\n  %s: %s", reason_name(f->reasons[i].reason),
			   f->reasons[i].text);
	for (size_t i = 0; i < f->witness_count; i++)
		buf_printf(all, "\n  %s: %s", anomaly_name(f->witnesses[i].anomaly),
			   f->witnesses[i].text);
}

static inline bool golden_lists(const char *words, const char *name)
{
	size_t size = strlen(name);

	for (const char *at = words; (at = strstr(at, name)); at += size)
		if ((at == words || at[-1] == ' ') && (!at[size] || at[size] == ' '))
			return true;
	return false;
}

static inline void golden_compare(const struct golden *row, const char *check,
				  const struct judgement *j)
{
	const struct finding *f = golden_finding(j, check);
	struct buf anomalies = buf_init(1024), all = buf_init(65536);
	bool reason = !*row->reason;

	golden_tell(f, &anomalies, &all);
	for (size_t i = 0; i < f->reason_count; i++)
		reason |= !strcmp(reason_name(f->reasons[i].reason), row->reason);
	if (f->verdict != row->verdict || strcmp(buf_text(&anomalies), row->anomalies) != 0 ||
	    !reason || j->harness_error)
		fail_msg("%s-%s: expected %s [%s] %s, got [%s]%s\n%s", check, row->name,
			 verdict_name(row->verdict), row->anomalies, row->reason,
			 buf_text(&anomalies), j->harness_text, buf_text(&all));
	for (size_t i = 0; i < j->finding_count; i++) {
		const struct finding *other = &j->findings[i];
		bool named = other == f || golden_lists(row->also, other->name);
		if ((other->verdict == VERDICT_FAIL) == named || other == f)
			continue;
		buf_clear(&all);
		golden_tell(other, &anomalies, &all);
		fail_msg("%s-%s: %s", check, row->name, buf_text(&all));
	}
	buf_free(&anomalies);
	buf_free(&all);
}

static inline void golden_all(const char *check, const struct golden *rows, size_t count,
			      const struct gate *gate)
{
	struct story_scenario story;

	story_scenario(&story);
	if (gate) {
		story.gate = *gate;
		story.scenario.gates = &story.gate;
		story.scenario.gate_count = 1;
	}
	for (size_t i = 0; i < count; i++) {
		struct judgement *j = golden_judge(check, rows[i].name, &story.scenario);
		golden_compare(&rows[i], check, j);
		judgement_free(j);
	}
}

#endif
