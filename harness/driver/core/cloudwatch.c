#include "driver/core/cloudwatch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "driver/core/aws.h"

/* Values are there two or three minutes after their minute, at the latest. */
enum { PERIOD_S = 60, WINDOW_S = 300, TIME_BYTES = 32 };

static void write_time(int64_t time_s, char out[TIME_BYTES])
{
	time_t seconds = (time_t)time_s;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(out, TIME_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

int cloudwatch_form(const char *balancer_arn, int64_t now_ns, struct buf *ret_form, struct err *err)
{
	static const char kind[] = ":loadbalancer/", query[] = "MetricDataQueries.member.1",
			  metric[] = "MetricDataQueries.member.1.MetricStat.Metric";
	const char *at = strstr(balancer_arn, kind);
	int64_t now_s = now_ns / NS_PER_S / PERIOD_S * PERIOD_S; /* whole periods only */
	char begin[TIME_BYTES], end[TIME_BYTES], period[16];
	struct buf form;

	if (!at)
		return err_set(err, ERR_WORLD, "%s is not the ARN of a load balancer",
			       balancer_arn);
	write_time(now_s - WINDOW_S, begin);
	write_time(now_s, end);
	snprintf(period, sizeof period, "%d", PERIOD_S);
	form = aws_form(AWS_CLOUDWATCH, "GetMetricData");
	aws_add(&form, "active", "%s.Id", query);
	aws_add(&form, "AWS/ApplicationELB", "%s.Namespace", metric);
	aws_add(&form, "ActiveConnectionCount", "%s.MetricName", metric);
	aws_add(&form, "LoadBalancer", "%s.Dimensions.member.1.Name", metric);
	aws_add(&form, at + sizeof kind - 1, "%s.Dimensions.member.1.Value", metric);
	aws_add(&form, period, "%s.MetricStat.Period", query);
	aws_add(&form, "Sum", "%s.MetricStat.Stat", query);
	aws_add(&form, "true", "%s.ReturnData", query);
	aws_add(&form, begin, "StartTime");
	aws_add(&form, end, "EndTime");
	aws_add(&form, "TimestampDescending", "ScanBy");
	*ret_form = form;
	return 0;
}

int cloudwatch_read(const struct flat *flat, int64_t *ret_count, struct err *err)
{
	static const char result[] = "MetricDataResults.member.1";
	const char *status = flat_get(flat, "%s.StatusCode", result);
	const char *text = flat_get(flat, "%s.Values.member.1", result);
	char *end;
	double value;

	if (!status)
		return err_set(err, ERR_WORLD, "GetMetricData: no answer to the query");
	if (!strcmp(status, "Forbidden") || !strcmp(status, "InternalError"))
		return err_set(err, ERR_WORLD, "GetMetricData: %s", status);
	if (!text) {
		*ret_count = -1;
		return 0;
	}
	value = strtod(text, &end);
	if (end == text || *end || !isfinite(value) || value < 0 || value > 1e15)
		return err_set(err, ERR_WORLD, "GetMetricData: \"%.40s\" is no count", text);
	*ret_count = llround(value);
	return 0;
}
