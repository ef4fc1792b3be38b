/*
 * One call of the ELBv2 Query API: a form goes out, signed when there are credentials in the
 * environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN), XML comes back
 * flat. Nothing is retried; errors read "ModifyRule: RuleNotFound: One or more rules not found"
 * and never contain a secret.
 */
#ifndef DRIVER_CORE_ELBV2_H
#define DRIVER_CORE_ELBV2_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "driver/core/flat.h"

struct elbv2 {
	char *endpoint, *sigv4;
	char *user_password, *token_header; /* NULL: unsigned */
	int64_t deadline_ns;		    /* of the driver's call under way */
};

/* endpoint: URL, "HOST:PORT", or NULL for AWS itself. */
void elbv2_init(struct elbv2 *, const char *endpoint, const char *region);
void elbv2_free(struct elbv2 *);
/* A form for the action; parameters are added, then it is called and freed. */
struct buf elbv2_form(const char *action);
void elbv2_add(struct buf *form, const char *value, const char *name_fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Calls; ret is everything below <ActionResult>. The form is freed in any case. */
int elbv2_call(const struct elbv2 *, const char *action, struct buf *form, struct flat *ret,
	       struct err *);

#endif
