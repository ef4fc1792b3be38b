/*
 * The inside of the WebSocket client, shared by ws.c (what its owner asks for) and ws_events.c
 * (what the library tells). Nobody else includes this.
 */
#ifndef NET_WS_INSIDE_H
#define NET_WS_INSIDE_H

#include <ev.h>
#include <libwebsockets.h>

#include "base/buf.h"
#include "net/tls.h"
#include "net/ws.h"

enum {
	WS_MESSAGE_MAX = 65536,
	WS_READ_MAX = 512,  /* per leg, kept by the library for its life: most replies fit */
	WS_HEAD_MAX = 8192, /* of an answer, while a dial is under way */
	WS_COOKIES_MAX = 16,
};

struct ws_context {
	struct lws_context *lws;
	struct ev_loop *ev;
	bool tls_verify;
	const char *ca_file; /* while the context is made */
	bool bad_ca;	     /* it cannot be used */
	/* Of the connection in service: the last fatal alert, why its certificate does not hold. */
	int tls_alert;
	char tls_reason[TLS_REASON_MAX];
	struct ev_prepare reaper;     /* runs while doomed is not empty */
	struct ws *doomed;	      /* to be ended from the loop */
	const unsigned char *service; /* the library's read buffer, once seen */
	struct {		      /* of the 101 being read */
		char color[32], instance[64], cookie_text[WS_HEAD_MAX];
		const char *cookies[WS_COOKIES_MAX];
		size_t count;
	} answer;
	unsigned char frame[LWS_PRE + WS_MESSAGE_MAX];
};

struct ws {
	struct ws_context *context;
	const struct ws_owner *owner;
	void *user;
	struct lws *wsi;		       /* NULL: the dial failed before it began */
	struct ws *doomed_next, **doomed_link; /* link NULL: not in the list */
	char *head;			       /* request headers, until they are sent */
	struct buf joined;		       /* fragments so far */
	struct buf queue; /* frames the socket had no room for: struct waiting + bytes each */
	struct ev_timer close_timer;
	int fd, errnum;
	uint16_t code; /* of the close frame */
	bool dialing;  /* inside ws_dial: nothing is told yet */
	bool established, closing, close_sent, peer_closed, aborted, reset, gave_up, over;
	bool deaf;	/* the rest of what comes is not told */
	uint8_t inside; /* depth of our callbacks to the owner */
};

/* Out of the list of those to be ended from the loop; fine when not in it. */
void ws_spare(struct ws *);
/* Tells the owner how it ended, once, and frees it. */
void ws_end(struct ws *, const char *text);
/* The socket takes bytes again. -1: the library is to close the connection. */
int ws_writable(struct ws *);
/* From now on the other side has two seconds to finish the close. */
void ws_lose_patience(struct ws *);
int ws_on_lws(struct lws *, enum lws_callback_reasons, void *user, void *in, size_t size);

#endif
