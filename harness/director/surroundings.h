/*
 * What surrounds a stack, as environment variables: for the operator's script, for `crossfade
 * stack up`, for anybody with a shell. A pure function of the bindings (stage.h) and the scenario;
 * it looks at nothing and starts nothing.
 *
 *   ENDPOINT_URL AWS_REGION AWS_DEFAULT_REGION
 *   AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN (empty)
 *   AWS_EC2_METADATA_DISABLED AWS_PAGER (empty)         the AWS CLI finds the local balancer
 *   LOAD_BALANCER_ARN LISTENER_ARN RULE_ARN BLUE_TARGET_GROUP_ARN GREEN_TARGET_GROUP_ARN
 *   BLUE_INSTANCES GREEN_INSTANCES ("host:port ...") BLUE_PIDS GREEN_PIDS ("pid ...")
 *   WS_URL (target.url up to the call's id) TEST_HEADER REDIS CROSSFADE (our own binary)
 *   CA_FILE (of a wss WS_URL)
 *   REDIS_SERVERS REDIS_SENTINELS ("host:port,...") REDIS_MASTER (behind Sentinel)
 *
 * What is not known is left out: of a deployed system that is most of it, and region and
 * credentials are the caller's own. The lines hold a secret: they go into an environment, nowhere
 * else.
 */
#ifndef DIRECTOR_SURROUNDINGS_H
#define DIRECTOR_SURROUNDINGS_H

#include "base/err.h"
#include "director/stage.h"
#include "scenario/scenario.h"

enum { SURROUNDINGS_MAX = 32 };

struct surroundings {
	char *line[SURROUNDINGS_MAX + 1]; /* "NAME=value", NULL-terminated */
	size_t count;
};

/* bindings: "name=value" a line. credentials: key_id empty when there are none. crossfade: path
 * of our own binary. To be freed also after a failure. */
int stack_environment(const struct scenario *, const char *bindings,
		      const struct stage_credentials *, const char *crossfade,
		      struct surroundings *ret, struct err *);
void surroundings_free(struct surroundings *);

#endif
