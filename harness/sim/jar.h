/*
 * The cookies of one call, kept as a browser would between its legs: the balancer's affinity lives
 * in them. Host-only (one target per call); Path, Expires, Max-Age and Secure are honoured, Domain
 * and SameSite have nothing to decide here. RFC 6265 sections 5.1.4 and 5.3. Pure: wall time is an
 * argument, in nanoseconds since 1970.
 *
 * Bounded: JAR_COOKIES_MAX cookies of JAR_COOKIE_BYTES_MAX; what is beyond is not kept, and said
 * so.
 */
#ifndef SIM_JAR_H
#define SIM_JAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	JAR_COOKIES_MAX = 8,
	JAR_COOKIE_BYTES_MAX = 1024,
	JAR_HEADER_MAX = JAR_COOKIES_MAX * JAR_COOKIE_BYTES_MAX
};

struct cookie;

struct jar {
	struct cookie *list; /* NULL until the first */
};

void jar_free(struct jar *);
/* One Set-Cookie value, received for a request of `path` at `now_ns`. False: it was no cookie, or
 * there is no room. */
bool jar_set(struct jar *, const char *set_cookie, const char *path, int64_t now_ns);
/* The Cookie header's value for a request of `path`; 0 when none is to be sent, else its length. */
size_t jar_header(const struct jar *, const char *path, bool tls, int64_t now_ns,
		  char out[JAR_HEADER_MAX]);

#endif
