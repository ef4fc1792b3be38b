/*
 * Does a judgement say what an overlay promised? Pure. Words are "check:anomaly", "check" (that
 * check fails, whatever the anomaly) or "anomaly" (under any check).
 *
 *   exit 99 <=> something is required; every required word must be found, and nothing may fail
 *   beyond required + allowed.
 *   Nothing required (clean scenario, control): exit 0, and every check saw something.
 */
#ifndef COMMAND_CORE_EXPECT_H
#define COMMAND_CORE_EXPECT_H

#include <stdbool.h>

#include "base/buf.h"
#include "check/judge.h"
#include "scenario/scenario.h"

/* True when it came out as promised. `told` gets what was found, and after a "; but " each
 * deviation. */
bool expect_judge(const struct expectation *, const struct judgement *, int exit_code,
		  struct buf *told);

#endif
