/*
 * The targets of one target group as DescribeTargetHealth tells them. Pure.
 */
#ifndef DRIVER_CORE_ALB_TARGETS_H
#define DRIVER_CORE_ALB_TARGETS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "driver/core/flat.h"

enum { ALB_TARGETS_MAX = 256, ALB_TARGET_TEXT_MAX = 64 };

struct alb_target {
	char id[ALB_TARGET_TEXT_MAX], port[8]; /* port "" when none was told */
	bool registered;		       /* not draining, not gone */
	bool healthy;
};

/* Sorted by id and port; their number (at most ALB_TARGETS_MAX), or -1. */
int alb_targets_read(const struct flat *, struct alb_target *out, struct err *);
/* The registered ones as "a:1,b:2"; many as number and digest, so that the line stays comparable
 * and on one screen. */
void alb_targets_write(const struct alb_target *, int count, struct buf *line);

#endif
