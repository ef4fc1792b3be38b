/*
 * The stickiness cookies: no header makes a pin that we did not seal; one that we sealed is opened
 * to what it was, between any others; one changed character, and it is no cookie.
 */
#include <stdlib.h>

#include "ci/fuzz/fuzz.h"
#include "fixtures/alb/cookie.h"

static bool equal(const struct pin *a, const struct pin *b)
{
	return a->present == b->present && a->group == b->group && a->ip == b->ip &&
	       a->port == b->port && a->expires_ns == b->expires_ns;
}

/* A pin of whatever the input begins with. */
static struct pin pin_of(const uint8_t *data, size_t size)
{
	uint8_t bytes[16] = { 0 };
	struct pin pin = { .present = true };

	memcpy(bytes, data, size < sizeof bytes ? size : sizeof bytes);
	pin.group = bytes[0] % GROUP_COUNT;
	memcpy(&pin.port, bytes + 2, sizeof pin.port);
	memcpy(&pin.ip, bytes + 4, sizeof pin.ip);
	memcpy(&pin.expires_ns, bytes + 8, sizeof pin.expires_ns);
	return pin;
}

static void seal_and_open(const struct cookie_key *key, const uint8_t *data, size_t size)
{
	static const char *const names[] = { [COOKIE_GROUP] = "AWSALBTG",
					     [COOKIE_TARGET] = "AWSALB",
					     [COOKIE_APP] = "AWSALBAPP-0" };
	enum cookie_kind kind = (enum cookie_kind)(data[0] % 3);
	struct caller caller = { .ip = 0 };
	const struct pin *found[] = { [COOKIE_GROUP] = &caller.group,
				      [COOKIE_TARGET] = &caller.target,
				      [COOKIE_APP] = &caller.app };
	struct pin pin = pin_of(data, size), opened;
	struct buf header = buf_init(size + 2 * COOKIE_VALUE_MAX);
	char value[COOKIE_VALUE_MAX], was;
	size_t length, at;

	cookie_seal(key, kind, &pin, value);
	length = strlen(value);
	opened = cookie_open(key, kind, value, length);
	ASSERT(equal(&opened, &pin));
	buf_append(&header, data, size);
	buf_printf(&header, "; %s=%s", names[kind], value);
	cookie_read(key, header.data, header.len, &caller);
	ASSERT(equal(found[kind], &pin));
	ASSERT(cookie_named(header.data, header.len, names[kind]));
	buf_free(&header);

	at = data[size - 1] % length;
	was = value[at];
	value[at] = (char)data[size / 2];
	opened = cookie_open(key, kind, value, length);
	ASSERT_EQ(opened.present, was == value[at]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct cookie_key key = { { 1 } };
	struct caller caller = { .ip = 0 };
	char *header = fuzz_text(data, size);
	bool set = cookie_set(header, size, "a"), named = cookie_named(header, size, "a");

	cookie_read(&key, header, size, &caller);
	ASSERT(!caller.group.present && !caller.target.present && !caller.app.present);
	ASSERT(named || !set);
	for (int kind = COOKIE_GROUP; kind <= COOKIE_APP; kind++)
		ASSERT(!cookie_open(&key, (enum cookie_kind)kind, header, size).present);
	if (size)
		seal_and_open(&key, data, size);
	free(header);
	return 0;
}
