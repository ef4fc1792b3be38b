/*
 * What OpenSSL says of a handshake, in the words of the record; shared by the WebSocket client and
 * the TLS probe. Pure: no connection, no state.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stddef.h>
#include <stdint.h>

#include "record/words.h"

struct x509_st;

enum { TLS_REASON_MAX = 240 };

/* Who refuses whom tells the other why by a fatal alert (RFC 8446, 6.2), sent or received. */
enum dial_failure tls_alert_failure(int alert);
/* Why a certificate does not hold for `name`: "expired since 2026-01-31 (CN=...)". `certificate`
 * is the one the error is about, or NULL. */
void tls_certificate_reason(long verify_error, const struct x509_st *certificate, const char *name,
			    char out[TLS_REASON_MAX]);
/* "TLS 1.3" of 0x0304. */
const char *tls_version_text(uint16_t version);

#endif
