#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "sim/jar.h"

#define NOW (1800000000 * NS_PER_S) /* Fri, 15 Jan 2027 08:00:00 GMT */
#define PATH "/realtime/c-1"

static void a_cookie_goes_where_and_as_long_as_it_says(void **unused)
{
	static const struct {
		const char *set, *want_path, *want;
		bool tls;
		int64_t later_s;
	} rows[] = {
		{ "AWSALB=abc", PATH, "AWSALB=abc", false, 0 },
		{ "  AWSALB=abc ; Path=/", "/elsewhere", "AWSALB=abc", false, 0 },
		{ "a=b=c==", PATH, "a=b=c==", false, 0 },
		{ "a=", PATH, "a=", false, 0 },
		/* path: given, default, and what only looks like a prefix */
		{ "a=1; Path=/realtime", PATH, "a=1", false, 0 },
		{ "a=1; Path=/realtime/", PATH "?x=y", "a=1", false, 0 },
		{ "a=1; Path=/real", PATH, "", false, 0 },
		{ "a=1; Path=/other", PATH, "", false, 0 },
		{ "a=1", "/realtime/c-2", "a=1", false, 0 },
		{ "a=1", "/realtimes/c-1", "", false, 0 },
		{ "a=1; Path=", PATH, "a=1", false, 0 },
		/* age */
		{ "a=1; Max-Age=10", PATH, "a=1", false, 9 },
		{ "a=1; Max-Age=10", PATH, "", false, 10 },
		{ "a=1; Max-Age=0", PATH, "", false, 0 },
		{ "a=1; max-age=-5", PATH, "", false, 0 },
		{ "a=1; Max-Age=ten", PATH, "a=1", false, 1000000 },
		{ "a=1; Expires=Fri, 15 Jan 2027 08:00:10 GMT", PATH, "a=1", false, 9 },
		{ "a=1; Expires=Fri, 15 Jan 2027 08:00:10 GMT", PATH, "", false, 10 },
		{ "a=1; Expires=Fri, 15-Jan-2027 08:00:10 GMT", PATH, "", false, 10 },
		{ "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", PATH, "", false, 0 },
		{ "a=1; Expires=Wed, 21 Oct 4074 07:28:00 GMT", PATH, "a=1", false, 1000000 },
		{ "a=1; Expires=soon", PATH, "a=1", false, 1000000 },
		{ "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60", PATH, "a=1", false,
		  59 },
		/* secure */
		{ "a=1; Secure; SameSite=None", PATH, "", false, 0 },
		{ "a=1; SameSite=None; Secure", PATH, "a=1", true, 0 },
		{ "a=1; HttpOnly; Domain=example.com", PATH, "a=1", false, 0 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct jar jar = { .list = NULL };
		char header[JAR_HEADER_MAX] = "";
		size_t size;

		assert_true(jar_set(&jar, rows[i].set, PATH, NOW));
		size = jar_header(&jar, rows[i].want_path, rows[i].tls,
				  NOW + rows[i].later_s * NS_PER_S, header);
		if (size != strlen(rows[i].want) || (size && strcmp(header, rows[i].want)))
			fail_msg("%s after %d s: \"%s\"", rows[i].set, (int)rows[i].later_s,
				 size ? header : "");
		jar_free(&jar);
	}
}

static void what_is_no_cookie_is_not_kept(void **unused)
{
	static const char *const rows[] = { "", "abc", "=abc", "; Path=/", "a;b=c" };
	char header[JAR_HEADER_MAX], large[JAR_COOKIE_BYTES_MAX + 8];
	struct jar jar = { .list = NULL };

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_false(jar_set(&jar, rows[i], PATH, NOW));
	snprintf(large, sizeof(large), "a=%0*d", JAR_COOKIE_BYTES_MAX, 0);
	assert_false(jar_set(&jar, large, PATH, NOW));
	assert_int_equal(jar_header(&jar, PATH, false, NOW, header), 0);
}

static void a_newer_cookie_of_the_same_name_and_path_takes_the_place_of_the_older(void **unused)
{
	struct jar jar = { .list = NULL };
	char header[JAR_HEADER_MAX];

	(void)unused;
	assert_true(jar_set(&jar, "AWSALBTG=one; Path=/", PATH, NOW));
	assert_true(jar_set(&jar, "AWSALB=two; Path=/", PATH, NOW));
	assert_true(jar_set(&jar, "AWSALBTG=three; Path=/", PATH, NOW));
	jar_header(&jar, PATH, false, NOW, header);
	assert_string_equal(header, "AWSALBTG=three; AWSALB=two");
	assert_true(jar_set(&jar, "AWSALBTG=; Path=/; Max-Age=0", PATH, NOW)); /* taken back */
	jar_header(&jar, PATH, false, NOW, header);
	assert_string_equal(header, "AWSALB=two");
	jar_free(&jar);
}

static void a_full_jar_keeps_what_it_has(void **unused)
{
	struct jar jar = { .list = NULL };
	char header[JAR_HEADER_MAX], set[64];

	(void)unused;
	for (int i = 0; i < JAR_COOKIES_MAX; i++) {
		snprintf(set, sizeof(set), "n%d=%d; Path=/", i, i);
		assert_true(jar_set(&jar, set, PATH, NOW));
	}
	assert_false(jar_set(&jar, "more=1; Path=/", PATH, NOW));
	assert_true(jar_set(&jar, "n0=again; Path=/", PATH, NOW));
	jar_header(&jar, PATH, false, NOW, header);
	assert_non_null(strstr(header, "n0=again; n1=1"));
	assert_null(strstr(header, "more"));
	jar_free(&jar);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cookie_goes_where_and_as_long_as_it_says),
		cmocka_unit_test(what_is_no_cookie_is_not_kept),
		cmocka_unit_test(
			a_newer_cookie_of_the_same_name_and_path_takes_the_place_of_the_older),
		cmocka_unit_test(a_full_jar_keeps_what_it_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
