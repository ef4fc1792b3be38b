#include "net/ws_end.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "net/tls.h"
#include "net/ws.h"

enum { NO_STATUS_RECEIVED = 1005, PROTOCOL_ERROR = 1002 };

static enum dial_failure by_errno(int errnum)
{
	switch (errnum) {
	case 0: /* the library's own table of descriptors is full */
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EADDRINUSE:    /* no free port on the source address */
	case EADDRNOTAVAIL: /* no free port to that destination, or no such source address */
	case EAGAIN:
		return DIAL_LOCAL_LIMIT;
	case ETIMEDOUT:
		return DIAL_TIMEOUT;
	default:
		return DIAL_REFUSED;
	}
}

void ws_dial_failed(const struct ws_dial_end *d, struct ws_ended *ret)
{
	*ret = (struct ws_ended){ .failure = DIAL_RESET, .side = SIDE_AGENT, .text = d->text };
	if (d->aborted) {
		ret->failure = DIAL_TIMEOUT;
		ret->side = SIDE_CALLER;
	} else if (d->at_once) {
		ret->failure = by_errno(d->errnum);
	} else if (d->status) { /* a 101 that is no valid upgrade is an answer, too */
		ret->failure = DIAL_HTTP_STATUS;
		ret->status = (uint16_t)d->status;
	} else if (strstr(d->text, "X509_V_ERR")) {
		ret->failure = DIAL_TLS_CERT;
	} else if (d->tls_alert) {
		ret->failure = tls_alert_failure(d->tls_alert);
	} else if (!strncmp(d->text, "Unable to connect", 17)) {
		ret->failure =
			/* the library keeps the errno to itself; nobody else refuses */
			DIAL_REFUSED;
	} else if (strstr(d->text, "imed out")) {
		ret->failure = DIAL_TIMEOUT;
	}
}

void ws_stream_ended(int fd, struct ws_ended *ret)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);
	int state = getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ? TCP_CLOSE :
									      info.tcpi_state;

	ret->how = state == TCP_CLOSE ? LEG_RST : LEG_FIN;
	/* Still established: the library gave the leg up, over bytes that are no WebSocket. */
	ret->side = state == TCP_ESTABLISHED ? SIDE_CALLER : SIDE_AGENT;
}

uint16_t ws_close_code(const unsigned char *payload, size_t size, const unsigned char *raw,
		       size_t raw_size)
{
	uint16_t code;

	if (size < 2)
		return NO_STATUS_RECEIVED;
	code = (uint16_t)(payload[0] << 8 | payload[1]);
	if (code != PROTOCOL_ERROR || size > 125)
		return code;
	/* An unmasked close frame of this length and reason; text before it cannot look like
	 * one. */
	for (size_t i = 0; i + 2 + size <= raw_size; i++) {
		const unsigned char *frame = raw + i;
		uint16_t said = (uint16_t)(frame[2] << 8 | frame[3]);

		if (frame[0] == 0x88 && frame[1] == size && said >= 1000 && said < 5000 &&
		    !memcmp(frame + 4, payload + 2, size - 2))
			return said;
	}
	return code;
}
