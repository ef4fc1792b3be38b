#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/rng.h"
#include "record/ndjson.h"

struct fixture {
	struct history_names names;
	struct event event;
	struct lane_status lane;
	struct err err;
};

static struct fixture make(void)
{
	return (struct fixture){ .names = { .instances = names_init(255),
					    .notes = names_init(100) } };
}

static void release(struct fixture *f)
{
	names_free(&f->names.instances);
	names_free(&f->names.notes);
	call_names_free(&f->names.calls);
}

static int parse(struct fixture *f, const char *line)
{
	return ndjson_parse(line, &f->names, &f->event, &f->lane, &f->err);
}

/* The event as a line, to be freed. */
static char *print(const struct fixture *f, const struct event *event)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	ndjson_print_event(&f->names, event, out);
	fclose(out);
	return text;
}

static void a_line_is_read_field_by_field(void **state)
{
	struct fixture f = make();

	(void)state;
	assert_int_equal(
		parse(&f,
		      "{\"t\":\"1.250s\",\"due\":\"3ms\",\"kind\":\"reply.ok\",\"call\":\"c-1\",\"leg\":1,\"turn\":7,"
		      "\"n\":8,\"code\":9,\"ver\":4294967295,\"epoch\":2,\"aux\":3,\"conn\":4,\"color\":\"green\","
		      "\"instance\":\"green-2\",\"digest\":\"00000000deadbeef\",\"flags\":15}\n"),
		NDJSON_EVENT);
	assert_int_equal(f.event.t_ns, 1250000000);
	assert_int_equal(f.event.due_ns, 3000000);
	assert_int_equal(f.event.kind, EVENT_REPLY_OK);
	assert_int_equal(f.event.call, hash_id("c-1", 3));
	assert_string_equal(call_names_id(&f.names.calls, f.event.call), "c-1");
	assert_int_equal(f.event.leg, 1);
	assert_int_equal(f.event.turn, 7);
	assert_int_equal(f.event.n, 8);
	assert_int_equal(f.event.code, 9);
	assert_int_equal(f.event.ver, UINT32_MAX);
	assert_int_equal(f.event.epoch, 2);
	assert_int_equal(f.event.aux, 3);
	assert_int_equal(f.event.conn, 4);
	assert_int_equal(f.event.color, COLOR_GREEN);
	assert_string_equal(names_text(&f.names.instances, f.event.instance), "green-2");
	assert_int_equal(f.event.digest, 0xdeadbeef);
	assert_int_equal(f.event.flags, 15);
	release(&f);
}

static void what_is_left_out_is_zero_and_unplanned(void **state)
{
	struct fixture f = make();
	struct event want = event_make(EVENT_CALL_START, 5);

	(void)state;
	assert_int_equal(parse(&f, "{\"t\":5,\"kind\":\"call.start\"}"), NDJSON_EVENT);
	assert_memory_equal(&f.event, &want, sizeof(want));
	release(&f);
}

static void times_have_units(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
		{ "0", 0 },
		{ "17", 17 },
		{ "\"9ns\"", 9 },
		{ "\"1.5us\"", 1500 },
		{ "\"0.001ms\"", 1000 },
		{ "\"41.203s\"", 41203000000 },
		{ "\"2m\"", 120000000000 },
		{ "\"1h\"", 3600000000000 },
		{ "\"123456.789012345s\"", 123456789012345 },
	};
	static const char *const wrong[] = { "-1",
					     "1.5",
					     "\"5\"",
					     "\"s\"",
					     "\"-1s\"",
					     "\"1.2.3s\"",
					     "\"1 s\"",
					     "\"1sec\"",
					     "\".s\"",
					     "\"1e3s\"",
					     "\"99999999999h\"",
					     "null",
					     "9223372036854775807" };
	struct fixture f = make();
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(line, sizeof(line), "{\"t\":%s,\"kind\":\"run.start\"}", cases[i].text);
		assert_int_equal(parse(&f, line), NDJSON_EVENT);
		assert_int_equal(f.event.t_ns, cases[i].ns);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		snprintf(line, sizeof(line), "{\"t\":%s,\"kind\":\"run.start\"}", wrong[i]);
		if (parse(&f, line) >= 0)
			fail_msg("%s is a time", wrong[i]);
	}
	release(&f);
}

static void enumerations_are_words_or_numbers(void **state)
{
	static const struct {
		const char *fields;
		uint16_t code, n;
		uint8_t flags;
	} cases[] = {
		{ "\"kind\":\"leg.end\",\"n\":\"rst\",\"flags\":\"agent\",\"code\":1006", 1006,
		  LEG_RST, SIDE_AGENT },
		{ "\"kind\":\"leg.end\",\"n\":2,\"flags\":1", 0, LEG_RST, SIDE_AGENT },
		{ "\"kind\":\"call.end\",\"code\":\"muted\"", CALL_MUTED, 0, 0 },
		{ "\"kind\":\"call.start\",\"flags\":\"resumable\"", 0, 0, PROFILE_RESUMABLE },
		{ "\"kind\":\"phase.begin\",\"code\":\"drain\",\"n\":4", PHASE_DRAIN, 4, 0 },
		{ "\"kind\":\"phase.end\",\"code\":\"teardown\"", PHASE_TEARDOWN, 0, 0 },
		{ "\"kind\":\"action.inv\",\"code\":\"set_weights\"", ACTION_SET_WEIGHTS, 0, 0 },
		{ "\"kind\":\"action.fail\",\"code\":\"smoke\"", ACTION_SMOKE, 0, 0 },
		{ "\"kind\":\"cmd.ok\",\"code\":\"setex\",\"n\":3,\"flags\":10", VERB_SETEX, 3,
		  10 },
		{ "\"kind\":\"dial.fail\",\"n\":\"tls_cert\"", 0, DIAL_TLS_CERT, 0 },
	};
	struct fixture f = make();
	char line[160];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(line, sizeof(line), "{%s,\"t\":1}", cases[i].fields);
		assert_int_equal(parse(&f, line), NDJSON_EVENT);
		assert_int_equal(f.event.code, cases[i].code);
		assert_int_equal(f.event.n, cases[i].n);
		assert_int_equal(f.event.flags, cases[i].flags);
	}
	release(&f);
}

static void comments_and_empty_lines_are_nothing(void **state)
{
	static const char *const lines[] = { "", "\n", "  \t\r\n", "# a comment",
					     "   # {\"t\":1}\n" };
	struct fixture f = make();

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		assert_int_equal(parse(&f, lines[i]), NDJSON_NOTHING);
	release(&f);
}

static void what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *line, *text;
	} cases[] = {
		{ "{\"t\":1}", "no kind" },
		{ "{\"kind\":\"run.start\"}", "no t" },
		{ "{\"t\":1,\"kind\":\"run.begin\"}", "unknown kind \"run.begin\"" },
		{ "{\"t\":1,\"kind\":5}", "no kind" },
		{ "{\"t\":1,\"kind\":\"run.start\",\"colour\":\"blue\"}",
		  "unknown key \"colour\"" },
		{ "{\"t\":1,\"kind\":\"run.start\",\"colour\":1}", "colour is not a text" },
		{ "{\"t\":1,\"kind\":\"run.start\",\"color\":\"red\"}",
		  "color \"red\" is neither blue nor green" },
		{ "{\"t\":1,\"kind\":\"run.start\",\"turn\":65536}",
		  "turn is not a number from 0 to 65535" },
		{ "{\"t\":1,\"kind\":\"run.start\",\"turn\":-1}",
		  "turn is not a number from 0 to 65535" },
		{ "{\"t\":1,\"kind\":\"run.start\",\"flags\":256}",
		  "flags is not a number from 0 to 255" },
		{ "{\"t\":1,\"kind\":\"leg.end\",\"n\":\"hung\"}", "n has no word \"hung\"" },
		{ "{\"t\":1,\"kind\":\"leg.end\",\"n\":true}",
		  "n is not a number from 0 to 65535 nor a word" },
		{ "{\"t\":1,\"kind\":\"run.start\",\"digest\":\"12\"}",
		  "digest \"12\" is not 16 hex digits" },
		{ "{\"t\":1,\"kind\":\"run.start\",\"note\":\"x\"}", "run.start has no note" },
		{ "{\"t\":1,\"kind\":\"config\",\"conn\":1}",
		  "conn of config is its note: write \"note\"" },
		{ "{\"t\":1,\"kind\":\"run.start\",\"due\":\"x\"}",
		  "due is not a time: nanoseconds, or text like \"1.250s\"" },
		{ "[1]", "not an object" },
		{ "{\"lane\":\"x\",\"role\":\"cook\"}", "lane: unknown role \"cook\"" },
		{ "{\"lane\":\"x\",\"index\":-1}", "lane: index or events out of range" },
	};
	static const char *const broken[] = { "{\"t\":1,\"t\":2,\"kind\":\"run.start\"}",
					      "{\"t\":1", "{} {}", "t=1",
					      "{\"lane\":\"x\",\"kind\":\"run.start\"}" };
	struct fixture f = make();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		f.err = (struct err){ 0 };
		assert_int_equal(parse(&f, cases[i].line), -1);
		assert_int_equal(f.err.kind, ERR_INPUT);
		assert_string_equal(f.err.text, cases[i].text);
	}
	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++)
		assert_int_equal(parse(&f, broken[i]), -1);
	release(&f);
}

static void an_event_prints_as_it_would_be_written_by_hand(void **state)
{
	static const char *const lines[] = {
		"{\"t\":5,\"kind\":\"run.start\"}\n",
		"{\"t\":5,\"due\":0,\"kind\":\"leg.end\",\"call\":\"c-1\",\"leg\":1,\"n\":\"fin\",\"code\":1006,\"flags\":\"agent\","
		"\"color\":\"blue\",\"instance\":\"blue-1\"}\n",
		"{\"t\":5,\"kind\":\"config\",\"ver\":100,\"note\":\"weights 0/100 \\\"é\\\"\",\"digest\":\"0000000000000001\"}\n",
		"{\"t\":5,\"kind\":\"cmd.inv\",\"call\":\"#00000000deadbeef\",\"code\":\"get\",\"conn\":3}\n",
	};
	struct fixture f = make();

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		assert_int_equal(parse(&f, lines[i]), NDJSON_EVENT);
		char *text = print(&f, &f.event);
		assert_string_equal(text, lines[i]);
		free(text);
	}
	release(&f);
}

static void any_event_survives_print_and_parse(void **state)
{
	struct rng rng = rng_split(9, 0, "ndjson");
	struct fixture f = make();

	(void)state;
	for (int i = 1; i <= 9; i++) {
		char text[32];
		snprintf(text, sizeof(text), "name\n \"%d\"", i);
		names_intern(&f.names.instances, text, strlen(text), NULL);
		names_intern(&f.names.notes, text, strlen(text), NULL);
	}
	for (int i = 0; i < 2000; i++) {
		struct event event;
		for (size_t k = 0; k < sizeof(event); k += 8) {
			uint64_t bits = rng_below(&rng, 3) ? rng_u64(&rng) : 0;
			memcpy((char *)&event + k, &bits, 8);
		}
		event.t_ns = (int64_t)rng_below(&rng, INT64_MAX);
		event.due_ns = rng_below(&rng, 2) ? -1 : (int64_t)rng_below(&rng, INT64_MAX);
		event.seq = 0;
		event.kind = (uint8_t)rng_below(&rng, EVENT_KIND_COUNT);
		event.color = (uint8_t)rng_below(&rng, COLOR_COUNT);
		event.instance = (uint8_t)rng_below(&rng, 10);
		if (event_conn_is_note(event.kind))
			event.conn = (uint32_t)rng_below(&rng, 10);
		char *text = print(&f, &event);
		if (parse(&f, text) != NDJSON_EVENT)
			fail_msg("%s: %s", f.err.text, text);
		assert_memory_equal(&f.event, &event, sizeof(event));
		free(text);
	}
	release(&f);
}

static void text_that_is_not_utf8_still_makes_a_line(void **state)
{
	struct fixture f = make();
	struct event event = event_make(EVENT_PROBE_FAIL, 1);

	(void)state;
	event.conn = names_intern(&f.names.notes, "a\xff\"b\n", 5, NULL);
	char *text = print(&f, &event);
	assert_string_equal(
		text, "{\"t\":1,\"kind\":\"probe.fail\",\"note\":\"a\\u00ff\\u0022b\\u000a\"}\n");
	assert_int_equal(parse(&f, text), NDJSON_EVENT);
	free(text);
	release(&f);
}

static void the_status_of_a_lane_is_kept_with_its_damage(void **state)
{
	static const char *const lines[] = {
		"{\"lane\":\"worker-1.lane\",\"role\":\"worker\",\"index\":1,\"events\":9,\"first\":5,\"last\":7,\"damage\":\"torn\"}\n",
		"{\"lane\":\"x\",\"index\":0,\"events\":0,\"first\":0,\"last\":0}\n",
	};
	struct fixture f = make();

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		char *text = NULL;
		size_t size;
		assert_int_equal(parse(&f, lines[i]), NDJSON_LANE);
		assert_int_equal(f.lane.whole, i == 1);
		FILE *out = open_memstream(&text, &size);
		assert_non_null(out);
		ndjson_print_lane(&f.lane, out);
		fclose(out);
		assert_string_equal(text, lines[i]);
		free(text);
	}
	release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_read_field_by_field),
		cmocka_unit_test(what_is_left_out_is_zero_and_unplanned),
		cmocka_unit_test(times_have_units),
		cmocka_unit_test(enumerations_are_words_or_numbers),
		cmocka_unit_test(comments_and_empty_lines_are_nothing),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(an_event_prints_as_it_would_be_written_by_hand),
		cmocka_unit_test(any_event_survives_print_and_parse),
		cmocka_unit_test(text_that_is_not_utf8_still_makes_a_line),
		cmocka_unit_test(the_status_of_a_lane_is_kept_with_its_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
