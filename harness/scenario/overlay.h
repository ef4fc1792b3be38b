/*
 * An overlay: a small file laid over any scenario that changes what the local stack really does,
 * or how a drain begins, and never what the scenario declares. A defect overlay plants a bug the
 * judge must name; a control overlay looks alike and must pass. One that only makes sense over a
 * certain scenario names it as its base: the matrix then plays it over that one.
 */
#ifndef SCENARIO_OVERLAY_H
#define SCENARIO_OVERLAY_H

#include "scenario/document.h"
#include "scenario/scenario.h"

struct overlay {
	char *defect, *control; /* exactly one is set */
	bool has_stack;
	struct stack stack;		/* only the deeds: NULL and -1 leave the scenario's */
	int begin;			/* enum begin_kind, -1 leaves it */
	int64_t deadline_ns;		/* -1 leaves it */
	unsigned skip;			/* 1 << enum phase */
	int certificate;		/* enum certificate_kind, -1 leaves it */
	char *script_defect;		/* NULL leaves it */
	struct expectation expectation; /* its defect member is unused here */
};

int overlay_load(const char *path, struct overlay *ret, struct err *);
void overlay_free(struct overlay *);
/* What contradicts the scenario (a stack that is not local, no drain to change) is ERR_INPUT. */
int overlay_apply(const struct overlay *, const char *overlay_path, struct scenario *,
		  struct err *);

#endif
