#include "net/tls.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum dial_failure tls_alert_failure(int alert)
{
	switch (alert) {
	case SSL_AD_BAD_CERTIFICATE:
	case SSL_AD_UNSUPPORTED_CERTIFICATE:
	case SSL_AD_CERTIFICATE_REVOKED:
	case SSL_AD_CERTIFICATE_EXPIRED:
	case SSL_AD_CERTIFICATE_UNKNOWN:
	case SSL_AD_UNKNOWN_CA:
		return DIAL_TLS_CERT;
	case SSL_AD_PROTOCOL_VERSION:
	case SSL_AD_HANDSHAKE_FAILURE:
	case SSL_AD_INSUFFICIENT_SECURITY:
		return DIAL_TLS_VERSION;
	default:
		return DIAL_RESET;
	}
}

static void day_of(const ASN1_TIME *at, char out[16])
{
	struct tm tm;

	snprintf(out, 16, "?");
	if (at && ASN1_TIME_to_tm(at, &tm))
		strftime(out, 16, "%Y-%m-%d", &tm);
}

/* "localhost, 127.0.0.1": the names the certificate is for. */
static void names_of(const X509 *certificate, char *out, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	size_t used = 0;

	*out = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && used < size; i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);
		const char *joint = used ? ", " : "";
		const unsigned char *ip;

		if (n->type == GEN_DNS) {
			used += (size_t)snprintf(out + used, size - used, "%s%.*s", joint,
						 ASN1_STRING_length(n->d.dNSName),
						 (const char *)ASN1_STRING_get0_data(n->d.dNSName));
		} else if (n->type == GEN_IPADD && ASN1_STRING_length(n->d.iPAddress) == 4) {
			ip = ASN1_STRING_get0_data(n->d.iPAddress);
			used += (size_t)snprintf(out + used, size - used, "%s%u.%u.%u.%u", joint,
						 ip[0], ip[1], ip[2], ip[3]);
		}
	}
	GENERAL_NAMES_free(names);
	if (!used)
		snprintf(out, size, "its names (it has none)");
}

void tls_certificate_reason(long verify_error, const struct x509_st *certificate, const char *name,
			    char out[TLS_REASON_MAX])
{
	char text[128] = "?", day[16];

	switch (certificate ? verify_error : X509_V_ERR_UNSPECIFIED) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		day_of(X509_get0_notAfter(certificate), day);
		snprintf(out, TLS_REASON_MAX, "the certificate is expired since %s", day);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		day_of(X509_get0_notBefore(certificate), day);
		snprintf(out, TLS_REASON_MAX, "the certificate is not valid before %s", day);
		break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		names_of(certificate, text, sizeof(text));
		snprintf(out, TLS_REASON_MAX, "the name %.80s is not in %s", name, text);
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		X509_NAME_oneline(X509_get_issuer_name(certificate), text, sizeof(text));
		snprintf(out, TLS_REASON_MAX, "unknown issuer %s", text);
		break;
	default:
		snprintf(out, TLS_REASON_MAX, "the certificate does not hold: %s",
			 X509_verify_cert_error_string(verify_error));
	}
}

const char *tls_version_text(uint16_t version)
{
	switch (version) {
	case TLS1_3_VERSION:
		return "TLS 1.3";
	case TLS1_2_VERSION:
		return "TLS 1.2";
	case TLS1_1_VERSION:
		return "TLS 1.1";
	case TLS1_VERSION:
		return "TLS 1.0";
	default:
		return version ? "an unknown TLS" : "no TLS";
	}
}
