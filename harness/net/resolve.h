/*
 * Names to addresses, blocking, done before the first dial. And the pieces of a ws:// or http://
 * URL.
 */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct url {
	bool tls;	     /* wss, https */
	char host[256];	     /* without port */
	char authority[280]; /* as to be sent in Host: port left out when it is the default */
	uint16_t port;
	char path[1024]; /* begins with '/', includes the query */
};

int url_parse(const char *text, struct url *ret, struct err *);
int resolve_ipv4(const char *host, uint16_t port, struct sockaddr_in *ret, struct err *);
/* The same to a deadline: name servers that do not answer take longer than most would wait. */
int resolve_ipv4_within(const char *host, uint16_t port, int64_t timeout_ns,
			struct sockaddr_in *ret, struct err *);
/* "127.0.0.2-127.0.0.9": the first address in host order, and how many. */
int ipv4_range(const char *text, uint32_t *ret_first, uint32_t *ret_count, struct err *);

#endif
