/*
 * Inside the local stack: what its parts are started with. stage_local.c brings them up in order,
 * stage_redis.c and stage_edge.c know one part each. Not for other rooms; errors and ownership as
 * in stage.h.
 */
#ifndef DIRECTOR_STAGE_PARTS_H
#define DIRECTOR_STAGE_PARTS_H

#include "director/stage.h"

enum { PART_READY_S = 20 }; /* from its start to its greeting */

/* An argv under construction; zero-initialised, NULL-terminated, the strings live as long as it.
 * No longer than a scenario makes it. */
struct arguments {
	char **word;
	size_t count;
};

void argument(struct arguments *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A flag and its value. */
void argument_pair(struct arguments *, const char *flag, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Starts the program and frees the arguments, whose first word it is. */
int part_start(struct stage *, struct member_spec, struct arguments *, struct member **ret,
	       struct err *);

/* A redis-server that answers; its HOST:PORT. */
int part_redis(struct stage *, char *address, size_t size, struct err *);
/* The edge before these targets ("color=address" a line), ready: its greeting says where. Makes
 * the stage's credentials, unless they are not wanted. */
int part_edge(struct stage *, const struct scenario *, const struct buf *targets,
	      struct member **ret, struct err *);

#endif
