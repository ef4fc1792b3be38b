/*
 * Numbers and times as people read them, by value so that they fit into an argument list:
 * fprintf(out, "%s calls", format_count(n).s). Nothing here is for machines: those get plain
 * numbers.
 */
#ifndef REPORT_CORE_FORMAT_H
#define REPORT_CORE_FORMAT_H

#include <stdint.h>

struct formatted {
	char s[48];
};

struct formatted format_count(uint64_t n);                    /* "2,000" */
struct formatted format_duration(int64_t ns);                 /* "3.2 ms", "12.4 s", "1 min 40 s" */
/* "1,234.5": milliseconds for a table's column */
struct formatted format_ms(int64_t ns);
struct formatted format_at(int64_t t_ns, int64_t start_ns);   /* "+41.203 s" */
struct formatted format_bytes(uint64_t bytes);                /* "61 MB" */
struct formatted format_number(double value);                 /* "3", "0.25" */
struct formatted format_utc(int64_t realtime_ns);             /* "2026-01-31T12:00:00Z" */

#endif
