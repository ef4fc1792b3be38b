#include "check/judge.h"

#include <stdlib.h>

#include "check/core/fold.h"

int judge(const struct scenario *scenario, struct history *history, struct judgement **ret,
	  struct err *err)
{
	return judge_about(scenario, history, 0, ret, err);
}

int judge_about(const struct scenario *scenario, struct history *history, uint64_t call,
		struct judgement **ret, struct err *err)
{
	enum { BATCH = 256 };
	struct event batch[BATCH];
	const struct event *e;
	size_t count = 0;
	uint64_t seen = 0;
	struct fold *fold = fold_new(scenario, history);

	fold_focus(fold, call);
	while (history_next(history, &e)) {
		if (seen++ && fold_passes_by(fold, e))
			continue;
		batch[count++] = *e;
		if (count == BATCH) {
			fold_events(fold, batch, count);
			count = 0;
		}
	}
	fold_events(fold, batch, count);
	if (!seen) {
		fold_free(fold);
		return err_set(err, ERR_INPUT, "the history has no events: nothing to judge");
	}
	*ret = fold_finish(fold);
	fold_free(fold);
	return 0;
}

int judgement_exit_code(const struct judgement *j)
{
	if (j->harness_error)
		return EXIT_HARNESS;
	if (j->verdict == VERDICT_FAIL)
		return EXIT_FAIL;
	if (j->interrupted)
		return EXIT_INTERRUPTED;
	return j->verdict == VERDICT_INCONCLUSIVE ? EXIT_INCONCLUSIVE : EXIT_PASS;
}

void judgement_free(struct judgement *j)
{
	if (!j)
		return;
	for (size_t i = 0; i < j->finding_count; i++)
		finding_free(&j->findings[i]);
	free(j->findings);
	free(j->unasked);
	free(j->gates);
	free(j->phases);
	free(j->latency);
	free(j);
}
