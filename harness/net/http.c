#include "net/http.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { ANSWER_BYTES_MAX = 1024 * 1024 };

struct receiver {
	struct buf *body;
	bool too_large;
};

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
	struct receiver *r = user;
	size_t bytes = size * count;

	if (r->body->len + bytes > ANSWER_BYTES_MAX || buf_append(r->body, data, bytes) < 0) {
		r->too_large = true;
		return 0; /* makes libcurl give up */
	}
	return bytes;
}

static int add_header(struct curl_slist **headers, const char *text)
{
	struct curl_slist *longer = curl_slist_append(*headers, text);

	if (!longer)
		return -1;
	*headers = longer;
	return 0;
}

static int make_headers(const struct http_request *request, struct curl_slist **headers)
{
	char *type;
	int result = 0;

	if (request->content_type) {
		type = xasprintf("Content-Type: %s", request->content_type);
		result = add_header(headers, type);
		free(type);
	}
	for (const char *const *h = request->headers; !result && h && *h; h++)
		result = add_header(headers, *h);
	return result;
}

static void prepare(CURL *curl, const struct http_request *request, struct curl_slist *headers,
		    struct receiver *receiver)
{
	long timeout_ms = (long)((request->timeout_ns + NS_PER_MS - 1) / NS_PER_MS);

	curl_easy_setopt(curl, CURLOPT_URL, request->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	if (!request->by_proxy) {
		curl_easy_setopt(curl, CURLOPT_PROXY, "");
		curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	}
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
			 timeout_ms > 0 ? timeout_ms : 1L); /* 0 would be for ever */
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "crossfade");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, receiver);
	if (request->body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
	}
	if (!strcmp(request->method, "HEAD"))
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
	if (request->sigv4) {
		curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, request->sigv4);
		curl_easy_setopt(curl, CURLOPT_USERPWD, request->user_password);
	}
}

/* Failures of this moment, which the next attempt may be spared. */
static bool may_pass(CURLcode code)
{
	static const CURLcode passing[] = {
		CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT,   CURLE_OPERATION_TIMEDOUT,
		CURLE_GOT_NOTHING,	    CURLE_SEND_ERROR,	     CURLE_RECV_ERROR,
		CURLE_PARTIAL_FILE,	    CURLE_SSL_CONNECT_ERROR,
	};

	for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
		if (passing[i] == code)
			return true;
	return false;
}

int http_do(const struct http_request *request, int *ret_status, struct buf *body, struct err *err)
{
	struct receiver receiver = { .body = body };
	struct curl_slist *headers = NULL;
	char detail[CURL_ERROR_SIZE] = "";
	CURL *curl = curl_easy_init();
	long status = 0;
	CURLcode code;
	int result = -2;

	buf_clear(body);
	if (!curl || make_headers(request, &headers) < 0) {
		err_set(err, ERR_HARNESS, "libcurl does not start");
		goto out;
	}
	prepare(curl, request, headers, &receiver);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
	code = curl_easy_perform(curl);
	if (receiver.too_large) {
		err_set(err, ERR_WORLD, "%s %s: the answer is longer than %zu bytes",
			request->method, request->url,
			body->max < ANSWER_BYTES_MAX ? body->max : (size_t)ANSWER_BYTES_MAX);
		goto out;
	}
	if (code != CURLE_OK) {
		err_set(err, ERR_WORLD, "%s %s: %s", request->method, request->url,
			*detail ? detail : curl_easy_strerror(code));
		result = may_pass(code) ? -1 : -2;
		goto out;
	}
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	*ret_status = (int)status;
	result = 0;
out:
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	return result;
}
