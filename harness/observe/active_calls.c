#include "observe/active_calls.h"

#include <stdio.h>

#include <jansson.h>

#include "base/clock.h"
#include "net/http.h"

enum { PAGE_BYTES_MAX = 65536 };

int active_calls_parse(const char *text, size_t size, uint32_t *ret_active, struct err *err)
{
	json_error_t where;
	json_t *page = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	const json_t *count = json_object_get(page, "active_calls");
	int result = 0;

	if (!page)
		result = err_set(err, ERR_WORLD, "active_calls: %s", where.text);
	else if (!json_is_integer(count) || json_integer_value(count) < 0 ||
		 json_integer_value(count) > UINT32_MAX)
		result = err_set(err, ERR_WORLD, "active_calls: the page has no such count");
	else
		*ret_active = (uint32_t)json_integer_value(count);
	json_decref(page);
	return result;
}

int active_calls_read(const char *address, uint32_t *ret_active, struct err *err)
{
	char url[320];
	struct http_request request = { .method = "GET", .url = url, .timeout_ns = NS_PER_S };
	struct buf page = buf_init(PAGE_BYTES_MAX);
	int status, result;

	snprintf(url, sizeof url, "http://%s/metrics/active_calls", address);
	result = http_do(&request, &status, &page, err) < 0 ? -1 : 0;
	if (!result && status != 200)
		result = err_set(err, ERR_WORLD, "active_calls of %s: HTTP status %d", address,
				 status);
	if (!result)
		result = active_calls_parse(buf_text(&page), page.len, ret_active, err);
	buf_free(&page);
	return result;
}
