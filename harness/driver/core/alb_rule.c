#include "driver/core/alb_rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver/core/elbv2.h"

enum { GROUPS_MAX = 16, PREFIX_BYTES_MAX = 128 };

int alb_rule_forward(const struct flat *f, int rule)
{
	const char *type;

	for (int i = 1; (type = flat_get(f, "Rules.member.%d.Actions.member.%d.Type", rule, i));
	     i++)
		if (!strcmp(type, "forward"))
			return i;
	return 0;
}

bool alb_rule_has_path(const struct flat *f, int rule, const char *pattern)
{
	static const char *const lists[] = { "Values", "PathPatternConfig.Values" };
	const char *value;

	for (int c = 1; flat_has(f, "Rules.member.%d.Conditions.member.%d", rule, c); c++) {
		const char *field = flat_get(f, "Rules.member.%d.Conditions.member.%d.Field", rule,
					     c);

		if (!field || strcmp(field, "path-pattern"))
			continue;
		for (size_t l = 0; l < sizeof lists / sizeof *lists; l++)
			for (int v = 1;
			     (value = flat_get(f,
					       "Rules.member.%d.Conditions.member.%d.%s.member.%d",
					       rule, c, lists[l], v));
			     v++)
				if (!strcmp(value, pattern))
					return true;
	}
	return false;
}

int alb_rule_weights(const struct flat *f, int rule, struct rule_weight *out, int max)
{
	int action = alb_rule_forward(f, rule), n = 0;
	const char *arn, *weight;
	char list[PREFIX_BYTES_MAX];

	snprintf(list, sizeof list, "Rules.member.%d.Actions.member.%d", rule, action);
	while (n < max &&
	       (arn = flat_get(f, "%s.ForwardConfig.TargetGroups.member.%d.TargetGroupArn", list,
			       n + 1))) {
		weight = flat_get(f, "%s.ForwardConfig.TargetGroups.member.%d.Weight", list, n + 1);
		out[n++] = (struct rule_weight){ .arn = arn, .weight = weight ? atoi(weight) : 1 };
	}
	/* A forward to a single group may be told without a ForwardConfig. */
	if (!n && max && (arn = flat_get(f, "%s.TargetGroupArn", list)))
		out[n++] = (struct rule_weight){ .arn = arn, .weight = 1 };
	return n;
}

int alb_rule_stickiness_s(const struct flat *f, int rule)
{
	char block[PREFIX_BYTES_MAX];
	const char *enabled, *duration;

	snprintf(block, sizeof block,
		 "Rules.member.%d.Actions.member.%d.ForwardConfig.TargetGroupStickinessConfig",
		 rule, alb_rule_forward(f, rule));
	enabled = flat_get(f, "%s.Enabled", block);
	duration = flat_get(f, "%s.DurationSeconds", block);
	return enabled && !strcmp(enabled, "true") && duration ? atoi(duration) : 0;
}

/* Lists that came back empty are not sent: "Name=" would ask for an empty list where nothing was
 * set. */
static void copy_other_pairs(const struct flat *f, int rule, int action, struct buf *form)
{
	char actions[PREFIX_BYTES_MAX], groups[PREFIX_BYTES_MAX], single[PREFIX_BYTES_MAX];
	size_t skip = (size_t)snprintf(actions, sizeof actions, "Rules.member.%d.", rule);

	snprintf(actions, sizeof actions, "Rules.member.%d.Actions.member.", rule);
	snprintf(groups, sizeof groups,
		 "Rules.member.%d.Actions.member.%d.ForwardConfig.TargetGroups.", rule, action);
	snprintf(single, sizeof single, "Rules.member.%d.Actions.member.%d.TargetGroupArn", rule,
		 action);
	for (size_t i = 0; i < f->count; i++) {
		const char *name = f->pair[i].name;

		if (!strncmp(name, actions, strlen(actions)) &&
		    strncmp(name, groups, strlen(groups)) && strcmp(name, single) &&
		    *f->pair[i].value)
			elbv2_add(form, f->pair[i].value, "%s", name + skip);
	}
}

int alb_rule_form(const struct flat *f, int rule, const struct rule_weight *weights, int count,
		  struct buf *form, struct err *err)
{
	struct rule_weight group[GROUPS_MAX];
	int action = alb_rule_forward(f, rule), n;
	char number[16];

	if (!action)
		return err_set(err, ERR_WORLD, "the rule has no forward action");
	n = alb_rule_weights(f, rule, group, GROUPS_MAX);
	for (int w = 0; w < count; w++) {
		int at = 0;

		while (at < n && strcmp(group[at].arn, weights[w].arn))
			at++;
		if (at == GROUPS_MAX)
			return err_set(err, ERR_WORLD, "the rule has more than %d target groups",
				       GROUPS_MAX);
		group[at] = weights[w];
		if (at == n)
			n++;
	}
	copy_other_pairs(f, rule, action, form);
	for (int i = 0; i < n; i++) {
		snprintf(number, sizeof number, "%d", group[i].weight);
		elbv2_add(form, group[i].arn,
			  "Actions.member.%d.ForwardConfig.TargetGroups.member.%d.TargetGroupArn",
			  action, i + 1);
		elbv2_add(form, number,
			  "Actions.member.%d.ForwardConfig.TargetGroups.member.%d.Weight", action,
			  i + 1);
	}
	return 0;
}
