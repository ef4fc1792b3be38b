#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/core/event_text.h"

/* A golden line of a history and what explain says of it. */
static const struct {
	const char *line, *witness, *text;
} table[] = {
	{ "\"kind\":\"dial.inv\",\"call\":\"c-1\",\"leg\":1,\"flags\":1", "caller",
	  "leg 1 dials with its cookie" },
	{ "\"kind\":\"dial.ok\",\"call\":\"c-1\",\"color\":\"blue\",\"instance\":\"blue-1\",\"code\":101,\"due\":\"0.994s\"",
	  "caller", "leg 0 on blue-1, HTTP 101, after 6 ms" },
	{ "\"kind\":\"dial.fail\",\"call\":\"c-1\",\"code\":503,\"n\":7,\"aux\":2", "caller",
	  "leg 0 refused: http_status, HTTP 503, attempt 2" },
	{ "\"kind\":\"turn.inv\",\"call\":\"c-1\",\"turn\":3,\"due\":\"0.950s\"", "caller",
	  "turn 3 on leg 0 sent, 50 ms after it was due" },
	{ "\"kind\":\"reply.ok\",\"call\":\"c-1\",\"turn\":3,\"instance\":\"blue-1\",\"n\":3,\"flags\":8,\"aux\":1500",
	  "caller",
	  "turn 3 on leg 0 answered on blue-1, state holds 3 turns, 1.5 ms of it in Redis" },
	{ "\"kind\":\"leg.end\",\"call\":\"c-1\",\"instance\":\"blue-1\",\"n\":1,\"flags\":1,\"aux\":40",
	  "caller", "leg 0 on blue-1 ended by the agent: fin, last byte 40 ms before" },
	{ "\"kind\":\"signal\",\"instance\":\"blue-1\",\"code\":15", "process", "TERM to blue-1" },
	{ "\"kind\":\"weight.inv\",\"ver\":0,\"epoch\":100", "cutover", "blue 0 green 100" },
	{ "\"kind\":\"belief\",\"color\":\"blue\",\"n\":2,\"aux\":2,\"digest\":\"0000000000000001\"",
	  "cutover", "the cutover believes blue drained: 2 live on 2 instances, some unreachable" },
	{ "\"kind\":\"cmd.ok\",\"call\":\"c-1\",\"instance\":\"blue-1\",\"code\":1,\"flags\":1,\"conn\":7",
	  "redis", "get on blue-1, nil, connection 7" },
	{ "\"kind\":\"control\",\"code\":\"setex\",\"aux\":150", "observer",
	  "our own setex took 150 us" },
	{ "\"kind\":\"control\",\"code\":\"get\",\"aux\":250000,\"flags\":1", "observer",
	  "our own get: no answer for 250 ms" },
	{ "\"kind\":\"call.end\",\"call\":\"c-1\",\"code\":1,\"turn\":4,\"aux\":2", "caller",
	  "dropped: 4 turns answered, 2 legs" },
};

enum { CASES = sizeof(table) / sizeof(*table) };

static struct history *open_lines(void)
{
	char path[] = "/tmp/event-text-XXXXXX.ndjson";
	int fd = mkstemps(path, 7);
	FILE *file = fdopen(fd, "w");
	struct history *history = NULL;
	struct err err = { 0 };

	for (size_t i = 0; i < CASES; i++)
		fprintf(file, "{\"t\":\"1s\",%s}\n", table[i].line);
	fclose(file);
	if (history_open(path, &history, &err) < 0)
		fprintf(stderr, "%s\n", err.text);
	unlink(path);
	return history;
}

static void an_event_is_said_in_words(void **state)
{
	struct history *history = open_lines();
	const struct event *e;
	size_t i = 0;

	(void)state;
	assert_non_null(history);
	for (; history_next(history, &e); i++) {
		struct buf text = buf_init(4096);

		event_describe(history, e, &text);
		assert_string_equal(buf_text(&text), table[i].text);
		assert_string_equal(event_witness(e->kind), table[i].witness);
		buf_free(&text);
	}
	assert_int_equal(i, CASES);
	history_free(history);
}

static void no_kind_of_event_breaks_it(void **state)
{
	struct history *history = open_lines();

	(void)state;
	for (unsigned kind = 0; kind <= EVENT_KIND_COUNT; kind++) {
		struct buf text = buf_init(4096);
		struct event e;

		memset(&e, 0xff, sizeof(e));
		e.kind = (uint8_t)kind;
		event_describe(history, &e, &text);
		assert_false(text.overflow);
		assert_non_null(event_witness(kind));
		buf_free(&text);
	}
	history_free(history);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_is_said_in_words),
		cmocka_unit_test(no_kind_of_event_breaks_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
