#include "driver/core/aws.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/http.h"
#include "net/resolve.h"

enum {
	FORM_BYTES_MAX = 256 * 1024,
	ANSWER_BYTES_MAX = 1024 * 1024,
	NAME_BYTES_MAX = 512,
	QUOTE_BYTES_MAX = 80,
	REGION_BYTES = 64
};

static const struct {
	const char *host, *version;
} services[AWS_SERVICE_COUNT] = {
	[AWS_ELBV2] = { "elasticloadbalancing", "2015-12-01" },
	[AWS_CLOUDWATCH] = { "monitoring", "2010-08-01" },
};

/* ---- where to, and as whom ---- */

static bool is_loopback(const char *host)
{
	struct in_addr address;

	if (!strcmp(host, "localhost") || !strcmp(host, "::1") || !strcmp(host, "[::1]"))
		return true;
	return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static const char *find_region(const char *given, bool local)
{
	const char *candidates[] = { given, getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"),
				     local ? "us-east-1" : NULL };

	for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++)
		if (candidates[i] && *candidates[i])
			return candidates[i];
	return NULL;
}

/* Becomes part of a host name and of the signature's scope. */
static bool is_region(const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text);
}

/* AWS's own endpoint spelled out: the region in it, else "". */
static void region_of_endpoint(const char *endpoint, char region[REGION_BYTES])
{
	struct url url;
	int end = 0;

	*region = '\0';
	if (!endpoint || url_parse(endpoint, &url, NULL) < 0 || !url.tls ||
	    sscanf(url.host, "elasticloadbalancing.%63[a-z0-9-].amazonaws.com%n", region, &end) !=
		    1 ||
	    !end || url.host[end])
		*region = '\0';
}

int aws_init(struct aws *aws, const char *endpoint, const char *monitoring_endpoint,
	     const char *region, int64_t call_within_ns, struct err *err)
{
	const char *given[AWS_SERVICE_COUNT] = {
		[AWS_ELBV2] = endpoint, [AWS_CLOUDWATCH] = monitoring_endpoint
	};
	char spelled_out[REGION_BYTES];

	*aws = (struct aws){ .local = true,
			     .policy = retry_policy_default(),
			     .jitter = rng_split((uint64_t)clock_now_ns(), 0, "aws jitter"),
			     .call_within_ns = call_within_ns };
	region_of_endpoint(endpoint, spelled_out);
	if (!monitoring_endpoint && !*spelled_out)
		given[AWS_CLOUDWATCH] = endpoint;
	for (int i = 0; i < AWS_SERVICE_COUNT; i++) {
		struct url url;

		if (!given[i]) {
			aws->local = false;
			continue;
		}
		aws->endpoint[i] = xasprintf("%s%s", strstr(given[i], "://") ? "" : "http://",
					     given[i]);
		if (url_parse(aws->endpoint[i], &url, err) < 0)
			return -1;
		aws->local = aws->local && is_loopback(url.host);
	}
	region = *spelled_out ? spelled_out : find_region(region, aws->local);
	if (!region)
		return err_set(err, ERR_INPUT, "no region: set AWS_REGION");
	if (!is_region(region))
		return err_set(err, ERR_INPUT, "region \"%s\" is not the name of one", region);
	for (int i = 0; i < AWS_SERVICE_COUNT; i++) {
		aws->sigv4[i] = xasprintf("aws:amz:%s:%s", region, services[i].host);
		if (!aws->endpoint[i])
			aws->endpoint[i] = xasprintf("https://%s.%s.amazonaws.com/",
						     services[i].host, region);
	}
	return credentials_find(aws->local, &aws->credentials, err);
}

void aws_free(struct aws *aws)
{
	for (int i = 0; i < AWS_SERVICE_COUNT; i++) {
		free(aws->endpoint[i]);
		free(aws->sigv4[i]);
	}
	credentials_free(&aws->credentials);
	*aws = (struct aws){ .deadline_ns = 0 };
}

void aws_begin(struct aws *aws)
{
	aws->deadline_ns = clock_now_ns() + aws->call_within_ns;
}

/* Those at hand serve until they expire, should the CLI have no new ones. */
static int renew_credentials(struct aws *aws, struct err *err)
{
	int64_t now_ns = clock_realtime_ns(), begin_ns = clock_now_ns();
	bool expired = credentials_expired(&aws->credentials, now_ns);
	struct credentials fresh;

	if (!credentials_expiring(&aws->credentials, now_ns))
		return 0;
	if (credentials_find(aws->local, &fresh, expired ? err : NULL) < 0)
		return expired ? -1 : 0;
	credentials_free(&aws->credentials);
	aws->credentials = fresh;
	aws->deadline_ns += clock_now_ns() - begin_ns; /* not the balancer's time */
	return 0;
}

/* ---- forms ---- */

static void encode(struct buf *form, const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (isalnum(*c) || strchr("-_.~", *c))
			buf_append(form, c, 1);
		else
			buf_printf(form, "%%%02X", *c);
	}
}

struct buf aws_form(enum aws_service service, const char *action)
{
	struct buf form = buf_init(FORM_BYTES_MAX);

	buf_printf(&form, "Action=%s&Version=%s", action, services[service].version);
	return form;
}

void aws_add(struct buf *form, const char *value, const char *name_fmt, ...)
{
	char name[NAME_BYTES_MAX];
	va_list ap;

	va_start(ap, name_fmt);
	vsnprintf(name, sizeof name, name_fmt, ap);
	va_end(ap);
	buf_puts(form, "&");
	encode(form, name);
	buf_puts(form, "=");
	encode(form, value);
}

/* ---- calls ---- */

/* What the API said, or, when it was not the API that answered, how the answer begins. Whether
 * that is worth asking again. */
static bool refusal(const char *action, int status, const struct buf *body, struct err *err)
{
	struct flat flat = { .count = 0 };
	const char *code = NULL, *message = NULL;
	int line = (int)strcspn(buf_text(body), "\r\n");
	bool again;

	if (!flat_parse(buf_text(body), body->len, &flat, NULL)) {
		code = flat_get(&flat, "Error.Code");
		message = flat_get(&flat, "Error.Message");
	}
	again = retry_worth(status, code);
	if (code)
		err_set(err, ERR_WORLD, "%s: %s: %s", action, code, message ? message : "");
	else
		err_set(err, ERR_WORLD, "%s: HTTP %d, \"%.*s\"", action, status,
			line < QUOTE_BYTES_MAX ? line : QUOTE_BYTES_MAX, buf_text(body));
	flat_free(&flat);
	return again;
}

/* Takes "ActionResult." off every name. */
static void strip(struct flat *flat, const char *action)
{
	char prefix[NAME_BYTES_MAX];
	size_t length = (size_t)snprintf(prefix, sizeof prefix, "%sResult.", action);

	for (size_t i = 0; i < flat->count; i++)
		if (!strncmp(flat->pair[i].name, prefix, length))
			memmove(flat->pair[i].name, flat->pair[i].name + length,
				strlen(flat->pair[i].name + length) + 1);
}

/* One attempt. 0, -1 worth another, -2 not. */
static int attempt(struct aws *aws, enum aws_service service, const char *action,
		   const struct buf *form, struct flat *ret, struct err *err)
{
	const char *headers[] = { aws->credentials.token_header, NULL };
	struct buf answer = buf_init(ANSWER_BYTES_MAX);
	int64_t left_ns = aws->deadline_ns - clock_now_ns();
	struct http_request request = {
		.method = "POST",
		.url = aws->endpoint[service],
		.content_type = "application/x-www-form-urlencoded; charset=utf-8",
		.body = buf_text(form),
		.body_size = form->len,
		.timeout_ns = left_ns < aws->policy.attempt_within_ns ?
				      left_ns :
				      aws->policy.attempt_within_ns,
		.sigv4 = aws->credentials.user_password ? aws->sigv4[service] : NULL,
		.user_password = aws->credentials.user_password,
		.headers = headers,
		/* AWS may be behind a proxy; a local edge, which has no TLS there, never is. */
		.by_proxy = !strncmp(aws->endpoint[service], "https://", 8),
	};
	int status, result;

	result = http_do(&request, &status, &answer, err);
	if (result < 0) {
		err_context(err, "%s", action);
	} else if (status != 200) {
		result = refusal(action, status, &answer, err) ? -1 : -2;
	} else if (flat_parse(buf_text(&answer), answer.len, ret, err) < 0) {
		err_context(err, "%s", action);
		result = -2;
	}
	buf_free(&answer);
	return result;
}

/* Waits until the next attempt is due; false when there is to be none. Nothing to wait for but the
 * time: the deadline of the call bounds it. */
static bool pause_after(struct aws *aws, unsigned tried)
{
	int64_t until_ns = clock_now_ns() +
			   retry_wait_ns(&aws->policy, tried, rng_unit(&aws->jitter));
	int64_t left_ns;

	if (tried >= aws->policy.attempts_max || until_ns >= aws->deadline_ns)
		return false;
	while ((left_ns = until_ns - clock_now_ns()) > 0)
		/* tidy: sleep: the pause before a throttled call is asked again */
		poll(NULL, 0, (int)(left_ns / NS_PER_MS) + 1);
	return clock_now_ns() < aws->deadline_ns;
}

int aws_call(struct aws *aws, enum aws_service service, const char *action, struct buf *form,
	     struct flat *ret, struct err *err)
{
	int64_t begin_ns = clock_now_ns();
	struct err last = { .kind = ERR_NONE };
	int result = -2;

	if (form->overflow) {
		err_set(&last, ERR_WORLD, "%s: the request is longer than %d bytes", action,
			FORM_BYTES_MAX);
		goto out;
	}
	if (renew_credentials(aws, &last) < 0)
		goto out;
	if (aws->deadline_ns <= clock_now_ns()) {
		err_set(&last, ERR_WORLD, "%s: no time left", action);
		goto out;
	}
	for (unsigned tried = 1;; tried++) {
		result = attempt(aws, service, action, form, ret, &last);
		if (result != -1)
			break;
		if (!pause_after(aws, tried)) {
			err_context(&last, "asked %u time%s in %.1f s", tried,
				    tried == 1 ? "" : "s",
				    (double)(clock_now_ns() - begin_ns) / NS_PER_S);
			break;
		}
		aws->retries++;
	}
	if (!result)
		strip(ret, action);
out:
	buf_free(form);
	if (result < 0 && err)
		*err = last;
	return result < 0 ? -1 : 0;
}
