/* An Authorization header made without the secret: never good, always refused in AWS's words. */
#include <stdlib.h>

#include "ci/fuzz/fuzz.h"
#include "fixtures/alb/sigv4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sigv4_secret secret = { .key_id = "AKIAEXAMPLE", .secret = "secret" };
	static const char body[] = "Action=DescribeRules&Version=2015-12-01";
	struct buf text = buf_init(HEAD_BYTES_MAX);
	struct head *head = head_new(HTTP_REQUEST);
	struct aws_error error = { .status = 0 };

	buf_puts(&text, "POST / HTTP/1.1\r\nHost: edge\r\nX-Amz-Date: 20231114T221320Z\r\n"
			"Authorization: ");
	buf_append(&text, data, size);
	buf_puts(&text, "\r\n\r\n");
	if (!text.overflow && head_feed(head, text.data, text.len) == HEAD_DONE) {
		ASSERT_EQ(sigv4_verify(&secret, AWS_ELB, AWS_QUERY, head, body, strlen(body),
				       1700000000, &error),
			  -1);
		ASSERT(error.status >= 400 && *error.code && *error.message);
		ASSERT(memchr(error.message, '\0', sizeof error.message));
		ASSERT(strstr(text.data, secret.secret) || !strstr(error.message, secret.secret));
	}
	head_free(head);
	buf_free(&text);
	return 0;
}
