/*
 * The listener, as our own handshakes before the cutover saw it: it speaks TLS 1.3, and its
 * certificate holds for the callers. A caller whose dial failed for either is a witness of the
 * same. A listener that is not there has no TLS to be judged: that is for others to find.
 */
#include <stdio.h>
#include <string.h>

#include "check/core/cause.h"
#include "check/core/witness.h"

enum { SOON_DAYS = 14 };

struct handshake {
	bool seen;
	int64_t t_ns;
	unsigned version, failure, days_left;
	char note[FINDING_TEXT_MAX / 2];
};

struct state {
	struct handshake usual, only_13;
	uint64_t dials, refused;
};

struct mine {
	bool convicted; /* once a call is enough */
};

static bool asked(const struct scenario *scenario)
{
	return scenario->target.url && !strncmp(scenario->target.url, "wss://", 6);
}

static void convict(const struct handshake *h, const struct world *w, enum anomaly anomaly,
		    const char *what, struct finding *f)
{
	struct witness wit = witness_of_moment(w, h->t_ns);

	wit.anomaly = wit.cause = anomaly;
	witness_say(&wit, "%s: %s", what, h->note);
	verdict_violation(f, &wit);
}

/* Came as far as the certificate. */
static bool agreed(const struct handshake *h)
{
	return h->seen && (h->failure == DIAL_OK || h->failure == DIAL_TLS_CERT);
}

/*
 *   usual         TLS 1.3 only            finding
 *   not there     -                       none: nothing was seen
 *   no version    -                       tls_version
 *   bad           agreed, or not there    tls_certificate
 *   bad           refused or cut off      tls_certificate and tls_version
 *   good          refused or cut off      tls_version
 *   good          agreed                  none
 */
static void judge_listener(const struct state *s, const struct world *w, struct finding *f)
{
	const struct handshake *usual = &s->usual, *only = &s->only_13;
	bool without_13 = only->seen &&
			  (only->failure == DIAL_TLS_VERSION || only->failure == DIAL_RESET);

	if (usual->seen && usual->failure == DIAL_TLS_CERT)
		convict(usual, w, ANOMALY_TLS_CERTIFICATE, "the certificate does not hold", f);
	if (usual->seen && usual->failure == DIAL_TLS_VERSION)
		convict(usual, w, ANOMALY_TLS_VERSION, "no TLS version the callers speak", f);
	else if (agreed(usual) && without_13)
		convict(only, w, ANOMALY_TLS_VERSION, "the listener cannot do TLS 1.3", f);
}

static void looked(struct state *s, const struct world *w, const struct event *e, struct finding *f)
{
	struct handshake *h = e->flags & TLS_ONLY_13 ? &s->only_13 : &s->usual;

	*h = (struct handshake){ .seen = true,
				 .t_ns = e->t_ns,
				 .version = e->code,
				 .failure = e->n,
				 .days_left = e->aux };
	snprintf(h->note, sizeof(h->note), "%s", world_note(w, e->conn));
	if (h == &s->only_13) /* the second one */
		judge_listener(s, w, f);
}

static void event(void *state, struct world_call *c, void *mine, const struct world *w,
		  const struct event *e, struct finding *f)
{
	struct state *s = state;
	struct mine *m = mine;
	struct witness wit;

	if (e->kind == EVENT_TLS) {
		looked(s, w, e, f);
		return;
	}
	if (!c)
		return;
	s->dials++;
	if (e->kind == EVENT_DIAL_OK || cause_of_refused_dial(e->n) == ANOMALY_UNKNOWN ||
	    m->convicted)
		return;
	m->convicted = true;
	s->refused++;
	wit = witness_of_call(w, c, e->t_ns);
	wit.anomaly = wit.cause = cause_of_refused_dial(e->n);
	witness_say(&wit, "the caller gave up in the TLS handshake: %s", dial_failure_name(e->n));
	verdict_violation(f, &wit);
}

static void finish(void *state, const struct world *w, struct finding *f)
{
	struct state *s = state;
	char soon[80] = "";

	if (!s->only_13.seen)
		judge_listener(s, w, f);
	verdict_saw(f, agreed(&s->usual) + agreed(&s->only_13) + s->dials, 1);
	if (!s->usual.seen || !s->only_13.seen)
		verdict_doubt(f, REASON_VACUOUS,
			      "no handshake of our own with the listener is on record");
	else if (!agreed(&s->usual))
		verdict_doubt(f, REASON_VACUOUS, "the handshake came to no end: %s (%s)",
			      dial_failure_name(s->usual.failure), s->usual.note);
	else if (!agreed(&s->only_13))
		verdict_doubt(f, REASON_VACUOUS, "the handshake of TLS 1.3 came to no end: %s (%s)",
			      dial_failure_name(s->only_13.failure), s->only_13.note);
	if (s->usual.seen && s->usual.failure == DIAL_OK && s->usual.days_left < SOON_DAYS)
		snprintf(soon, sizeof(soon), "; warning: the certificate expires in %u days",
			 s->usual.days_left);
	finding_say(f, "%s; %llu dials of callers, %llu calls refused by it (limit 0)%s",
		    s->usual.seen ? s->usual.note : "the listener was not looked at",
		    (unsigned long long)s->dials, (unsigned long long)s->refused, soon);
}

const struct check check_tls = {
	.name = "tls",
	.about = "a wss listener speaks TLS 1.3 and its certificate holds for the callers",
	.asked = asked,
	.why_not = "the target is not wss",
	.trials = "handshakes",
	.kinds = KIND(TLS) | KIND(DIAL_OK) | KIND(DIAL_FAIL),
	.state_bytes = sizeof(struct state),
	.call_bytes = sizeof(struct mine),
	.event = event,
	.finish = finish,
};
