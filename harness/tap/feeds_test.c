#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tap/feeds.h"

struct told {
	struct feeds feeds;
	char text[512]; /* "1 1 m 2": an answer and of how many it is the first, or a message */
};

static void on_element(void *user, const struct resp *r, char type, bool null)
{
	struct told *t = user;

	(void)type;
	(void)null;
	feeds_element(&t->feeds, r);
}

static void read_all(struct told *t, const char *bytes)
{
	size_t size = strlen(bytes), used;
	struct resp r;

	resp_init(&r, RESP_REPLIES);
	r.element = on_element;
	r.user = t;
	for (; size; bytes += used, size -= used) {
		size_t n = strlen(t->text);

		if (!r.begun)
			feeds_begin(&t->feeds);
		assert_int_equal(resp_feed(&r, bytes, size, &used), RESP_MESSAGE);
		if (t->feeds.told.is_ack)
			snprintf(t->text + n, sizeof t->text - n, "%s%u", n ? " " : "",
				 feeds_ack(&t->feeds));
		else
			snprintf(t->text + n, sizeof t->text - n, "%s%s", n ? " " : "",
				 t->feeds.told.is_message ? "m" : "-");
	}
	resp_free(&r);
}

#define ACK(word, channel, number) "*3\r\n" word "\r\n" channel "\r\n:" number "\r\n"
#define SUB "$9\r\nsubscribe"
#define UNSUB "$11\r\nunsubscribe"
#define PSUB "$10\r\npsubscribe"
#define SSUB "$10\r\nssubscribe"
#define A "$1\r\na"
#define B "$1\r\nb"

static void answers_are_told_from_what_was_published(void **state)
{
	static const struct {
		const char *what, *bytes, *text;
		bool any;
	} table[] = {
		{ "one channel", ACK(SUB, A, "1"), "1", true },
		{ "a message between two answers",
		  ACK(SUB, A,
		      "1") "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$9\r\nsubscribe\r\n" ACK(SUB, B, "2"),
		  "1 m 1", true },
		{ "as pushes of RESP3",
		  ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n",
		  "1 m", true },
		{ "a pattern's message has one word more",
		  ACK(PSUB, A, "1") "*4\r\n$8\r\npmessage\r\n$1\r\na\r\n$1\r\na\r\n$1\r\nx\r\n",
		  "1 m", true },
		{ "leaving all of two channels is answered twice",
		  ACK(SUB, A, "1") ACK(SUB, B, "2") ACK(UNSUB, A, "1") ACK(UNSUB, B, "0"),
		  "1 1 2 1", false },
		{ "leaving none is answered once, with a null",
		  "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n", "1", false },
		/* Redis counts both in one number. */
		{ "patterns are no channels", ACK(SUB, A, "1") ACK(PSUB, A, "2") ACK(UNSUB, A, "1"),
		  "1 1 1", true },
		{ "a shard's are counted alone",
		  ACK(SUB, A, "1") ACK(SSUB, A, "1") ACK(UNSUB, A, "0"), "1 1 1", true },
		{ "any other array is neither", "*3\r\n$5\r\nother\r\n$1\r\na\r\n:7\r\n", "-",
		  false },
		{ "nor is one with the word elsewhere", "*2\r\n$1\r\na\r\n$9\r\nsubscribe\r\n", "-",
		  false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct told t = { .text = "" };

		read_all(&t, table[i].bytes);
		if (strcmp(t.text, table[i].text) != 0 || feeds_any(&t.feeds) != table[i].any)
			fail_msg("%s: \"%s\", any %d", table[i].what, t.text, feeds_any(&t.feeds));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_told_from_what_was_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
