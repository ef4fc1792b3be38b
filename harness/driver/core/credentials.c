#include "driver/core/credentials.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/process.h"

enum { ANSWER_BYTES_MAX = 64 * 1024, PATH_BYTES_MAX = 4096 };
static const int64_t cli_within_ns = 20 * NS_PER_S;
static const int64_t renew_before_ns = 300 * NS_PER_S;

static void wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void credentials_free(struct credentials *c)
{
	wipe(c->user_password);
	wipe(c->token_header);
	*c = (struct credentials){ .source = CREDENTIALS_NONE };
}

/* What ends up in a header or divides key from secret must be one printable word. */
static bool is_word(const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	return *text;
}

static int make(enum credentials_source source, const char *key, const char *secret,
		const char *token, struct credentials *ret, struct err *err)
{
	if (!is_word(key) || strchr(key, ':') || !is_word(secret) || (token && !is_word(token)))
		return err_set(err, ERR_INPUT, "credentials with characters none can have");
	*ret = (struct credentials){
		.source = source,
		.user_password = xasprintf("%s:%s", key, secret),
		.token_header = token ? xasprintf("X-Amz-Security-Token: %s", token) : NULL,
	};
	return 0;
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* A key without its secret, or the reverse, is a mistake whatever the balancer. */
static int from_environment(struct credentials *ret, struct err *err)
{
	const char *key = variable("AWS_ACCESS_KEY_ID");
	const char *secret = variable("AWS_SECRET_ACCESS_KEY");

	if (!key != !secret)
		return err_set(err, ERR_INPUT, "AWS_%s is set, AWS_%s is not",
			       key ? "ACCESS_KEY_ID" : "SECRET_ACCESS_KEY",
			       key ? "SECRET_ACCESS_KEY" : "ACCESS_KEY_ID");
	if (!key) {
		*ret = (struct credentials){ .source = CREDENTIALS_NONE };
		return 0;
	}
	if (make(CREDENTIALS_ENVIRONMENT, key, secret, variable("AWS_SESSION_TOKEN"), ret, err) < 0)
		return err_context(err, "environment");
	return 0;
}

/* "2026-11-23T05:06:07+00:00", "...Z", with or without a fraction. 0: no such time. */
static int64_t parse_time(const char *text)
{
	struct tm tm = { .tm_isdst = 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	long offset_s;

	if (!rest)
		return 0;
	offset_s = 0;
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (*rest == '+' || *rest == '-') {
		int hours, minutes;

		if (sscanf(rest + 1, "%2d:%2d", &hours, &minutes) != 2)
			return 0;
		offset_s = (*rest == '-' ? -1 : 1) * (hours * 3600L + minutes * 60L);
	} else if (strcmp(rest, "Z")) {
		return 0;
	}
	return ((int64_t)timegm(&tm) - offset_s) * NS_PER_S;
}

static const char *word(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text && *text ? text : NULL;
}

int credentials_parse(const char *json, size_t size, struct credentials *ret, struct err *err)
{
	json_t *object = json_loadb(json, size, 0, NULL);
	const char *key = word(object, "AccessKeyId"), *secret = word(object, "SecretAccessKey"),
		   *expiration = word(object, "Expiration");
	int64_t expires_at_ns = expiration ? parse_time(expiration) : 0;
	int result = -1;

	if (!object)
		err_set(err, ERR_WORLD, "credentials that are not JSON");
	else if (json_integer_value(json_object_get(object, "Version")) != 1)
		err_set(err, ERR_WORLD, "credentials of a Version other than 1");
	else if (!key || !secret)
		err_set(err, ERR_WORLD, "credentials without %s",
			key ? "SecretAccessKey" : "AccessKeyId");
	else if (expiration && !expires_at_ns)
		err_set(err, ERR_WORLD, "credentials with an Expiration that is no time");
	else
		result = make(CREDENTIALS_CLI, key, secret, word(object, "SessionToken"), ret, err);
	if (!result)
		ret->expires_at_ns = expires_at_ns;
	json_decref(object);
	return result;
}

/* Has the CLI anything to look into on this machine? */
static bool cli_configured(void)
{
	static const struct {
		const char *variable, *below_home;
	} files[] = {
		{ "AWS_CONFIG_FILE", ".aws/config" },
		{ "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials" },
	};
	const char *home = variable("HOME");
	char path[PATH_BYTES_MAX];

	if (variable("AWS_PROFILE"))
		return true;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		const char *named = variable(files[i].variable);

		if (named ? access(named, R_OK) == 0 :
			    home &&
				    (size_t)snprintf(path, sizeof path, "%s/%s", home,
						     files[i].below_home) < sizeof path &&
				    access(path, R_OK) == 0)
			return true;
	}
	return false;
}

static int from_cli(bool local, struct credentials *ret, struct err *err)
{
	static const char command[] = "aws configure export-credentials";
	static const char *const argv[] = { "aws",	"configure", "export-credentials",
					    "--format", "process",   NULL };
	static const char *const here_only[] = { "AWS_EC2_METADATA_DISABLED=true", NULL };
	struct buf answer = buf_init(ANSWER_BYTES_MAX);
	char program[PATH_BYTES_MAX];
	struct process_spec spec = { .program = program,
				     .argv = argv,
				     .environment = local ? here_only : NULL };
	int status, result = -1;

	if (process_on_path("aws", program, sizeof program, err) < 0)
		goto out;
	if (process_capture(&spec, clock_now_ns() + cli_within_ns, &answer, &status, err) < 0) {
		err_context(err, "%s", command);
		goto out;
	}
	if (status)
		err_set(err, ERR_WORLD,
			"%s (%s) ended with status %d: run it to see why; it needs AWS CLI 2.9 or newer",
			command, program, status);
	else if (!(result = credentials_parse(buf_text(&answer), answer.len, ret, err)))
		goto out;
	else
		err_context(err, "%s", command);
out:
	if (answer.data)
		explicit_bzero(answer.data, answer.cap);
	buf_free(&answer);
	return result;
}

int credentials_find(bool local, struct credentials *ret, struct err *err)
{
	if (from_environment(ret, err) < 0)
		return -1;
	if (ret->source == CREDENTIALS_ENVIRONMENT || (local && !cli_configured()))
		return 0;
	if (from_cli(local, ret, err) < 0 && !local)
		return err_context(
			err,
			"no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE");
	return 0;
}

bool credentials_expiring(const struct credentials *c, int64_t now_ns)
{
	return c->expires_at_ns && now_ns >= c->expires_at_ns - renew_before_ns;
}

bool credentials_expired(const struct credentials *c, int64_t now_ns)
{
	return c->expires_at_ns && now_ns >= c->expires_at_ns;
}

int credentials_describe(char *out, size_t size, struct err *err)
{
	struct credentials c;
	char program[PATH_BYTES_MAX];
	const char *profile = variable("AWS_PROFILE");

	if (from_environment(&c, err) < 0)
		return -1;
	if (c.source == CREDENTIALS_ENVIRONMENT)
		snprintf(out, size, "the environment's (AWS_ACCESS_KEY_ID%s)",
			 c.token_header ? ", AWS_SESSION_TOKEN" : "");
	else if (process_on_path("aws", program, sizeof program, NULL) < 0)
		snprintf(out, size, "none: enough for a local balancer, not for AWS");
	else
		snprintf(out, size, "what %.80s configure export-credentials gives%s%.40s", program,
			 profile ? ", profile " : "", profile ? profile : "");
	credentials_free(&c);
	return 0;
}
