/*
 * The fold under the judge: events in, judgement out, from wherever they come. judge() feeds it a
 * history; tests and the bench feed it events they made up.
 *
 *   struct fold *f = fold_new(scenario, history or NULL);
 *   fold_event(f, &e) ...            in the order of t_ns
 *   struct judgement *j = fold_finish(f);
 *   fold_free(f);
 *
 * Without a history there are no names (numbers are printed) and no lanes (nothing can be damaged).
 */
#ifndef CHECK_CORE_FOLD_H
#define CHECK_CORE_FOLD_H

#include "check/judge.h"

struct fold;

struct fold *fold_new(const struct scenario *, const struct history *names);
/* Witnesses of this call are kept in any case (struct finding, focus). Before the first event. */
void fold_focus(struct fold *, uint64_t call);
void fold_event(struct fold *, const struct event *);
/* Events of one array, with their calls fetched ahead of time: what judge() does. */
void fold_events(struct fold *, const struct event *, size_t count);
/* True: nobody wants this one; it is counted, and not for fold_event. Not asked of the first. */
bool fold_passes_by(struct fold *, const struct event *);
/* Once. The judgement is the caller's. */
struct judgement *fold_finish(struct fold *);
void fold_free(struct fold *);

#endif
