/*
 * The subscriptions of one connection, read from what Redis tells: SUBSCRIBE and its kin are
 * answered once a channel, as arrays in RESP2 and as pushes in RESP3, and among the answers comes
 * what was published, which answers nothing. Pure. Channels and messages are not kept.
 */
#ifndef TAP_FEEDS_H
#define TAP_FEEDS_H

#include "tap/command.h"

struct feeds {
	int64_t subscribed[FEED_COUNT];
	struct {
		bool is_ack, is_message;
		enum command_feed feed;
		unsigned elements;
		int64_t number;
	} told; /* of the array or push under way */
};

void feeds_begin(struct feeds *);
/* An element of it is over: its text is arg 0. */
void feeds_element(struct feeds *, const struct resp *);
/* The array is over and was an answer. Returns how many answers a command for all of its kind gets
 * of which this was the first. */
uint32_t feeds_ack(struct feeds *);
bool feeds_any(const struct feeds *);

#endif
