/*
 * What a run directory says about itself beside the record: the command that repeats it and the
 * machine it ran on. For the reader of a report; no verdict looks at them, and a run without them
 * is still judged.
 */
#ifndef COMMAND_CORE_RUN_FACTS_H
#define COMMAND_CORE_RUN_FACTS_H

#include <stddef.h>

#include "base/err.h"

struct run_facts {
	char *again;	    /* NULL when the run does not say */
	char **environment; /* "key=value", NULL-terminated */
};

void run_facts_read(const char *run_dir, struct run_facts *ret);
void run_facts_free(struct run_facts *);
/* Writes RUN/again and RUN/environment. `again` is the command line that repeats the run. */
int run_facts_write(const char *run_dir, const char *again, struct err *);

#endif
