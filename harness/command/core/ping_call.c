#include "command/core/ping_call.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "director/probe_state.h"
#include "net/resolve.h"

/* A ping under way. */
struct ping {
	const struct ping_args *args;
	struct ping_result *r;
	int cancel_fd;
	int64_t start_ns, deadline_ns, since_ns;
	struct sockaddr_in to; /* once resolved */
	struct redis *redis;   /* once asked */
};

const char *ping_step_name(enum ping_step step)
{
	static const char *const names[PING_STEPS] = { "resolve", "connect", "tls",
						       "upgrade", "ready",   "color",
						       "turn",	  "state",   "resume" };

	return names[step];
}

/* The step has this outcome; err NULL: it is well. Returns 0 when it is. */
static int take(struct ping *p, enum ping_step step, int64_t ns, const struct err *err)
{
	p->r->step[step].taken = true;
	p->r->step[step].ok = !err;
	p->r->step[step].ns = ns;
	if (!err)
		return 0;
	memcpy(p->r->step[step].error, err->text, sizeof err->text);
	p->r->exit_code = err->kind == ERR_INPUT   ? EXIT_USAGE :
			  err->kind == ERR_HARNESS ? EXIT_HARNESS :
						     EXIT_FAIL;
	return -1;
}

/* The same for a step whose time ran from the last one to now. */
static int done(struct ping *p, enum ping_step step, int result, const struct err *err)
{
	int64_t now_ns = clock_now_ns(), ns = now_ns - p->since_ns;

	p->since_ns = now_ns;
	return take(p, step, ns, result < 0 ? err : NULL);
}

static int64_t left_ns(const struct ping *p)
{
	int64_t left = p->deadline_ns - clock_now_ns();

	return left > NS_PER_MS ? left : NS_PER_MS;
}

static int resolve(struct ping *p, struct url *url, struct err *err)
{
	char ip[INET_ADDRSTRLEN];
	int result = url_parse(buf_text(&p->args->url), url, err);

	if (!result)
		result = resolve_ipv4_within(url->host, url->port, left_ns(p), &p->to, err);
	if (!result)
		snprintf(p->r->address, sizeof p->r->address, "%s:%u",
			 inet_ntop(AF_INET, &p->to.sin_addr, ip, sizeof ip), ntohs(p->to.sin_port));
	return done(p, PING_RESOLVE, result, err);
}

/* Before the call, on a connection of its own: of a certificate that does not hold the library that
 * dials tells little. */
static int look_at_tls(struct ping *p, const struct url *url, struct err *err)
{
	struct tls_probe probe = { .address = p->to,
				   .host = url->host,
				   .ca_file = p->args->ca,
				   .timeout_ns = left_ns(p) };
	const struct tls_probe_result *t = &p->r->tls;
	bool stands;

	tls_probe(&probe, &p->r->tls);
	stands = t->connect_ns >= 0;
	if (t->failure != DIAL_OK)
		err_set(err, t->failure == DIAL_LOCAL_LIMIT ? ERR_HARNESS : ERR_WORLD, "%s: %s",
			dial_failure_name(t->failure), t->reason);
	if (!stands)
		return done(p, PING_CONNECT, -1, err);
	take(p, PING_CONNECT, t->connect_ns, NULL);
	p->r->has_tls = true;
	take(p, PING_TLS, t->shake_ns > 0 ? t->shake_ns : 0, t->failure == DIAL_OK ? NULL : err);
	p->since_ns = clock_now_ns();
	return t->failure == DIAL_OK ? 0 : -1;
}

static struct probe_target target_of(const struct ping *p)
{
	const struct ping_args *a = p->args;

	return (struct probe_target){ .url = buf_text(&a->url),
				      .call = a->call,
				      .address = &p->to,
				      .ca = a->ca,
				      .wire = a->wire,
				      .headers = a->header,
				      .header_count = a->header_count,
				      .want = a->want,
				      .token = a->token,
				      .timeout_ns = left_ns(p),
				      .drops = a->resume,
				      .cancel_fd = p->cancel_fd };
}

/* Dial, ready, one turn. */
static int speak(struct ping *p, bool tls, struct err *err)
{
	static const enum ping_step as[PROBE_STEPS] = {
		[PROBE_RESOLVE] = PING_RESOLVE, [PROBE_CONNECT] = PING_CONNECT,
		[PROBE_UPGRADE] = PING_UPGRADE, [PROBE_READY] = PING_READY,
		[PROBE_COLOR] = PING_COLOR,	[PROBE_TURN] = PING_TURN,
	};
	struct probe_target target = target_of(p);
	struct probe_result *r = &p->r->first;
	struct err untold = { .kind = ERR_NONE };
	int result = probe_call(&target, r, err);

	for (int i = 0; i < PROBE_STEPS; i++) {
		bool failed = r->failed == (enum probe_step)i;
		/* Its own look came first, and has told the times. */
		bool told = i == PROBE_RESOLVE || (i == PROBE_CONNECT && tls);

		if (r->step_ns[i] >= 0 && (failed || !told))
			take(p, as[i], r->step_ns[i], failed ? err : NULL);
	}
	p->since_ns = clock_now_ns();
	if (!result && p->args->want != COLOR_UNKNOWN && r->color == COLOR_UNKNOWN) {
		err_set(&untold, ERR_WORLD,
			"wanted %s, and the agent says no color (X-Agent-Color, or in its messages)",
			color_name(p->args->want));
		return take(p, PING_COLOR, r->step_ns[PROBE_COLOR], &untold);
	}
	return result;
}

/* Its reply was right as far as it told; that it told something, or that Redis has it. */
static int check_state(struct ping *p, struct err *err)
{
	const struct probe_state state = { .key = buf_text(&p->args->key),
					   .said = &p->r->first,
					   .ttl_ns = p->args->ttl_ns,
					   .since_ns = p->start_ns };
	struct call_state found = { .found = false };
	int result = 0;

	if (p->args->redis) {
		result = redis_open(p->args->redis, left_ns(p), &p->redis, err);
		if (!result) {
			result = probe_state_check(p->redis, &state, &found, err);
			p->r->has_state = true;
			p->r->state = found;
		}
	} else if (!p->r->first.has_turns && !p->r->first.has_digest) {
		result = err_set(
			err, ERR_WORLD,
			"the agent tells neither turns nor digest; give --redis to look at its state");
	}
	return done(p, PING_STATE, result, err);
}

static int resume(struct ping *p, struct err *err)
{
	static const char *const names[] = { "resolve", "connect", "upgrade",
					     "ready",	"color",   "turn" };
	struct probe_target target = target_of(p);
	struct probe_result *r = &p->r->second;
	int64_t took_ns = 0;
	int result;

	target.resumes = true;
	target.drops = false;
	result = probe_call(&target, r, err);
	if (result < 0)
		err_context(err, "the second leg's %s", names[r->failed]);
	else if (!p->r->has_state && !r->has_turns && !r->has_digest)
		result = err_set(err, ERR_WORLD,
				 "ready on the second leg tells neither turns nor digest");
	for (int i = 0; i < PROBE_STEPS; i++) /* without what it takes to make ready for a dial */
		took_ns += r->step_ns[i] > 0 ? r->step_ns[i] : 0;
	return take(p, PING_RESUME, took_ns, result < 0 ? err : NULL);
}

/* Its key is a ping's own: gone with it, whatever came of it. */
static void clean_up(struct ping *p)
{
	struct err err = { .kind = ERR_NONE };
	int64_t deleted;
	int result = 0;

	if (p->args->redis && !p->redis && p->r->step[PING_TURN].taken)
		redis_open(p->args->redis, left_ns(p), &p->redis, NULL);
	if (p->redis)
		result = redis_delete(p->redis, buf_text(&p->args->key), &deleted, &err);
	redis_close(p->redis);
	if (result < 0 && p->r->exit_code == EXIT_PASS)
		take(p, PING_STATE, p->r->step[PING_STATE].ns, &err);
}

static bool cancelled(const struct ping *p)
{
	struct pollfd f = { .fd = p->cancel_fd, .events = POLLIN };

	return p->cancel_fd && poll(&f, 1, 0) == 1;
}

void ping_call(const struct ping_args *args, int cancel_fd, struct ping_result *ret)
{
	int64_t now_ns = clock_now_ns();
	struct ping p = { .args = args,
			  .r = ret,
			  .cancel_fd = cancel_fd,
			  .start_ns = now_ns,
			  .since_ns = now_ns,
			  .deadline_ns = now_ns + args->timeout_ns };
	struct err err = { .kind = ERR_NONE };
	struct url url;

	*ret = (struct ping_result){ .exit_code = EXIT_PASS };
	if (resolve(&p, &url, &err) < 0 || (url.tls && look_at_tls(&p, &url, &err) < 0) ||
	    speak(&p, url.tls, &err) < 0 || check_state(&p, &err) < 0 ||
	    (args->resume && resume(&p, &err) < 0))
		ret->exit_code = ret->exit_code ? ret->exit_code : EXIT_FAIL;
	clean_up(&p);
	if (cancelled(&p))
		ret->exit_code = EXIT_INTERRUPTED;
	ret->took_ns = clock_now_ns() - p.start_ns;
}
