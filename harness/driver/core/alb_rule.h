/*
 * The rule of an ALB as DescribeRules tells it (flat), and the form that changes its weights and
 * nothing else. Pure. ModifyRule (ModifyListener, for a default rule) replaces the whole list of
 * actions, so the form repeats all of them: other actions, the stickiness block, other target
 * groups.
 */
#ifndef DRIVER_CORE_ALB_RULE_H
#define DRIVER_CORE_ALB_RULE_H

#include "base/buf.h"
#include "base/err.h"
#include "driver/core/flat.h"

enum { ALB_RULE_GROUPS_MAX = 16 }; /* AWS allows 5 */

struct rule_weight {
	const char *arn;
	int weight;
};

/* The number (from 1) of the rule's forward action, or 0. rule: its number in the answer. */
int alb_rule_forward(const struct flat *, int rule);
/* Does it take the ordinary traffic of this path pattern? One that asks for more (a header, a
 * query, a method, a source address) is somebody's test rule. */
bool alb_rule_has_path(const struct flat *, int rule, const char *pattern);
/* The target groups of the forward action with their weights, in order; their number, at most
 * max. */
int alb_rule_weights(const struct flat *, int rule, struct rule_weight *out, int max);
int alb_rule_stickiness_s(const struct flat *, int rule); /* 0 off */
/* The listener's default rule, which ModifyRule cannot change: it is the listener's own. */
bool alb_rule_is_default(const struct flat *, int rule);
/* ".../listener-rule/app/NAME/LB/LISTENER/RULE" to ".../listener/app/NAME/LB/LISTENER"; NULL when
 * it is no rule's ARN. To be freed. */
char *alb_rule_listener(const char *rule_arn);
/* "GROUP=WEIGHT GROUP=WEIGHT", by the tails of their ARNs. */
void alb_rule_text(const struct flat *, int rule, struct buf *line);
/* Adds the Actions of the rule to a form, in their own order and under the name `list` ("Actions",
 * "DefaultActions"), with these weights in place of theirs; a group not yet in the rule is
 * added. */
int alb_rule_form(const struct flat *, int rule, const char *list,
		  const struct rule_weight *weights, int count, struct buf *form, struct err *);
const char *arn_tail(const char *arn); /* behind the last colon */

#endif
