#include "tap/feeds.h"

#include <stdlib.h>
#include <string.h>

static bool word_is(const struct resp *r, const char *word)
{
	size_t size;
	const char *text = resp_arg(r, 0, &size);

	return text && size == strlen(word) && !memcmp(text, word, size);
}

void feeds_begin(struct feeds *f)
{
	f->told.is_ack = f->told.is_message = false;
	f->told.elements = 0;
	f->told.number = 0;
}

void feeds_element(struct feeds *f, const struct resp *r)
{
	static const char *const acks[][2] = { [FEED_CHANNEL] = { "subscribe", "unsubscribe" },
					       [FEED_PATTERN] = { "psubscribe", "punsubscribe" },
					       [FEED_SHARD] = { "ssubscribe", "sunsubscribe" } };
	unsigned element = f->told.elements++;
	char number[16];
	size_t size;
	const char *text = resp_arg(r, 0, &size);

	if (element == 0) {
		f->told.is_message = word_is(r, "message") || word_is(r, "pmessage") ||
				     word_is(r, "smessage");
		for (int feed = 0; feed < FEED_COUNT; feed++) {
			if (word_is(r, acks[feed][0]) || word_is(r, acks[feed][1])) {
				f->told.is_ack = true;
				f->told.feed = (enum command_feed)feed;
			}
		}
	} else if (element == 2 && text && size < sizeof number) {
		memcpy(number, text, size);
		number[size] = '\0';
		f->told.number = atoll(number);
	}
}

uint32_t feeds_ack(struct feeds *f)
{
	enum command_feed feed = f->told.feed;
	int64_t before = f->subscribed[feed], others = 0;

	/* Channels and patterns are counted together. */
	if (feed != FEED_SHARD)
		others = f->subscribed[feed == FEED_CHANNEL ? FEED_PATTERN : FEED_CHANNEL];
	f->subscribed[feed] = f->told.number > others ? f->told.number - others : 0;
	return before > 1 ? (uint32_t)before : 1;
}

bool feeds_any(const struct feeds *f)
{
	return f->subscribed[FEED_CHANNEL] || f->subscribed[FEED_PATTERN] ||
	       f->subscribed[FEED_SHARD];
}
