/*
 * The parts of the terminal report, in the order they are read: what failed and why, then the
 * tables, then how to repeat it. Sentences are wrapped at 100 columns, tables are as wide as they
 * are.
 */
#ifndef REPORT_CORE_TEXT_H
#define REPORT_CORE_TEXT_H

#include <stdio.h>

#include "report/report.h"

enum { TEXT_COLUMNS = 100 };

/* Verdict, scenario, seed, calls, time, exit code, overlay. */
void text_headline(const struct report_input *, FILE *);
void text_checks(const struct report_input *, FILE *);
void text_gates(const struct report_input *, FILE *);
void text_phases(const struct report_input *, FILE *);
void text_latency(const struct report_input *, FILE *);
void text_redis_claim(const struct report_input *, FILE *); /* nothing when nobody asked Redis */
void text_ledger(const struct report_input *, FILE *);	    /* callers, traffic, ledger */

/* The verdict's word, upper case, padded to the column, colored if told. */
void text_verdict(const struct report_input *, enum verdict, FILE *);
/* Text broken at spaces; the first line goes on at `column`, later ones begin at `indent`. */
void text_wrap(FILE *, size_t column, size_t indent, const char *text);

#endif
