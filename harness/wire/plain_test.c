#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "record/event.h"
#include "wire/wire.h"

struct frames {
	char text[512];
};

static void keep_frame(void *user, const void *data, size_t size, bool binary)
{
	struct frames *f = user;

	assert_false(binary);
	snprintf(f->text + strlen(f->text), sizeof(f->text) - strlen(f->text), "%.*s\n", (int)size,
		 (const char *)data);
}

static void what_the_caller_sends_is_the_dialect(void **state)
{
	const struct wire *plain = wire_find("plain");
	struct wire_context context = {
		.call = "c-abc123-7", .conn = "c-abc123-7/1", .leg = 1, .acked = 12
	};
	struct wire_turn turn = { .n = 13, .token = 0xfe };
	struct frames f = { "" };
	struct wire_sink sink = { keep_frame, &f };

	(void)state;
	plain->open(NULL, &context, &sink);
	plain->reopen(NULL, &context, &sink);
	plain->turn(NULL, &context, &turn, &sink);
	plain->bye(NULL, &context, &sink);
	assert_string_equal(f.text, "{\"type\":\"start\",\"call\":\"c-abc123-7\"}\n"
				    "{\"type\":\"resume\",\"call\":\"c-abc123-7\",\"acked\":12}\n"
				    "{\"type\":\"turn\",\"n\":13,\"token\":\"00000000000000fe\"}\n"
				    "{\"type\":\"bye\"}\n");
}

struct heard {
	int count;
	struct meaning m;
};

static void hear(void *user, const struct meaning *m)
{
	struct heard *h = user;

	h->count++;
	h->m = *m;
}

static int receive(const char *frame, bool binary, struct heard *h, struct err *err)
{
	struct wire_context context = { .call = "c-1" };

	*h = (struct heard){ .count = 0 };
	*err = (struct err){ .kind = ERR_NONE };
	return wire_find("plain")->receive(NULL, &context, frame, strlen(frame), binary, hear, h,
					   err);
}

static void what_the_agent_says_is_understood_member_by_member(void **state)
{
	struct heard h;
	struct err err;

	(void)state;
	assert_int_equal(
		receive("{\"type\":\"reply\",\"n\":7,\"color\":\"green\",\"instance\":\"green-2\",\"turns\":7,"
			"\"digest\":\"00000000000000ff\",\"version\":3,\"epoch\":2,\"redis_us\":450,\"more\":{}}",
			false, &h, &err),
		0);
	assert_int_equal(h.count, 1);
	assert_int_equal(h.m.kind, MEANING_REPLY);
	assert_int_equal(h.m.n, 7);
	assert_int_equal(h.m.turns, 7);
	assert_int_equal(h.m.color, COLOR_GREEN);
	assert_string_equal(h.m.instance, "green-2");
	assert_int_equal(h.m.digest, 0xff);
	assert_int_equal(h.m.version, 3);
	assert_int_equal(h.m.epoch, 2);
	assert_int_equal(h.m.redis_us, 450);
	assert_int_equal(h.m.has,
			 STATE_HAS_TURNS | STATE_HAS_DIGEST | STATE_HAS_VER | STATE_HAS_EPOCH);
	assert_int_equal(receive("{\"type\":\"ready\"}", false, &h, &err), 0);
	assert_int_equal(h.m.kind, MEANING_READY);
	assert_int_equal(h.m.color, COLOR_UNKNOWN);
	assert_int_equal(h.m.has, 0);
	assert_int_equal(receive("{\"type\":\"draining\",\"within_ms\":900}", false, &h, &err), 0);
	assert_int_equal(h.m.within_ms, 900);
	assert_int_equal(
		receive("{\"type\":\"error\",\"code\":\"redis\",\"message\":\"READ\\nONLY\"}",
			false, &h, &err),
		0);
	assert_string_equal(h.m.text, "redis: READ ONLY");
}

static void what_is_not_the_dialect_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *frame, *why;
		bool binary;
	} rows[] = {
		{ "{\"type\":\"reply\",\"turns\":1}", "to which turn", false },
		{ "{\"type\":\"reply\",\"n\":-1}", "a count", false },
		{ "{\"type\":\"reply\",\"n\":4294967296}", "a count", false },
		{ "{\"type\":\"reply\",\"n\":\"7\"}", "a count", false },
		{ "{\"type\":\"reply\",\"n\":1,\"digest\":\"xyz\"}", "a digest", false },
		{ "{\"type\":\"replay\",\"n\":1}", "unknown type \"replay\"", false },
		{ "{\"n\":1}", "without a type", false },
		{ "nonsense", "not a JSON object at byte 0", false },
		{ "{\"type\":\"ready\"}", "binary", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct heard h;
		struct err err;

		assert_int_equal(receive(rows[i].frame, rows[i].binary, &h, &err), -1);
		assert_int_equal(h.count, 0);
		if (!strstr(err.text, rows[i].why))
			fail_msg("%s: \"%s\" does not say \"%s\"", rows[i].frame, err.text,
				 rows[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_caller_sends_is_the_dialect),
		cmocka_unit_test(what_the_agent_says_is_understood_member_by_member),
		cmocka_unit_test(what_is_not_the_dialect_is_refused_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
