#include "net/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <unistd.h>

enum { SERIAL_BYTES = 16, DAY_S = 24 * 3600 };

struct identity {
	EVP_PKEY *key;
	X509 *certificate;
};

static void identity_free(struct identity *id)
{
	EVP_PKEY_free(id->key);
	X509_free(id->certificate);
}

static bool extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	bool ok;

	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	ok = extension && X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	return ok;
}

static bool set_serial(X509 *certificate)
{
	unsigned char bytes[SERIAL_BYTES];
	BIGNUM *number;
	bool ok;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	bytes[0] &= 0x7f; /* a positive number */
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
	BN_free(number);
	return ok;
}

/* Signed by `issuer`, or by itself: then it is an authority. */
static bool issue(struct identity *id, const struct identity *issuer, const char *name,
		  const char *alternatives, long from_s, long until_s)
{
	X509_NAME *subject;
	X509 *c;

	id->key = EVP_EC_gen("P-256");
	id->certificate = c = X509_new();
	if (!id->key || !c)
		return false;
	issuer = issuer ? issuer : id;
	subject = X509_get_subject_name(c);
	return X509_set_version(c, X509_VERSION_3) && set_serial(c) &&
	       X509_gmtime_adj(X509_getm_notBefore(c), from_s) &&
	       X509_gmtime_adj(X509_getm_notAfter(c), until_s) &&
	       X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name,
					  -1, -1, 0) &&
	       X509_set_issuer_name(c, X509_get_subject_name(issuer->certificate)) &&
	       X509_set_pubkey(c, id->key) &&
	       extend(c, issuer->certificate, NID_basic_constraints,
		      issuer == id ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
	       extend(c, issuer->certificate, NID_subject_key_identifier, "hash") &&
	       (!alternatives ||
		extend(c, issuer->certificate, NID_subject_alt_name, alternatives)) &&
	       X509_sign(c, issuer->key, EVP_sha256());
}

static int store(char path[PATH_MAX], const char *folder, const char *name, X509 *certificate,
		 EVP_PKEY *key, struct err *err)
{
	FILE *file;
	int fd, ok;

	if (snprintf(path, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
		return err_set(err, ERR_HARNESS, "%s/%s: path too long", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, key ? 0600 : 0644);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file) {
		err_errno(err, ERR_HARNESS, errno, "%s", path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	ok = key ? PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) :
		   PEM_write_X509(file, certificate);
	if (fclose(file) || !ok)
		return err_errno(err, ERR_HARNESS, errno, "write %s", path);
	return 0;
}

int certificate_make(const char *folder, enum certificate_kind kind, struct certificate_files *ret,
		     struct err *err)
{
	static const char ours[] = "DNS:localhost,IP:127.0.0.1", others[] = "DNS:other.example";
	struct identity ca = { .key = NULL }, stranger = { .key = NULL }, server = { .key = NULL };
	bool expired = kind == CERTIFICATE_EXPIRED, wrong = kind == CERTIFICATE_WRONG_NAME;
	struct certificate_files files;
	int result = -1;

	if (!issue(&ca, NULL, "Crossfade local CA", NULL, -3L * DAY_S, 30L * DAY_S) ||
	    !issue(&stranger, NULL, "Somebody else's CA", NULL, -3L * DAY_S, 30L * DAY_S) ||
	    !issue(&server, kind == CERTIFICATE_UNTRUSTED ? &stranger : &ca,
		   wrong ? "other.example" : "localhost", wrong ? others : ours, -2L * DAY_S,
		   expired ? -1L * DAY_S : 30L * DAY_S)) {
		err_set(err, ERR_HARNESS, "certificate for 127.0.0.1: %s",
			ERR_error_string(ERR_get_error(), NULL));
		goto out;
	}
	if (store(files.ca, folder, "ca.pem", ca.certificate, NULL, err) == 0 &&
	    store(files.certificate, folder, "certificate.pem", server.certificate, NULL, err) ==
		    0 &&
	    store(files.key, folder, "key.pem", NULL, server.key, err) == 0) {
		*ret = files;
		result = 0;
	}
out:
	identity_free(&ca);
	identity_free(&stranger);
	identity_free(&server);
	return result;
}
