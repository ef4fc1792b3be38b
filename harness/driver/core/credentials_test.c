#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "driver/core/credentials.h"

/* A folder with a program "aws" in it, which is all that is on PATH, and no configuration. */
struct place {
	char folder[64], path[8192];
};

static void forget_everything(void)
{
	static const char *const names[] = {
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"AWS_PROFILE",	     "AWS_CONFIG_FILE",	      "AWS_SHARED_CREDENTIALS_FILE",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
}

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	snprintf(p->folder, sizeof p->folder, "/tmp/credentials_XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->path, sizeof p->path, "%s", getenv("PATH"));
	forget_everything();
	setenv("HOME", p->folder, 1);
	setenv("PATH", p->folder, 1);
	*state = p;
	return 0;
}

static void in_folder(const struct place *p, const char *name, char out[128])
{
	snprintf(out, 128, "%s/%s", p->folder, name);
}

static int teardown(void **state)
{
	struct place *p = *state;
	char path[128];

	in_folder(p, "aws", path);
	unlink(path);
	in_folder(p, "config", path);
	unlink(path);
	assert_int_equal(rmdir(p->folder), 0);
	setenv("PATH", p->path, 1);
	forget_everything();
	free(p);
	return 0;
}

static void write_file(const struct place *p, const char *name, const char *text)
{
	char path[128];
	int fd;

	in_folder(p, name, path);
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0700);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void the_process_format_is_read_and_what_is_not_it_is_refused(void **state)
{
#define HEAD "{\"Version\":1,\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"hush\""
	static const struct {
		const char *json, *says; /* NULL: it is read */
		const char *token;
		int64_t expires_s;
	} cases[] = {
		{ HEAD "}", NULL, NULL, 0 },
		{ HEAD ",\"SessionToken\":\"t0k\"}", NULL, "X-Amz-Security-Token: t0k", 0 },
		{ HEAD ",\"SessionToken\":\"\",\"Expiration\":\"2026-11-23T05:06:07+00:00\"}", NULL,
		  NULL, 1795410367 },
		{ HEAD ",\"Expiration\":\"2026-11-23T05:06:07Z\"}", NULL, NULL, 1795410367 },
		{ HEAD ",\"Expiration\":\"2026-11-23T05:06:07.123Z\"}", NULL, NULL, 1795410367 },
		{ HEAD ",\"Expiration\":\"2026-11-23T07:06:07+02:00\"}", NULL, NULL, 1795410367 },
		{ HEAD ",\"Expiration\":\"soon\"}", "an Expiration that is no time", NULL, 0 },
		{ HEAD ",\"Expiration\":\"2026-11-23T05:06:07\"}", "no time", NULL, 0 },
		{ "", "not JSON", NULL, 0 },
		{ "[]", "Version other than 1", NULL, 0 },
		{ "{\"Version\":2}", "Version other than 1", NULL, 0 },
		{ "{\"Version\":1,\"SecretAccessKey\":\"hush\"}", "without AccessKeyId", NULL, 0 },
		{ "{\"Version\":1,\"AccessKeyId\":\"AKID\"}", "without SecretAccessKey", NULL, 0 },
		{ HEAD ",\"SessionToken\":\"hush\\r\\nX: y\"}", "characters none can have", NULL,
		  0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct credentials c = { .source = CREDENTIALS_NONE };
		struct err err = { .kind = ERR_NONE };
		int result = credentials_parse(cases[i].json, strlen(cases[i].json), &c, &err);

		assert_int_equal(result, cases[i].says ? -1 : 0);
		if (result) {
			assert_null(strstr(err.text, "hush"));
			if (!strstr(err.text, cases[i].says))
				fail_msg("%s: %s", cases[i].json, err.text);
			continue;
		}
		assert_int_equal(c.source, CREDENTIALS_CLI);
		assert_string_equal(c.user_password, "AKID:hush");
		assert_int_equal(c.expires_at_ns, cases[i].expires_s * NS_PER_S);
		assert_int_equal(!c.token_header, !cases[i].token);
		if (c.token_header)
			assert_string_equal(c.token_header, cases[i].token);
		credentials_free(&c);
		assert_null(c.user_password);
	}
#undef HEAD
}

static void they_are_renewed_before_they_expire(void **state)
{
	static const struct {
		int64_t expires_s, now_s;
		bool expiring, expired;
	} cases[] = {
		{ 0, 1000000, false, false },  { 10000, 9000, false, false },
		{ 10000, 9699, false, false }, { 10000, 9700, true, false },
		{ 10000, 10000, true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct credentials c = { .expires_at_ns = cases[i].expires_s * NS_PER_S };

		assert_int_equal(credentials_expiring(&c, cases[i].now_s * NS_PER_S),
				 cases[i].expiring);
		assert_int_equal(credentials_expired(&c, cases[i].now_s * NS_PER_S),
				 cases[i].expired);
	}
}

static const char good_cli[] =
	"#!/bin/sh\n"
	"[ \"$*\" = 'configure export-credentials --format process' ] || exit 9\n"
	"echo '{\"Version\":1,\"AccessKeyId\":\"CLI\",\"SecretAccessKey\":\"hush\"}'\n";
static const char bad_cli[] = "#!/bin/sh\necho hush; echo hush >&2; exit 253\n";
static const char odd_cli[] = "#!/bin/sh\necho '{\"Version\":1,\"SecretAccessKey\":\"hush\"}'\n";

/* environment x CLI x configuration x balancer. */
static void the_environment_then_the_cli_and_only_a_local_balancer_does_without(void **state)
{
	static const struct {
		const char *key, *secret, *cli, *profile;
		bool local;
		const char *user_password, *says;
	} cases[] = {
		{ "ENV", "hush", good_cli, "p", false, "ENV:hush", NULL },
		{ "ENV", "hush", NULL, NULL, true, "ENV:hush", NULL },
		{ "ENV", NULL, good_cli, "p", true, NULL, "AWS_SECRET_ACCESS_KEY is not" },
		{ "", "hush", good_cli, "p", false, NULL, "AWS_ACCESS_KEY_ID is not" },
		{ NULL, NULL, good_cli, NULL, false, "CLI:hush", NULL },
		{ NULL, NULL, good_cli, "p", true, "CLI:hush", NULL },
		{ NULL, NULL, good_cli, NULL, true, NULL, NULL }, /* not asked: nothing to read */
		{ NULL, NULL, bad_cli, NULL, false, NULL, "ended with status 253" },
		{ NULL, NULL, odd_cli, NULL, false, NULL, "credentials without AccessKeyId" },
		{ NULL, NULL, NULL, NULL, false, NULL, "set AWS_ACCESS_KEY_ID and AWS_SECRET" },
		{ NULL, NULL, bad_cli, "p", true, NULL, NULL },
		{ NULL, NULL, NULL, "p", true, NULL, NULL },
	};
	struct place *p = *state;
	char cli[128];

	in_folder(p, "aws", cli);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct credentials c = { .source = CREDENTIALS_NONE };
		struct err err = { .kind = ERR_NONE };
		int result;

		forget_everything();
		unlink(cli);
		if (cases[i].key)
			setenv("AWS_ACCESS_KEY_ID", cases[i].key, 1);
		if (cases[i].secret)
			setenv("AWS_SECRET_ACCESS_KEY", cases[i].secret, 1);
		if (cases[i].profile)
			setenv("AWS_PROFILE", cases[i].profile, 1);
		if (cases[i].cli)
			write_file(p, "aws", cases[i].cli);
		result = credentials_find(cases[i].local, &c, &err);
		if (result != (cases[i].says ? -1 : 0) ||
		    (cases[i].says && !strstr(err.text, cases[i].says)))
			fail_msg("case %zu: %d %s", i, result, err.text);
		assert_null(strstr(err.text, "hush"));
		assert_int_equal(!c.user_password, !cases[i].user_password);
		if (c.user_password)
			assert_string_equal(c.user_password, cases[i].user_password);
		credentials_free(&c);
	}
}

static void a_configuration_file_is_something_for_the_cli_to_read(void **state)
{
	struct place *p = *state;
	struct credentials c;
	char config[128];

	write_file(p, "aws", good_cli);
	write_file(p, "config", "[default]\n");
	in_folder(p, "config", config);
	setenv("AWS_CONFIG_FILE", config, 1);
	assert_int_equal(credentials_find(true, &c, NULL), 0);
	assert_int_equal(c.source, CREDENTIALS_CLI);
	credentials_free(&c);
	setenv("AWS_CONFIG_FILE", "/nowhere/at-all", 1);
	assert_int_equal(credentials_find(true, &c, NULL), 0);
	assert_int_equal(c.source, CREDENTIALS_NONE);
}

/* The CLI of Debian, out of a credentials file of its own format. */
static void the_genuine_cli_gives_its_profiles_credentials(void **state)
{
	struct place *p = *state;
	struct credentials c;
	struct err err = { .kind = ERR_NONE };
	char file[128];

	if (access("/usr/bin/aws", X_OK) < 0) {
		print_message("SKIPPED: /usr/bin/aws (Debian's awscli) is not installed\n");
		skip();
	}
	write_file(p, "config",
		   "[other]\naws_access_key_id = OTHER\naws_secret_access_key = hush\n"
		   "[team]\naws_access_key_id = TEAM\naws_secret_access_key = quiet\n"
		   "aws_session_token = t0k\n");
	in_folder(p, "config", file);
	setenv("AWS_SHARED_CREDENTIALS_FILE", file, 1);
	setenv("AWS_PROFILE", "team", 1);
	setenv("PATH", "/usr/bin:/bin", 1);
	if (credentials_find(false, &c, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(c.user_password, "TEAM:quiet");
	assert_string_equal(c.token_header, "X-Amz-Security-Token: t0k");
	credentials_free(&c);
}

static void people_are_told_the_source_and_never_the_secret(void **state)
{
	struct place *p = *state;
	struct err err = { .kind = ERR_NONE };
	char text[160];

	assert_int_equal(credentials_describe(text, sizeof text, NULL), 0);
	assert_string_equal(text, "none: enough for a local balancer, not for AWS");
	write_file(p, "aws", bad_cli);
	setenv("AWS_PROFILE", "team", 1);
	assert_int_equal(credentials_describe(text, sizeof text, NULL), 0);
	assert_non_null(strstr(text, "/aws configure export-credentials gives, profile team"));
	setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
	assert_int_equal(credentials_describe(text, sizeof text, &err), -1);
	setenv("AWS_SECRET_ACCESS_KEY", "hush", 1);
	setenv("AWS_SESSION_TOKEN", "t0k", 1);
	assert_int_equal(credentials_describe(text, sizeof text, NULL), 0);
	assert_string_equal(text, "the environment's (AWS_ACCESS_KEY_ID, AWS_SESSION_TOKEN)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_process_format_is_read_and_what_is_not_it_is_refused),
		cmocka_unit_test(they_are_renewed_before_they_expire),
		cmocka_unit_test_setup_teardown(
			the_environment_then_the_cli_and_only_a_local_balancer_does_without, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_configuration_file_is_something_for_the_cli_to_read, setup, teardown),
		cmocka_unit_test_setup_teardown(the_genuine_cli_gives_its_profiles_credentials,
						setup, teardown),
		cmocka_unit_test_setup_teardown(people_are_told_the_source_and_never_the_secret,
						setup, teardown),
	};

	return cmocka_run_group_tests_name("driver/core/credentials", tests, NULL, NULL);
}
