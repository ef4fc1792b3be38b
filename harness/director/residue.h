/*
 * What a run leaves behind (judgement I12): the supervisor's last look, put on record as `residue`
 * events. It judges nothing, and mends nothing but what the end of the stack mends. Looked at on
 * the local stack only: nobody wants a stranger to walk through all keys of a Redis in use.
 */
#ifndef DIRECTOR_RESIDUE_H
#define DIRECTOR_RESIDUE_H

#include "director/stage.h"
#include "record/lane.h"
#include "scenario/scenario.h"

/* Of the bindings the servers of Redis, "HOST:PORT,...", or "". */
void residue_find_redis(const char *bindings, char *out, size_t size);
/* When all agents have ended, and before Redis does. Of the primary: keys of this run's calls that
 * never expire, or later than declared. Of every server that says what it is: whether a write is
 * answered. While none says it is the primary, each may be: all are looked at. Takes some seconds
 * at most. servers "": does nothing. */
void residue_of_redis(struct lane *, const struct scenario *, const char *servers,
		      const char *run6);
/* Before the first call, and when all callers have gone and agents have not: the descriptors of
 * each. Waits up to a second for sockets that are still being closed. */
void residue_count_descriptors(struct stage *);
void residue_of_agents(struct stage *);
/* When everything has ended: who had to be killed. strays: children that nobody here had started
 * and that had not ended, or -1 when they could not be killed. */
void residue_of_processes(const struct stage *, int strays);

#endif
