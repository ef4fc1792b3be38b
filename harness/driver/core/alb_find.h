/*
 * From names to ARNs: the two target groups, the load balancer that uses them, and the rule that
 * weighs them. Asks the balancer, changes nothing.
 */
#ifndef DRIVER_CORE_ALB_FIND_H
#define DRIVER_CORE_ALB_FIND_H

#include "base/err.h"
#include "driver/core/aws.h"
#include "driver/driver.h"
#include "record/words.h"

struct alb_arns {
	char *rule, *balancer; /* balancer: NULL when no one uses the target groups */
	char *group[COLOR_COUNT];
};

/* By settings' blue, green, and rule or path ("default": the default rule of the one listener).
 * To be freed in any case. */
int alb_find(struct aws *, const struct driver_settings *, struct alb_arns *, struct err *);
void alb_arns_free(struct alb_arns *);
/* A call with one parameter. */
int alb_call_one(struct aws *, const char *action, const char *name, const char *value,
		 struct flat *ret, struct err *);

#endif
