/* Dialect `plain`, the reference dialect: one flat JSON object a text frame (interface.md, "Dialect
 * plain"). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "record/event.h"
#include "wire/core/scan.h"
#include "wire/wire.h"

enum { FRAME_SIZE_MAX = 512 };

static int handshake(const struct wire_context *context, struct wire_handshake *ret)
{
	(void)context;
	memset(ret, 0, sizeof(*ret));
	return 0;
}

/* Call ids are ours, [a-z0-9-] only: nothing in them needs escaping. */
static void send_frame(const struct wire_sink *sink, const char *frame, int size)
{
	ASSERT(size > 0 && size < FRAME_SIZE_MAX);
	sink->frame(sink->user, frame, (size_t)size, false);
}

static void open_call(void *state, const struct wire_context *context, const struct wire_sink *sink)
{
	char frame[FRAME_SIZE_MAX];

	(void)state;
	send_frame(sink, frame,
		   snprintf(frame, sizeof(frame), "{\"type\":\"start\",\"call\":\"%s\"}",
			    context->call));
}

static void reopen_call(void *state, const struct wire_context *context,
			const struct wire_sink *sink)
{
	char frame[FRAME_SIZE_MAX];

	(void)state;
	send_frame(sink, frame,
		   snprintf(frame, sizeof(frame),
			    "{\"type\":\"resume\",\"call\":\"%s\",\"acked\":%" PRIu32 "}",
			    context->call, context->acked));
}

static void send_turn(void *state, const struct wire_context *context, const struct wire_turn *turn,
		      const struct wire_sink *sink)
{
	char frame[FRAME_SIZE_MAX], token[17];

	(void)state;
	(void)context;
	hash_hex16(turn->token, token);
	send_frame(sink, frame,
		   snprintf(frame, sizeof(frame),
			    "{\"type\":\"turn\",\"n\":%" PRIu32 ",\"token\":\"%s\"}", turn->n,
			    token));
}

static void bye(void *state, const struct wire_context *context, const struct wire_sink *sink)
{
	(void)state;
	(void)context;
	send_frame(sink, "{\"type\":\"bye\"}", (int)strlen("{\"type\":\"bye\"}"));
}

/* A frame while it is read. Bits say which members were there and well-formed. */
enum { SAW_TYPE = 1, SAW_N = 2 };
struct reading {
	struct meaning m;
	char type[16], code[64];
	unsigned saw;
	const char *wrong; /* member that is not what the dialect says */
};

static void take_count(struct reading *r, const struct scan_member *in, uint32_t *ret, unsigned saw,
		       uint8_t has)
{
	if (in->type != SCAN_INTEGER || in->integer < 0 || in->integer > UINT32_MAX) {
		r->wrong = "a count that is not a number from 0 to 4294967295";
		return;
	}
	*ret = (uint32_t)in->integer;
	r->saw |= saw;
	r->m.has |= has;
}

static void take_text(struct reading *r, const struct scan_member *in, char *ret, size_t size)
{
	size_t length = in->text_size < size ? in->text_size : size - 1;

	if (in->type != SCAN_STRING) {
		r->wrong = "a word that is not a string";
		return;
	}
	memcpy(ret, in->text, length);
	ret[length] = '\0';
}

static void member(void *user, const struct scan_member *in)
{
	struct reading *r = user;
	char color[16] = "";

	if (!strcmp(in->key, "type")) {
		take_text(r, in, r->type, sizeof(r->type));
		r->saw |= SAW_TYPE;
	} else if (!strcmp(in->key, "n")) {
		take_count(r, in, &r->m.n, SAW_N, 0);
	} else if (!strcmp(in->key, "turns")) {
		take_count(r, in, &r->m.turns, 0, STATE_HAS_TURNS);
	} else if (!strcmp(in->key, "digest")) {
		if (in->type != SCAN_STRING ||
		    hash_parse_hex16(in->text, in->text_size, &r->m.digest) < 0)
			r->wrong = "a digest that is not 16 hex digits";
		else
			r->m.has |= STATE_HAS_DIGEST;
	} else if (!strcmp(in->key, "color")) {
		int value;

		take_text(r, in, color, sizeof(color));
		value = color_parse(color);
		r->m.color = value > 0 ? (enum color)value : COLOR_UNKNOWN;
	} else if (!strcmp(in->key, "instance")) {
		take_text(r, in, r->m.instance, sizeof(r->m.instance));
	} else if (!strcmp(in->key, "version")) {
		take_count(r, in, &r->m.version, 0, STATE_HAS_VER);
	} else if (!strcmp(in->key, "epoch")) {
		take_count(r, in, &r->m.epoch, 0, STATE_HAS_EPOCH);
	} else if (!strcmp(in->key, "redis_us")) {
		take_count(r, in, &r->m.redis_us, 0, 0);
	} else if (!strcmp(in->key, "within_ms")) {
		take_count(r, in, &r->m.within_ms, 0, 0);
	} else if (!strcmp(in->key, "code")) {
		take_text(r, in, r->code, sizeof(r->code));
	} else if (!strcmp(in->key, "message")) {
		take_text(r, in, r->m.text, sizeof(r->m.text));
		for (char *at = r->m.text; (at = strchr(at, '\n'));)
			*at = ' ';
	}
}

/* Which meaning the type has; -1 for one the dialect does not know. */
static int kind_of(const char *type)
{
	static const struct {
		const char *type;
		enum meaning_kind kind;
	} kinds[] = {
		{ "reply", MEANING_REPLY },
		{ "ready", MEANING_READY },
		{ "draining", MEANING_DRAINING },
		{ "error", MEANING_ERROR },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].type, type))
			return (int)kinds[i].kind;
	return -1;
}

static int receive(void *state, const struct wire_context *context, const void *data, size_t size,
		   bool binary, void (*emit)(void *user, const struct meaning *), void *user,
		   struct err *err)
{
	struct reading r = { .saw = 0 };
	size_t at;
	int kind;

	(void)state;
	(void)context;
	if (binary)
		return err_set(err, ERR_WORLD,
			       "plain: a binary frame of %zu bytes; the dialect is text", size);
	if (size > WIRE_FRAME_MAX)
		return err_set(err, ERR_WORLD, "plain: a frame of %zu bytes, the limit is %d", size,
			       WIRE_FRAME_MAX);
	if (scan_object(data, size, member, &r, &at) < 0)
		return err_set(err, ERR_WORLD, "plain: not a JSON object at byte %zu of %zu", at,
			       size);
	if (r.wrong)
		return err_set(err, ERR_WORLD, "plain: %s message with %s", r.type, r.wrong);
	if (!(r.saw & SAW_TYPE))
		return err_set(err, ERR_WORLD, "plain: a message without a type");
	kind = kind_of(r.type);
	if (kind < 0)
		return err_set(err, ERR_WORLD, "plain: a message of unknown type \"%s\"", r.type);
	r.m.kind = (enum meaning_kind)kind;
	if (r.m.kind == MEANING_REPLY && !(r.saw & SAW_N))
		return err_set(err, ERR_WORLD, "plain: a reply that does not say to which turn");
	if (r.m.kind == MEANING_ERROR && r.code[0]) {
		char text[sizeof(r.m.text)];

		snprintf(text, sizeof(text), "%.40s: %.80s", r.code, r.m.text);
		memcpy(r.m.text, text, sizeof(text));
	}
	emit(user, &r.m);
	return 0;
}

const struct wire wire_plain = {
	.name = "plain",
	.about = "the reference dialect: flat JSON text frames",
	.handshake = handshake,
	.open = open_call,
	.reopen = reopen_call,
	.turn = send_turn,
	.bye = bye,
	.receive = receive,
};
