/*
 * HTTP client over libcurl, blocking to a deadline. For control planes and health pages, not for
 * callers. Answers are bounded (1 MiB). The environment's proxies are ignored unless asked for.
 * Credentials never reach an err text.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct http_request {
	const char *method, *url;
	const char *content_type; /* with body */
	const void *body;
	size_t body_size;
	int64_t timeout_ns;
	const char *sigv4;	    /* "aws:amz:REGION:SERVICE", or NULL */
	const char *user_password;  /* "KEY:SECRET" for sigv4, or NULL */
	const char *const *headers; /* "Name: value", NULL-terminated, or NULL */
	bool by_proxy;		    /* heed HTTPS_PROXY, NO_PROXY, as other clients of the API do */
};

/* 0 with any HTTP status in *ret_status. -1 when there was no answer, though asking again might
 * bring one (refused, cut, late); -2 when it would not (bad URL, bad certificate, no HTTP, too
 * long). body is cleared first. */
int http_do(const struct http_request *, int *ret_status, struct buf *body, struct err *);

#endif
