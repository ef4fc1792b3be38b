#include "driver/core/alb_rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver/core/aws.h"

enum { GROUPS_MAX = ALB_RULE_GROUPS_MAX, PREFIX_BYTES_MAX = 128 };

int alb_rule_forward(const struct flat *f, int rule)
{
	const char *type;

	for (int i = 1; (type = flat_get(f, "Rules.member.%d.Actions.member.%d.Type", rule, i));
	     i++)
		if (!strcmp(type, "forward"))
			return i;
	return 0;
}

/* May be told in two ways: plainly, or in the condition's own block. */
static bool has_value(const struct flat *f, int rule, int condition, const char *value)
{
	static const char *const lists[] = { "Values", "PathPatternConfig.Values" };
	const char *text;

	for (size_t l = 0; l < sizeof lists / sizeof *lists; l++)
		for (int v = 1;
		     (text = flat_get(f, "Rules.member.%d.Conditions.member.%d.%s.member.%d", rule,
				      condition, lists[l], v));
		     v++)
			if (!strcmp(text, value))
				return true;
	return false;
}

bool alb_rule_has_path(const struct flat *f, int rule, const char *pattern)
{
	bool found = false;

	for (int c = 1; flat_has(f, "Rules.member.%d.Conditions.member.%d", rule, c); c++) {
		const char *field = flat_get(f, "Rules.member.%d.Conditions.member.%d.Field", rule,
					     c);

		if (field && !strcmp(field, "path-pattern"))
			found = found || has_value(f, rule, c, pattern);
		else if (!field || strcmp(field, "host-header"))
			return false;
	}
	return found;
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

bool alb_rule_is_default(const struct flat *f, int rule)
{
	const char *text = flat_get(f, "Rules.member.%d.IsDefault", rule);

	return text && !strcmp(text, "true");
}

char *alb_rule_listener(const char *rule_arn)
{
	static const char kind[] = ":listener-rule/";
	const char *at = strstr(rule_arn, kind), *rule = strrchr(rule_arn, '/');

	if (!at || rule < at + sizeof kind - 1)
		return NULL;
	return xasprintf("%.*s:listener/%.*s", (int)(at - rule_arn), rule_arn,
			 (int)(rule - (at + sizeof kind - 1)), at + sizeof kind - 1);
}

const char *arn_tail(const char *arn)
{
	const char *colon = strrchr(arn, ':');

	return colon ? colon + 1 : arn;
}

void alb_rule_text(const struct flat *f, int rule, struct buf *line)
{
	struct rule_weight group[GROUPS_MAX];
	int n = alb_rule_weights(f, rule, group, GROUPS_MAX);

	for (int i = 0; i < n; i++)
		buf_printf(line, "%s%s=%d", i ? " " : "", arn_tail(group[i].arn), group[i].weight);
}

/* Where the pairs of one forward action are: names begin with these. */
struct form_names {
	char actions[PREFIX_BYTES_MAX]; /* every action of the rule */
	char groups[PREFIX_BYTES_MAX];	/* the target groups of the forward */
	char single[PREFIX_BYTES_MAX];	/* the short form of one target group */
};

static bool begins(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static void add_groups(const struct rule_weight *group, int n, const char *list, int action,
		       struct buf *form)
{
	for (int i = 0; i < n; i++) {
		char number[16];

		snprintf(number, sizeof number, "%d", group[i].weight);
		aws_add(form, group[i].arn,
			"%s.member.%d.ForwardConfig.TargetGroups.member.%d.TargetGroupArn", list,
			action, i + 1);
		aws_add(form, number, "%s.member.%d.ForwardConfig.TargetGroups.member.%d.Weight",
			list, action, i + 1);
	}
}

/* Lists that came back empty are not sent: "Name=" would ask for an empty list where nothing was
 * set. */
static void add_pairs(const struct flat *f, const struct form_names *names, const char *list,
		      int action, const struct rule_weight *group, int n, struct buf *form)
{
	size_t skip = strlen(names->actions);
	bool placed = false;

	for (size_t i = 0; i < f->count; i++) {
		const char *name = f->pair[i].name;

		if (!begins(name, names->actions) || !strcmp(name, names->single))
			continue;
		if (!begins(name, names->groups)) {
			if (*f->pair[i].value)
				aws_add(form, f->pair[i].value, "%s.%s", list, name + skip);
		} else if (!placed) {
			add_groups(group, n, list, action, form);
			placed = true;
		}
	}
	if (!placed)
		add_groups(group, n, list, action, form);
}

int alb_rule_form(const struct flat *f, int rule, const char *list,
		  const struct rule_weight *weights, int count, struct buf *form, struct err *err)
{
	struct rule_weight group[GROUPS_MAX];
	int action = alb_rule_forward(f, rule), n;
	struct form_names names;

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
	snprintf(names.actions, sizeof names.actions, "Rules.member.%d.Actions.", rule);
	snprintf(names.groups, sizeof names.groups,
		 "Rules.member.%d.Actions.member.%d.ForwardConfig.TargetGroups.", rule, action);
	snprintf(names.single, sizeof names.single,
		 "Rules.member.%d.Actions.member.%d.TargetGroupArn", rule, action);
	add_pairs(f, &names, list, action, group, n, form);
	return 0;
}
