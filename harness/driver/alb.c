/* Application Load Balancers over the ELBv2 Query API: AWS itself, or the edge of the local
 * stack. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "driver/core/alb_find.h"
#include "driver/core/alb_rule.h"
#include "driver/core/alb_targets.h"
#include "driver/core/aws.h"
#include "driver/core/cloudwatch.h"
#include "driver/driver.h"

enum { WEIGHT_MAX = 999, FORM_BYTES_MAX = 64 * 1024 };
static const int64_t call_within_ns = 10 * NS_PER_S;

struct driver_session {
	struct aws aws;
	struct alb_arns arns;
	/* The rule as it was read last: the form that would write it so; NULL never. */
	char *known_form, *known_text;
	struct alb_target taken[COLOR_COUNT][ALB_TARGETS_MAX]; /* by deregister, for reregister */
	int taken_count[COLOR_COUNT];
};

static int fail(struct err *err)
{
	return err_context(err, "alb driver");
}

static int call_one(struct driver_session *s, const char *action, const char *name,
		    const char *value, struct flat *ret, struct err *err)
{
	return alb_call_one(&s->aws, action, name, value, ret, err);
}

static void alb_close(struct driver_session *s)
{
	if (!s)
		return;
	aws_free(&s->aws);
	alb_arns_free(&s->arns);
	free(s->known_form);
	free(s->known_text);
	free(s);
}

static int alb_open(const struct driver_settings *settings, struct driver_session **ret,
		    struct err *err)
{
	struct driver_session *s = xcalloc(1, sizeof *s);
	int64_t within_ns = settings->call_within_ns ? settings->call_within_ns : call_within_ns;
	int result;

	result = aws_init(&s->aws, settings->endpoint, settings->monitoring_endpoint,
			  settings->region, within_ns, err);
	aws_begin(&s->aws);
	if (!result)
		result = alb_find(&s->aws, settings, &s->arns, err);
	if (result) {
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

	if (call_one(s, "DescribeTargetHealth", "TargetGroupArn", s->arns.group[color], &flat,
		     err) < 0)
		return -1;
	n = alb_targets_read(&flat, out, err);
	flat_free(&flat);
	return n;
}

static int read_rule(struct driver_session *s, struct flat *ret, struct err *err)
{
	if (call_one(s, "DescribeRules", "RuleArns.member.1", s->arns.rule, ret, err) < 0)
		return -1;
	if (alb_rule_forward(ret, 1))
		return 0;
	flat_free(ret);
	return err_set(err, ERR_WORLD, "DescribeRules: rule %s has no forward action",
		       s->arns.rule);
}

/* What the rule says now, in a form comparable with itself. */
static void rule_state(const struct flat *rule, char **ret_form, char **ret_text)
{
	struct buf form = buf_init(FORM_BYTES_MAX), text = buf_init(FORM_BYTES_MAX);

	*ret_form = *ret_text = NULL;
	if (!alb_rule_form(rule, 1, "Actions", NULL, 0, &form, NULL) && !form.overflow) {
		alb_rule_text(rule, 1, &text);
		*ret_form = xstrdup(buf_text(&form));
		*ret_text = xstrdup(buf_text(&text));
	}
	buf_free(&form);
	buf_free(&text);
}

/* From now on this is what the rule is expected to be. An answer that does not tell it: nothing
 * is. */
static void remember(struct driver_session *s, const struct flat *rule)
{
	free(s->known_form);
	free(s->known_text);
	rule_state(rule, &s->known_form, &s->known_text);
}

/* Another writer at the same rule would have his work undone, and undo ours. Told once: from then
 * on his is what was read last. */
static int check_unchanged(struct driver_session *s, const struct flat *rule, struct err *err)
{
	char *form, *text;
	int result = 0;

	rule_state(rule, &form, &text);
	if (s->known_form && form && strcmp(s->known_form, form)) {
		result = err_set(
			err, ERR_WORLD,
			"the rule changed under us: it was %s when read last, it is %s now%s",
			s->known_text, text,
			strcmp(s->known_text, text) ? "" : ", and differs in its other settings");
		remember(s, rule);
	}
	free(form);
	free(text);
	return result;
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

	if (call_one(s, "DescribeTargetGroupAttributes", "TargetGroupArn", s->arns.group[color],
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

	if (!s->arns.balancer)
		return 0;
	if (call_one(s, "DescribeLoadBalancerAttributes", "LoadBalancerArn", s->arns.balancer,
		     &flat, err) < 0)
		return -1;
	*ret_s = number(attribute(&flat, "idle_timeout.timeout_seconds"));
	flat_free(&flat);
	return 0;
}

static int read_view(struct driver_session *s, struct driver_view *v, struct buf *line,
		     struct err *err)
{
	struct rule_weight group[ALB_RULE_GROUPS_MAX];
	struct group_timers timers[COLOR_COUNT];
	struct flat rule;
	struct alb_target *target;
	int n, result = 0;

	if (read_rule(s, &rule, err) < 0)
		return -1;
	remember(s, &rule);
	v->group_stickiness_s = alb_rule_stickiness_s(&rule, 1);
	buf_printf(line, "%s ", arn_tail(s->arns.rule));
	alb_rule_text(&rule, 1, line);
	n = alb_rule_weights(&rule, 1, group, ALB_RULE_GROUPS_MAX);
	for (int i = 0; i < n; i++)
		for (enum color c = COLOR_BLUE; c <= COLOR_GREEN; c++)
			if (!strcmp(group[i].arn, s->arns.group[c]))
				v->weight[c] = group[i].weight;
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

	aws_begin(&s->aws);
	result = read_view(s, &view, &line, err);
	view.retries = s->aws.retries;
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

/* ModifyRule, or for the default rule, which it cannot change, ModifyListener. */
static int write_rule(struct driver_session *s, const struct flat *rule,
		      const struct rule_weight *weights, int count, struct err *err)
{
	bool is_default = alb_rule_is_default(rule, 1);
	const char *action = is_default ? "ModifyListener" : "ModifyRule";
	struct buf form = aws_form(AWS_ELBV2, action);
	struct flat answer;
	char *listener = is_default ? alb_rule_listener(s->arns.rule) : NULL;
	int result = -1;

	if (is_default)
		aws_add(&form, listener ? listener : "", "ListenerArn");
	else
		aws_add(&form, s->arns.rule, "RuleArn");
	if (is_default && !listener)
		err_set(err, ERR_WORLD, "%s is not the ARN of a rule", s->arns.rule);
	else if (!alb_rule_form(rule, 1, is_default ? "DefaultActions" : "Actions", weights, count,
				&form, err))
		result = aws_call(&s->aws, AWS_ELBV2, action, &form, &answer, err);
	if (!result) {
		remember(s, &answer);
		flat_free(&answer);
	}
	buf_free(&form);
	free(listener);
	return result;
}

static int alb_set_weights(struct driver_session *s, int blue, int green, struct err *err)
{
	struct rule_weight weights[] = { { s->arns.group[COLOR_BLUE], blue },
					 { s->arns.group[COLOR_GREEN], green } };
	struct flat rule;
	int result = -1;

	aws_begin(&s->aws);
	if (blue < 0 || green < 0 || blue > WEIGHT_MAX || green > WEIGHT_MAX) {
		err_set(err, ERR_INPUT, "weights blue %d, green %d: each must be 0 to %d", blue,
			green, WEIGHT_MAX);
	} else if (!blue && !green) {
		err_set(err, ERR_INPUT,
			"weights blue 0, green 0: what a balancer does then is undefined");
	} else if (!read_rule(s, &rule, err)) {
		result = check_unchanged(s, &rule, err);
		if (!result)
			result = write_rule(s, &rule, weights, sizeof weights / sizeof *weights,
					    err);
		flat_free(&rule);
	}
	return result ? fail(err) : 0;
}

static int call_targets(struct driver_session *s, const char *action, enum color color,
			const struct alb_target *target, int count, struct err *err)
{
	struct buf form = aws_form(AWS_ELBV2, action);
	struct flat answer;

	aws_add(&form, s->arns.group[color], "TargetGroupArn");
	for (int i = 0; i < count; i++) {
		aws_add(&form, target[i].id, "Targets.member.%d.Id", i + 1);
		if (*target[i].port)
			aws_add(&form, target[i].port, "Targets.member.%d.Port", i + 1);
	}
	if (aws_call(&s->aws, AWS_ELBV2, action, &form, &answer, err) < 0)
		return -1;
	flat_free(&answer);
	return 0;
}

static int alb_deregister(struct driver_session *s, enum color color, struct err *err)
{
	struct alb_target *target = xcalloc(ALB_TARGETS_MAX, sizeof *target);
	int n, registered = 0, result = 0;

	aws_begin(&s->aws);
	n = read_targets(s, color, target, err);
	for (int i = 0; i < n; i++)
		if (target[i].registered)
			target[registered++] = target[i];
	if (n < 0) {
		result = -1;
	} else if (registered) { /* none: they are out already, and the API takes no empty list */
		/* Before the answer: should none come, they may be out all the same. */
		memcpy(s->taken[color], target, (size_t)registered * sizeof *target);
		s->taken_count[color] = registered;
		result = call_targets(s, "DeregisterTargets", color, target, registered, err);
	}
	free(target);
	return result ? fail(err) : 0;
}

static int alb_reregister(struct driver_session *s, enum color color, struct err *err)
{
	int result;

	aws_begin(&s->aws);
	if (!s->taken_count[color])
		result = err_set(err, ERR_WORLD, "no %s target was deregistered by us",
				 color_name(color));
	else
		result = call_targets(s, "RegisterTargets", color, s->taken[color],
				      s->taken_count[color], err);
	return result ? fail(err) : 0;
}

static int alb_connections(struct driver_session *s, int64_t *ret_count, struct err *err)
{
	struct buf form;
	struct flat answer;
	int result;

	aws_begin(&s->aws);
	if (!s->arns.balancer) {
		err_set(err, ERR_WORLD, "no load balancer uses the target groups");
		return fail(err);
	}
	if (cloudwatch_form(s->arns.balancer, clock_realtime_ns(), &form, err) < 0 ||
	    aws_call(&s->aws, AWS_CLOUDWATCH, "GetMetricData", &form, &answer, err) < 0)
		return fail(err);
	result = cloudwatch_read(&answer, ret_count, err);
	flat_free(&answer);
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
	.connections = alb_connections,
	.close = alb_close,
};
