/*
 * What the reports say in the same words: the outcome of the whole run, anomalies and reasons as
 * sentences, names of calls and instances even where the record has lost them, and text that JSON
 * and XML accept.
 */
#ifndef REPORT_CORE_WORDS_H
#define REPORT_CORE_WORDS_H

#include "report/core/format.h"
#include "report/report.h"

/* What the exit code means: "pass" "fail" "inconclusive" "harness_error" "interrupted". */
const char *run_outcome(const struct judgement *);
/* What became of a claim: "held", "not held", "not decided". */
const char *claim_word(enum verdict);
/* "torn down before it was drained"; "" for none. */
const char *anomaly_sentence(enum anomaly);
const char *reason_sentence(enum reason);
/* "c-1a2b3c-17", or the 16 hex digits of the hash when the record does not know the id; "" for 0. */
struct formatted call_label(const struct report_input *, uint64_t call);
const char *instance_label(const struct report_input *, uint8_t instance); /* "" when unknown */
/* Words of a step: "shift blue 0 green 100", of a script's by what it asked for; the phase's name
 * for `before` and `after`. */
struct formatted phase_label(const struct scenario *, const struct phase_result *);
/* A measured value or limit of a gate, with its unit. */
struct formatted gate_value(const struct gate *, double value);
/* Date of the run's start, "" when the history has no header. */
struct formatted run_date(const struct report_input *);
/* Copy without control characters and broken UTF-8 ('?' in their place); free it. */
char *text_clean(const char *);

#endif
