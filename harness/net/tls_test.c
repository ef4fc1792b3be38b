#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "net/tls.h"

static void an_alert_says_what_was_wrong(void **unused)
{
	static const struct {
		int alert;
		enum dial_failure failure;
	} rows[] = {
		{ SSL_AD_CERTIFICATE_EXPIRED, DIAL_TLS_CERT },
		{ SSL_AD_BAD_CERTIFICATE, DIAL_TLS_CERT }, /* another name */
		{ SSL_AD_UNKNOWN_CA, DIAL_TLS_CERT },
		{ SSL_AD_PROTOCOL_VERSION, DIAL_TLS_VERSION },
		{ SSL_AD_HANDSHAKE_FAILURE, DIAL_TLS_VERSION },
		{ SSL_AD_INTERNAL_ERROR, DIAL_RESET },
		{ SSL_AD_CLOSE_NOTIFY, DIAL_RESET },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(tls_alert_failure(rows[i].alert), rows[i].failure);
}

static void a_reason_needs_no_certificate_and_has_its_room(void **unused)
{
	static char long_name[1000];
	char out[TLS_REASON_MAX];
	X509 *bare = X509_new();

	(void)unused;
	memset(long_name, 'x', sizeof(long_name) - 1);
	tls_certificate_reason(X509_V_ERR_CERT_HAS_EXPIRED, NULL, "h", out);
	assert_non_null(strstr(out, "certificate has expired"));
	tls_certificate_reason(X509_V_ERR_CERT_REVOKED, bare, "h", out);
	assert_non_null(strstr(out, "certificate revoked"));
	tls_certificate_reason(X509_V_ERR_HOSTNAME_MISMATCH, bare, long_name, out);
	assert_non_null(strstr(out, "it has none"));
	assert_true(strlen(out) < TLS_REASON_MAX);
	X509_free(bare);
}

static void versions_have_their_names(void **unused)
{
	(void)unused;
	assert_string_equal(tls_version_text(0x0304), "TLS 1.3");
	assert_string_equal(tls_version_text(0x0303), "TLS 1.2");
	assert_string_equal(tls_version_text(0), "no TLS");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_alert_says_what_was_wrong),
		cmocka_unit_test(a_reason_needs_no_certificate_and_has_its_room),
		cmocka_unit_test(versions_have_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
