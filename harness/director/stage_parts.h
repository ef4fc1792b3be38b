/*
 * Inside the local stack: what its parts are started with. stage_local.c brings them up in order,
 * stage_redis.c, stage_sentinel.c and stage_edge.c know one part each. Not for other rooms; errors
 * and ownership as in stage.h.
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

/* Until it is so: true; false when the member has ended, the time is over, the stage cancelled. */
bool part_comes(struct member *, bool (*is)(const void *about), const void *about);

enum { REDIS_SERVERS_MAX = 3, REDIS_SENTINELS_MAX = 3 };

struct redis_server {
	struct member *member;
	char address[32]; /* HOST:PORT */
};

struct redis_part {
	struct redis_server server[REDIS_SERVERS_MAX], sentinel[REDIS_SENTINELS_MAX];
	size_t servers, sentinels; /* server[0] is the primary, to begin with */
};

/* As the scenario wants it; every server answers, replicas follow, Sentinels know each other. */
int part_redis(struct stage *, const struct scenario *, struct redis_part *ret, struct err *);
int part_sentinel(struct stage *, struct redis_part *ret, struct err *);
/* The words of a server's command line after the program. */
typedef int part_words(struct stage *, const char *name, int port, const void *about,
		       struct arguments *, struct err *);
part_words part_redis_words;
/* One redis-server on a free port that answers. */
int part_redis_server(struct stage *, const char *name, part_words *, const void *about,
		      struct redis_server *ret, struct err *);
/* The edge before these targets ("color=address" a line), ready: its greeting says where. Makes
 * the stage's credentials, unless they are not wanted. */
int part_edge(struct stage *, const struct scenario *, const struct buf *targets,
	      struct member **ret, struct err *);

#endif
