#include "net/test_peer.h"

#include <sys/stat.h>

/* That each kind is flawed as it says, and the good one is not, ws_tls_test.c shows on the wire. */
static void the_key_is_for_its_owner_alone_and_nothing_is_overwritten(void **unused)
{
	struct testing_certificate t;
	struct certificate_files again;
	struct err err = { .kind = ERR_NONE };
	struct stat st;

	(void)unused;
	testing_certificate_make(&t, CERTIFICATE_GOOD);
	assert_int_equal(stat(t.files.key, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(certificate_make(t.folder, CERTIFICATE_GOOD, &again, &err), -1);
	assert_int_equal(err.kind, ERR_HARNESS);
	assert_non_null(strstr(err.text, "ca.pem"));
	testing_certificate_free(&t);
}

static void a_folder_that_is_not_there_is_an_error(void **unused)
{
	struct certificate_files files;
	struct err err = { .kind = ERR_NONE };

	(void)unused;
	assert_int_equal(certificate_make("/nonexistent", CERTIFICATE_GOOD, &files, &err), -1);
	assert_non_null(strstr(err.text, "/nonexistent/ca.pem"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_key_is_for_its_owner_alone_and_nothing_is_overwritten),
		cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
