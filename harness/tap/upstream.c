#include "tap/upstream.h"

int upstream_connect(const struct upstream *u, int *ret_seen)
{
	return u->tls ? tls_tunnel_open(u->tls, ret_seen) : (*ret_seen = address_connect(&u->at));
}
