#include "driver/core/alb_find.h"

#include <stdlib.h>
#include <string.h>

#include "driver/core/alb_rule.h"

enum { PAGES_MAX = 64 };

int alb_call_one(struct aws *aws, const char *action, const char *name, const char *value,
		 struct flat *ret, struct err *err)
{
	struct buf form = aws_form(AWS_ELBV2, action);

	aws_add(&form, value, "%s", name);
	return aws_call(aws, AWS_ELBV2, action, &form, ret, err);
}

static int find_group(struct aws *aws, struct alb_arns *arns, enum color color, const char *name,
		      struct err *err)
{
	struct flat flat;
	const char *arn, *balancer;

	if (alb_call_one(aws, "DescribeTargetGroups", "Names.member.1", name, &flat, err) < 0)
		return err_context(err, "target group %s", name);
	arn = flat_get(&flat, "TargetGroups.member.1.TargetGroupArn");
	balancer = flat_get(&flat, "TargetGroups.member.1.LoadBalancerArns.member.1");
	if (arn)
		arns->group[color] = xstrdup(arn);
	if (balancer && !arns->balancer)
		arns->balancer = xstrdup(balancer);
	flat_free(&flat);
	return arn ? 0 : err_set(err, ERR_WORLD, "DescribeTargetGroups: no target group %s", name);
}

/* Counts the rules of one page that match, and keeps the ARN of the last one. */
static int match_rules(struct alb_arns *arns, const struct flat *flat, const char *path)
{
	const char *arn;
	int found = 0;

	for (int i = 1; (arn = flat_get(flat, "Rules.member.%d.RuleArn", i)); i++) {
		if (strcmp(path, "default") ? !alb_rule_has_path(flat, i, path) :
					      !alb_rule_is_default(flat, i))
			continue;
		found++;
		free(arns->rule);
		arns->rule = xstrdup(arn);
	}
	return found;
}

/* All pages of one listener; the number of matches, or -1. */
static int search_listener(struct aws *aws, struct alb_arns *arns, const char *listener,
			   const char *path, struct err *err)
{
	char *marker = NULL;
	int found = 0;

	for (int page = 0; page < PAGES_MAX; page++) {
		struct buf form = aws_form(AWS_ELBV2, "DescribeRules");
		struct flat flat;
		const char *next;

		aws_add(&form, listener, "ListenerArn");
		if (marker)
			aws_add(&form, marker, "Marker");
		free(marker);
		marker = NULL;
		if (aws_call(aws, AWS_ELBV2, "DescribeRules", &form, &flat, err) < 0)
			return -1;
		found += match_rules(arns, &flat, path);
		next = flat_get(&flat, "NextMarker");
		if (next && *next)
			marker = xstrdup(next);
		flat_free(&flat);
		if (!marker)
			break;
	}
	free(marker);
	return found;
}

static int find_rule(struct aws *aws, struct alb_arns *arns, const char *path, struct err *err)
{
	struct flat listeners;
	const char *listener;
	int found = 0, n = 0;

	if (!arns->balancer)
		return err_set(err, ERR_WORLD,
			       "no load balancer uses the target groups; name the rule's ARN");
	if (alb_call_one(aws, "DescribeListeners", "LoadBalancerArn", arns->balancer, &listeners,
			 err) < 0)
		return -1;
	for (int i = 1;
	     n >= 0 && (listener = flat_get(&listeners, "Listeners.member.%d.ListenerArn", i));
	     i++) {
		n = search_listener(aws, arns, listener, path, err);
		found += n;
	}
	flat_free(&listeners);
	if (n < 0)
		return -1;
	if (found != 1)
		return err_set(err, ERR_WORLD, "%d rules %s %s%s", found,
			       strcmp(path, "default") ? "have the path pattern" : "are the", path,
			       found ? "; name the ARN of one" : "");
	return 0;
}

int alb_find(struct aws *aws, const struct driver_settings *settings, struct alb_arns *arns,
	     struct err *err)
{
	*arns = (struct alb_arns){ .rule = NULL };
	if (find_group(aws, arns, COLOR_BLUE, settings->blue ? settings->blue : "blue", err) < 0 ||
	    find_group(aws, arns, COLOR_GREEN, settings->green ? settings->green : "green", err) <
		    0)
		return -1;
	if (settings->rule && *settings->rule) {
		arns->rule = xstrdup(settings->rule);
		return 0;
	}
	if (settings->path)
		return find_rule(aws, arns, settings->path, err);
	return err_set(err, ERR_INPUT, "neither a rule nor a path pattern is given");
}

void alb_arns_free(struct alb_arns *arns)
{
	free(arns->rule);
	free(arns->balancer);
	for (int c = 0; c < COLOR_COUNT; c++)
		free(arns->group[c]);
	*arns = (struct alb_arns){ .rule = NULL };
}
