/*
 * The rule of an ALB as DescribeRules tells it (flat), and the form that changes its weights and
 * nothing else. Pure. ModifyRule replaces the whole list of actions, so the form repeats all of
 * them: other actions, the stickiness block, other target groups.
 */
#ifndef DRIVER_CORE_ALB_RULE_H
#define DRIVER_CORE_ALB_RULE_H

#include "base/buf.h"
#include "base/err.h"
#include "driver/core/flat.h"

struct rule_weight {
	const char *arn;
	int weight;
};

/* The number (from 1) of the rule's forward action, or 0. rule: its number in the answer. */
int alb_rule_forward(const struct flat *, int rule);
/* Does one of its conditions have this path pattern? */
bool alb_rule_has_path(const struct flat *, int rule, const char *pattern);
/* The target groups of the forward action with their weights, in order; their number, at most
 * max. */
int alb_rule_weights(const struct flat *, int rule, struct rule_weight *out, int max);
int alb_rule_stickiness_s(const struct flat *, int rule); /* 0 off */
/* Adds the Actions of the rule to a form, with these weights in place of theirs; a group not yet
 * in the rule is added. */
int alb_rule_form(const struct flat *, int rule, const struct rule_weight *weights, int count,
		  struct buf *form, struct err *);

#endif
