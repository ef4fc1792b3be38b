/*
 * One TLS handshake of our own, to look at a listener as a caller would: which version, which
 * cipher, whose certificate, for how long. No byte of HTTP follows. Blocking to a deadline; for
 * before a run and for commands, never on a loop.
 */
#ifndef NET_TLS_PROBE_H
#define NET_TLS_PROBE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/tls.h"
#include "record/words.h"

struct tls_probe {
	struct sockaddr_in address;
	const char *host; /* what the certificate must be for: a name (sent as SNI) or an address */
	const char *ca_file; /* the only issuers trusted; NULL: those of the system */
	bool only_13;	     /* offer TLS 1.3 and nothing older */
	int64_t timeout_ns;
};

struct tls_probe_result {
	enum dial_failure failure; /* DIAL_OK: agreed and believed; resolve and http_status never */
	uint16_t version; /* agreed on, 0x0304 for TLS 1.3; 0 none. Known with DIAL_TLS_CERT */
	char cipher[64], subject[128];	 /* "" when there was no certificate to see */
	char issuer[128], not_after[24]; /* 2027-01-31T00:00:00Z */
	bool has_certificate;
	int days_left;		      /* of the certificate, below 0 when it is over */
	int64_t connect_ns, shake_ns; /* how long it took, -1 not reached */
	char reason[TLS_REASON_MAX];  /* "" with DIAL_OK */
};

/* Whatever happens is a result. */
void tls_probe(const struct tls_probe *, struct tls_probe_result *ret);

#endif
