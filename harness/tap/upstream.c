#include "tap/upstream.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "tap/census.h"

static const int64_t shake_within_ns = 10 * NS_PER_S;

int upstream_connect(const struct upstream *u, struct tls_end **ret_tls)
{
	int fd = address_connect(&u->at);

	if (fd >= 0)
		*ret_tls = u->tls ? tls_end_new(u->tls, fd, clock_now_ns() + shake_within_ns) :
				    NULL;
	return fd;
}

bool upstream_over(struct upstream *u, struct tls_end *tls, char out[ERR_TEXT_MAX])
{
	const char *why = tls ? tls_end_failure(tls) : "";
	uint64_t refusal = *why ? hash_id(why, strlen(why)) : 0;
	bool is_new = refusal && refusal != u->refusal;
	char text[ADDRESS_TEXT_MAX];

	if (is_new) {
		address_text(&u->at, text);
		snprintf(out, ERR_TEXT_MAX, "TLS to Redis at %s: %s", text, why);
		u->refusal = refusal;
	}
	tls_end_free(tls);
	return is_new;
}

void upstream_free(struct upstream *u)
{
	census_free(u->census);
	tls_client_free(u->tls);
}
