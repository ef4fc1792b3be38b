/*
 * WebSocket client over libwebsockets on our libev loop (foreign loop; fd_limit_per_thread left 0;
 * no sul per connection; names resolved before dialing: see the measurements in the reference). One
 * context per process, thousands of connections. Not a server and not a URL parser for HTTP.
 *
 * Ownership: the owner holds a struct ws * from ws_dial until its on_end was called; on_end is
 * called exactly once for every dial, also after ws_close/ws_abort, and the pointer is dead
 * afterwards. Callbacks run on the loop; they may call ws_send, ws_close, ws_abort and ws_dial.
 * Stamps are the owner's business: it stamps before ws_send and as first thing in a callback.
 */
#ifndef NET_WS_H
#define NET_WS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/loop.h"
#include "record/words.h"

struct ws_context;
struct ws;

struct ws_header {
	const char *name, *value; /* name without colon */
};

struct ws_dial {
	struct sockaddr_in address; /* resolved */
	const char *host;	    /* Host header and SNI */
	const char *path;	    /* with query */
	const char *protocol;	    /* Sec-WebSocket-Protocol, or NULL */
	const struct ws_header *headers;
	size_t header_count;
	bool tls;
	const char *source_ip; /* bind source, or NULL */
};

struct ws_accepted {			/* the 101 */
	const char *color, *instance;	/* X-Agent-Color, X-Agent-Instance; NULL when absent */
	const char *const *set_cookies; /* each Set-Cookie value, trimmed */
	size_t set_cookie_count;
	uint16_t tls;	    /* version agreed on, 0x0304 for TLS 1.3; 0 without TLS */
	const char *cipher; /* its name; NULL without TLS */
};

struct ws_ended {
	bool established;	   /* a leg that ended, else a dial that failed */
	enum dial_failure failure; /* when not established */
	uint16_t status;	   /* HTTP status of a refused dial, else 0 */
	enum leg_how how;	   /* when established */
	enum side side;		   /* who began the end */
	uint16_t code;		   /* close code of the frame, 0 without */
	const char *text;	   /* for notes: why a certificate does not hold, else the
				    * library's words; never NULL */
};

struct ws_owner {
	/* The connection stands, TLS included, and the request goes out. To note the time: nothing
	 * may be asked of the dial in it. May be NULL. */
	void (*on_connected)(void *user);
	void (*on_open)(void *user, const struct ws_accepted *);
	/* One whole message (fragments joined, at most 64 KiB; larger ends the leg with 1009). */
	void (*on_message)(void *user, const void *data, size_t size, bool binary);
	void (*on_end)(void *user, const struct ws_ended *);
};

struct ws_settings {
	bool tls_verify;     /* against the host dialed: a name, or an address in the certificate */
	const char *ca_file; /* the only issuers trusted; NULL: those of the system */
};

int ws_context_new(struct loop *, const struct ws_settings *, struct ws_context **ret,
		   struct err *);
void ws_context_free(struct ws_context *);

/* Never calls back before it returns. Returns NULL with err only for our own faults (out of
 * descriptors is reported through on_end as DIAL_LOCAL_LIMIT). Time-outs are the owner's: it calls
 * ws_abort. */
struct ws *ws_dial(struct ws_context *, const struct ws_dial *, const struct ws_owner *, void *user,
		   struct err *);
/* Queues a message; 0, or -1 when the leg is ending or more than 256 KiB wait. */
int ws_send(struct ws *, const void *data, size_t size, bool binary);
void ws_close(
	struct ws *,
	uint16_t
		code); /* orderly: close frame after what is queued, then FIN; gives up after 2 s */
void ws_abort(struct ws *, bool reset); /* no close frame: FIN, or RST when reset */

#endif
