/* A look at the listener before anybody calls: as callers do, and with TLS 1.3 alone. What is found
 * is on record and stops nothing: a bad certificate is the judge's business. */
#include <string.h>

#include "base/clock.h"
#include "director/walk.h"
#include "net/resolve.h"
#include "net/tls_probe.h"

static const int64_t handshake_within_ns = 5 * NS_PER_S;

const char *walk_ca(const struct walk *w, char *room, size_t size)
{
	if (w->scenario->target.ca)
		return w->scenario->target.ca;
	return control_value(&w->bind, "ca", room, size) ? room : NULL;
}

static void look(struct walk *w, struct tls_probe *probe, bool only_13)
{
	struct event e = event_make(EVENT_TLS, clock_now_ns());
	struct tls_probe_result r;

	probe->only_13 = only_13;
	tls_probe(probe, &r);
	e.due_ns = e.t_ns;
	e.t_ns = clock_now_ns();
	e.code = r.version;
	e.n = (uint16_t)r.failure;
	e.flags = only_13 ? TLS_ONLY_13 : 0;
	e.aux = r.days_left > 0 ? (uint32_t)r.days_left : 0;
	e.conn = r.failure == DIAL_OK ?
			 lane_note(w->lane, "%s, %s, certificate %s for %d more days",
				   tls_version_text(r.version), r.cipher, r.subject, r.days_left) :
			 lane_note(w->lane, "%s", r.reason);
	lane_event(w->lane, e);
}

void step_tls(struct walk *w)
{
	struct tls_probe probe = { .timeout_ns = handshake_within_ns };
	struct buf text = buf_init(2048);
	char alb[256] = "", ca[4096];
	const struct variable bound[] = { { "alb", alb }, { "call", "tls" }, { "run", w->run6 } };
	struct err err = { .kind = ERR_NONE };
	struct event action;
	struct url url;
	int result;

	if (strncmp(w->scenario->target.url, "wss://", 6))
		return;
	control_value(&w->bind, "alb", alb, sizeof alb);
	action = step_action(w, ACTION_TLS, NULL, "look at the listener");
	result = scenario_bind(w->scenario->target.url, bound, sizeof bound / sizeof *bound, &text,
			       &err);
	if (result == 0)
		result = url_parse(buf_text(&text), &url, &err);
	if (result == 0)
		result = resolve_ipv4(url.host, url.port, &probe.address, &err);
	if (result == 0) {
		probe.host = url.host;
		probe.ca_file = walk_ca(w, ca, sizeof ca);
		look(w, &probe, false);
		look(w, &probe, true);
	}
	step_action_done(w, action, result, &err);
	buf_free(&text);
}
