/*
 * From what the library and the kernel leave behind to the words of the record: why a dial failed,
 * how a leg ended on the wire. The library itself tells neither a reset from an end of stream, nor
 * one refused dial from another. Used by ws.c only; no state, no callbacks.
 */
#ifndef NET_WS_END_H
#define NET_WS_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/words.h"

struct ws_ended;

/* What is known when a dial fails. */
struct ws_dial_end {
	bool aborted; /* by its owner */
	bool at_once; /* before ws_dial returned: errnum says why */
	int errnum;
	unsigned status;  /* HTTP status read, 0 when none was */
	int tls_alert;	  /* the fatal one sent or received, 0 without */
	const char *text; /* the library's words */
};

void ws_dial_failed(const struct ws_dial_end *, struct ws_ended *ret);

/* How the stream itself ended, by the state the kernel keeps for it: only meaningful without a
 * close frame. */
void ws_stream_ended(int fd, struct ws_ended *ret);

/*
 * The close code as the agent sent it. libwebsockets 4.1 replaces 1004 to 1016 by 1002 before it
 * tells us, and 1012 (service restart) is what a drained agent says. `raw` is the library's read
 * buffer, where the frame still lies.
 */
uint16_t ws_close_code(const unsigned char *payload, size_t size, const unsigned char *raw,
		       size_t raw_size);

#endif
