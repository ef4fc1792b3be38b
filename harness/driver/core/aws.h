/*
 * One call of an AWS Query API (ELBv2, CloudWatch): a form goes out, signed when there are
 * credentials, XML comes back flat. AWS itself or whoever answers at an endpoint: the same code.
 * What may pass (retry.h) is asked again until the deadline of the driver's call, and counted.
 * Errors read "ModifyRule: RuleNotFound: One or more rules not found" and never contain a secret.
 * Unsigned only towards a loopback address, where there may be nobody to ask for a signature.
 */
#ifndef DRIVER_CORE_AWS_H
#define DRIVER_CORE_AWS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/rng.h"
#include "driver/core/credentials.h"
#include "driver/core/flat.h"
#include "driver/core/retry.h"

enum aws_service { AWS_ELBV2, AWS_CLOUDWATCH, AWS_SERVICE_COUNT };

struct aws {
	char *endpoint[AWS_SERVICE_COUNT], *sigv4[AWS_SERVICE_COUNT];
	bool local; /* all endpoints are on loopback */
	struct credentials credentials;
	struct retry_policy policy;
	struct rng jitter;
	int64_t call_within_ns;
	int64_t deadline_ns; /* of the driver's call under way */
	unsigned retries;    /* since aws_init */
};

/* Endpoints: URL, "HOST:PORT", or NULL for AWS itself (monitoring: for `endpoint`, if given). AWS's
 * own endpoint spelled out names the region; else region, AWS_REGION, AWS_DEFAULT_REGION, and for
 * local ones us-east-1. May block on the AWS CLI (credentials.h). To be freed in any case. */
int aws_init(struct aws *, const char *endpoint, const char *monitoring_endpoint,
	     const char *region, int64_t call_within_ns, struct err *);
void aws_free(struct aws *);
void aws_begin(struct aws *); /* a driver's call: its deadline starts now */
/* A form for the action; parameters are added, then it is called and freed. */
struct buf aws_form(enum aws_service, const char *action);
void aws_add(struct buf *form, const char *value, const char *name_fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Calls; ret is everything below <ActionResult>. The form is freed in any case. */
int aws_call(struct aws *, enum aws_service, const char *action, struct buf *form, struct flat *ret,
	     struct err *);

#endif
