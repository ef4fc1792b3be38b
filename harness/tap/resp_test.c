#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "tap/resp.h"

enum { TEXT_MAX = 4096 };

static void describe(const struct resp *r, char *out, size_t room)
{
	size_t n = strlen(out);

	n += (size_t)snprintf(out + n, room - n, "%c%s", r->type, r->null ? "null" : "");
	for (size_t i = 0; i < r->arg_count && i < RESP_ARGS_MAX; i++) {
		size_t size = 0;
		const char *text = resp_arg(r, i, &size);

		n += (size_t)snprintf(out + n, room - n, "[%.*s]", text ? (int)size : 1,
				      text ? text : "?");
	}
	snprintf(out + n, room - n, ";");
}

/* The messages of a stream as text, fed in pieces of at most `piece` bytes. "!" when it broke. */
static void read_all(enum resp_side side, const char *data, size_t size, size_t piece,
		     char out[TEXT_MAX])
{
	enum resp_status status = RESP_MORE;
	struct resp r;

	resp_init(&r, side);
	out[0] = '\0';
	while (size && status != RESP_BROKEN) {
		size_t used, give = size < piece ? size : piece;

		status = resp_feed(&r, data, give, &used);
		assert_true(used <= give);
		assert_true(used == give || status != RESP_MORE);
		if (status == RESP_MESSAGE)
			describe(&r, out, TEXT_MAX);
		data += used;
		size -= used;
	}
	if (status == RESP_BROKEN)
		strcat(out, "!");
	resp_free(&r);
}

struct stream {
	enum resp_side side;
	const char *bytes, *messages;
};

#define C RESP_COMMANDS
#define R RESP_REPLIES
static const struct stream streams[] = {
	/* commands */
	{ C, "*1\r\n$4\r\nPING\r\n", "*[PING];" },
	{ C, "*2\r\n$3\r\nGET\r\n$8\r\ncall:c-1\r\n*1\r\n$4\r\nPING\r\n",
	  "*[GET][call:c-1];*[PING];" },
	{ C, "*4\r\n$5\r\nSETEX\r\n$1\r\nk\r\n$4\r\n1800\r\n$2\r\n\r\n\r\n",
	  "*[SETEX][k][1800][\r\n];" },
	{ C, "*2\r\n$3\r\nGET\r\n$0\r\n\r\n", "*[GET][];" },
	{ C, "PING\r\n", "i[PING];" },
	{ C, "  set  k\tv \r\nPING\n", "i[set][k][v];i[PING];" },
	{ C, "\r\n\r\nPING\r\n", "i[PING];" },
	{ C, "*0\r\n*-1\r\n*1\r\n$1\r\na\r\n", "*[a];" },
	{ C, "*1\r\n:1\r\n", "!" },
	{ C, "*1\r\n$-1\r\n", "!" },
	{ C, "*x\r\n", "!" },
	{ C, "*1048577\r\n", "!" },
	{ C, "*1\r\n$99999999999999\r\n", "!" },
	{ C, "*1\r\n$1\r\nab\r\n", "!" },
	{ C, "*1\n$4\r\n", "!" },
	{ C, "*1\r\n$4\r\nPING\r\nPING\r\n*1\r\n+x\r\n", "*[PING];i[PING];!" },
	/* replies of version 2 */
	{ R, "+OK\r\n-ERR no such thing\r\n:17\r\n", "+[OK];-[ERR no such thing];:[17];" },
	{ R, "$5\r\nhello\r\n$-1\r\n$0\r\n\r\n", "$[hello];$null;$[];" },
	{ R, "*2\r\n$1\r\na\r\n*2\r\n:1\r\n$-1\r\n+OK\r\n", "*;+[OK];" },
	{ R, "*0\r\n*-1\r\n+OK\r\n", "*;*null;+[OK];" },
	{ R, "*3\r\n*0\r\n*1\r\n*0\r\n+x\r\n:1\r\n", "*;:[1];" },
	/* and of version 3 */
	{ R, "_\r\n#t\r\n,1.5\r\n(12345678901234567890\r\n",
	  "_null;#[t];,[1.5];([12345678901234567890];" },
	{ R, "%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n~1\r\n+x\r\n", "%;~;" },
	{ R, "=7\r\ntxt:abc\r\n!3\r\nERR\r\n", "=[txt:abc];![ERR];" },
	{ R, ">2\r\n+pubsub\r\n+x\r\n+OK\r\n", ">;+[OK];" },
	{ R, "|1\r\n+ttl\r\n:3600\r\n$1\r\nv\r\n:2\r\n", "$[v];:[2];" },
	{ R, "*2\r\n|1\r\n+k\r\n+v\r\n:1\r\n:2\r\n:3\r\n", "*;:[3];" },
	{ R, "|0\r\n:1\r\n%0\r\n", ":[1];%;" },
	{ R, "$?\r\n;4\r\n", "!" },
	{ R, "*1\r\n>1\r\n+x\r\n", "!" },
	{ R, "HTTP/1.1 400\r\n", "!" },
	{ R, "$-2\r\n", "!" },
	{ R, "~-1\r\n", "!" },
	{ R, "$3\r\nabcd\r\n", "!" },
	{ R, "+OK\n", "!" },
	{ R, "+OK\rX", "!" },
	{ R, "$\r\n", "!" },
	{ R, "*-\r\n", "!" },
};
#undef C
#undef R
enum { STREAMS = sizeof streams / sizeof *streams };

static void a_stream_gives_its_messages_however_it_is_cut(void **state)
{
	char got[TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < STREAMS; i++) {
		size_t size = strlen(streams[i].bytes);

		for (size_t piece = 1; piece <= size; piece++) {
			read_all(streams[i].side, streams[i].bytes, size, piece, got);
			if (strcmp(got, streams[i].messages) != 0)
				print_error("stream %zu, pieces of %zu: \"%s\"\n", i, piece,
					    streams[i].bytes);
			assert_string_equal(got, streams[i].messages);
		}
	}
}

static void nesting_past_the_limit_is_broken_and_up_to_it_is_not(void **state)
{
	char bytes[5 * RESP_DEPTH_MAX + 16] = "", got[TEXT_MAX];

	(void)state;
	for (int i = 0; i < RESP_DEPTH_MAX; i++)
		strcat(bytes, "*1\r\n");
	strcat(bytes, ":1\r\n");
	read_all(RESP_REPLIES, bytes, strlen(bytes), sizeof bytes, got);
	assert_string_equal(got, "*;");
	memmove(bytes + 4, bytes, strlen(bytes) + 1);
	read_all(RESP_REPLIES, bytes, strlen(bytes), sizeof bytes, got);
	assert_string_equal(got, "!");
}

/* GET-sized head, then a value of `size` bytes. */
static char *setex_of(size_t size, size_t *ret_size)
{
	char head[96];
	int n = snprintf(head, sizeof head, "*4\r\n$5\r\nSETEX\r\n$1\r\nk\r\n$2\r\n60\r\n$%zu\r\n",
			 size);
	char *bytes = malloc((size_t)n + size + 2);

	assert_non_null(bytes);
	memcpy(bytes, head, (size_t)n);
	memset(bytes + n, 'v', size);
	memcpy(bytes + (size_t)n + size, "\r\n", 2);
	*ret_size = (size_t)n + size + 2;
	return bytes;
}

static void a_value_of_64_kib_is_kept_whole_and_a_larger_one_is_passed_over(void **state)
{
	static const struct {
		size_t size;
		bool kept;
	} cases[] = { { 65536, true }, { 4 << 20, false } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		size_t size, used, kept;
		char *bytes = setex_of(cases[i].size, &size);
		struct resp r;

		resp_init(&r, RESP_COMMANDS);
		assert_int_equal(resp_feed(&r, bytes, size, &used), RESP_MESSAGE);
		assert_int_equal(used, size);
		assert_int_equal(resp_arg(&r, 3, &kept) != NULL, cases[i].kept);
		assert_true(r.kept.cap <= 2 * RESP_KEPT_BYTES_MAX);
		assert_non_null(resp_arg(&r, 1, &kept));
		resp_free(&r);
		free(bytes);
	}
}

static void arguments_past_the_limit_are_counted_and_not_kept(void **state)
{
	char bytes[8 * RESP_ARGS_MAX];
	size_t used, size, n = (size_t)sprintf(bytes, "*%d\r\n", RESP_ARGS_MAX + 2);
	struct resp r;

	(void)state;
	for (int i = 0; i < RESP_ARGS_MAX + 2; i++)
		n += (size_t)sprintf(bytes + n, "$1\r\n%c\r\n", 'A' + i);
	resp_init(&r, RESP_COMMANDS);
	assert_int_equal(resp_feed(&r, bytes, n, &used), RESP_MESSAGE);
	assert_int_equal(r.arg_count, RESP_ARGS_MAX + 2);
	assert_int_equal(*resp_arg(&r, RESP_ARGS_MAX - 1, &size), 'A' + RESP_ARGS_MAX - 1);
	assert_null(resp_arg(&r, RESP_ARGS_MAX, &size));
	resp_free(&r);
}

static void a_script_is_not_kept_and_what_follows_it_is(void **state)
{
	size_t size = 60000, used, kept;
	char *bytes = malloc(size + 256);
	int n = snprintf(bytes, 256, "*4\r\n$4\r\nEVAL\r\n$%zu\r\n", size);
	struct resp r;

	(void)state;
	assert_non_null(bytes);
	memset(bytes + n, 's', size);
	strcpy(bytes + n + size, "\r\n$1\r\n1\r\n$8\r\ncall:c-1\r\n");
	resp_init(&r, RESP_COMMANDS);
	assert_int_equal(resp_feed(&r, bytes, strlen(bytes), &used), RESP_MESSAGE);
	assert_null(resp_arg(&r, 1, &kept));
	assert_true(r.kept.len < RESP_SECOND_BYTES_MAX + 64);
	assert_memory_equal(resp_arg(&r, 3, &kept), "call:c-1", 8);
	resp_wipe(&r);
	assert_null(resp_arg(&r, 3, &kept));
	assert_null(memmem(r.kept.data, r.kept.cap, "call", 4));
	resp_free(&r);
	free(bytes);
}

static void on_element(void *user, const struct resp *r, char type, bool null)
{
	size_t size = 0, n = strlen(user);
	const char *text = resp_arg(r, 0, &size);

	snprintf((char *)user + n, TEXT_MAX - n, "%c%s%.*s ", type, null ? "null" : "",
		 text ? (int)size : 0, text ? text : "");
}

static void the_elements_of_an_answer_are_told_one_by_one_however_it_is_cut(void **state)
{
	static const struct {
		const char *bytes, *elements;
	} cases[] = {
		{ "*3\r\n+OK\r\n$-1\r\n-ERR no\r\n", "+OK $null -ERR no " },
		{ "*3\r\n$2\r\nab\r\n*2\r\n:1\r\n$1\r\nx\r\n$1\r\nz\r\n", "$ab * $z " },
		{ "*2\r\n*0\r\n*-1\r\n", "* *null " },
		{ "|1\r\n+ttl\r\n:1\r\n>2\r\n+a\r\n|1\r\n+k\r\n+v\r\n_\r\n", "+a _null " },
		{ "$1\r\nx\r\n*0\r\n", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (size_t piece = 1; piece <= strlen(cases[i].bytes); piece++) {
			char told[TEXT_MAX] = "";
			const char *bytes = cases[i].bytes;
			struct resp r;

			resp_init(&r, RESP_REPLIES);
			r.element = on_element;
			r.user = told;
			for (size_t used; *bytes; bytes += used) {
				size_t give = strlen(bytes) < piece ? strlen(bytes) : piece;

				assert_int_not_equal(resp_feed(&r, bytes, give, &used),
						     RESP_BROKEN);
			}
			assert_string_equal(told, cases[i].elements);
			resp_free(&r);
		}
	}
}

static void a_line_without_an_end_is_broken_at_its_limit(void **state)
{
	static const struct {
		enum resp_side side;
		char first;
	} cases[] = { { RESP_COMMANDS, 'P' },
		      { RESP_COMMANDS, '*' },
		      { RESP_REPLIES, '+' },
		      { RESP_REPLIES, '$' } };
	char chunk[4096];

	(void)state;
	memset(chunk, 'x', sizeof chunk);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum resp_status status = RESP_MORE;
		size_t total = 0, used;
		struct resp r;

		resp_init(&r, cases[i].side);
		resp_feed(&r, &cases[i].first, 1, &used);
		while (status == RESP_MORE && total < 1 << 20) {
			status = resp_feed(&r, chunk, sizeof chunk, &used);
			total += used;
		}
		assert_int_equal(status, RESP_BROKEN);
		assert_true(total <= RESP_LINE_BYTES_MAX + 2 * sizeof chunk);
		assert_int_equal(resp_feed(&r, "+OK\r\n", 5, &used), RESP_BROKEN);
		assert_int_equal(used, 0);
		resp_free(&r);
	}
}

/* Valid streams with bytes changed, removed and doubled: no cut may change what is read, and
 * nothing may be read twice. */
static void a_spoilt_stream_is_read_the_same_however_it_is_cut(void **state)
{
	static const char alphabet[] = "*$+-:_#,(=!~%>|\r\n0123456789 ab?";
	struct rng rng = rng_split(42, 0, "spoil");
	char whole[TEXT_MAX], cut[TEXT_MAX];

	(void)state;
	for (int round = 0; round < 40000; round++) {
		const struct stream *s = &streams[rng_below(&rng, STREAMS)];
		size_t size = strlen(s->bytes);
		char bytes[256];

		memcpy(bytes, s->bytes, size);
		for (uint64_t k = rng_below(&rng, 4); k; k--) {
			size_t at = rng_below(&rng, size);

			switch (rng_below(&rng, 3)) {
			case 0:
				bytes[at] = alphabet[rng_below(&rng, sizeof alphabet - 1)];
				break;
			case 1:
				bytes[at] = (char)rng_below(&rng, 256);
				break;
			default:
				if (size < sizeof bytes) {
					memmove(bytes + at + 1, bytes + at, size - at);
					size++;
				}
			}
		}
		read_all(s->side, bytes, size, size, whole);
		read_all(s->side, bytes, size, 1 + rng_below(&rng, 5), cut);
		assert_string_equal(whole, cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_gives_its_messages_however_it_is_cut),
		cmocka_unit_test(nesting_past_the_limit_is_broken_and_up_to_it_is_not),
		cmocka_unit_test(a_value_of_64_kib_is_kept_whole_and_a_larger_one_is_passed_over),
		cmocka_unit_test(arguments_past_the_limit_are_counted_and_not_kept),
		cmocka_unit_test(a_script_is_not_kept_and_what_follows_it_is),
		cmocka_unit_test(the_elements_of_an_answer_are_told_one_by_one_however_it_is_cut),
		cmocka_unit_test(a_line_without_an_end_is_broken_at_its_limit),
		cmocka_unit_test(a_spoilt_stream_is_read_the_same_however_it_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
