/* Application Load Balancers over the ELBv2 Query API: AWS itself, or the edge of the local
 * stack. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "driver/core/alb_rule.h"
#include "driver/core/alb_targets.h"
#include "driver/core/elbv2.h"
#include "driver/driver.h"

enum { GROUPS_MAX = 16, WEIGHT_MAX = 999, PAGES_MAX = 64 };
static const int64_t call_within_ns = 10 * NS_PER_S;

struct driver_session {
	struct elbv2 elbv2;
	char *rule_arn, *balancer_arn; /* balancer_arn may be NULL */
	char *group_arn[COLOR_COUNT];
	struct alb_target taken[COLOR_COUNT][ALB_TARGETS_MAX]; /* by deregister, for reregister */
	int taken_count[COLOR_COUNT];
};

static int fail(struct err *err)
{
	return err_context(err, "alb driver");
}

static void begin(struct driver_session *s)
{
	s->elbv2.deadline_ns = clock_now_ns() + call_within_ns;
}

static int call_one(struct driver_session *s, const char *action, const char *name,
		    const char *value, struct flat *ret, struct err *err)
{
	struct buf form = elbv2_form(action);

	elbv2_add(&form, value, "%s", name);
	return elbv2_call(&s->elbv2, action, &form, ret, err);
}

/* ---- opening: names to ARNs, path to rule ---- */

static int find_group(struct driver_session *s, enum color color, const char *name, struct err *err)
{
	struct flat flat;
	const char *arn, *balancer;

	if (call_one(s, "DescribeTargetGroups", "Names.member.1", name, &flat, err) < 0)
		return err_context(err, "target group %s", name);
	arn = flat_get(&flat, "TargetGroups.member.1.TargetGroupArn");
	balancer = flat_get(&flat, "TargetGroups.member.1.LoadBalancerArns.member.1");
	if (arn)
		s->group_arn[color] = xstrdup(arn);
	if (balancer && !s->balancer_arn)
		s->balancer_arn = xstrdup(balancer);
	flat_free(&flat);
	return arn ? 0 : err_set(err, ERR_WORLD, "DescribeTargetGroups: no target group %s", name);
}

/* Counts the rules of one page that match, and keeps the ARN of the last one. */
static int match_rules(struct driver_session *s, const struct flat *flat, const char *path)
{
	const char *arn;
	int found = 0;

	for (int i = 1; (arn = flat_get(flat, "Rules.member.%d.RuleArn", i)); i++) {
		if (!alb_rule_has_path(flat, i, path))
			continue;
		found++;
		free(s->rule_arn);
		s->rule_arn = xstrdup(arn);
	}
	return found;
}

/* All pages of one listener; the number of matches, or -1. */
static int search_listener(struct driver_session *s, const char *listener, const char *path,
			   struct err *err)
{
	char *marker = NULL;
	int found = 0;

	for (int page = 0; page < PAGES_MAX; page++) {
		struct buf form = elbv2_form("DescribeRules");
		struct flat flat;
		const char *next;

		elbv2_add(&form, listener, "ListenerArn");
		if (marker)
			elbv2_add(&form, marker, "Marker");
		free(marker);
		marker = NULL;
		if (elbv2_call(&s->elbv2, "DescribeRules", &form, &flat, err) < 0)
			return -1;
		found += match_rules(s, &flat, path);
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

static int find_rule(struct driver_session *s, const char *path, struct err *err)
{
	struct flat listeners;
	const char *listener;
	int found = 0, n = 0;

	if (!s->balancer_arn)
		return err_set(err, ERR_WORLD,
			       "no load balancer uses the target groups; name the rule's ARN");
	if (call_one(s, "DescribeListeners", "LoadBalancerArn", s->balancer_arn, &listeners, err) <
	    0)
		return -1;
	for (int i = 1;
	     n >= 0 && (listener = flat_get(&listeners, "Listeners.member.%d.ListenerArn", i));
	     i++) {
		n = search_listener(s, listener, path, err);
		found += n;
	}
	flat_free(&listeners);
	if (n < 0)
		return -1;
	if (found != 1)
		return err_set(err, ERR_WORLD, "%d rules have the path pattern %s%s", found, path,
			       found ? "; name the ARN of one" : "");
	return 0;
}

static void alb_close(struct driver_session *s)
{
	if (!s)
		return;
	elbv2_free(&s->elbv2);
	free(s->rule_arn);
	free(s->balancer_arn);
	for (int c = 0; c < COLOR_COUNT; c++)
		free(s->group_arn[c]);
	free(s);
}

static int alb_open(const struct driver_settings *settings, struct driver_session **ret,
		    struct err *err)
{
	struct driver_session *s = xcalloc(1, sizeof *s);
	int failed;

	elbv2_init(&s->elbv2, settings->endpoint,
		   settings->region ? settings->region : "us-east-1");
	begin(s);
	failed = find_group(s, COLOR_BLUE, settings->blue ? settings->blue : "blue", err) < 0 ||
		 find_group(s, COLOR_GREEN, settings->green ? settings->green : "green", err) < 0;
	if (!failed && settings->rule)
		s->rule_arn = xstrdup(settings->rule);
	else if (!failed && settings->path)
		failed = find_rule(s, settings->path, err) < 0;
	else if (!failed)
		failed = err_set(err, ERR_INPUT, "neither a rule nor a path pattern is given") < 0;
	if (failed) {
		alb_close(s);
		return fail(err);
	}
	*ret = s;
	return 0;
}

/* ---- reading ---- */

static int read_targets(struct driver_session *s, enum color color, struct alb_target *out,
			struct err *err)
{
	struct flat flat;
	int n;

	if (call_one(s, "DescribeTargetHealth", "TargetGroupArn", s->group_arn[color], &flat, err) <
	    0)
		return -1;
	n = alb_targets_read(&flat, out, err);
	flat_free(&flat);
	return n;
}

static int read_rule(struct driver_session *s, struct flat *ret, struct err *err)
{
	if (call_one(s, "DescribeRules", "RuleArns.member.1", s->rule_arn, ret, err) < 0)
		return -1;
	if (alb_rule_forward(ret, 1))
		return 0;
	flat_free(ret);
	return err_set(err, ERR_WORLD, "DescribeRules: rule %s has no forward action", s->rule_arn);
}

/* The value of an attribute in a Describe...Attributes answer. */
static const char *attribute(const struct flat *flat, const char *key)
{
	const char *k;

	for (int i = 1; (k = flat_get(flat, "Attributes.member.%d.Key", i)); i++)
		if (!strcmp(k, key))
			return flat_get(flat, "Attributes.member.%d.Value", i);
	return NULL;
}

static int number(const char *text)
{
	return text ? atoi(text) : 0;
}

struct group_timers {
	int stickiness_s, deregistration_delay_s;
};

static int read_group_timers(struct driver_session *s, enum color color, struct group_timers *ret,
			     struct err *err)
{
	struct flat flat;
	const char *enabled, *type;

	if (call_one(s, "DescribeTargetGroupAttributes", "TargetGroupArn", s->group_arn[color],
		     &flat, err) < 0)
		return -1;
	enabled = attribute(&flat, "stickiness.enabled");
	type = attribute(&flat, "stickiness.type");
	ret->deregistration_delay_s = number(
		attribute(&flat, "deregistration_delay.timeout_seconds"));
	ret->stickiness_s = 0;
	if (enabled && !strcmp(enabled, "true"))
		ret->stickiness_s = number(
			attribute(&flat, type && !strcmp(type, "app_cookie") ?
						 "stickiness.app_cookie.duration_seconds" :
						 "stickiness.lb_cookie.duration_seconds"));
	flat_free(&flat);
	return 0;
}

static int read_idle_timeout(struct driver_session *s, int *ret_s, struct err *err)
{
	struct flat flat;

	if (!s->balancer_arn)
		return 0;
	if (call_one(s, "DescribeLoadBalancerAttributes", "LoadBalancerArn", s->balancer_arn, &flat,
		     err) < 0)
		return -1;
	*ret_s = number(attribute(&flat, "idle_timeout.timeout_seconds"));
	flat_free(&flat);
	return 0;
}

static const char *tail(const char *arn)
{
	const char *colon = strrchr(arn, ':');

	return colon ? colon + 1 : arn;
}

static int read_view(struct driver_session *s, struct driver_view *v, struct buf *line,
		     struct err *err)
{
	struct rule_weight group[GROUPS_MAX];
	struct group_timers timers[COLOR_COUNT];
	struct flat rule;
	struct alb_target *target;
	int n, result = 0;

	if (read_rule(s, &rule, err) < 0)
		return -1;
	v->group_stickiness_s = alb_rule_stickiness_s(&rule, 1);
	buf_printf(line, "%s", tail(s->rule_arn));
	n = alb_rule_weights(&rule, 1, group, GROUPS_MAX);
	for (int i = 0; i < n; i++) {
		buf_printf(line, " %s=%d", tail(group[i].arn), group[i].weight);
		for (enum color c = COLOR_BLUE; c <= COLOR_GREEN; c++)
			if (!strcmp(group[i].arn, s->group_arn[c]))
				v->weight[c] = group[i].weight;
	}
	flat_free(&rule);
	target = xcalloc(ALB_TARGETS_MAX, sizeof *target);
	for (enum color c = COLOR_BLUE; !result && c <= COLOR_GREEN; c++) {
		n = read_targets(s, c, target, err);
		if (n < 0 || read_group_timers(s, c, &timers[c], err) < 0) {
			result = -1;
			break;
		}
		for (int i = 0; i < n; i++) {
			v->registered[c] += target[i].registered;
			v->healthy[c] += target[i].registered && target[i].healthy;
		}
		buf_printf(line, " %s_targets=", color_name(c));
		alb_targets_write(target, n, line);
		buf_printf(line, " %s_stickiness=%d %s_deregistration_delay=%d", color_name(c),
			   timers[c].stickiness_s, color_name(c), timers[c].deregistration_delay_s);
	}
	free(target);
	if (result || read_idle_timeout(s, &v->idle_timeout_s, err) < 0)
		return -1;
	/* Blue is the color that leaves: its timers are the ones a cutover meets. */
	v->target_stickiness_s = timers[COLOR_BLUE].stickiness_s;
	v->deregistration_delay_s = timers[COLOR_BLUE].deregistration_delay_s;
	buf_printf(line, " group_stickiness=%d idle_timeout=%d", v->group_stickiness_s,
		   v->idle_timeout_s);
	return 0;
}

static int alb_read(struct driver_session *s, struct driver_view *ret, struct err *err)
{
	struct driver_view view = { .idle_timeout_s = 0 };
	struct buf line = buf_init(DRIVER_TEXT_MAX - 1);
	int result;

	begin(s);
	result = read_view(s, &view, &line, err);
	if (!result && line.overflow)
		result = err_set(err, ERR_WORLD,
				 "the configuration takes more than the %zu bytes a record holds",
				 sizeof view.text - 1);
	if (!result) {
		memcpy(view.text, buf_text(&line), line.len + 1);
		*ret = view;
	}
	buf_free(&line);
	return result ? fail(err) : 0;
}

/* ---- changing ---- */

static int alb_set_weights(struct driver_session *s, int blue, int green, struct err *err)
{
	struct rule_weight weights[] = { { s->group_arn[COLOR_BLUE], blue },
					 { s->group_arn[COLOR_GREEN], green } };
	struct buf form = elbv2_form("ModifyRule");
	struct flat rule, answer;
	int result = -1;

	begin(s);
	if (blue < 0 || green < 0 || blue > WEIGHT_MAX || green > WEIGHT_MAX) {
		err_set(err, ERR_INPUT, "weights blue %d, green %d: each must be 0 to %d", blue,
			green, WEIGHT_MAX);
	} else if (!blue && !green) {
		err_set(err, ERR_INPUT,
			"weights blue 0, green 0: what a balancer does then is undefined");
	} else if (!read_rule(s, &rule, err)) {
		elbv2_add(&form, s->rule_arn, "RuleArn");
		result = alb_rule_form(&rule, 1, weights, sizeof weights / sizeof *weights, &form,
				       err);
		if (!result)
			result = elbv2_call(&s->elbv2, "ModifyRule", &form, &answer, err);
		if (!result)
			flat_free(&answer);
		flat_free(&rule);
	}
	buf_free(&form);
	return result ? fail(err) : 0;
}

static int call_targets(struct driver_session *s, const char *action, enum color color,
			const struct alb_target *target, int count, struct err *err)
{
	struct buf form = elbv2_form(action);
	struct flat answer;

	elbv2_add(&form, s->group_arn[color], "TargetGroupArn");
	for (int i = 0; i < count; i++) {
		elbv2_add(&form, target[i].id, "Targets.member.%d.Id", i + 1);
		if (*target[i].port)
			elbv2_add(&form, target[i].port, "Targets.member.%d.Port", i + 1);
	}
	if (elbv2_call(&s->elbv2, action, &form, &answer, err) < 0)
		return -1;
	flat_free(&answer);
	return 0;
}

static int alb_deregister(struct driver_session *s, enum color color, struct err *err)
{
	struct alb_target *target = xcalloc(ALB_TARGETS_MAX, sizeof *target);
	int n, registered = 0, result = 0;

	begin(s);
	n = read_targets(s, color, target, err);
	for (int i = 0; i < n; i++)
		if (target[i].registered)
			target[registered++] = target[i];
	if (n < 0) {
		result = -1;
	} else if (registered) { /* none: they are out already, and the API takes no empty list */
		result = call_targets(s, "DeregisterTargets", color, target, registered, err);
		if (!result) {
			memcpy(s->taken[color], target, (size_t)registered * sizeof *target);
			s->taken_count[color] = registered;
		}
	}
	free(target);
	return result ? fail(err) : 0;
}

static int alb_reregister(struct driver_session *s, enum color color, struct err *err)
{
	int result;

	begin(s);
	if (!s->taken_count[color])
		result = err_set(err, ERR_WORLD, "no %s target was deregistered by us",
				 color_name(color));
	else
		result = call_targets(s, "RegisterTargets", color, s->taken[color],
				      s->taken_count[color], err);
	return result ? fail(err) : 0;
}

const struct driver driver_alb = {
	.name = "alb",
	.about = "AWS Application Load Balancer, or anything that speaks its ELBv2 Query API",
	.open = alb_open,
	.read = alb_read,
	.set_weights = alb_set_weights,
	.deregister = alb_deregister,
	.reregister = alb_reregister,
	.close = alb_close,
};
