#include "driver/core/elbv2.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/http.h"

enum {
	FORM_BYTES_MAX = 256 * 1024,
	ANSWER_BYTES_MAX = 1024 * 1024,
	NAME_BYTES_MAX = 512,
	QUOTE_BYTES_MAX = 80
};

void elbv2_init(struct elbv2 *e, const char *endpoint, const char *region)
{
	const char *key = getenv("AWS_ACCESS_KEY_ID"), *secret = getenv("AWS_SECRET_ACCESS_KEY"),
		   *token = getenv("AWS_SESSION_TOKEN");

	*e = (struct elbv2){ .sigv4 = xasprintf("aws:amz:%s:elasticloadbalancing", region) };
	if (!endpoint)
		e->endpoint = xasprintf("https://elasticloadbalancing.%s.amazonaws.com/", region);
	else
		e->endpoint = xasprintf("%s%s", strstr(endpoint, "://") ? "" : "http://", endpoint);
	if (key && *key && secret && *secret)
		e->user_password = xasprintf("%s:%s", key, secret);
	if (e->user_password && token && *token)
		e->token_header = xasprintf("X-Amz-Security-Token: %s", token);
}

static void free_secret(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void elbv2_free(struct elbv2 *e)
{
	free(e->endpoint);
	free(e->sigv4);
	free_secret(e->user_password);
	free_secret(e->token_header);
	*e = (struct elbv2){ .deadline_ns = 0 };
}

static void encode(struct buf *form, const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (isalnum(*c) || strchr("-_.~", *c))
			buf_append(form, c, 1);
		else
			buf_printf(form, "%%%02X", *c);
	}
}

struct buf elbv2_form(const char *action)
{
	struct buf form = buf_init(FORM_BYTES_MAX);

	buf_printf(&form, "Action=%s&Version=2015-12-01", action);
	return form;
}

void elbv2_add(struct buf *form, const char *value, const char *name_fmt, ...)
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

/* What the API said, or, when it was not the API that answered, how the answer begins. */
static int refusal(const char *action, int status, const struct buf *body, struct err *err)
{
	struct flat flat = { .count = 0 };
	const char *code = NULL, *message = NULL;

	if (!flat_parse(buf_text(body), body->len, &flat, NULL)) {
		code = flat_get(&flat, "Error.Code");
		message = flat_get(&flat, "Error.Message");
	}
	if (code)
		err_set(err, ERR_WORLD, "%s: %s: %s", action, code, message ? message : "");
	else
		err_set(err, ERR_WORLD, "%s: HTTP %d, \"%.*s\"", action, status,
			(int)strcspn(buf_text(body), "\r\n") < QUOTE_BYTES_MAX ?
				(int)strcspn(buf_text(body), "\r\n") :
				QUOTE_BYTES_MAX,
			buf_text(body));
	flat_free(&flat);
	return -1;
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

int elbv2_call(const struct elbv2 *e, const char *action, struct buf *form, struct flat *ret,
	       struct err *err)
{
	const char *headers[] = { e->token_header, NULL };
	struct buf answer = buf_init(ANSWER_BYTES_MAX);
	struct http_request request = {
		.method = "POST",
		.url = e->endpoint,
		.content_type = "application/x-www-form-urlencoded; charset=utf-8",
		.body = buf_text(form),
		.body_size = form->len,
		.timeout_ns = e->deadline_ns - clock_now_ns(),
		.sigv4 = e->user_password ? e->sigv4 : NULL,
		.user_password = e->user_password,
		.headers = headers,
	};
	struct flat flat;
	int status, result = -1;

	if (form->overflow)
		err_set(err, ERR_WORLD, "%s: the request is longer than %d bytes", action,
			FORM_BYTES_MAX);
	else if (request.timeout_ns <= 0)
		err_set(err, ERR_WORLD, "%s: no time left", action);
	else if (http_do(&request, &status, &answer, err) < 0)
		err_context(err, "%s", action);
	else if (status != 200)
		refusal(action, status, &answer, err);
	else if (flat_parse(buf_text(&answer), answer.len, &flat, err) < 0)
		err_context(err, "%s", action);
	else {
		strip(&flat, action);
		*ret = flat;
		result = 0;
	}
	buf_free(&answer);
	buf_free(form);
	return result;
}
