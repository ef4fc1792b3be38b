/*
 * Credentials for AWS: the environment's (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
 * AWS_SESSION_TOKEN), else what `aws configure export-credentials --format process` gives (AWS CLI
 * 2.9 or newer; profiles, SSO and roles are its business). Held in memory, wiped when freed, never
 * in an error, a log or an argv. Not a cache for others: one session's own.
 */
#ifndef DRIVER_CORE_CREDENTIALS_H
#define DRIVER_CORE_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum credentials_source { CREDENTIALS_NONE, CREDENTIALS_ENVIRONMENT, CREDENTIALS_CLI };

struct credentials {
	enum credentials_source source;
	char *user_password;   /* "KEY:SECRET", as libcurl wants it; NULL: none */
	char *token_header;    /* "X-Amz-Security-Token: ...", or NULL */
	int64_t expires_at_ns; /* of the wall clock; 0 never */
};

/* Blocks for up to 20 s when the CLI is asked. For a local balancer, which may not care, none is
 * an answer (CREDENTIALS_NONE), and the CLI is asked only when a profile or a configuration file
 * is there for it to read: nothing leaves the machine. Else none is an error that says what to
 * set. How the CLI ended is told, never what it printed. */
int credentials_find(bool local, struct credentials *ret, struct err *);
/* Pure: the JSON of the process format. */
int credentials_parse(const char *json, size_t size, struct credentials *ret, struct err *);
/* From a few minutes before they expire. now_ns: of the wall clock. */
bool credentials_expiring(const struct credentials *, int64_t now_ns);
bool credentials_expired(const struct credentials *, int64_t now_ns);
/* "the environment (AWS_ACCESS_KEY_ID)": which source would be used, for people; runs nothing. */
int credentials_describe(char *out, size_t size, struct err *);
void credentials_free(struct credentials *);

#endif
