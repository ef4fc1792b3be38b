/*
 * Certificates for listeners of our own: an authority nobody else knows, and what it signs for
 * 127.0.0.1 and localhost (EC P-256). For the local stack and for tests; not a way to get a
 * certificate anybody should trust. A wanted flaw is built in: expired yesterday, another name, or
 * signed by an authority other than the one in ca.pem.
 *
 * Files: ca.pem, certificate.pem and key.pem in a folder that exists; the key is for its owner
 * alone (0600), existing files are not overwritten. Errors: ERR_HARNESS.
 */
#ifndef NET_CERTIFICATE_H
#define NET_CERTIFICATE_H

#include <limits.h>

#include "base/err.h"
#include "scenario/scenario.h"

struct certificate_files {
	char ca[PATH_MAX], certificate[PATH_MAX], key[PATH_MAX];
};

int certificate_make(const char *folder, enum certificate_kind, struct certificate_files *ret,
		     struct err *);

#endif
