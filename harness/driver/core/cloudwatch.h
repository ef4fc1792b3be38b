/*
 * What CloudWatch says of a load balancer's connections: ActiveConnectionCount, the sum over one
 * minute, which counts both sides of the balancer and both colors together, and comes minutes
 * late. A second witness of a drain, never its gate. Pure: the call is aws.h's.
 * Source: Application Load Balancer User Guide, "CloudWatch metrics".
 */
#ifndef DRIVER_CORE_CLOUDWATCH_H
#define DRIVER_CORE_CLOUDWATCH_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "driver/core/flat.h"

/* GetMetricData for the minutes before now_ns (wall clock), the newest first. -1: the ARN is no
 * load balancer's, and nothing is to be freed. */
int cloudwatch_form(const char *balancer_arn, int64_t now_ns, struct buf *ret_form, struct err *);
/* The newest value of the answer; -1 when there is none: nothing was connected, or nothing was
 * counted yet. */
int cloudwatch_read(const struct flat *, int64_t *ret_count, struct err *);

#endif
