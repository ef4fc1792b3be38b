#include "command/core/ping_report.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/hash.h"

static const char *verdict_word(int exit_code)
{
	return exit_code == EXIT_PASS ? "pass" : exit_code == EXIT_FAIL ? "fail" : "inconclusive";
}

static double ms_of(int64_t ns)
{
	return (double)(ns / NS_PER_US) / 1000;
}

static bool told_state(const struct ping_result *r)
{
	return r->has_state || r->first.has_turns || r->first.has_digest;
}

/* ---- text ---- */

static void tls_text(const struct tls_probe_result *t, struct buf *out)
{
	if (!t->version) /* no handshake, nothing to tell */
		return;
	buf_printf(out, "%s %s", tls_version_text(t->version), t->cipher);
	if (t->has_certificate)
		buf_printf(out, "; certificate %s by %s, until %s (%d days left), %s", t->subject,
			   t->issuer, t->not_after, t->days_left,
			   t->failure == DIAL_OK ? "verified" : "not verified");
}

static void state_text(const struct ping_args *a, const struct ping_result *r, struct buf *out)
{
	if (r->has_state)
		buf_printf(out, "turns %u in Redis %s, time to live %lld s", r->state.turns,
			   a->redis, (long long)r->state.ttl_s);
	else if (told_state(r))
		buf_puts(out, "turns and digest as the agent tells them; Redis was not looked at");
}

/* What there is to say of a step beside its outcome. */
static void about_step(const struct ping_args *a, const struct ping_result *r, enum ping_step step,
		       struct buf *out)
{
	switch (step) {
	case PING_RESOLVE:
		buf_puts(out, r->address);
		break;
	case PING_TLS:
		tls_text(&r->tls, out);
		break;
	case PING_COLOR:
		buf_printf(out, "%s%s", color_name(r->first.color),
			   a->want == COLOR_UNKNOWN ? ", any would do" : "");
		break;
	case PING_STATE:
		state_text(a, r, out);
		break;
	case PING_RESUME:
		if (r->second.instance[0])
			buf_printf(out, "on %s", r->second.instance);
		break;
	case PING_CONNECT:
	case PING_UPGRADE:
	case PING_READY:
	case PING_TURN:
	case PING_STEPS:
		break;
	}
}

void ping_text(const struct ping_args *a, const struct ping_result *r, bool color, struct buf *out)
{
	bool pass = r->exit_code == EXIT_PASS;
	const char *word = r->exit_code == EXIT_PASS	    ? "PASS" :
			   r->exit_code == EXIT_FAIL	    ? "FAIL" :
			   r->exit_code == EXIT_INTERRUPTED ? "INTERRUPTED" :
							      "ERROR";

	buf_printf(out, "%s%s%s   %s   ", color ? pass ? "\033[32m" : "\033[1;31m" : "", word,
		   color ? "\033[0m" : "", buf_text(&a->url));
	if (r->first.instance[0])
		buf_printf(out, "%s   ", r->first.instance);
	buf_printf(out, "%.1f ms   exit %d\n", ms_of(r->took_ns), r->exit_code);
	for (enum ping_step s = PING_RESOLVE; s < PING_STEPS; s++) {
		struct buf about = buf_init(1024);

		if (!r->step[s].taken)
			continue;
		/* Of one that failed its error says it all, but for the certificate. */
		if (r->step[s].ok || s == PING_TLS)
			about_step(a, r, s, &about);
		buf_printf(out, "  %-4s  %-8s %8.1f ms", r->step[s].ok ? "ok" : "FAIL",
			   ping_step_name(s), ms_of(r->step[s].ns));
		if (!r->step[s].ok)
			buf_printf(out, "   %s", r->step[s].error);
		if (about.len)
			buf_printf(out, "%s%s", r->step[s].ok ? "   " : "; ", buf_text(&about));
		buf_puts(out, "\n");
		buf_free(&about);
	}
}

/* ---- JSON ---- */

static void put(json_t *object, const char *key, json_t *value)
{
	ASSERT(json_object_set_new(object, key, value) == 0);
}

/* Bytes of somebody else's may be no UTF-8: then there is nothing to quote. */
static json_t *text_or_null(const char *text)
{
	json_t *value = text && *text ? json_string(text) : NULL;

	return value ? value : json_null();
}

static json_t *json_of_steps(const struct ping_result *r)
{
	json_t *steps = json_array();

	for (enum ping_step s = PING_RESOLVE; s < PING_STEPS; s++) {
		json_t *step;

		if (!r->step[s].taken)
			continue;
		step = json_object();
		put(step, "name", json_string(ping_step_name(s)));
		put(step, "ok", json_boolean(r->step[s].ok));
		put(step, "ms", json_real(ms_of(r->step[s].ns)));
		put(step, "error", text_or_null(r->step[s].error));
		json_array_append_new(steps, step);
	}
	return steps;
}

static json_t *json_of_tls(const struct ping_result *r)
{
	const struct tls_probe_result *t = &r->tls;
	json_t *tls;

	if (!r->has_tls)
		return json_null();
	tls = json_object();
	put(tls, "version", t->version ? json_string(tls_version_text(t->version)) : json_null());
	put(tls, "cipher", text_or_null(t->cipher));
	put(tls, "subject", text_or_null(t->subject));
	put(tls, "issuer", text_or_null(t->issuer));
	put(tls, "not_after", text_or_null(t->not_after));
	put(tls, "days_left", t->has_certificate ? json_integer(t->days_left) : json_null());
	put(tls, "verified", json_boolean(t->failure == DIAL_OK));
	put(tls, "reason", text_or_null(t->reason));
	return tls;
}

static json_t *json_of_state(const struct ping_result *r)
{
	bool has_digest = r->has_state ? r->state.has_digest : r->first.has_digest;
	bool has_turns = r->has_state ? r->state.has_turns : r->first.has_turns;
	json_t *state = json_object();
	char digest[17];

	hash_hex16(r->has_state ? r->state.digest : r->first.digest, digest);
	put(state, "source",
	    r->has_state  ? json_string("redis") :
	    told_state(r) ? json_string("agent") :
			    json_null());
	put(state, "turns",
	    has_turns ? json_integer(r->has_state ? r->state.turns : r->first.turns) : json_null());
	put(state, "digest", has_digest ? json_string(digest) : json_null());
	put(state, "ttl_s",
	    r->has_state && r->state.found && r->state.ttl_s >= 0 ? json_integer(r->state.ttl_s) :
								    json_null());
	return state;
}

void ping_json(const struct ping_args *a, const struct ping_result *r, struct buf *out)
{
	json_t *json = json_object();
	char *text;

	put(json, "schema", json_string("crossfade.ping/1"));
	put(json, "url", text_or_null(buf_text(&a->url)));
	put(json, "call", json_string(a->call));
	put(json, "wanted",
	    a->want == COLOR_UNKNOWN ? json_null() : json_string(color_name(a->want)));
	put(json, "color",
	    r->first.color == COLOR_UNKNOWN ? json_null() :
					      json_string(color_name(r->first.color)));
	put(json, "instance", text_or_null(r->first.instance));
	put(json, "verdict", json_string(verdict_word(r->exit_code)));
	put(json, "exit_code", json_integer(r->exit_code));
	put(json, "ms", json_real(ms_of(r->took_ns)));
	put(json, "steps", json_of_steps(r));
	put(json, "tls", json_of_tls(r));
	put(json, "state", json_of_state(r));
	text = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	ASSERT(text);
	buf_printf(out, "%s\n", text);
	free(text);
	json_decref(json);
}
